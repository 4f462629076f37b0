"""Who may use the console: the first admin, and every change of a user. Console and command line use these."""

from __future__ import annotations

import re

from gateway.access import audit_rows, login_failure_rows, storefront_rows, user_rows
from gateway.access.passwords import LONGEST_PASSWORD, SHORTEST_PASSWORD, hash_password, new_password
from gateway.access.user_rows import Role, StaffRole, User, Visitor
from gateway.kit.pool import Connection, Pool

FIRST_ADMIN = "admin"
_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,99}\Z")


class UserError(ValueError):
    """A change of users that cannot be; its text says why. ``field`` is what it is about."""

    def __init__(self, why: str, field: str = "name") -> None:
        super().__init__(why)
        self.field = field


async def first_admin(pool: Pool) -> str | None:
    """Make the first admin; the password, to be shown once. None when there is a user already."""
    if await user_rows.any_user(pool):
        return None
    password = new_password()
    hashed = await hash_password(password)
    async with pool.acquire() as connection, connection.transaction():
        if not await user_rows.add_first_admin(connection, hashed):
            return None
        await audit_rows.record(connection, "first start", "user.created", f"user:{FIRST_ADMIN}", {"role": "admin"})
    return password


async def create(
    pool: Pool,
    actor: Visitor | str,
    name: str,
    role: Role,
    password: str,
    *,
    must_change: bool = False,
    storefront: str | None = None,
) -> User:
    """A new user, who with ``must_change`` has to choose another password at the first log-in.

    ``storefront``, a name or an id, is the one that a user of the role ``storefront`` belongs to.
    Raises ``UserError`` for a name that cannot be or is taken, a short password, and a storefront that is missing, not
    there, or given with another role.
    """
    name = name.strip().lower()
    if not _NAME.match(name):
        raise UserError("a name is 1 to 100 letters a-z, digits and ._@+-, beginning with a letter or digit")
    _check(password)
    hashed = await hash_password(password)
    async with pool.acquire() as connection, connection.transaction():
        storefront_id = await _storefront_of(connection, role, storefront)
        made = await user_rows.add(connection, name, role, hashed, must_change=must_change, storefront_id=storefront_id)
        if made is None:
            raise UserError(f"the user {name} exists already")
        detail = {"role": role} | ({} if storefront_id is None else {"storefront": storefront_id})
        await audit_rows.record(connection, actor, "user.created", f"user:{name}", detail)
    return made


async def set_password(
    pool: Pool,
    actor: Visitor | str,
    name: str,
    password: str,
    *,
    keep: bytes | None = None,
    must_change: bool = False,
) -> None:
    """Another password for a user, whose failed log-ins are forgotten; their sessions end, but for that of ``keep``.

    With ``must_change`` they have to choose another one at the next log-in. Raises ``UserError`` for a short
    password and for a user who is not there.
    """
    _check(password)
    hashed = await hash_password(password)
    async with pool.acquire() as connection, connection.transaction():
        user = await _there(connection, name)
        await login_failure_rows.unlock(connection, user.id)
        await user_rows.set_password(connection, user.id, hashed, keep=keep, must_change=must_change)
        await audit_rows.record(connection, actor, "user.password", f"user:{name}")


async def unlock(pool: Pool, actor: Visitor | str, name: str) -> int:
    """Forget the failed log-ins that make a user wait; how many. Raises ``UserError`` for nobody."""
    async with pool.acquire() as connection, connection.transaction():
        user = await _there(connection, name)
        failures = await login_failure_rows.unlock(connection, user.id)
        await audit_rows.record(connection, actor, "user.unlocked", f"user:{name}", {"failures": failures})
    return failures


async def reset_totp(pool: Pool, actor: Visitor | str, name: str) -> None:
    """Turn a user's second factor off, for who lost it; their sessions end.

    Raises ``UserError`` for nobody and for a user without one.
    """
    async with pool.acquire() as connection, connection.transaction():
        user = await _there(connection, name)
        await login_failure_rows.unlock(connection, user.id)
        if not await user_rows.clear_totp(connection, user.id):
            raise UserError(f"{user.name} has no second factor")
        await user_rows.end_sessions(connection, user.id)
        await audit_rows.record(connection, actor, "user.second_factor_reset", f"user:{user.name}")


async def set_role(pool: Pool, actor: Visitor | str, name: str, role: StaffRole) -> None:
    """Another role. Raises ``UserError`` for nobody, for a storefront's user, and where no admin would be left."""
    async with pool.acquire() as connection, connection.transaction():
        user = await _there(connection, name)
        if user.role == role:
            return
        if user.role == "storefront":
            raise UserError(f"{user.name} belongs to a storefront: create another user for another role")
        if user.role == "admin":
            await _not_last(connection, user)
        await user_rows.set_role(connection, user.id, role)
        await audit_rows.record(connection, actor, "user.role", f"user:{name}", {"before": user.role, "after": role})


async def set_disabled(pool: Pool, actor: Visitor | str, name: str, *, disabled: bool) -> None:
    """Shut a user out at once, or let them in again. Raises ``UserError`` as ``set_role`` does."""
    async with pool.acquire() as connection, connection.transaction():
        user = await _there(connection, name)
        if disabled == (user.disabled_at is not None):
            return
        if disabled and user.role == "admin":
            await _not_last(connection, user)
        await user_rows.set_disabled(connection, user.id, disabled=disabled)
        await audit_rows.record(connection, actor, "user.disabled" if disabled else "user.enabled", f"user:{name}")


async def end_sessions(pool: Pool, actor: Visitor | str, name: str, *, keep: bytes | None = None) -> int:
    """Log a user out everywhere; how many sessions that ended. Raises ``UserError`` for nobody."""
    async with pool.acquire() as connection, connection.transaction():
        user = await _there(connection, name)
        count = await user_rows.end_sessions(connection, user.id, keep=keep)
        await audit_rows.record(connection, actor, "user.logged_out", f"user:{name}", {"sessions": count})
    return count


async def _there(connection: Connection, name: str) -> User:
    user = await user_rows.by_name(connection, name.strip().lower())
    if user is None:
        raise UserError(f"there is no user {name}")
    return user


async def _storefront_of(connection: Connection, role: Role, storefront: str | None) -> str | None:
    if role != "storefront":
        if storefront:
            raise UserError("only a user with the role storefront belongs to a storefront", "storefront")
        return None
    if not storefront:
        raise UserError("a user with the role storefront needs the storefront they belong to", "storefront")
    found = await storefront_rows.id_of(connection, storefront)
    if found is None:
        raise UserError(f"there is no storefront {storefront}", "storefront")
    return found


async def _not_last(connection: Connection, user: User) -> None:
    if user.disabled_at is None and not await user_rows.admins_left(connection, user.id):
        raise UserError(f"{user.name} is the only admin: create another admin first")


def _check(password: str) -> None:
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise UserError(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
