-- A price and a link at which it is paid. Plan, price and what buying it may cost are frozen for the link's life.
CREATE TABLE checkouts (
    id              text PRIMARY KEY,                 -- co_…
    storefront_id   text NOT NULL REFERENCES storefronts,
    mode            text NOT NULL CHECK (mode IN ('live', 'test')),
    state           text NOT NULL DEFAULT 'creating'
                    CHECK (state IN ('creating', 'open', 'paid', 'expired', 'failed', 'closed')),
    open_cases      integer NOT NULL DEFAULT 0 CHECK (open_cases >= 0), -- while there are any, it needs review
    reference       text,                             -- the storefront's own, and then the order's
    plan_id         text NOT NULL,
    plan            jsonb NOT NULL,                   -- as an order keeps it
    price           numeric NOT NULL CHECK (price > 0),
    currency        text NOT NULL,
    price_base      numeric NOT NULL,
    max_cost        numeric NOT NULL,                 -- in base currency, as an order's
    base_currency   text NOT NULL,
    wanted          jsonb NOT NULL DEFAULT '{}',
    email           bytea,                            -- encrypted; erased as an order's
    email_digest    bytea,
    metadata        jsonb NOT NULL DEFAULT '{}',
    language        text NOT NULL,
    return_url      text,
    account         text NOT NULL,                    -- at the payment supplier
    link_id         text,                             -- the one link that was given
    payment_url     text,
    failure_code    text,
    failure_detail  text,
    fee_base        numeric,                          -- what being paid costs, in base currency, as settings were then
    gone_since      timestamptz,                      -- when the link was first seen used up without a notification
    settled_link    boolean NOT NULL DEFAULT false,   -- the link was seen after its end, and can be paid no more
    step            bigint NOT NULL DEFAULT 0,        -- grows with every change
    looks           integer NOT NULL DEFAULT 0,       -- at the payment supplier, since the last change
    next_look_at    timestamptz,
    expires_at      timestamptz NOT NULL,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    paid_at         timestamptz,
    UNIQUE (storefront_id, mode, reference),
    CHECK ((state = 'failed') <= (failure_code IS NOT NULL)),
    CHECK (state <> 'open' OR (link_id IS NOT NULL AND payment_url IS NOT NULL))
);
CREATE UNIQUE INDEX checkouts_link ON checkouts (account, link_id) WHERE link_id IS NOT NULL;
CREATE INDEX checkouts_due ON checkouts (next_look_at) WHERE next_look_at IS NOT NULL;
CREATE INDEX checkouts_of_storefront ON checkouts (storefront_id, mode, created_at DESC, id);
CREATE INDEX checkouts_created ON checkouts (created_at DESC, id);
CREATE INDEX checkouts_reference ON checkouts (reference) WHERE reference IS NOT NULL;
CREATE INDEX checkouts_link_id ON checkouts (link_id) WHERE link_id IS NOT NULL;
CREATE INDEX checkouts_status ON checkouts
    (mode, (CASE WHEN open_cases > 0 THEN 'needs_review' ELSE state END), created_at DESC, id);
CREATE INDEX checkouts_mode ON checkouts (mode, created_at DESC, id);
CREATE INDEX checkouts_email ON checkouts (email_digest) WHERE email_digest IS NOT NULL;
CREATE INDEX checkouts_email_age ON checkouts (created_at) WHERE email IS NOT NULL;

-- The order that a checkout placed. Unique: one order for a checkout, whoever settles it how often.
ALTER TABLE orders ADD COLUMN checkout_id text UNIQUE REFERENCES checkouts;

-- Keys of checkouts stand among those of orders: a key is one storefront's, whatever the route.
ALTER TABLE idempotency_keys ALTER COLUMN order_id DROP NOT NULL;
ALTER TABLE idempotency_keys ADD COLUMN checkout_id text REFERENCES checkouts;
ALTER TABLE idempotency_keys ADD CHECK (num_nonnulls(order_id, checkout_id) = 1);

