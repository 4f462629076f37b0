"""A customer's e-mail address is forgotten when somebody asks for it, and when it has been kept for long enough."""

from __future__ import annotations

from datetime import timedelta

from gateway.checkouts import checkout_erasure_rows
from gateway.privacy import erasure_rows
from gateway.suppliers.deps import Deps

AT_ONCE = 1000


async def erase_email(deps: Deps, email: str) -> list[str]:
    """Forget an address in the orders and checkouts of all storefronts, live and test; the orders that had it."""
    digests = deps.seal.digests(email.strip().casefold())
    async with deps.pool.acquire() as connection, connection.transaction():
        # Orders before their checkouts, as an order that moves takes them.
        found = await erasure_rows.erase(connection, digests)
        await checkout_erasure_rows.erase(connection, digests)
    return found


async def erase_old_emails(deps: Deps) -> int:
    """Forget the addresses of orders and checkouts older than ``[orders] email_days``; how many it was this time.

    What a payment supplier told of those who paid goes with them, and what a product asked its customer for; that also
    where an address was forgotten on request and its order had to be bought first.
    """
    await erasure_rows.erase_left(deps.pool)
    before = deps.clock() - timedelta(days=deps.settings.orders.email_days)
    forgotten = await checkout_erasure_rows.erase_before(deps.pool, before, AT_ONCE)
    return forgotten + await erasure_rows.erase_before(deps.pool, before, AT_ONCE)
