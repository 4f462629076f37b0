-- Operators list the eSIMs of all storefronts, by their state or supplier, by when they were delivered or last heard of.
CREATE INDEX esims_of_mode ON esims (mode, created_at DESC, id DESC);
CREATE INDEX esims_of_state ON esims
    (mode, left(split_part(coalesce(state_notified, '/unknown'), '/', 2), 20), created_at DESC, id DESC);
CREATE INDEX esims_of_supplier ON esims (mode, supplier, created_at DESC, id DESC);
CREATE INDEX esims_by_update ON esims (mode, coalesce(observed_at, created_at) DESC, id DESC);

-- What was used of an eSIM's data over time: a row whenever a supplier told another figure than before.
CREATE TABLE esim_usage (
    esim_id  text NOT NULL REFERENCES esims ON DELETE CASCADE,
    at       timestamptz NOT NULL,
    used_mb  bigint NOT NULL,
    total_mb bigint,                              -- null where the supplier does not say
    PRIMARY KEY (esim_id, at)
);
CREATE INDEX esim_usage_at ON esim_usage (at);

-- An order that replaces another one's eSIM at our cost.
ALTER TABLE orders ADD COLUMN replaces_order_id text REFERENCES orders;
CREATE INDEX orders_replacing ON orders (replaces_order_id) WHERE replaces_order_id IS NOT NULL;
