-- The language of the customer, as the storefront said it; of a checkout for the order that comes of it.
ALTER TABLE orders ADD COLUMN customer_language text;
ALTER TABLE checkouts ADD COLUMN customer_language text;

-- Whether the gateway writes to a storefront's customers, about what, and as whom.
ALTER TABLE traveller_settings
    ADD COLUMN email_enabled  boolean NOT NULL DEFAULT false,
    ADD COLUMN email_usage    boolean NOT NULL DEFAULT true,    -- warnings that the data runs out
    ADD COLUMN email_topups   boolean NOT NULL DEFAULT true,    -- confirmations
    ADD COLUMN email_name     text CHECK (email_name <> ''),    -- of the sender
    ADD COLUMN email_address  text CHECK (email_address <> ''),
    ADD COLUMN email_language text;                             -- where the order names none

-- E-mails to customers. An address is read from the order when one is sent, and never kept here.
CREATE TABLE traveller_emails (
    id            text PRIMARY KEY,                             -- eml_…
    kind          text NOT NULL CHECK (kind IN ('delivery', 'usage', 'topup')),
    about         text NOT NULL,                                -- what it is sent for, once: an order, an event, itself
    order_id      text NOT NULL REFERENCES orders,              -- whose customer it is for
    esim_order_id text NOT NULL,                                -- the order that delivered the eSIM
    event_id      text,                                         -- of a usage warning
    resent_by     text,                                         -- who asked for it; null when an event did
    status        text NOT NULL DEFAULT 'pending'
                  CHECK (status IN ('pending', 'sent', 'bounced', 'failed', 'unknown', 'skipped')),
    detail        text,                                         -- what the mail server said, without addresses
    tries         integer NOT NULL DEFAULT 0,                   -- those whose end is known
    doubts        integer NOT NULL DEFAULT 0,                   -- those of which nobody knows the end
    sending_since timestamptz,                                  -- set with the claim, null once its end is recorded
    created_at    timestamptz NOT NULL DEFAULT now(),
    sent_at       timestamptz,
    next_at       timestamptz DEFAULT now(),                    -- null when there is nothing left to do
    UNIQUE (kind, about),
    CHECK ((status = 'pending') = (next_at IS NOT NULL))
);
CREATE INDEX traveller_emails_due ON traveller_emails (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX traveller_emails_of_order ON traveller_emails (order_id, created_at);
CREATE INDEX traveller_emails_of_esim ON traveller_emails (esim_order_id, created_at);
CREATE INDEX traveller_emails_created ON traveller_emails (created_at);
