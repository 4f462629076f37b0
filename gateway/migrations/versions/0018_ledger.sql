-- The funds at a supplier are summed from the attempts whose charge may have come after its balance was read. This is
-- the very expression of gateway/suppliers/fund_rows.py, so that the sum reads the attempts since then and no older ones.
CREATE INDEX attempts_ended ON attempts (supplier, (coalesce(call_ended_at, quiescent_at))) WHERE kind <> 'cancel';

-- S2S tells the price of one SKU by its product only, so an offer keeps the product that it belongs to. It is filled
-- by the next sync; until then such an offer's price is not checked before admission.
ALTER TABLE offers ADD COLUMN supplier_product_id text;
COMMENT ON COLUMN offers.supplier_product_id IS 'the supplier''s product of the item, where a price is told by product';

-- A supplier may refund an attempt in several parts, each booked once by the key of its statement line. A refund that
-- the supplier's answer to our cancel stated has no key until the statement with it was read. A charge stays one.
ALTER TABLE ledger ADD COLUMN transaction_key text;
COMMENT ON COLUMN ledger.transaction_key IS
    'supplier_transactions.key of the statement line that this row is; null until a statement shows it';
ALTER TABLE ledger DROP CONSTRAINT ledger_attempt_id_kind_key;
CREATE UNIQUE INDEX ledger_one_charge ON ledger (attempt_id) WHERE kind = 'charge';
CREATE UNIQUE INDEX ledger_one_unmatched_refund ON ledger (attempt_id)
    WHERE kind = 'refund' AND transaction_key IS NULL;
CREATE UNIQUE INDEX ledger_transaction ON ledger (supplier, transaction_key) WHERE transaction_key IS NOT NULL;
CREATE INDEX ledger_attempt ON ledger (attempt_id);

-- Statement lines are found from an attempt by the supplier's order or by our reference.
CREATE INDEX supplier_transactions_order ON supplier_transactions (supplier, supplier_order_id)
    WHERE supplier_order_id IS NOT NULL;
CREATE INDEX supplier_transactions_reference ON supplier_transactions (supplier, reference) WHERE reference IS NOT NULL;


-- How many statement lines of the last days differ from the ledger: compared after each whole read, told by an alert.
ALTER TABLE supplier_book_walks
    ADD COLUMN differences integer NOT NULL DEFAULT 0,
    ADD COLUMN difference text;
COMMENT ON COLUMN supplier_book_walks.differences IS
    'statement lines of the last days that differ from the ledger and that nobody explained, at the last whole read';
COMMENT ON COLUMN supplier_book_walks.difference IS 'the newest of them in words; null when there is none';

-- A gateway that had its first alert rules gets the one for statements, too.
INSERT INTO alert_rules (id, name, kind)
SELECT 'alr_' || substr(md5(random()::text), 1, 16), 'Supplier statement differs', 'statement_differs'
FROM alert_state WHERE seeded;
