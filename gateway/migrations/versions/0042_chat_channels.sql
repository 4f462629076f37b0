-- Alerts go to Slack and Telegram, too. The sealed secret is what signs a webhook, the URL of Slack or the token of a
-- Telegram bot; a channel that `config apply` made has none until it is set. The chat of Telegram is its recipient.
ALTER TABLE alert_channels
    DROP CONSTRAINT alert_channels_kind_check,
    DROP CONSTRAINT alert_channels_check,
    DROP CONSTRAINT alert_channels_check1,
    ADD CHECK (kind IN ('email', 'webhook', 'slack', 'telegram')),
    ADD CHECK ((kind = 'webhook') = (url IS NOT NULL)),
    ADD CHECK (kind <> 'email' OR secret IS NULL),
    ADD CHECK ((kind IN ('email', 'telegram')) = (recipients <> '{}'));
