-- What was said between us and a supplier about an attempt, scrubbed. Unchecked, so that writing it waits for nobody.
CREATE TABLE exchanges (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    attempt_id text NOT NULL,
    at         timestamptz NOT NULL,
    method     text NOT NULL,
    path       text NOT NULL,                         -- a template: no id stands in it
    status     integer,
    ms         integer NOT NULL,
    error      text,
    request    text,
    answer     text
);
CREATE INDEX exchanges_attempt ON exchanges (attempt_id, id);
CREATE INDEX exchanges_at ON exchanges (at);

-- Finding orders by what people have in hand.
CREATE INDEX orders_reference ON orders (reference) WHERE reference IS NOT NULL;
CREATE INDEX orders_target_esim ON orders (target_esim_id) WHERE target_esim_id IS NOT NULL;
CREATE INDEX attempts_supplier_order_id ON attempts (supplier_order_id) WHERE supplier_order_id IS NOT NULL;
-- Listing them by filters, the newest first.
CREATE INDEX orders_mode ON orders (mode, created_at DESC, id);
CREATE INDEX orders_status ON orders (mode, status, created_at DESC, id);
CREATE INDEX orders_kind ON orders (mode, kind, created_at DESC, id);
-- What is open or waits for a person, and what was charged after all was over.
CREATE INDEX orders_open ON orders (mode, created_at) WHERE status IN ('pending', 'cancel_pending', 'needs_review');
CREATE INDEX order_events_late ON order_events (order_id) WHERE type = 'charged_after_failure';
-- What belongs to one order.
CREATE INDEX supplier_webhooks_attempt ON supplier_webhooks (attempt_id) WHERE attempt_id IS NOT NULL;
CREATE INDEX webhook_events_order ON webhook_events (order_id) WHERE order_id IS NOT NULL;
