ALTER TABLE orders
    ADD COLUMN review_reason text CHECK (review_reason IN ('esim_cancelled', 'restored')),
    ADD CHECK (review_reason IS NULL OR status IN ('pending', 'cancel_pending', 'needs_review'));
COMMENT ON COLUMN orders.review_reason IS
    'Why an operator has to decide. esim_cancelled: a top-up whose eSIM an operator has cancelled. restored: the order '
    'was pending in the backup that this database was restored from; while it is still pending, it is polled first. '
    'Null for all other orders, also for those that need review because their attempt cannot be known.';
CREATE INDEX orders_review_reason ON orders (review_reason, created_at) WHERE review_reason IS NOT NULL;
