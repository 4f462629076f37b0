-- Several orders for one plan, admitted together under one idempotency key: all of them or none.
CREATE TABLE order_batches (
    id            text PRIMARY KEY,                   -- bat_…
    storefront_id text NOT NULL REFERENCES storefronts,
    mode          text NOT NULL CHECK (mode IN ('live', 'test')),
    quantity      integer NOT NULL CHECK (quantity BETWEEN 1 AND 20),
    created_at    timestamptz NOT NULL
);
ALTER TABLE orders ADD COLUMN batch_id text REFERENCES order_batches;
COMMENT ON COLUMN orders.batch_id IS 'The batch that the order was admitted with; null for one that was placed alone.';
CREATE INDEX orders_batch ON orders (batch_id) WHERE batch_id IS NOT NULL;

ALTER TABLE idempotency_keys ADD COLUMN batch_id text REFERENCES order_batches;
ALTER TABLE idempotency_keys DROP CONSTRAINT idempotency_keys_check;
ALTER TABLE idempotency_keys ADD CONSTRAINT idempotency_keys_check
    CHECK (num_nonnulls(order_id, checkout_id, batch_id) = 1);
