-- Counters of failed log-ins: of an address (an IPv6 address by its /64), of a device that logged in before as this
-- user, of a session that asks for its own user's password.
DELETE FROM login_failures;
ALTER TABLE login_failures
    DROP CONSTRAINT login_failures_kind_check,
    ADD CHECK (kind IN ('address', 'device', 'session')),
    ADD COLUMN user_id text REFERENCES users ON DELETE CASCADE;
CREATE INDEX login_failures_user ON login_failures (user_id) WHERE user_id IS NOT NULL;
COMMENT ON COLUMN login_failures.user_id IS
    'Whose device or session it is; a password reset and `users unlock` delete these rows. Null for an address.';

-- Failures of unknown devices that count against a user name, at most three of an address within an hour. Ten within
-- an hour lock the name for unknown devices. Names that nobody has get no rows.
CREATE TABLE login_name_failures (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id text NOT NULL REFERENCES users ON DELETE CASCADE,
    address text NOT NULL,
    at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX login_name_failures_user ON login_name_failures (user_id, at);
CREATE INDEX login_name_failures_at ON login_name_failures (at);
