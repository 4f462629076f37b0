-- Exchange rates are fetched, set and imported. Older releases copied the file that they ship with: their rows are of
-- the kind 'shipped', as what they still write is, and are no longer read.
ALTER TABLE fx_rates
    ADD COLUMN kind text NOT NULL DEFAULT 'shipped' CHECK (kind IN ('fetched', 'set', 'imported', 'shipped')),
    ADD COLUMN written_at timestamptz NOT NULL DEFAULT now();
COMMENT ON COLUMN fx_rates.source IS 'who says so: a source by kind and host, or who set or imported it';
CREATE INDEX fx_rates_days ON fx_rates (base, as_of);

-- Rates that moved too far in a day, the newest of each currency: not in force until an operator accepts them.
CREATE TABLE waiting_rates (
    base       text NOT NULL,
    currency   text NOT NULL,
    rate       numeric NOT NULL CHECK (rate > 0),
    as_of      date NOT NULL,
    source     text NOT NULL,
    fetched_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (base, currency)
);
COMMENT ON COLUMN waiting_rates.rate IS 'one unit of currency in base, as in fx_rates';

CREATE TABLE rate_sources (
    source     text PRIMARY KEY,
    since      timestamptz NOT NULL,
    tried_at   timestamptz NOT NULL,
    fetched_at timestamptz,
    as_of      date,
    error      text
);
COMMENT ON COLUMN rate_sources.source IS 'kind and host of a source in the settings';
COMMENT ON COLUMN rate_sources.since IS 'when it was tried for the first time';
COMMENT ON COLUMN rate_sources.fetched_at IS 'the last time that rates came; null: never';
COMMENT ON COLUMN rate_sources.as_of IS 'the day of those rates by the source itself';
COMMENT ON COLUMN rate_sources.error IS 'why the last try brought none; null when it did';

ALTER TABLE catalog_state ADD COLUMN rates text;
COMMENT ON COLUMN catalog_state.rates IS 'digest of the rates that were in force when `content` last counted a change of them';

-- A gateway that had its first alert rules gets the one on rates, too.
INSERT INTO alert_rules (id, name, kind)
SELECT 'alr_' || substr(md5(random()::text), 1, 16), 'Exchange rates are old', 'stale_rates'
FROM alert_state WHERE seeded;
