"""The second factor of a user: turned on and off in the console, asked for at each log-in.

A secret that is being set up stands sealed in its own form, and in the user's row only once a code of it was right.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

import structlog

from gateway.core import totp
from gateway.flows.deps import Deps
from gateway.sealing import Unsealable
from gateway.store import audit, login_failures, users
from gateway.store.login_failures import Attempt
from gateway.store.users import Session, Visitor


@dataclass(frozen=True, slots=True)
class Setup:
    """A secret to be put into an authenticator app. ``token`` is it, sealed, for the form."""

    token: str
    secret: str
    picture: str


def setup_of(deps: Deps, visitor: Visitor, token: str) -> Setup:
    """The secret that a form was made for; a fresh one without a form, or where the token is not this user's.

    Raises ``ConfigurationError`` without a ``secret_key``.
    """
    secret = _opened(deps, visitor, token) or totp.new_secret()
    sealed = base64.urlsafe_b64encode(deps.seal.seal(f"{visitor.user_id} {secret}")).decode()
    return Setup(sealed, totp.grouped(secret), totp.picture_of(totp.uri_of(secret, visitor.name)))


async def turn_on(deps: Deps, session: Session, token: str, code: str) -> bool:
    """Keep the secret if the code is one of it, and end the user's other sessions.

    False for a wrong code, and for a user who has a second factor.
    """
    visitor = session.visitor
    secret = _opened(deps, visitor, token)
    step = None if secret is None else totp.step_of(secret, code, deps.clock(), None)
    if secret is None or step is None:
        return False
    async with deps.pool.acquire() as connection, connection.transaction():
        if not await users.set_totp(connection, visitor.user_id, deps.seal.seal(secret), step):
            return False
        await users.end_sessions(connection, visitor.user_id, keep=session.digest)
        await audit.record(connection, visitor, "user.second_factor_on", f"user:{visitor.name}")
    return True


async def turn_off(deps: Deps, session: Session, code: str) -> int | None:
    """Forget the secret if the code is right. Else seconds until the next attempt, 0 for a wrong code."""
    visitor = session.visitor
    counted = await login_failures.count(deps.pool, Attempt("session", session.digest.hex(), visitor.user_id))
    if counted.wait:
        return counted.wait
    if not await use_code(deps, visitor.user_id, code):
        return 0
    async with deps.pool.acquire() as connection, connection.transaction():
        await login_failures.forget(connection, counted)
        await users.clear_totp(connection, visitor.user_id)
        await audit.record(connection, visitor, "user.second_factor_off", f"user:{visitor.name}")
    return None


async def use_code(deps: Deps, user_id: str, code: str) -> bool:
    """Whether a code of the user's second factor is right; it is used up then. The caller counts attempts."""
    kept = await users.totp(deps.pool, user_id)
    if kept is None:
        return False
    try:
        secret = deps.seal.open_text(kept.secret)
    except Unsealable:  # its key left secret_key before `secrets rotate` was done
        structlog.get_logger().error("totp_secret_unreadable", user=user_id)
        return False
    step = totp.step_of(secret, code, deps.clock(), kept.used_step)
    return step is not None and await users.use_totp_step(deps.pool, user_id, step)


def _opened(deps: Deps, visitor: Visitor, token: str) -> str | None:
    try:
        user_id, _, secret = deps.seal.open_text(base64.urlsafe_b64decode(token.encode())).partition(" ")
    except (ValueError, Unsealable):
        return None
    return secret if user_id == visitor.user_id else None
