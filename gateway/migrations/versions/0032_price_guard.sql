-- The price guard judges whole lists beside each other, and keeps what each suspect price was compared with.
ALTER TABLE suppliers
    ADD COLUMN quarantined text,                  -- why nothing of its list is sold; null when it may be
    ADD COLUMN passed_at timestamptz,             -- when a sync of it last passed or was accepted
    ADD COLUMN accepted_faults text[] NOT NULL DEFAULT '{}';  -- faults of its list that an operator let through
UPDATE suppliers SET passed_at = last_good_at;

ALTER TABLE offers
    ADD COLUMN suspect_since timestamptz,         -- since when this very cost has been suspect
    ADD COLUMN suspect_against text[];            -- the offers that it was compared with
UPDATE offers SET suspect_since = changed_at WHERE suspect IS NOT NULL;

DROP TRIGGER suppliers_overlay ON suppliers;
CREATE TRIGGER suppliers_overlay
    AFTER INSERT OR UPDATE OF state, configured, last_good_at, last_sync_state, quarantined ON suppliers
    FOR EACH STATEMENT EXECUTE FUNCTION bump_overlay();
