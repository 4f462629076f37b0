-- What the price guard measures an offer by, worked out when the offer is written instead of in every sync: digests of
-- plan and countries, nominal MB at full speed over the whole validity, days. NaN MB: an unlimited plan that states none.
-- As ``DataAllowance.counted_mb``; ``market_rules.SENT`` reads it.
CREATE FUNCTION offer_measure(plan_id text, coverage text[], data jsonb, days integer) RETURNS bytea
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN int8send(hashtextextended(plan_id, 0)) || int8send(hash_array_extended(coverage, 0))
        || float8send(CASE
            WHEN NOT coalesce((data->>'unlimited')::boolean, false) THEN (data->>'mb')::float8 * CASE data->>'reset'
                WHEN 'daily' THEN days WHEN 'monthly' THEN greatest(days / 30, 1) ELSE 1 END
            WHEN data->>'allowance' IS NULL THEN 'NaN'
            WHEN data#>>'{allowance,mb}' IS NULL THEN 1000000000000000
            ELSE (data#>>'{allowance,mb}')::float8 * CASE data#>>'{allowance,per}'
                WHEN 'day' THEN days WHEN 'month' THEN greatest(days / 30, 1) ELSE 1 END END)
        || int4send(days);

ALTER TABLE offers ADD COLUMN measure bytea
    GENERATED ALWAYS AS (offer_measure(plan_id, coverage, data, days)) STORED;
