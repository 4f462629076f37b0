-- What people told of words that no table knew; a sync reads them before it walks.
CREATE TABLE mappings (
    id         text PRIMARY KEY,                      -- map_…
    provider   text NOT NULL DEFAULT '',              -- '' is every provider
    about      text NOT NULL CHECK (about IN ('place', 'unit', 'attribute')),
    word       text NOT NULL,                         -- as the supplier writes it
    key        text NOT NULL,                         -- what it is looked up by
    means      text NOT NULL,                         -- "TR", "CN HK JP", "7", "1/24", "days"
    note       text NOT NULL DEFAULT '',
    created_by text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (provider, about, key)
);

-- What of an item was not understood, and what it would cost us.
ALTER TABLE set_aside ADD COLUMN about text NOT NULL DEFAULT '';
ALTER TABLE set_aside ADD COLUMN words text[] NOT NULL DEFAULT '{}';
ALTER TABLE set_aside ADD COLUMN cost numeric;
ALTER TABLE set_aside ADD COLUMN currency text;
CREATE INDEX set_aside_reason ON set_aside (reason, supplier);
