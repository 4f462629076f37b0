-- The history of a need looks for offers that left lately.
CREATE INDEX offers_gone ON offers (gone_at) WHERE gone_at IS NOT NULL;
-- How many offers each supplier has is counted from this index, not from the offers themselves.
CREATE INDEX offers_listed ON offers (supplier) WHERE gone_at IS NULL;
