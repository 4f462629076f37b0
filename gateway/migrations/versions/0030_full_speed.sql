-- What an unlimited plan states to run at full speed, and what follows it, take the place of fair_use.
UPDATE offers
SET data = data - 'fair_use' || jsonb_build_object(
    'allowance', CASE WHEN data#>>'{fair_use,allowance_mb}' IS NOT NULL THEN jsonb_build_object(
        'mb', data#>'{fair_use,allowance_mb}',
        'per', CASE WHEN (data#>>'{fair_use,per_day}')::boolean THEN 'day' ELSE 'total' END) END,
    'after', jsonb_build_object('kbps', NULL, 'cut_off', CASE data#>>'{fair_use,after}'
        WHEN 'throttled' THEN false WHEN 'cut_off' THEN true END))
WHERE data->>'fair_use' IS NOT NULL;
