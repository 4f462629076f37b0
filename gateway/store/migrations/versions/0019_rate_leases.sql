ALTER TABLE supplier_breakers ADD COLUMN read_failures integer NOT NULL DEFAULT 0;
UPDATE supplier_breakers SET read_failures = failures WHERE failures > 0;
COMMENT ON COLUMN supplier_breakers.read_failures IS
    'failures in a row of reads or of connecting; only these keep the breaker open for longer than 30 s';

-- Takes up to `wanted` tokens of a supplier's rate (GCRA) for use within one second, in one round trip. `wait` is in
-- seconds and 0 when tokens were granted. `own_limit` is in requests per minute; a lower limit that the supplier
-- reported less than `report_seconds` ago holds instead. `reserved` is the share of the burst that is left to more
-- urgent calls. `asked_at` stands for the clock in tests. The pace is that of providers.gate.Pace.
CREATE FUNCTION lease_supplier_tokens(
    account text,
    own_limit integer,
    wanted integer,
    reserved double precision,
    report_seconds double precision,
    asked_at timestamptz DEFAULT NULL,
    OUT granted integer,
    OUT wait double precision
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
    granted := greatest(0, least(wanted, 32, greatest(1, sustained / 60), floor((ahead - arrival) / step + 1e-3) + 1));
    IF granted = 0 THEN
        wait := arrival - ahead;
        RETURN;
    END IF;
    wait := 0;
    -- Rounded up to the microseconds that a timestamp has, so that no rounding adds up to a token too many.
    UPDATE supplier_limits
    SET tat = greatest(tat, moment) + make_interval(secs => ceil(granted * step * 1e6) / 1e6)
    WHERE supplier = account;
END $$;
