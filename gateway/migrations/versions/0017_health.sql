-- Orders are processed from their own rows: jobs of the kind that an older release queued would only pile up.
DELETE FROM pgqueuer WHERE entrypoint = 'advance_order';
-- The order's row is its queue, and one schedule called retention has replaced the other two.
DELETE FROM pgqueuer_schedules WHERE entrypoint IN ('orders_due', 'erase_old_emails', 'forget_exchanges');

-- A worker writes its heartbeat every 10 seconds, whatever its queue and its schedules do.
CREATE TABLE workers (
    id         uuid PRIMARY KEY,
    host       text NOT NULL,
    pid        integer NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN workers.id IS 'made at the start of the process';
COMMENT ON COLUMN workers.host IS 'the machine that it runs on';
COMMENT ON COLUMN workers.pid IS 'its process there';
COMMENT ON COLUMN workers.started_at IS 'when it started';
COMMENT ON COLUMN workers.seen_at IS 'its last heartbeat; a row is deleted a day after it';
CREATE INDEX workers_seen ON workers (seen_at);

-- Work that one process of several does at a time. A process that dies or freezes loses its lease by the clock.
CREATE TABLE leases (
    name       text PRIMARY KEY,
    holder     uuid NOT NULL,
    held_until timestamptz NOT NULL
);
COMMENT ON COLUMN leases.name IS 'the work';
COMMENT ON COLUMN leases.holder IS 'the process that does it, by an id made at its start';
COMMENT ON COLUMN leases.held_until IS 'from then on another process may take it';

-- A gateway that had its first alert rules gets those for its own health, too.
INSERT INTO alert_rules (id, name, kind)
SELECT 'alr_' || substr(md5(random()::text), 1, 16), r.name, r.kind
FROM alert_state, (VALUES ('No worker for 60 seconds', 'no_worker'), ('Orders overdue', 'orders_overdue')) AS r (name, kind)
WHERE seeded;

-- Retention deletes by age, the oldest first.
CREATE INDEX pgqueuer_statistics_age ON pgqueuer_statistics (created);
CREATE INDEX goods_changes_age ON goods_changes (at);
-- Decisions read these types whatever their age.
CREATE INDEX order_events_age ON order_events (at)
    WHERE type NOT IN ('charged_after_failure', 'late_charge_settled', 'email_erased');
CREATE INDEX checkout_events_age ON checkout_events (at);
CREATE INDEX audit_log_age ON audit_log (at);
CREATE INDEX alert_messages_age ON alert_messages (created_at);
