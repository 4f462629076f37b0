-- Balances and figures of the suppliers, kept over time.
SELECT 1;
