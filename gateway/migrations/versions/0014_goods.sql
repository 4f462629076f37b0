-- Vouchers and recharges as suppliers list them: one row for each account and SKU.
CREATE TABLE goods (
    supplier         text NOT NULL REFERENCES suppliers,
    sku              text NOT NULL,
    good_id          text NOT NULL,               -- good_ + 24 hex digits of provider and SKU: one for all its accounts
    product_id       text NOT NULL,
    type             text NOT NULL,
    denomination     text NOT NULL CHECK (denomination IN ('fixed', 'custom')),
    cost             numeric CHECK (cost > 0),    -- of one; null for a denomination of one's choice
    currency         text,
    custom           jsonb,                       -- schemas.good.CustomPrice
    face_value       numeric,
    face_currency    text,
    stock            integer,
    max_per_order    integer,
    category_id      text,
    image            text,
    countries        text[] NOT NULL DEFAULT '{}',
    attributes       jsonb NOT NULL DEFAULT '{}', -- code -> value, in the account's own language
    fields           jsonb NOT NULL DEFAULT '[]', -- schemas.good.GoodField[]
    texts            jsonb NOT NULL,              -- language -> gateway.items.goods_rules.Texts
    locale           text NOT NULL,               -- the account's own language; '' where there is only one
    sort_name        text NOT NULL,
    measure          numeric NOT NULL,            -- by which moves of its price are told, in measure_currency
    measure_currency text NOT NULL,
    good_measure     numeric,                     -- the last one that was not suspect, in measure_currency
    released         numeric,                     -- a suspect one that a person let through
    suspect          text,                        -- why the price is suspect, null when it is not
    digest           bytea NOT NULL CHECK (octet_length(digest) = 16),
    first_seen_at    timestamptz NOT NULL,
    changed_at       timestamptz NOT NULL,
    looked_at        timestamptz,                 -- a look at this one good, between two walks
    gone_at          timestamptz,                 -- not in the last whole walk
    PRIMARY KEY (supplier, sku),
    CHECK ((cost IS NULL) = (currency IS NULL)),
    CHECK ((cost IS NULL) = (custom IS NOT NULL))
);
CREATE INDEX goods_good ON goods (good_id);
CREATE INDEX goods_listed ON goods (sort_name, good_id) WHERE gone_at IS NULL;

CREATE TABLE goods_aside (
    supplier text NOT NULL REFERENCES suppliers,
    sku      text NOT NULL,
    name     text NOT NULL,
    reason   text NOT NULL,
    detail   text NOT NULL,
    raw      text NOT NULL,
    PRIMARY KEY (supplier, sku)
);

CREATE TABLE goods_categories (
    supplier   text NOT NULL REFERENCES suppliers,
    id         text NOT NULL,
    n          integer NOT NULL,                  -- its place in the supplier's list
    parent_id  text,
    texts      jsonb NOT NULL,                    -- language -> schemas.good.GoodCategory
    PRIMARY KEY (supplier, id)
);

-- What became of the last walk through a supplier's goods.
CREATE TABLE goods_walks (
    supplier text PRIMARY KEY REFERENCES suppliers,
    run_id   text NOT NULL,
    at       timestamptz NOT NULL,                -- when it began
    good_at  timestamptz,                         -- when the last accepted one began
    state    text NOT NULL CHECK (state IN ('ok', 'failed', 'quarantined')),
    error    text,
    total    integer NOT NULL DEFAULT 0,
    mapped   integer NOT NULL DEFAULT 0,
    new      integer NOT NULL DEFAULT 0,
    changed  integer NOT NULL DEFAULT 0,
    gone     integer NOT NULL DEFAULT 0
);

-- Each price that moved, each good that came or went, once.
CREATE TABLE goods_changes (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL,
    supplier text NOT NULL,
    sku      text NOT NULL,
    good_id  text NOT NULL,
    kind     text NOT NULL CHECK (kind IN ('new', 'price', 'gone')),
    old      numeric,                             -- measures, as in goods
    new      numeric,
    currency text NOT NULL,
    run_id   text NOT NULL                        -- a sync run, or 'order'
);
CREATE INDEX goods_changes_good ON goods_changes (good_id, at DESC);
