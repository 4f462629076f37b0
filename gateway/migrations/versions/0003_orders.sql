-- What a storefront ordered. The plan and its price are frozen as they were when it was admitted.
CREATE TABLE orders (
    id              text PRIMARY KEY,                 -- ord_…
    storefront_id   text NOT NULL REFERENCES storefronts,
    mode            text NOT NULL CHECK (mode IN ('live', 'test')),
    kind            text NOT NULL CHECK (kind IN ('esim', 'topup', 'number', 'voucher')),
    status          text NOT NULL DEFAULT 'pending'
                    CHECK (status IN ('pending', 'fulfilled', 'failed', 'needs_review', 'cancel_pending', 'cancelled')),
    reference       text,                             -- the storefront's own
    plan_id         text NOT NULL,
    plan            jsonb NOT NULL,                   -- schemas.api.Plan as sold
    price           numeric NOT NULL CHECK (price >= 0),
    currency        text NOT NULL,
    price_base      numeric NOT NULL,                 -- the price in base currency, by the rate of admission
    max_cost        numeric NOT NULL,                 -- in base currency: no attempt may cost more
    base_currency   text NOT NULL,
    wanted          jsonb NOT NULL DEFAULT '{}',      -- features asked for
    only_suppliers  text[] NOT NULL DEFAULT '{}',
    ignore_suppliers text[] NOT NULL DEFAULT '{}',
    target_esim_id  text,                             -- a top-up's eSIM
    bound           jsonb,                            -- a top-up's only offer, as admitted: supplier, supplier_plan_id, cost, currency
    email           bytea,                            -- encrypted; erased on request or after [orders] email_days
    email_digest    bytea,                            -- keyed digest, for finding
    metadata        jsonb NOT NULL DEFAULT '{}',
    failure_code    text,
    failure_detail  text,
    refund          numeric,                          -- what the storefront gets back, in `currency`
    cancel_requested_at timestamptz,
    step            bigint NOT NULL DEFAULT 0,        -- grows with every change: the version in a job's key
    looks           integer NOT NULL DEFAULT 0,       -- looks at the supplier since the last change
    next_look_at    timestamptz,                      -- when the schedule looks again; null when final
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    fulfilled_at    timestamptz,
    UNIQUE (storefront_id, mode, reference),
    CHECK ((status = 'failed') <= (failure_code IS NOT NULL)),
    CHECK ((next_look_at IS NULL) = (status IN ('fulfilled', 'failed', 'needs_review', 'cancelled')) OR status = 'needs_review')
);
CREATE INDEX orders_due ON orders (next_look_at) WHERE next_look_at IS NOT NULL;
CREATE INDEX orders_of_storefront ON orders (storefront_id, mode, created_at DESC, id);
CREATE INDEX orders_created ON orders (created_at DESC, id);
CREATE INDEX orders_attention ON orders (updated_at) WHERE status = 'needs_review';
CREATE INDEX orders_email ON orders (email_digest) WHERE email_digest IS NOT NULL;
CREATE INDEX orders_email_age ON orders (created_at) WHERE email IS NOT NULL;

-- A key answers the same order for ever.
CREATE TABLE idempotency_keys (
    storefront_id text NOT NULL REFERENCES storefronts,
    mode          text NOT NULL,
    key           text NOT NULL,
    request       bytea NOT NULL CHECK (octet_length(request) = 32), -- digest of route and body
    order_id      text NOT NULL REFERENCES orders,
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (storefront_id, mode, key)
);

