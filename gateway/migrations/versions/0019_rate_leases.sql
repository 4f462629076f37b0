ALTER TABLE supplier_breakers ADD COLUMN read_failures integer NOT NULL DEFAULT 0;
UPDATE supplier_breakers SET read_failures = failures WHERE failures > 0;
COMMENT ON COLUMN supplier_breakers.read_failures IS
    'failures in a row of reads or of connecting; only these keep the breaker open for longer than 30 s';

-- Who waits for a supplier's rate, by storefront and process, while it is short, and who was served when. It decides
-- whose turn it is. What a crash loses here is over a second later, hence unlogged.
CREATE UNLOGGED TABLE supplier_turns (
    supplier      text NOT NULL,
    storefront_id text NOT NULL,
    process       text NOT NULL,
    waiting       timestamptz[] NOT NULL,  -- since when its oldest purchases wait, the oldest first
    served_at     timestamptz,
    expires_at    timestamptz NOT NULL,    -- a process that has not asked again by then has lost its place
    PRIMARY KEY (supplier, storefront_id, process)
) WITH (fillfactor = 50);

-- Takes up to `wanted` tokens of a supplier's rate (GCRA) for use within one second, in one round trip. `wait` is the
-- seconds until it is worth asking again, 0 for at once. `own_limit` is in requests per minute; a lower limit that
-- the supplier reported less than `report_seconds` ago holds instead. `reserved` is the share of the burst that is
-- left to more urgent calls. `asked_at` stands for the clock in tests. The pace is that of providers.gate.Pace.
--
-- For purchases, `storefronts` and `since` name those that wait in the process `caller`. When there are fewer tokens
-- than it wants, or another process waits, the tokens that are due go to the storefronts in turn, over all processes:
-- the one that was served longest ago first, and its oldest purchase first. `turns` then names the storefront of each
-- token granted. A token that falls to another process stays for it until its row expires.
CREATE FUNCTION lease_supplier_tokens(
    account text,
    own_limit integer,
    wanted integer,
    reserved double precision,
    report_seconds double precision,
    asked_at timestamptz DEFAULT NULL,
    caller text DEFAULT '',
    storefronts text[] DEFAULT '{}',
    since timestamptz[] DEFAULT '{}',
    OUT granted integer,
    OUT wait double precision,
    OUT turns text[]
) LANGUAGE plpgsql AS $$
DECLARE
    limits supplier_limits%ROWTYPE;
    moment timestamptz;
    per_minute integer;
    sustained integer;  -- tokens a minute in the long run: 5/6 of the limit
    burst integer;
    step double precision;  -- seconds between tokens
    ahead double precision;  -- how far the arrival of a call may be ahead of the clock, in seconds
    arrival double precision;  -- how far it is
    due integer;  -- tokens that may be taken now
    most integer;  -- tokens that this lease may take
    plenty boolean;
    next_place integer;  -- of the caller's first purchase that gets none now, counted in tokens from now
