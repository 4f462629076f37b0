-- Amounts are whole nominal MB, 1 GB = 1000; they were kept with 1 GB = 1024. The next sync maps every offer again.
CREATE FUNCTION pg_temp.nominal(mb numeric) RETURNS jsonb LANGUAGE sql IMMUTABLE AS
    $$ SELECT to_jsonb(CASE WHEN mb IN (256, 512) OR mb >= 1024 THEN round(mb * 1000 / 1024) ELSE mb END) $$;
UPDATE offers SET data = jsonb_set(data, '{mb}', pg_temp.nominal((data->>'mb')::numeric))
WHERE data->>'mb' IS NOT NULL;
UPDATE offers
SET data = jsonb_set(data, '{fair_use,allowance_mb}', pg_temp.nominal((data#>>'{fair_use,allowance_mb}')::numeric))
WHERE data#>>'{fair_use,allowance_mb}' IS NOT NULL;
COMMENT ON COLUMN offers.data IS 'schemas.plan.DataAllowance; amounts are nominal MB, 1 GB = 1000.';
