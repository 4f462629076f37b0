-- Columns take the names of what they count: polls of a payment link, and what the storefront was notified of.
ALTER TABLE checkouts RENAME COLUMN looks TO polls;
ALTER TABLE checkouts RENAME COLUMN next_look_at TO next_poll_at;
ALTER TABLE esims RENAME COLUMN usage_told TO usage_notified;
ALTER TABLE esims RENAME COLUMN state_told TO state_notified;
