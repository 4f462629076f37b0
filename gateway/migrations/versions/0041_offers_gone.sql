-- The history of a need looks for offers that left lately.
CREATE INDEX offers_gone ON offers (gone_at) WHERE gone_at IS NOT NULL;
