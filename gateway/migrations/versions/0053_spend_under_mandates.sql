-- What a key spent under its mandate is counted for each day where orders are written, so that no order adds up a whole
-- month. At the end of the transaction: until then nobody waits for the counter, and those who admit under one mandate
-- wait for its row anyway.
-- Orders first, as admission takes them: else the two might wait for each other.
LOCK TABLE orders IN SHARE ROW EXCLUSIVE MODE;
ALTER TABLE spend DROP CONSTRAINT spend_kind_check;
ALTER TABLE spend ADD CONSTRAINT spend_kind_check CHECK (kind IN ('supplier', 'storefront', 'mandate'));
COMMENT ON COLUMN spend.name IS 'The supplier, the storefront''s id, or the id of the key that has the mandate.';

CREATE FUNCTION count_under_mandate() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    counts  boolean := NEW.status NOT IN ('failed', 'cancelled');
    counted boolean := TG_OP = 'UPDATE' AND OLD.status NOT IN ('failed', 'cancelled');
BEGIN
    IF counts <> counted THEN
        INSERT INTO spend (day, kind, name, amount)
            VALUES ((NEW.created_at AT TIME ZONE 'UTC')::date, 'mandate', NEW.mandate_key_id,
                    CASE WHEN counts THEN NEW.price_base ELSE -NEW.price_base END)
            ON CONFLICT (day, kind, name) DO UPDATE SET amount = greatest(0, spend.amount + excluded.amount);
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER orders_placed_under_mandate AFTER INSERT ON orders
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.mandate_key_id IS NOT NULL)
    EXECUTE FUNCTION count_under_mandate();
CREATE CONSTRAINT TRIGGER orders_ended_under_mandate AFTER UPDATE OF status ON orders
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.mandate_key_id IS NOT NULL AND NEW.status IS DISTINCT FROM OLD.status)
    EXECUTE FUNCTION count_under_mandate();

INSERT INTO spend (day, kind, name, amount)
    SELECT (created_at AT TIME ZONE 'UTC')::date, 'mandate', mandate_key_id, sum(price_base) FROM orders
    WHERE mandate_key_id IS NOT NULL AND status NOT IN ('failed', 'cancelled') GROUP BY 1, 3;
