-- The funds at a supplier are summed from the attempts whose charge may have come after its balance was read. This is
-- the very expression of gateway/store/funds.py, so that the sum reads the attempts since then and no older ones.
CREATE INDEX attempts_ended ON attempts (supplier, (coalesce(call_ended_at, quiescent_at))) WHERE kind <> 'cancel';

-- S2S tells the price of one SKU by its product only, so an offer keeps the product that it belongs to. It is filled
-- by the next sync; until then such an offer's price is not checked before admission.
ALTER TABLE offers ADD COLUMN supplier_product_id text;
COMMENT ON COLUMN offers.supplier_product_id IS 'the supplier''s product of the item, where a price is told by product';
