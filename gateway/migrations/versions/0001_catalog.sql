-- Storefronts and their keys. A key is kept as its SHA-256 only.
CREATE TABLE storefronts (
    id          text PRIMARY KEY,
    name        text NOT NULL UNIQUE,
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE api_keys (
    id            text PRIMARY KEY,
    storefront_id text NOT NULL REFERENCES storefronts,
    mode          text NOT NULL CHECK (mode IN ('live', 'test')),
    scopes        text[] NOT NULL CHECK (scopes <@ ARRAY['storefront', 'ops', 'routing', 'goods'] AND scopes <> '{}'),
    hash          bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    prefix        text NOT NULL,
    per_minute    integer CHECK (per_minute > 0),
    created_at    timestamptz NOT NULL DEFAULT now(),
    revoked_at    timestamptz,
    last_used_at  timestamptz
);

-- Supplier accounts as configured, and what is known of each.
CREATE TABLE suppliers (
    name             text PRIMARY KEY,
    provider         text NOT NULL,
    mode             text NOT NULL CHECK (mode IN ('live', 'test')),
    configured       boolean NOT NULL DEFAULT true,
    state            text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused', 'stopped')),
    last_sync_at     timestamptz,                 -- last attempt, good or bad
    last_good_at     timestamptz,                 -- last whole, accepted walk: when its offers were observed
    last_sync_state  text CHECK (last_sync_state IN ('ok', 'failed', 'quarantined')),
    mapping          text                         -- which code and settings mapped the stored offers
);

-- GCRA: the theoretical arrival time, shared by all processes; headers may lower the rate for a while.
CREATE TABLE supplier_limits (
    supplier      text PRIMARY KEY,
    tat           timestamptz NOT NULL DEFAULT now(),
    blocked_until timestamptz,
    remaining     integer,
    reported_limit integer,
    resets_at     timestamptz,
    reported_at   timestamptz
);

CREATE TABLE supplier_breakers (
    supplier    text PRIMARY KEY,
    state       text NOT NULL DEFAULT 'closed' CHECK (state IN ('closed', 'open', 'half_open')),
    failures    integer NOT NULL DEFAULT 0,
    opened_at   timestamptz,
    retry_at    timestamptz,
    last_error  text,
    changed_at  timestamptz NOT NULL DEFAULT now()
);

-- One row for each sellable item that could be mapped. cost is the supplier's own number.
CREATE TABLE offers (
    id               text PRIMARY KEY,            -- off_ + 24 hex digits: digest of supplier and supplier_plan_id
    supplier         text NOT NULL,               -- a suppliers row; unchecked, for the check costs more than the insert
    supplier_plan_id text NOT NULL,
    plan_id          text NOT NULL,
    name             text NOT NULL,
    description      text NOT NULL DEFAULT '',
    coverage         text[] NOT NULL CHECK (coverage <> '{}'),
    data             jsonb NOT NULL,              -- schemas.plan.DataAllowance
    days             integer NOT NULL CHECK (days > 0),
    starts           text NOT NULL,
    networks         jsonb NOT NULL DEFAULT '[]', -- schemas.plan.Network[]
    features         jsonb NOT NULL DEFAULT '{}', -- schemas.plan.Features
    cost             numeric CHECK (cost > 0),
    currency         text,
    stock            integer,
    visible          boolean NOT NULL DEFAULT true,
    suspect          text,                        -- why the price is suspect, null when it is not
    good_cost        numeric,                     -- last cost that was not suspect
    good_currency    text,
    prior_good_cost  numeric,                     -- what good_cost was before the last change of cost,
    prior_good_currency text,                     -- for a cost that turns out suspect beside the others'
    released_cost    numeric,                     -- a suspect cost that a person let through, in `currency`
    digest           bytea NOT NULL CHECK (octet_length(digest) = 24), -- 16 bytes of the offer, 8 of the item as it came
    first_seen_at    timestamptz NOT NULL,
    changed_at       timestamptz NOT NULL,
    gone_at          timestamptz,                 -- not in the last whole walk
    UNIQUE (supplier, supplier_plan_id),
    CHECK ((cost IS NULL) = (currency IS NULL))
);
CREATE INDEX offers_plan ON offers (plan_id);
CREATE INDEX offers_suspect ON offers (supplier) WHERE suspect IS NOT NULL AND gone_at IS NULL;

-- Items that could not be mapped, kept with the reason.
CREATE TABLE set_aside (
    supplier         text NOT NULL REFERENCES suppliers,
    supplier_plan_id text NOT NULL,
    name             text NOT NULL,
    reason           text NOT NULL,
    detail           text NOT NULL,
    raw              text NOT NULL,
    first_seen_at    timestamptz NOT NULL,
    PRIMARY KEY (supplier, supplier_plan_id)
);

-- When each plan was last touched, and when its last offer went.
CREATE TABLE plans (
    id         text PRIMARY KEY,
    updated_at timestamptz NOT NULL,
    gone_at    timestamptz
);
CREATE INDEX plans_updated ON plans (updated_at);

CREATE TABLE price_changes (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    supplier         text NOT NULL,
    supplier_plan_id text NOT NULL,
    plan_id          text NOT NULL,
    old              numeric,
    new              numeric,
    old_currency     text,
    new_currency     text,
    at               timestamptz NOT NULL,
    sync_run_id      text NOT NULL
);
CREATE INDEX price_changes_offer ON price_changes (supplier, supplier_plan_id, at);
CREATE INDEX price_changes_at ON price_changes (at);

CREATE TABLE sync_runs (
    id         text PRIMARY KEY,
    suppliers  text[] NOT NULL DEFAULT '{}',      -- those that it is to sync
    accepts    text[] NOT NULL DEFAULT '{}',      -- those of them whose bounds of quarantine a person lifted
    started_at timestamptz NOT NULL DEFAULT now(),
    waiting    boolean NOT NULL DEFAULT false,    -- asked for, but no worker has begun it
    ended_at   timestamptz,                       -- null while it runs or waits
    state      text CHECK (state IN ('ok', 'partial', 'failed')),
    CHECK ((ended_at IS NULL) = (state IS NULL))
);
CREATE INDEX sync_runs_started ON sync_runs (started_at);

CREATE TABLE sync_run_suppliers (
    run_id         text NOT NULL REFERENCES sync_runs ON DELETE CASCADE,
    supplier       text NOT NULL,
    state          text NOT NULL CHECK (state IN ('ok', 'failed', 'quarantined')),
    total          integer NOT NULL DEFAULT 0,
    mapped         integer NOT NULL DEFAULT 0,
    set_aside      jsonb NOT NULL DEFAULT '{}',
    other_products integer NOT NULL DEFAULT 0,
    new            integer NOT NULL DEFAULT 0,
    changed        integer NOT NULL DEFAULT 0,
    gone           integer NOT NULL DEFAULT 0,
    suspect        integer NOT NULL DEFAULT 0,
    warnings       jsonb NOT NULL DEFAULT '[]',
    error          text,
    ms             integer,
    PRIMARY KEY (run_id, supplier)
);

CREATE TABLE fx_rates (
    base     text NOT NULL,
    currency text NOT NULL,
    rate     numeric NOT NULL CHECK (rate > 0),   -- one unit of currency in base
    as_of    date NOT NULL,
    source   text NOT NULL,
    PRIMARY KEY (base, currency, as_of)
);

-- Things that keep an offer out of the selection between two syncs; serving processes read them within 2 s.
CREATE TABLE offer_marks (
    supplier         text NOT NULL,
    supplier_plan_id text NOT NULL,
    why              text NOT NULL CHECK (why IN ('out_of_stock', 'stopped')),
    until            timestamptz,
    note             text NOT NULL DEFAULT '',
    created_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (supplier, supplier_plan_id, why)
);

-- The published catalogue. `content` counts what a new snapshot is needed for, `overlay` what an overlay is.
CREATE TABLE catalog_state (
    one          boolean PRIMARY KEY DEFAULT true CHECK (one),
    content      bigint NOT NULL DEFAULT 0,
    overlay      bigint NOT NULL DEFAULT 0,
    published    bigint NOT NULL DEFAULT 0,       -- the `content` that the newest snapshot holds
    published_at timestamptz,
    digest       text                             -- of the newest snapshot file
);
INSERT INTO catalog_state DEFAULT VALUES;

CREATE FUNCTION bump_overlay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE catalog_state SET overlay = overlay + 1;
    RETURN NULL;
END $$;
CREATE TRIGGER offer_marks_overlay AFTER INSERT OR UPDATE OR DELETE ON offer_marks
    FOR EACH STATEMENT EXECUTE FUNCTION bump_overlay();
CREATE TRIGGER suppliers_overlay AFTER INSERT OR UPDATE OF state, configured, last_good_at, last_sync_state ON suppliers
    FOR EACH STATEMENT EXECUTE FUNCTION bump_overlay();
