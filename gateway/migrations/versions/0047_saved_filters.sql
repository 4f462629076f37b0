-- Filters of a list that a user keeps under a name of their own. n is one of 50 places: nobody keeps more.
CREATE TABLE saved_filters (
    user_id    text NOT NULL REFERENCES users ON DELETE CASCADE,
    n          smallint NOT NULL CHECK (n BETWEEN 1 AND 50),
    page       text NOT NULL CHECK (page ~ '^/console(/[^/?#\s\\]+)+$' AND length(page) <= 500),
    name       text NOT NULL CHECK (name <> '' AND length(name) <= 60),
    query      text NOT NULL CHECK (query ~ '^[!-~]+$' AND length(query) <= 2000),   -- URL-encoded, sorted
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, n),
    UNIQUE (user_id, page, name)
);
