-- What a balance is made of, as the supplier told it: reserved, credit, wallets.
ALTER TABLE supplier_balances ADD COLUMN parts jsonb NOT NULL DEFAULT '{}';

-- What a supplier says moved our balance, every line once. Where it lists no movements, what its orders took.
CREATE TABLE supplier_transactions (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    supplier       text NOT NULL,
    key            text NOT NULL,                     -- the supplier's id of it, or a digest of what it says
    kind           text NOT NULL CHECK (kind IN ('charge', 'refund', 'deposit', 'adjustment', 'other')),
    amount         numeric NOT NULL,                  -- signed: negative when it left us
    currency       text NOT NULL,
    at             timestamptz NOT NULL,
    supplier_order_id text,
    transaction_id text,                              -- the supplier's own, where it has one
    reference      text,                              -- ours, where the supplier's order tells it
    seen_at        timestamptz NOT NULL,
    UNIQUE (supplier, key)
);
CREATE INDEX supplier_transactions_at ON supplier_transactions (at DESC, id DESC);
CREATE INDEX supplier_transactions_of ON supplier_transactions (supplier, at DESC, id DESC);

-- How far a supplier's books were read: everything up to whole_to stands in supplier_transactions.
CREATE TABLE supplier_book_walks (
    supplier text PRIMARY KEY,
    asked_at timestamptz NOT NULL,
    whole_to timestamptz,                             -- null before the first whole walk
    whole_from timestamptz,                           -- as far back as the first whole walk looked
    error    text                                     -- why the last walk was not whole, null when it was
);

-- Deposits that somebody began at a supplier that takes them online.
CREATE TABLE deposits (
    id         text PRIMARY KEY,
    supplier   text NOT NULL,
    way        text NOT NULL,
    amount     numeric NOT NULL CHECK (amount > 0),
    currency   text NOT NULL,
    state      text NOT NULL CHECK (state IN ('asked', 'begun', 'failed', 'arrived')),
    session_id text,                                  -- the supplier's
    url        text,                                  -- where a person pays
    error      text,
    begun_by   text NOT NULL,
    begun_at   timestamptz NOT NULL,
    arrived_at timestamptz,
    transaction_id bigint UNIQUE REFERENCES supplier_transactions,
    CHECK ((state = 'begun') <= (url IS NOT NULL) AND (state = 'arrived') = (transaction_id IS NOT NULL))
);
CREATE INDEX deposits_begun ON deposits (begun_at DESC, id DESC);
CREATE INDEX deposits_waiting ON deposits (supplier, begun_at) WHERE state = 'begun';