BEGIN
    -- A lease that a crash forgets is one that nobody uses either; waiting for the disk would cost each of them.
    PERFORM set_config('synchronous_commit', 'off', true);
    LOOP
        SELECT * INTO limits FROM supplier_limits WHERE supplier = account FOR NO KEY UPDATE;
        EXIT WHEN FOUND;
        INSERT INTO supplier_limits (supplier, tat) VALUES (account, coalesce(asked_at, now())) ON CONFLICT DO NOTHING;
        INSERT INTO supplier_breakers (supplier) VALUES (account) ON CONFLICT DO NOTHING;
    END LOOP;
    moment := coalesce(asked_at, clock_timestamp());  -- after the lock, which may have taken a while
    granted := 0;
    turns := '{}';
    IF limits.blocked_until > moment THEN
        wait := extract(epoch FROM limits.blocked_until - moment);
        RETURN;
    END IF;
    per_minute := least(own_limit, CASE WHEN limits.reported_at > moment - make_interval(secs => report_seconds)
                                        THEN limits.reported_limit END);
    sustained := greatest(1, per_minute - greatest(1, per_minute / 6));
    burst := CASE per_minute WHEN 1 THEN 1 ELSE per_minute - 61 * sustained / 60 END;
    step := CASE per_minute WHEN 1 THEN 61 ELSE 60.0 / sustained END;
    ahead := (burst - 1 - floor(burst * reserved)) * step;
    arrival := extract(epoch FROM greatest(limits.tat, moment) - moment);
    due := greatest(0, floor((ahead - arrival) / step + 1e-3) + 1);
    most := least(wanted, 32, greatest(1, sustained / 60));
    plenty := storefronts = '{}' OR due >= wanted AND NOT EXISTS (
        SELECT FROM supplier_turns t
        WHERE t.supplier = account AND t.process <> caller AND t.waiting <> '{}' AND t.expires_at > moment);
    IF storefronts <> '{}' THEN  -- whoever no longer waits here gives up the place
        UPDATE supplier_turns t SET waiting = '{}'
        WHERE t.supplier = account AND t.process = caller AND t.waiting <> '{}'
          AND (plenty OR t.storefront_id <> ALL (storefronts));
    END IF;
    IF plenty THEN
        granted := least(most, due);
        wait := CASE WHEN granted = 0 THEN arrival - ahead ELSE 0 END;
    ELSE
        DELETE FROM supplier_turns t WHERE t.supplier = account AND t.expires_at < moment - interval '1 minute';
        WITH purchases AS (
            SELECT m.storefront_id, caller AS process, m.since
            FROM unnest(storefronts, since) AS m (storefront_id, since)
            UNION ALL
            SELECT t.storefront_id, t.process, unnest(t.waiting)
            FROM supplier_turns t
            WHERE t.supplier = account AND t.process <> caller AND t.expires_at > moment
        ), served AS (
            SELECT t.storefront_id, max(t.served_at) AS at
            FROM supplier_turns t WHERE t.supplier = account GROUP BY t.storefront_id
        ), rounds AS (
            SELECT p.*, row_number() OVER (PARTITION BY p.storefront_id ORDER BY p.since, p.process) AS round
            FROM purchases p
        ), places AS (
            SELECT r.storefront_id, r.process,
                   row_number() OVER (ORDER BY r.round, s.at NULLS FIRST, r.since, r.storefront_id) AS place
            FROM rounds r LEFT JOIN served s USING (storefront_id)
        ), own AS (
            SELECT p.storefront_id, p.place, p.place <= due AND row_number() OVER (ORDER BY p.place) <= most AS goes
            FROM places p WHERE p.process = caller
        )
        SELECT coalesce(array_agg(o.storefront_id ORDER BY o.place) FILTER (WHERE o.goes), '{}'),
               min(o.place) FILTER (WHERE NOT o.goes)
        INTO turns, next_place FROM own o;
        granted := cardinality(turns);
        -- When the token of its place falls due. The others before it may have left by then, so it looks at the
        -- next token too, but not more often than twice a second.
        wait := greatest(0, least(arrival - ahead + (next_place - 1) * step,
                                  greatest(arrival - ahead + granted * step, 0.5)));
        wait := CASE WHEN next_place IS NULL THEN 0 ELSE wait END;
        INSERT INTO supplier_turns AS t (supplier, storefront_id, process, waiting, served_at, expires_at)
        SELECT account, w.storefront_id, caller, w.since[w.served + 1:], CASE WHEN w.served > 0 THEN moment END,
               moment + make_interval(secs => wait + 1)
        FROM (
            SELECT m.storefront_id, array_agg(m.since ORDER BY m.since) AS since,
                   cardinality(array_positions(turns, m.storefront_id)) AS served
            FROM unnest(storefronts, since) AS m (storefront_id, since) GROUP BY m.storefront_id
        ) AS w
        ON CONFLICT (supplier, storefront_id, process) DO UPDATE
        SET waiting = excluded.waiting, served_at = coalesce(excluded.served_at, t.served_at),
            expires_at = excluded.expires_at;
    END IF;
    IF granted > 0 THEN
        -- Rounded up to the microseconds that a timestamp has, so that no rounding adds up to a token too many.
        UPDATE supplier_limits
        SET tat = greatest(tat, moment) + make_interval(secs => ceil(granted * step * 1e6) / 1e6)
        WHERE supplier = account;
    END IF;
END $$;
