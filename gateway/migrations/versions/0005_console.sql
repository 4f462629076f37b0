-- People who use the console, their sessions, and the log of what they changed.
CREATE TABLE users (
    id            text PRIMARY KEY,                   -- usr_…
    name          text NOT NULL UNIQUE CHECK (name = lower(name) AND name <> ''),
    password      text NOT NULL,                      -- argon2id, with its own parameters and salt
    role          text NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    created_at    timestamptz NOT NULL DEFAULT now(),
    password_at   timestamptz NOT NULL DEFAULT now(),
    disabled_at   timestamptz,
    last_seen_at  timestamptz,                        -- kept to the minute
    last_visit_at timestamptz                         -- the end of the visit before this one
);

-- A session is its token's SHA-256: the token itself is only in the person's cookie.
CREATE TABLE sessions (
    digest     bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    user_id    text NOT NULL REFERENCES users ON DELETE CASCADE,
    mode       text NOT NULL CHECK (mode IN ('live', 'test')),
    address    text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    seen_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_seen ON sessions (seen_at);

-- Failed log-ins, by the name that was tried (there or not) and by the address that tried.
CREATE TABLE login_failures (
    kind          text NOT NULL CHECK (kind IN ('name', 'address')),
    tried         text NOT NULL,
    failures      integer NOT NULL,
    last_at       timestamptz NOT NULL,
    blocked_until timestamptz,
    PRIMARY KEY (kind, tried)
);
CREATE INDEX login_failures_last ON login_failures (last_at);

-- Who changed what, written in the transaction that changed it. Nothing here is ever altered.
CREATE TABLE audit_log (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL DEFAULT now(),
    user_id text,                                     -- null when it was no person at the console
    actor   text NOT NULL,                            -- the person's name then, or what it was
    action  text NOT NULL,                            -- "rule.changed"
    object  text NOT NULL,                            -- "rule:12"
    detail  jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_log_object ON audit_log (object, id DESC);
CREATE INDEX audit_log_user ON audit_log (user_id, id DESC) WHERE user_id IS NOT NULL;
