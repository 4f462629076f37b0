-- Rules by which costs become prices, in order: the first that is in force and matches an offer prices it.
CREATE TABLE pricing_rules (
    id             text PRIMARY KEY,                  -- pr_…
    position       integer NOT NULL CHECK (position > 0),
    name           text NOT NULL CHECK (name <> ''),
    enabled        boolean NOT NULL DEFAULT true,
    -- What an offer must be; null and '{}' ask for nothing.
    storefront_id  text REFERENCES storefronts,
    supplier       text,
    countries      text[] NOT NULL DEFAULT '{}',      -- they hold the offer's whole coverage
    region         text,                              -- a code of config/regions.toml, likewise
    scope          text CHECK (scope IN ('country', 'region', 'global')),
    min_data_mb    bigint CHECK (min_data_mb > 0),
    max_data_mb    bigint CHECK (max_data_mb > 0),
    unlimited      boolean,
    plan_ids       text[] NOT NULL DEFAULT '{}',
    valid_from     timestamptz,
    valid_until    timestamptz,                       -- from then on not in force
    -- What it makes of a cost. Amounts are of `currency`.
    percent        numeric NOT NULL CHECK (percent BETWEEN 0 AND 1000),
    fixed          numeric NOT NULL DEFAULT 0 CHECK (fixed >= 0),
    minimum_margin numeric CHECK (minimum_margin >= 0), -- null: the settings'
    floor          numeric CHECK (floor > 0),
    ceiling        numeric CHECK (ceiling > 0),
    rounding       text NOT NULL DEFAULT 'currency' CHECK (rounding IN ('currency', '.99')),
    currency       text NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (position) DEFERRABLE INITIALLY DEFERRED,
    CHECK (floor <= ceiling),
    CHECK (min_data_mb <= max_data_mb),
    CHECK (valid_from < valid_until)
);

-- `pricing` counts changes of rules: serving processes look at it, and price anew by the rules as they are then.
ALTER TABLE catalog_state ADD COLUMN pricing bigint NOT NULL DEFAULT 0;
CREATE FUNCTION bump_pricing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE catalog_state SET pricing = pricing + 1;
    RETURN NULL;
END $$;
CREATE TRIGGER pricing_rules_pricing AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pricing_rules
    FOR EACH STATEMENT EXECUTE FUNCTION bump_pricing();
