-- Where alerts go.
CREATE TABLE alert_channels (
    id         text PRIMARY KEY,                      -- ach_…
    name       text NOT NULL UNIQUE CHECK (name <> ''),
    kind       text NOT NULL CHECK (kind IN ('email', 'webhook')),
    recipients text[] NOT NULL DEFAULT '{}',          -- of e-mail
    url        text,                                  -- of a webhook, and what it is signed with, encrypted
    secret     bytea,
    enabled    boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_ok_at timestamptz,
    failing_since timestamptz,                        -- null when the last try arrived
    last_error text,
    CHECK ((kind = 'webhook') = (url IS NOT NULL) AND (url IS NULL) = (secret IS NULL)),
    CHECK ((kind = 'email') = (recipients <> '{}'))
);

-- What people want to be told of.
CREATE TABLE alert_rules (
    id         text PRIMARY KEY,                      -- alr_…
    name       text NOT NULL CHECK (name <> ''),
    kind       text NOT NULL,
    threshold  numeric,                               -- what it counts depends on the kind
    direction  text NOT NULL DEFAULT 'any' CHECK (direction IN ('any', 'up', 'down')),
    about      text NOT NULL DEFAULT 'offer' CHECK (about IN ('offer', 'plan')),
    supplier   text,                                  -- null: all
    country    text,
    channels   text[] NOT NULL DEFAULT '{}',          -- empty: every one
    enabled    boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- Of the last evaluation: what could not be looked at, and why. Null when all could.
    trouble    text
);

-- What was raised. While it stands there is one of a rule and a subject.
CREATE TABLE alerts (
    id         text PRIMARY KEY,                      -- alt_…
    rule_id    text NOT NULL,                         -- unchecked: the history outlives its rules
    rule_name  text NOT NULL,
    kind       text NOT NULL,
    level      text NOT NULL CHECK (level IN ('warn', 'bad')),
    subject    text NOT NULL,
    title      text NOT NULL,
    detail     text NOT NULL,
    supplier   text,
    mode       text,
    link       text NOT NULL,
    baseline   numeric,                               -- of a moved price, in base currency: what it was, and what it is
    value      numeric,
    flapping   boolean NOT NULL DEFAULT false,
    raised_at  timestamptz NOT NULL,
    seen_at    timestamptz NOT NULL,                  -- when the state was last found to hold, or to hold differently
    cleared_at timestamptz,
    cleared_why text
);
CREATE UNIQUE INDEX alerts_standing ON alerts (rule_id, subject) WHERE cleared_at IS NULL;
CREATE INDEX alerts_standing_raised ON alerts (raised_at DESC, id DESC) WHERE cleared_at IS NULL;
CREATE INDEX alerts_raised ON alerts (raised_at DESC, id DESC);
CREATE INDEX alerts_cleared ON alerts (cleared_at) WHERE cleared_at IS NOT NULL;
CREATE INDEX alerts_of_subject ON alerts (rule_id, subject, raised_at);

-- What is to be sent: one message to a channel for all that rose and ended in one evaluation.
CREATE TABLE alert_messages (
    id         text PRIMARY KEY,                      -- alm_…
    channel_id text NOT NULL REFERENCES alert_channels ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    body       jsonb NOT NULL,
    status     text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'delivered', 'failed')),
    attempts   jsonb NOT NULL DEFAULT '[]',
    next_at    timestamptz,                           -- null when there is nothing left to do
    CHECK ((status = 'pending') = (next_at IS NOT NULL))
);
CREATE INDEX alert_messages_due ON alert_messages (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX alert_messages_of_channel ON alert_messages (channel_id, created_at DESC);

-- How far changes were looked at. What changed before alerts existed raises none.
CREATE TABLE alert_state (
    one          boolean PRIMARY KEY DEFAULT true CHECK (one),
    seeded       boolean NOT NULL DEFAULT false,      -- the first rules were made
    price_change bigint NOT NULL,
    offer_event  bigint NOT NULL,
    evaluated_at timestamptz
);
INSERT INTO alert_state (price_change, offer_event)
SELECT coalesce((SELECT max(id) FROM price_changes), 0), coalesce((SELECT max(id) FROM offer_events), 0);