-- What a payment supplier sent, as it came.
CREATE TABLE payment_notices (
    id          text PRIMARY KEY,                     -- pn_…
    account     text NOT NULL,
    digest      bytea NOT NULL CHECK (octet_length(digest) = 32),
    body        bytea,                                -- encrypted; it names the payer, and is erased as addresses are
    payment_id  text NOT NULL,
    received_at timestamptz NOT NULL,
    UNIQUE (account, digest)
);
CREATE INDEX payment_notices_payment ON payment_notices (account, payment_id);
CREATE INDEX payment_notices_age ON payment_notices (received_at) WHERE body IS NOT NULL;

-- Payments as their supplier told them, once each. What was captured stays captured.
CREATE TABLE payments (
    id          text PRIMARY KEY,                     -- pay_…
    account     text NOT NULL,
    payment_id  text NOT NULL,                        -- the payment supplier's
    checkout_id text REFERENCES checkouts,            -- null: nobody knows what for
    link_id     text,
    kind        text NOT NULL CHECK (kind IN ('payment', 'authorisation', 'refund', 'other')),
    state       text NOT NULL CHECK (state IN ('pending', 'captured', 'failed', 'expired')),
    amount      numeric NOT NULL,
    currency    text NOT NULL,
    test        boolean NOT NULL,
    paid_at     timestamptz NOT NULL,                 -- by the payment supplier; else when we heard of it
    received_at timestamptz NOT NULL,
    settled_at  timestamptz,                          -- when it was judged as it stands
    accepted    boolean NOT NULL DEFAULT false,       -- the one that pays for its checkout
    UNIQUE (account, payment_id)
);
CREATE UNIQUE INDEX payments_one_accepted ON payments (checkout_id) WHERE accepted;
CREATE INDEX payments_named ON payments (payment_id);
CREATE INDEX payments_of_checkout ON payments (checkout_id);
CREATE INDEX payments_unsettled ON payments (received_at) WHERE settled_at IS NULL;
CREATE INDEX payments_captured ON payments (received_at DESC) WHERE kind = 'payment' AND state = 'captured';

-- What a person has to decide about a checkout or a payment.
CREATE TABLE payment_cases (
    id          text PRIMARY KEY,                     -- pc_…
    checkout_id text REFERENCES checkouts,
    payment_id  text REFERENCES payments,             -- ours (pay_…)
    reason      text NOT NULL,
    detail      text NOT NULL DEFAULT '',
    mode        text NOT NULL CHECK (mode IN ('live', 'test')),
    opened_at   timestamptz NOT NULL,
    closed_at   timestamptz,
    outcome     text CHECK (outcome IN ('placed', 'refunded', 'closed', 'settled')), -- settled: it came right by itself
    note        text,
    CHECK (num_nonnulls(checkout_id, payment_id) > 0),
    CHECK ((closed_at IS NULL) = (outcome IS NULL))
);
CREATE UNIQUE INDEX payment_cases_once ON payment_cases (coalesce(checkout_id, ''), coalesce(payment_id, ''), reason)
    WHERE closed_at IS NULL;
CREATE INDEX payment_cases_open ON payment_cases (mode, opened_at, id) WHERE closed_at IS NULL;
CREATE INDEX payment_cases_checkout ON payment_cases (checkout_id) WHERE checkout_id IS NOT NULL;
CREATE INDEX payment_cases_payment ON payment_cases (payment_id) WHERE payment_id IS NOT NULL;

CREATE TABLE checkout_events (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    checkout_id text NOT NULL REFERENCES checkouts,
    at          timestamptz NOT NULL,
    type        text NOT NULL,
    detail      jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX checkout_events_checkout ON checkout_events (checkout_id, id);

-- A gateway that had its first rules of alerts gets the one for payments, too.
INSERT INTO alert_rules (id, name, kind, threshold)
SELECT 'alr_' || substr(md5(random()::text), 1, 16), 'Payment needs attention', 'payments_attention', 0
FROM alert_state WHERE seeded;
