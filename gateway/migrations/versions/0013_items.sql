-- What an order of another kind than an eSIM asked the supplier for, beside its plan_id: the same words in every look.
ALTER TABLE attempts ADD COLUMN item jsonb;           -- gateway.items.item_rules: number or good; null for eSIMs

-- What a product asked the customer for (a phone number, an account): sealed, and erased with the e-mail address.
ALTER TABLE orders ADD COLUMN fields bytea;           -- encrypted
CREATE INDEX orders_fields_age ON orders (created_at) WHERE fields IS NOT NULL;

-- A delivered virtual number. Numbers come back after they expired, so the key is the order.
CREATE TABLE numbers (
    id              text PRIMARY KEY,                 -- num_…
    order_id        text NOT NULL UNIQUE REFERENCES orders,
    storefront_id   text NOT NULL REFERENCES storefronts,
    mode            text NOT NULL,
    supplier        text NOT NULL,
    attempt_id      text NOT NULL REFERENCES attempts,
    country         text NOT NULL,
    tier_id         text NOT NULL,
    phone_number    bytea NOT NULL,                   -- encrypted
    phone_digest    bytea NOT NULL,                   -- keyed digest, for finding
    expires_at      timestamptz,
    autorenew       boolean,
    supplier_status text,                             -- the supplier's own word
    observed_at     timestamptz NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX numbers_same ON numbers (phone_digest, supplier);
CREATE INDEX numbers_of_storefront ON numbers (storefront_id, mode, created_at DESC, id DESC);
CREATE INDEX numbers_of_supplier ON numbers (supplier, created_at);

-- The codes of a voucher. PIN, serial and what a recharge says are bearer secrets.
CREATE TABLE voucher_codes (
    id         text PRIMARY KEY,                      -- vch_…
    order_id   text NOT NULL REFERENCES orders,
    n          integer NOT NULL CHECK (n > 0),
    supplier   text NOT NULL,
    pin        bytea,                                 -- encrypted
    pin_digest bytea,                                 -- keyed digest, for finding
    serial     bytea,                                 -- encrypted
    serial_digest bytea,                              -- keyed digest, for finding where there is no PIN
    told       bytea,                                 -- encrypted: what a recharge says instead of a code
    expires_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (order_id, n),
    CHECK (pin IS NOT NULL OR serial IS NOT NULL OR told IS NOT NULL)
);
CREATE INDEX voucher_codes_same ON voucher_codes (pin_digest, supplier) WHERE pin_digest IS NOT NULL;
CREATE INDEX voucher_codes_same_serial ON voucher_codes (serial_digest, supplier) WHERE pin IS NULL;

-- Where virtual numbers can be had and for how long, as each supplier said last.
CREATE TABLE number_lists (
    supplier     text PRIMARY KEY REFERENCES suppliers,
    looked_at    timestamptz NOT NULL,                -- last attempt, good or bad
    last_good_at timestamptz,
    error        text                                 -- of the last attempt, null when it was good
);
-- When the orders of numbers were last read again at a supplier, for expiry and autorenew.
CREATE TABLE number_looks (
    supplier text PRIMARY KEY REFERENCES suppliers,
    at       timestamptz NOT NULL
);
CREATE TABLE number_countries (
    supplier text NOT NULL REFERENCES suppliers,
    code     text NOT NULL,                           -- ISO 3166-1 alpha-2
    name     text NOT NULL,                           -- as the supplier writes it; a purchase repeats it
    PRIMARY KEY (supplier, code)
);
CREATE TABLE number_tiers (
    supplier       text NOT NULL REFERENCES suppliers,
    tier_id        text NOT NULL,
    name           text NOT NULL,
    days           integer NOT NULL CHECK (days > 0),
    cost           numeric NOT NULL CHECK (cost > 0),
    currency       text NOT NULL,
    good_cost      numeric,                           -- the last cost that was not suspect
    suspect        text,                              -- why it is not sold until a person releases it
    changed_at     timestamptz NOT NULL,
    PRIMARY KEY (supplier, tier_id)
);
