-- Keys that the gateway made at a supplier to take the place of the one before. The row is there before the supplier
-- is asked, and moves along `state`: asked, kept (the key is here), known (by its id there), verified, switched (in
-- force, the old one still valid), done; or undoing (nothing of it must stay valid there) and undone.
CREATE TABLE supplier_keys (
    id         text PRIMARY KEY,                      -- sky_…
    supplier   text NOT NULL,
    name       text NOT NULL UNIQUE,                  -- at the supplier: how its id is learned
    state      text NOT NULL CHECK (state IN (
                   'asked', 'kept', 'known', 'verified', 'switched', 'done', 'undoing', 'undone')),
    in_force   boolean NOT NULL DEFAULT false,        -- lies over the key of the configuration
    secret     bytea,                                 -- encrypted; gone when the key is revoked
    prefix     text,
    key_id     text,                                  -- the supplier's, once it is known
    replaces   text REFERENCES supplier_keys (id),    -- the stored key before; null: the configuration's
    old_key_id text,                                  -- the supplier's id of the old key; null: it cannot be told
    started_by text NOT NULL,
    started_at timestamptz NOT NULL,
    deadline   timestamptz NOT NULL,                  -- the supplier is not asked from here on
    quiet_at   timestamptz NOT NULL,                  -- what was sent and not answered has arrived by then, or never will
    revoke_at  timestamptz,                           -- the old key stays valid until then, for processes to follow
    look_at    timestamptz NOT NULL,                  -- when to go on
    failures   integer NOT NULL DEFAULT 0,
    error      text,
    changed_at timestamptz NOT NULL,
    CHECK (NOT in_force OR (secret IS NOT NULL AND key_id IS NOT NULL AND state IN ('switched', 'done'))),
    CHECK (state NOT IN ('kept', 'known', 'verified', 'switched') OR secret IS NOT NULL)
);
CREATE UNIQUE INDEX supplier_keys_one_in_force ON supplier_keys (supplier) WHERE in_force;
CREATE UNIQUE INDEX supplier_keys_one_open ON supplier_keys (supplier) WHERE state NOT IN ('done', 'undone');

-- The last check of each account, as it was told.
CREATE TABLE supplier_checks (
    supplier text PRIMARY KEY,
    at       timestamptz NOT NULL,
    report   jsonb NOT NULL
);

-- When each supplier was last heard, and when something came in its name whose signature does not fit.
CREATE TABLE supplier_heard (
    supplier  text PRIMARY KEY,
    good_at   timestamptz,
    forged_at timestamptz
);