-- One try at one supplier. The id is the reference that the supplier gets.
CREATE TABLE attempts (
    id               text PRIMARY KEY,
    order_id         text NOT NULL REFERENCES orders,
    n                integer NOT NULL,
    kind             text NOT NULL CHECK (kind IN ('purchase', 'topup', 'cancel')),
    supplier         text NOT NULL,
    supplier_plan_id text NOT NULL,
    state            text NOT NULL CHECK (state IN ('sending', 'accepted', 'succeeded', 'unknown', 'charged_undeliverable', 'failed')),
    run_id           uuid NOT NULL,                   -- the run that inserted the row; only it may send, once
    iccid            bytea,                           -- encrypted: of a top-up or a cancel
    email            text,                            -- ours, made for this attempt
    signed_at        timestamptz NOT NULL,            -- goes on the wire as it stands here
    deadline         timestamptz NOT NULL,            -- nothing is sent after it
    quiescent_at     timestamptz NOT NULL,            -- absence means something only after it
    provision_by     timestamptz,                     -- accepted but not delivered after it: a person looks
    listed           numeric,                         -- the supplier's listed cost, in `currency`
    currency         text,
    charged          numeric,                         -- what it took, in `charged_currency`
    charged_currency text,
    cost_base        numeric,                         -- listed cost in base currency
    supplier_order_id text,
    why              text NOT NULL DEFAULT '',        -- why this offer was chosen
    error_code       text,
    error            text,                            -- redacted
    started_at       timestamptz NOT NULL DEFAULT now(),
    ended_at         timestamptz,
    call_ended_at    timestamptz,                     -- when the run that sent saw its call end, whatever came of it
    UNIQUE (order_id, n),
    CHECK (deadline > signed_at AND quiescent_at >= deadline)
);
-- The next supplier is tried only after a definite failure.
CREATE UNIQUE INDEX attempts_one_live_purchase ON attempts (order_id) WHERE kind IN ('purchase', 'topup') AND state <> 'failed';
CREATE UNIQUE INDEX attempts_one_live_cancel ON attempts (order_id) WHERE kind = 'cancel' AND state <> 'failed';
-- Each supplier order belongs to one attempt.
CREATE UNIQUE INDEX attempts_supplier_order ON attempts (supplier, supplier_order_id, kind) WHERE supplier_order_id IS NOT NULL;
CREATE INDEX attempts_open ON attempts (supplier) WHERE state IN ('sending', 'accepted', 'unknown');
CREATE INDEX attempts_started ON attempts (supplier, started_at);

-- What moved between us and the suppliers. One charge and one refund for an attempt.
CREATE TABLE ledger (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL DEFAULT now(),
    supplier   text NOT NULL,
    attempt_id text NOT NULL REFERENCES attempts,
    order_id   text NOT NULL REFERENCES orders,
    kind       text NOT NULL CHECK (kind IN ('charge', 'refund')),
    amount     numeric NOT NULL CHECK (amount >= 0),
    currency   text NOT NULL,
    UNIQUE (attempt_id, kind)
);
CREATE INDEX ledger_day ON ledger (supplier, at);

-- Movements of our balance at a supplier that no attempt explains (made before a restore, or by hand at the supplier),
-- looked at by a person: reconcile names them no more.
CREATE TABLE explained_movements (
    supplier text NOT NULL,
    movement text NOT NULL,                           -- the supplier's transaction or order, with its kind
    amount   numeric NOT NULL,
    currency text NOT NULL,
    note     text NOT NULL,
    at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (supplier, movement)
);

