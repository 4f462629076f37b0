"""People of the console: their rows and sessions. Failed log-ins are in ``login_failures``.

A session is kept as its token's SHA-256. It ends 12 hours after it was last used, 7 days after it began, at
log-out, and with all others of its user when the password changes or the user is disabled.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal

import msgspec

from gateway.access.key_rows import Mode
from gateway.kit.pool import Connection, Pool

StaffRole = Literal["viewer", "operator", "admin"]
Role = StaffRole | Literal["storefront"]
STAFF_ROLES: tuple[StaffRole, ...] = ("viewer", "operator", "admin")
ROLES: tuple[Role, ...] = (*STAFF_ROLES, "storefront")

IDLE = timedelta(hours=12)
LONGEST = timedelta(days=7)
CODE_WITHIN = timedelta(minutes=10)  # of the password
TOUCHED_EVERY = timedelta(minutes=1)
VISIT_GAP = timedelta(minutes=30)  # who was away for longer begins a new visit
_FIRST_ADMIN = 7_203_114  # the key of an advisory lock

_USER = """id, name, role, created_at, password_at, disabled_at, last_seen_at, totp_since, storefront_id,
    (SELECT s.name FROM storefronts s WHERE s.id = users.storefront_id) AS storefront"""


class Visitor(msgspec.Struct, frozen=True):
    """Who is at the console. ``last_visit`` is the end of their visit before this one, None on the first.

    ``storefront_id`` and ``storefront`` (its name) are set for users of a storefront alone.
    """

    user_id: str
    name: str
    role: Role
    last_visit: datetime | None = None
    storefront_id: str | None = None
    storefront: str | None = None

    def may(self, role: Role) -> bool:
        """Whether this person's role is ``role`` or above it. The role storefront is above and below no other."""
        if self.role == "storefront" or role == "storefront":
            return self.role == role
        return STAFF_ROLES.index(self.role) >= STAFF_ROLES.index(role)


class Session(msgspec.Struct, frozen=True):
    """A session that holds. ``awaits_code``: the password was right, the code of the second factor is still missing.

    ``due`` says whether its use is to be noted again.
    """

    digest: bytes
    visitor: Visitor
    mode: Mode
    due: bool
    awaits_code: bool = False
    must_change_password: bool = False
    has_totp: bool = False


class User(msgspec.Struct, frozen=True):
    """A user as lists show them; the password's hash stays in its row."""

    id: str
    name: str
    role: Role
    created_at: datetime
    password_at: datetime
    disabled_at: datetime | None
    last_seen_at: datetime | None
    totp_since: datetime | None
    storefront_id: str | None
    storefront: str | None


class Totp(msgspec.Struct, frozen=True):
    """A user's second factor: the sealed secret, and the step of the last code that was accepted."""

    secret: bytes
    used_step: int | None


class Credentials(msgspec.Struct, frozen=True):
    """Who logs in, and the argon2id hash of their password."""

    id: str
    name: str
    role: Role
    password: str
    has_totp: bool

    @property
    def visitor(self) -> Visitor:
        """The user as the audit log names them."""
        return Visitor(self.id, self.name, self.role)


def new_token() -> str:
    """The text of a fresh session: what its cookie holds."""
    return secrets.token_urlsafe(32)


def token_digest(token: str) -> bytes:
    """What is kept of a session's token."""
    return sha256(token.encode()).digest()


