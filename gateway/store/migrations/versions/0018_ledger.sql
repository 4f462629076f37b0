-- The funds at a supplier are summed from the attempts whose charge may have come after its balance was read. This is
-- the very expression of gateway/store/funds.py, so that the sum reads the attempts since then and no older ones.
CREATE INDEX attempts_ended ON attempts (supplier, (coalesce(call_ended_at, quiescent_at))) WHERE kind <> 'cancel';
