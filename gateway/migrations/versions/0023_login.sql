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

-- Steps between a password and the console: a code of the second factor, a password of one's own.
ALTER TABLE users
    ADD COLUMN must_change_password boolean NOT NULL DEFAULT false,
    ADD COLUMN totp_secret bytea,
    ADD COLUMN totp_since timestamptz,
    ADD COLUMN totp_step bigint,
    ADD CHECK ((totp_secret IS NULL) = (totp_since IS NULL));
COMMENT ON COLUMN users.must_change_password IS 'The password was made for the user, so somebody else has seen it.';
COMMENT ON COLUMN users.totp_secret IS 'Sealed secret of the second factor (TOTP); null without one.';
COMMENT ON COLUMN users.totp_step IS 'The 30-second step of the last accepted code: it and older ones are used up.';
ALTER TABLE sessions ADD COLUMN awaits_code boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN sessions.awaits_code IS 'The password was right; nothing is open but the page that asks for the code.';
