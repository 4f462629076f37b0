-- When attempts ended, for the planner: an index of a part of the rows tells it nothing of that expression, so it took
-- the last hour's for a third of all and read the whole table for the funds at a supplier.
CREATE STATISTICS attempts_ended_at ON (coalesce(call_ended_at, quiescent_at)) FROM attempts;
ANALYZE attempts;
