-- Events of storefronts stand in one table, whether an endpoint asks for them or not, and are listed from it. The event
-- is written with what it tells of; a worker writes the deliveries of those that are not dispatched.
ALTER TABLE webhook_events ADD COLUMN dispatched boolean NOT NULL DEFAULT true;
COMMENT ON COLUMN webhook_events.dispatched IS 'Whether its deliveries are written, or no endpoint asks for it.';
INSERT INTO webhook_events (id, storefront_id, mode, type, order_id, body, at, dispatched)
    SELECT id, storefront_id, mode, type, order_id, body, at, false FROM event_outbox;
DROP TABLE event_outbox;
CREATE INDEX webhook_events_to_dispatch ON webhook_events (at, id) WHERE NOT dispatched;
CREATE INDEX webhook_events_of_storefront ON webhook_events (storefront_id, mode, at, id, type);

-- A storefront finds its orders by their metadata; by their e-mail address and time it could by indexes that stand.
CREATE INDEX orders_metadata ON orders USING gin (metadata jsonb_path_ops) WHERE metadata <> '{}';
