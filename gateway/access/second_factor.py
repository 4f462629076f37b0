"""The second factor of a user: turned on and off in the console, asked for at each log-in.

A secret that is being set up stands sealed in its own form, and in the user's row only once a code of it was right.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

import structlog

from gateway.access import audit_rows, login_failure_rows, totp_rules, user_rows
from gateway.access.login_failure_rows import Attempt
from gateway.access.user_rows import Session, Visitor
from gateway.kit.sealing import Unsealable
from gateway.suppliers.deps import Deps


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
    secret = _opened(deps, visitor, token) or totp_rules.new_secret()
    sealed = base64.urlsafe_b64encode(deps.seal.seal(f"{visitor.user_id} {secret}")).decode()
    return Setup(sealed, totp_rules.grouped(secret), totp_rules.picture_of(totp_rules.uri_of(secret, visitor.name)))


async def turn_on(deps: Deps, session: Session, token: str, code: str) -> bool:
    """Keep the secret if the code is one of it, and end the user's other sessions.

    False for a wrong code, and for a user who has a second factor.
    """
    visitor = session.visitor
    secret = _opened(deps, visitor, token)
    step = None if secret is None else totp_rules.step_of(secret, code, deps.clock(), None)
    if secret is None or step is None:
        return False
    async with deps.pool.acquire() as connection, connection.transaction():
        if not await user_rows.set_totp(connection, visitor.user_id, deps.seal.seal(secret), step):
            return False
        await user_rows.end_sessions(connection, visitor.user_id, keep=session.digest)
        await audit_rows.record(connection, visitor, "user.second_factor_on", f"user:{visitor.name}")
    return True


async def turn_off(deps: Deps, session: Session, code: str) -> int | None:
    """Forget the secret if the code is right. Else seconds until the next attempt, 0 for a wrong code."""
    visitor = session.visitor
    counted = await login_failure_rows.count(deps.pool, Attempt("session", session.digest.hex(), visitor.user_id))
    if counted.wait:
        return counted.wait
    if not await use_code(deps, visitor.user_id, code):
        return 0
    async with deps.pool.acquire() as connection, connection.transaction():
        await login_failure_rows.forget(connection, counted)
        await user_rows.clear_totp(connection, visitor.user_id)
        await audit_rows.record(connection, visitor, "user.second_factor_off", f"user:{visitor.name}")
    return None


async def use_code(deps: Deps, user_id: str, code: str) -> bool:
    """Whether a code of the user's second factor is right; it is used up then. The caller counts attempts."""
    kept = await user_rows.totp(deps.pool, user_id)
    if kept is None:
        return False
    try:
        secret = deps.seal.open_text(kept.secret)
    except Unsealable:  # its key left secret_key before `secrets rotate` was done
        structlog.get_logger().error("totp_secret_unreadable", user=user_id)
        return False
    step = totp_rules.step_of(secret, code, deps.clock(), kept.used_step)
    return step is not None and await user_rows.use_totp_step(deps.pool, user_id, step)


def _opened(deps: Deps, visitor: Visitor, token: str) -> str | None:
    try:
        user_id, _, secret = deps.seal.open_text(base64.urlsafe_b64decode(token.encode())).partition(" ")
    except (ValueError, Unsealable):
        return None
    return secret if user_id == visitor.user_id else None
