-- The order's own row is its queue: `next_poll_at` says when it is processed again, `polls` counts what was sent.
ALTER TABLE orders RENAME COLUMN next_look_at TO next_poll_at;
ALTER TABLE orders RENAME COLUMN looks TO polls;
COMMENT ON COLUMN orders.next_poll_at IS 'when a worker processes the order again; claimed by moving it on; null when final';
COMMENT ON COLUMN orders.polls IS 'polls that were sent to the supplier since the last change';

-- What suppliers answered to the calls that spend, sealed, as it came over the wire: kept together with what was read
-- from it, and alone (read_at null) when reading or recording failed, so that it can be read again.
CREATE TABLE supplier_answers (
    id         text PRIMARY KEY,                      -- ans_…
    attempt_id text NOT NULL REFERENCES attempts ON DELETE CASCADE,
    at         timestamptz NOT NULL DEFAULT now(),
    body       bytea NOT NULL,                        -- providers.recording.Recorded as JSON, sealed
    read_at    timestamptz,                           -- when what it says was recorded; null: not yet
    failures   integer NOT NULL DEFAULT 0             -- how often reading it failed
);
CREATE INDEX supplier_answers_attempt ON supplier_answers (attempt_id);
CREATE INDEX supplier_answers_at ON supplier_answers (at);

-- Events for storefronts, written with what they tell of. A worker writes their deliveries and takes them out, so that
-- no fault in delivering touches an order.
CREATE TABLE event_outbox (
    id            text PRIMARY KEY,                   -- evt_…
    storefront_id text NOT NULL REFERENCES storefronts,
    mode          text NOT NULL,
    type          text NOT NULL,
    order_id      text,
    body          bytea NOT NULL,                     -- as in webhook_events, sealed
    at            timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX event_outbox_at ON event_outbox (at, id);

-- One delivered eSIM belongs to one order, over all suppliers of a mode. Rows from before get the digest of their code
-- from the next worker that starts: the key that it is made with is not in the database.
ALTER TABLE esims ADD COLUMN code_digest bytea;
COMMENT ON COLUMN esims.code_digest IS 'keyed digest of the activation code; null where there is none';
ALTER TABLE esims ADD COLUMN ended boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN esims.ended IS 'revoked, deleted or expired: its ICCID may be delivered again';
UPDATE esims e SET ended = true WHERE activation_code IS NULL AND EXISTS (
    SELECT FROM esims n WHERE n.mode = e.mode AND n.iccid_digest = e.iccid_digest AND n.activation_code IS NULL
      AND (n.created_at, n.id) > (e.created_at, e.id));
CREATE UNIQUE INDEX esims_one_code ON esims (mode, code_digest) WHERE code_digest IS NOT NULL;
DROP INDEX esims_same;  -- asked for whose eSIM it was, at one supplier
CREATE UNIQUE INDEX esims_one_iccid ON esims (mode, iccid_digest) WHERE activation_code IS NULL AND NOT ended;

-- Open orders of a storefront are counted at every admission.
CREATE INDEX orders_open_of_storefront ON orders (storefront_id, mode) WHERE status IN ('pending', 'cancel_pending');

-- What admission chooses from is remembered in every process; this lets go of it.
CREATE FUNCTION notify_catalog_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('catalog_changed', '');
    RETURN NULL;
END $$;
CREATE TRIGGER catalog_state_changed AFTER UPDATE ON catalog_state
    FOR EACH STATEMENT EXECUTE FUNCTION notify_catalog_changed();
