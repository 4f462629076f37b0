-- What a key may spend at most: for each order, each UTC day and each UTC month, until it ends. A key without a mandate
-- is bounded by its storefront's limit alone.
CREATE TABLE mandates (
    key_id     text PRIMARY KEY REFERENCES api_keys,
    per_order  numeric NOT NULL CHECK (per_order >= 0),
    per_day    numeric NOT NULL CHECK (per_day >= 0),
    per_month  numeric NOT NULL CHECK (per_month >= 0),
    currency   text NOT NULL,                         -- the base currency when it was set
    ends_at    timestamptz NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE orders ADD COLUMN mandate_key_id text REFERENCES api_keys;
COMMENT ON COLUMN orders.mandate_key_id IS
    'The key whose mandate the order was placed under; null for an order of a key without one.';
CREATE INDEX orders_under_mandate ON orders (mandate_key_id, created_at) WHERE mandate_key_id IS NOT NULL;
