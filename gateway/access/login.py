"""Logging in to the console, step by step, and asking a user for their password again.

An attempt is counted as failed before the password is verified, and taken back when it is right. Who has to wait is
decided in ``gateway.access.login_limit_rules``: strangers never lock out a device that logged in before.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Literal

from gateway.access import audit_rows, login_failure_rows, passwords, second_factor, user_rows
from gateway.access.device_cookie_rules import device_of, remember_device
from gateway.access.key_rows import Mode
from gateway.access.login_failure_rows import Attempt, Counted
from gateway.access.passwords import PasswordsBusyError
from gateway.access.user_rows import Session, Visitor
from gateway.kit.addresses import counted_as
from gateway.kit.pool import Connection
from gateway.kit.settings import Settings
from gateway.suppliers.deps import Deps

ANONYMOUS = "anonymous"  # who failed to log in, in the audit log
UNKNOWN = "unknown"  # the user of a name that nobody has


Step = Literal["code", "password", "second_factor"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a password or code was not accepted: seconds until the next attempt, 0 when it (or the name) is wrong."""

    wait: int


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A new session: its cookie's text, and that of the device's cookie.

    The latter is empty without a ``secret_key``, and while the code of a second factor is still asked for.
    """

    token: str
    device_cookie: str


async def log_in(
    deps: Deps, name: str, password: str, mode: Mode, *, address: str, device_cookie: str
) -> LoggedIn | Refusal:
    """Begin a session. A name that nobody has takes the same work, and leaves no row.

    Raises ``PasswordsBusyError`` before anything was counted.
    """
    with passwords.reserved():
        found = await user_rows.credentials(deps.pool, name.strip().lower())
        attempt = _attempt(deps, found.id if found is not None else None, address, device_cookie)
        counted = await login_failure_rows.count(deps.pool, attempt)
        if counted.wait:
            return Refusal(counted.wait)
        matches = await passwords.verify_password(found.password if found is not None else None, password)
    if found is None or not matches:
        await _record_failure(deps, counted, found.name if found is not None else None, address)
        return Refusal(0)
    token = user_rows.new_token()
    async with deps.pool.acquire() as connection, connection.transaction():
        if found.has_totp:  # a right password must not forget wrong codes
            await login_failure_rows.take_back(connection, counted)
        else:
            await _complete(connection, found.visitor, counted, address)
        await user_rows.begin_session(connection, found.id, token, mode, address, awaits_code=found.has_totp)
    if passwords.needs_rehash(found.password):
        with contextlib.suppress(PasswordsBusyError):  # the next log-in does it
            await user_rows.rehash(deps.pool, found.id, found.password, await passwords.hash_password(password))
    return LoggedIn(token, "" if found.has_totp else _device_cookie(deps, found.id, device_cookie))


async def enter_code(deps: Deps, session: Session, code: str, *, address: str, device_cookie: str) -> str | Refusal:
    """Open a session that awaits the code of the second factor; the device's cookie. Counted as a password is."""
    visitor = session.visitor
    counted = await login_failure_rows.count(deps.pool, _attempt(deps, visitor.user_id, address, device_cookie))
    if counted.wait:
        return Refusal(counted.wait)
    if not await second_factor.use_code(deps, visitor.user_id, code):
        await _record_failure(deps, counted, visitor.name, address, of_code=True)
        return Refusal(0)
    async with deps.pool.acquire() as connection, connection.transaction():
        await _complete(connection, visitor, counted, address)
        await user_rows.complete_session(connection, session)
    return _device_cookie(deps, visitor.user_id, device_cookie)


def due_step(session: Session, settings: Settings) -> Step | None:
    """What a session's user has to do before anything else; None when the console is open to them."""
    if session.awaits_code:
        return "code"
    if session.must_change_password:
        return "password"
    if settings.console.totp_for_admins and session.visitor.role == "admin" and not session.has_totp:
        return "second_factor"
    return None


async def log_out(deps: Deps, session: Session) -> None:
    """End a session."""
    async with deps.pool.acquire() as connection, connection.transaction():
        await user_rows.end_session(connection, session.digest)
        await audit_rows.record(connection, session.visitor, "user.logged_out", f"user:{session.visitor.name}")


async def check_own_password(deps: Deps, session: Session, password: str) -> Refusal | None:
    """None when that is the password of the session's user. A session's wrong passwords are limited as log-ins are.

    Raises ``PasswordsBusyError`` before anything was counted.
    """
    with passwords.reserved():
        attempt = Attempt("session", session.digest.hex(), session.visitor.user_id)
        counted = await login_failure_rows.count(deps.pool, attempt)
        if counted.wait:
            return Refusal(counted.wait)
        found = await user_rows.credentials(deps.pool, session.visitor.name)
        matches = await passwords.verify_password(found.password if found is not None else None, password)
    if not matches:
        return Refusal(0)
    async with deps.pool.acquire() as connection, connection.transaction():
        await login_failure_rows.forget(connection, counted)
    return None


def _attempt(deps: Deps, user_id: str | None, address: str, device_cookie: str) -> Attempt:
    if user_id is not None and deps.settings.secret_key:
        device = device_of(deps.seal, user_id, device_cookie)
        if device is not None:
            return Attempt("device", device, user_id)
    return Attempt("address", counted_as(address), user_id)


async def _complete(connection: Connection, visitor: Visitor, counted: Counted, address: str) -> None:
    await login_failure_rows.forget(connection, counted)
    await audit_rows.record(connection, visitor, "user.logged_in", f"user:{visitor.name}", {"address": address})


def _device_cookie(deps: Deps, user_id: str, device_cookie: str) -> str:
    return remember_device(deps.seal, user_id, device_cookie) if deps.settings.secret_key else ""


async def _record_failure(
    deps: Deps, counted: Counted, name: str | None, address: str, *, of_code: bool = False
) -> None:
    """One row for each failed log-in. A name that nobody has is not kept: people type passwords there."""
    what = f"user:{name or UNKNOWN}"
    detail = {"address": address, "known_device": counted.attempt.counter == "device", "second_factor": of_code}
    async with deps.pool.acquire() as connection, connection.transaction():
        await audit_rows.record(connection, ANONYMOUS, "user.login_failed", what, detail)
        if counted.locked:
            await audit_rows.record(connection, ANONYMOUS, "user.locked", what, {"address": address})