async def add_first_admin(connection: Connection, password_hash: str) -> bool:
    """Make the user ``admin`` if there is no user at all; False when there is one. Safe among several processes."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _FIRST_ADMIN)
        made = await connection.fetchval(
            """INSERT INTO users (id, name, password, role)
               SELECT $1, 'admin', $2, 'admin' WHERE NOT EXISTS (SELECT FROM users) RETURNING id""",
            _new_id(),
            password_hash,
        )
    return made is not None


async def any_user(pool: Pool) -> bool:
    """Whether anybody was made yet."""
    return bool(await pool.fetchval("SELECT EXISTS (SELECT FROM users)"))


async def add(
    connection: Connection,
    name: str,
    role: Role,
    password_hash: str,
    *,
    must_change: bool = False,
    storefront_id: str | None = None,
) -> User | None:
    """The user who was made, None when the name is taken. ``must_change``: with this password they come no further."""
    row = await connection.fetchrow(
        f"""INSERT INTO users (id, name, role, password, must_change_password, storefront_id)
            VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (name) DO NOTHING RETURNING {_USER}""",  # noqa: S608 - our own words
        _new_id(),
        name,
        role,
        password_hash,
        must_change,
        storefront_id,
    )
    return None if row is None else User(**dict(row))


async def all_users(pool: Pool) -> list[User]:
    """Everybody, by name."""
    return [User(**dict(row)) for row in await pool.fetch(f"SELECT {_USER} FROM users ORDER BY name")]  # noqa: S608


async def by_name(connection: Connection | Pool, name: str) -> User | None:
    """The user of that name."""
    row = await connection.fetchrow(f"SELECT {_USER} FROM users WHERE name = $1", name)  # noqa: S608 - our own words
    return None if row is None else User(**dict(row))


async def credentials(pool: Pool, name: str) -> Credentials | None:
    """What a user who may log in is verified by, None for one who may not or is not there."""
    row = await pool.fetchrow(
        """SELECT id, name, role, password, totp_secret IS NOT NULL AS has_totp
           FROM users WHERE name = $1 AND disabled_at IS NULL""",
        name,
    )
    return None if row is None else Credentials(**dict(row))


async def set_password(
    connection: Connection, user_id: str, hashed: str, *, keep: bytes | None = None, must_change: bool = False
) -> None:
    """A new password; every session of the user ends but for the one whose digest is ``keep``."""
    await connection.execute(
        "UPDATE users SET password = $2, password_at = now(), must_change_password = $3 WHERE id = $1",
        user_id,
        hashed,
        must_change,
    )
    await end_sessions(connection, user_id, keep=keep)


async def rehash(pool: Pool, user_id: str, old: str, hashed: str) -> None:
    """The same password under newer parameters, unless it was changed meanwhile."""
    await pool.execute("UPDATE users SET password = $3 WHERE id = $1 AND password = $2", user_id, old, hashed)


async def set_role(connection: Connection, user_id: str, role: StaffRole) -> None:
    """Another role, in force with the user's next request."""
    await connection.execute("UPDATE users SET role = $2 WHERE id = $1", user_id, role)


async def set_disabled(connection: Connection, user_id: str, *, disabled: bool) -> None:
    """Shut a user out, ending every session, or let them in again."""
    await connection.execute(
        "UPDATE users SET disabled_at = CASE WHEN $2 THEN coalesce(disabled_at, now()) END WHERE id = $1",
        user_id,
        disabled,
    )
    if disabled:
        await end_sessions(connection, user_id)


async def totp(pool: Pool, user_id: str) -> Totp | None:
    """A user's second factor, None without one."""
    row = await pool.fetchrow(
        "SELECT totp_secret, totp_step FROM users WHERE id = $1 AND totp_secret IS NOT NULL", user_id
    )
    return None if row is None else Totp(row["totp_secret"], row["totp_step"])


async def use_totp_step(pool: Pool, user_id: str, step: int) -> bool:
    """Use up the step of a right code and all before it; False when another log-in has."""
    row = await pool.fetchrow(
        "UPDATE users SET totp_step = $2 WHERE id = $1 AND (totp_step IS NULL OR totp_step < $2) RETURNING id",
        user_id,
        step,
    )
    return row is not None


async def set_totp(connection: Connection, user_id: str, sealed: bytes, step: int) -> bool:
    """Turn a second factor on; ``step`` is that of the code that showed that it works. False when there is one."""
    row = await connection.fetchrow(
        """UPDATE users SET totp_secret = $2, totp_since = now(), totp_step = $3
           WHERE id = $1 AND totp_secret IS NULL RETURNING id""",
        user_id,
        sealed,
        step,
    )
    return row is not None


async def clear_totp(connection: Connection, user_id: str) -> bool:
    """Turn the second factor off; False when there is none."""
    row = await connection.fetchrow(
        """UPDATE users SET totp_secret = NULL, totp_since = NULL, totp_step = NULL
           WHERE id = $1 AND totp_secret IS NOT NULL RETURNING id""",
        user_id,
    )
    return row is not None


