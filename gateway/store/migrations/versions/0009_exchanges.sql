-- What was said between us and a supplier, redacted.
SELECT 1;
