-- Alerts, their rules, and where they go.
SELECT 1;