async def admins_left(connection: Connection, without: str) -> int:
    """How many admins could still log in without that user. Their rows stay locked until the transaction ends."""
    rows = await connection.fetch(
        "SELECT id FROM users WHERE role = 'admin' AND disabled_at IS NULL ORDER BY id FOR UPDATE"
    )
    return sum(row["id"] != without for row in rows)


# -- sessions --------------------------------------------------------------------------------------------------------


async def begin_session(
    connection: Connection, user_id: str, token: str, mode: Mode, address: str, *, awaits_code: bool = False
) -> None:
    """Keep a session for the token, and clear away what has long ended."""
    await connection.execute("DELETE FROM sessions WHERE seen_at < now() - $1::interval", LONGEST)
    await connection.execute(
        "INSERT INTO sessions (digest, user_id, mode, address, awaits_code) VALUES ($1, $2, $3, $4, $5)",
        token_digest(token),
        user_id,
        mode,
        address[:100],
        awaits_code,
    )
    if not awaits_code:
        await _seen(connection, user_id)


async def complete_session(connection: Connection, session: Session) -> None:
    """Open a session whose code was right."""
    await connection.execute("UPDATE sessions SET awaits_code = false WHERE digest = $1", session.digest)
    await _seen(connection, session.visitor.user_id)


async def session(pool: Pool, token: str) -> Session | None:
    """The session of a token, None when it has ended in any way."""
    row = await pool.fetchrow(
        """SELECT s.digest, s.mode, s.seen_at < now() - $4::interval AS due,
                  u.id, u.name, u.role, u.last_visit_at, u.storefront_id, f.name AS storefront,
                  s.awaits_code, u.must_change_password, u.totp_secret IS NOT NULL AS has_totp
           FROM sessions s JOIN users u ON u.id = s.user_id LEFT JOIN storefronts f ON f.id = u.storefront_id
           WHERE s.digest = $1 AND s.seen_at > now() - $2::interval AND s.created_at > now() - $3::interval
             AND u.disabled_at IS NULL
             AND (NOT s.awaits_code OR s.created_at > now() - $5::interval)""",
        token_digest(token),
        IDLE,
        LONGEST,
        TOUCHED_EVERY,
        CODE_WITHIN,
    )
    if row is None:
        return None
    visitor = Visitor(
        row["id"], row["name"], row["role"], row["last_visit_at"], row["storefront_id"], row["storefront"]
    )
    return Session(
        row["digest"],
        visitor,
        row["mode"],
        row["due"],
        row["awaits_code"],
        row["must_change_password"],
        row["has_totp"],
    )


async def touch(pool: Pool, session: Session) -> None:
    """Note that a session is in use."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("UPDATE sessions SET seen_at = now() WHERE digest = $1", session.digest)
        await _seen(connection, session.visitor.user_id)


async def set_mode(pool: Pool, digest: bytes, mode: Mode) -> None:
    """Which suppliers' side of things a session looks at."""
    await pool.execute("UPDATE sessions SET mode = $2 WHERE digest = $1", digest, mode)


async def end_session(connection: Connection, digest: bytes) -> None:
    """Log out."""
    await connection.execute("DELETE FROM sessions WHERE digest = $1", digest)


async def end_sessions(connection: Connection, user_id: str, *, keep: bytes | None = None) -> int:
    """End a user's sessions, all but ``keep``; how many."""
    done = await connection.fetch(
        "DELETE FROM sessions WHERE user_id = $1 AND digest IS DISTINCT FROM $2 RETURNING 1", user_id, keep
    )
    return len(done)


async def _seen(connection: Connection, user_id: str) -> None:
    await connection.execute(
        """UPDATE users SET last_seen_at = now(),
                  last_visit_at = CASE WHEN last_seen_at < now() - $2::interval THEN last_seen_at
                                       ELSE last_visit_at END
           WHERE id = $1""",
        user_id,
        VISIT_GAP,
    )


def _new_id() -> str:
    return f"usr_{secrets.token_hex(8)}"
