-- Our money at each supplier, as it was seen over time.
CREATE TABLE supplier_balances (
    supplier  text NOT NULL,
    at        timestamptz NOT NULL,
    balance   numeric NOT NULL,
    spendable numeric NOT NULL,                       -- with credit and overdraft, less what is reserved: it decides
    currency  text NOT NULL,
    PRIMARY KEY (supplier, at)
);

-- The last time that a supplier was asked for it, whatever came of that.
CREATE TABLE supplier_balance_looks (
    supplier text PRIMARY KEY,
    asked_at timestamptz NOT NULL,
    error    text                                     -- why the last look told nothing, null when it did
);

CREATE INDEX sync_run_suppliers_supplier ON sync_run_suppliers (supplier, run_id DESC);
