"""A customer's e-mail address is forgotten when somebody asks for it, and when it has been kept for long enough."""

from __future__ import annotations

from datetime import timedelta

from gateway.flows.deps import Deps
from gateway.store import erasure

AT_ONCE = 1000


async def erase_email(deps: Deps, email: str) -> list[str]:
    """Forget an address in the orders of all storefronts, live and test; the orders that had it."""
    return await erasure.erase(deps.pool, deps.seal.digests(email.strip().casefold()))


async def erase_old_emails(deps: Deps) -> int:
    """Forget the addresses of orders older than ``[orders] email_days``; how many were forgotten this time."""
    before = deps.clock() - timedelta(days=deps.settings.orders.email_days)
    return await erasure.erase_before(deps.pool, before, AT_ONCE)