CREATE TABLE order_events (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id text NOT NULL REFERENCES orders,
    at       timestamptz NOT NULL DEFAULT now(),
    type     text NOT NULL,
    detail   jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX order_events_order ON order_events (order_id, id);

-- A delivered eSIM. ICCIDs come back, so the key is (supplier, iccid, order).
CREATE TABLE esims (
    id              text PRIMARY KEY,                 -- esim_…
    order_id        text NOT NULL UNIQUE REFERENCES orders,
    storefront_id   text NOT NULL REFERENCES storefronts,
    mode            text NOT NULL,
    supplier        text NOT NULL,
    supplier_plan_id text NOT NULL,
    iccid           bytea NOT NULL,                   -- encrypted
    iccid_digest    bytea NOT NULL,                   -- keyed digest, for finding
    activation_code bytea,                            -- encrypted
    confirmation_code_required boolean NOT NULL DEFAULT false,
    status          bytea,                            -- schemas.esim.EsimStatus as last seen, encrypted
    observed_at     timestamptz,
    next_poll_at    timestamptz,
    claimed_at      timestamptz,                      -- when it was last taken to be looked at by schedule
    usage_told      integer NOT NULL DEFAULT 0,       -- percent that was last told: 0, 75, 90, 100
    state_told      text,
    created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX esims_same ON esims (iccid_digest, supplier);
CREATE INDEX esims_iccid ON esims (storefront_id, mode, iccid_digest, created_at DESC);
CREATE INDEX esims_of_storefront ON esims (storefront_id, mode, created_at DESC, id DESC);
CREATE INDEX esims_poll ON esims (next_poll_at) WHERE next_poll_at IS NOT NULL;
CREATE INDEX esims_claimed ON esims (supplier, claimed_at) WHERE claimed_at IS NOT NULL;

-- Webhooks that suppliers sent, once each.
CREATE TABLE supplier_webhooks (
    supplier    text NOT NULL,
    dedupe_key  text NOT NULL,
    type        text NOT NULL,
    attempt_id  text,
    received_at timestamptz NOT NULL DEFAULT now(),
    settled_at  timestamptz,
    PRIMARY KEY (supplier, dedupe_key)
);

-- Webhooks to storefronts: where to, what happened, and each delivery.
CREATE TABLE webhook_endpoints (
    id            text PRIMARY KEY,                   -- we_…
    storefront_id text NOT NULL REFERENCES storefronts,
    mode          text NOT NULL,
    url           text NOT NULL,
    description   text NOT NULL DEFAULT '',
    events        text[] NOT NULL DEFAULT '{}',       -- none means all
    status        text NOT NULL DEFAULT 'enabled' CHECK (status IN ('enabled', 'disabled')),
    secret        bytea NOT NULL,                     -- encrypted
    old_secret    bytea,
    old_secret_until timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE webhook_events (
    id            text PRIMARY KEY,                   -- evt_…
    storefront_id text NOT NULL REFERENCES storefronts,
    mode          text NOT NULL,
    type          text NOT NULL,
    order_id      text,
    body          bytea NOT NULL,                     -- encrypted: it may name an ICCID
    at            timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE webhook_deliveries (
    id          text PRIMARY KEY,                     -- whd_…
    endpoint_id text NOT NULL REFERENCES webhook_endpoints ON DELETE CASCADE,
    event_id    text NOT NULL REFERENCES webhook_events,
    status      text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'delivered', 'failed')),
    attempts    jsonb NOT NULL DEFAULT '[]',
    next_at     timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX webhook_deliveries_event ON webhook_deliveries (event_id);
CREATE INDEX webhook_events_at ON webhook_events (at);
CREATE INDEX supplier_webhooks_received ON supplier_webhooks (received_at);
CREATE INDEX webhook_deliveries_endpoint ON webhook_deliveries (endpoint_id, created_at DESC);

-- Stop-selling switches: the supplier '' means all. Sending after a restore stays off until reconcile is clean.
CREATE TABLE selling_stops (
    supplier   text NOT NULL,
    reason     text NOT NULL CHECK (reason IN ('person', 'restored', 'account')),
    note       text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (supplier, reason)
);

-- Spend of a UTC day, counted in the transaction that admits or sends; limits are held here.
CREATE TABLE spend (
    day    date NOT NULL,
    kind   text NOT NULL CHECK (kind IN ('supplier', 'storefront')),
    name   text NOT NULL,
    amount numeric NOT NULL DEFAULT 0,                -- in base currency
    PRIMARY KEY (day, kind, name)
);
ALTER TABLE storefronts ADD COLUMN daily_spend_limit numeric CHECK (daily_spend_limit > 0);


-- A supplier that said our balance does not suffice is left alone for a while.
ALTER TABLE suppliers ADD COLUMN no_balance_until timestamptz;
CREATE TRIGGER suppliers_balance_overlay AFTER UPDATE OF no_balance_until ON suppliers
    FOR EACH STATEMENT EXECUTE FUNCTION bump_overlay();
-- What was charged when it was more than listed: a sync that lists as much lifts the stop.
ALTER TABLE offer_marks ADD COLUMN charged numeric;

CREATE TRIGGER selling_stops_overlay AFTER INSERT OR UPDATE OR DELETE ON selling_stops
    FOR EACH STATEMENT EXECUTE FUNCTION bump_overlay();
