ALTER TABLE orders ADD COLUMN turn_wait_since timestamptz;
COMMENT ON COLUMN orders.turn_wait_since IS
    'Since when the order waits for a supplier''s rate or breaker. Null while it waits for something else, such as the '
    'end of a stop: that takes none of the time that it may wait for its turn.';
