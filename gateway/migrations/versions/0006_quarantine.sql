-- What else than a price changed in a supplier's offers: one row each, beside price_changes.
CREATE TABLE offer_events (
    id               bigint GENERATED ALWAYS AS IDENTITY,
    at               timestamptz NOT NULL,
    supplier         text NOT NULL,
    supplier_plan_id text NOT NULL,
    plan_id          text NOT NULL,
    kind             text NOT NULL CHECK (kind IN ('new', 'back', 'gone', 'in_stock', 'out_of_stock')),
    cost             numeric,                     -- what the offer cost then
    currency         text,
    sync_run_id      text NOT NULL,
    PRIMARY KEY (at, id)
);
CREATE INDEX offer_events_supplier ON offer_events (supplier, at, id);
CREATE INDEX offer_events_offer ON offer_events (supplier, supplier_plan_id, at);

-- Feeds are read from the newest on, all suppliers' together or one's; many rows share one moment.
DROP INDEX price_changes_at;
CREATE INDEX price_changes_at ON price_changes (at, id);
CREATE INDEX price_changes_supplier ON price_changes (supplier, at, id);

-- When a supplier came to what it came to, and what its prices and stock did: summed up over days at a glance.
ALTER TABLE sync_run_suppliers
    ADD COLUMN at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN up integer NOT NULL DEFAULT 0,
    ADD COLUMN down integer NOT NULL DEFAULT 0,
    ADD COLUMN in_stock integer NOT NULL DEFAULT 0,
    ADD COLUMN out_of_stock integer NOT NULL DEFAULT 0;
UPDATE sync_run_suppliers p SET at = coalesce(r.ended_at, r.started_at) FROM sync_runs r WHERE r.id = p.run_id;
CREATE INDEX sync_run_suppliers_at ON sync_run_suppliers (supplier, at)
    INCLUDE (state, new, gone, up, down, in_stock, out_of_stock);

-- How far a running sync is with each supplier. Worth nothing once it has ended, or after a crash.
CREATE UNLOGGED TABLE sync_progress (
    run_id   text NOT NULL,
    supplier text NOT NULL,
    items    integer NOT NULL,
    claimed  integer,
    at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_id, supplier)
);

-- A walk that must wait for a person: how it differs from what stands. Of a supplier at most one waits.
CREATE TABLE quarantines (
    run_id       text NOT NULL REFERENCES sync_runs ON DELETE CASCADE,
    supplier     text NOT NULL,
    at           timestamptz NOT NULL,
    reason       text NOT NULL,
    before       integer NOT NULL,                -- offers that stand
    new          integer NOT NULL,
    changed      integer NOT NULL,
    gone         integer NOT NULL,
    up           integer NOT NULL,
    down         integer NOT NULL,
    moved_far    integer NOT NULL,
    difference   text NOT NULL,                   -- a digest of all of it: whether a later walk says the same
    state        text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'accepted', 'refused', 'overtaken')),
    decided_at   timestamptz,
    decided_by   text,
    why          text NOT NULL DEFAULT '',
    accepted_run text,                            -- the sync that was started by accepting it
    PRIMARY KEY (run_id, supplier),
    CHECK (state = 'waiting' OR decided_at IS NOT NULL),
    CHECK (state IN ('waiting', 'overtaken') OR decided_by IS NOT NULL)
);
CREATE UNIQUE INDEX quarantines_waiting ON quarantines (supplier) WHERE state = 'waiting';
CREATE INDEX quarantines_supplier ON quarantines (supplier, at);

-- The largest differences of it, so many of each kind and no more.
CREATE TABLE quarantine_rows (
    run_id           text NOT NULL,
    supplier         text NOT NULL,
    kind             text NOT NULL CHECK (kind IN ('moved', 'gone', 'new')),
    n                integer NOT NULL,            -- 1 is the largest
    supplier_plan_id text NOT NULL,
    plan_id          text NOT NULL,
    name             text NOT NULL,
    old              numeric,
    old_currency     text,
    new              numeric,
    new_currency     text,
    moved            double precision,            -- 0.25: a quarter more; null where it cannot be told
    PRIMARY KEY (run_id, supplier, kind, n),
    FOREIGN KEY (run_id, supplier) REFERENCES quarantines ON DELETE CASCADE
);
