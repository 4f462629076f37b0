-- Which plan an offer has become: a sync gave it another plan id than it had.
CREATE TABLE plan_successors (
    plan_id    text NOT NULL,
    offer_id   text NOT NULL,
    successor  text NOT NULL,
    at         timestamptz NOT NULL,
    PRIMARY KEY (plan_id, offer_id)
);
CREATE INDEX plan_successors_offer ON plan_successors (offer_id);
CREATE INDEX plan_successors_at ON plan_successors (at);
COMMENT ON COLUMN plan_successors.plan_id IS 'The id that the offer had.';
COMMENT ON COLUMN plan_successors.successor IS 'The id that the offer has now, also after further changes.';
COMMENT ON COLUMN plan_successors.at IS 'When a sync took that id from the offer.';
