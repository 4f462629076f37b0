"""A person brings an order to its end that nothing else could."""

from __future__ import annotations

from gateway.flows.deps import Deps
from gateway.flows.problem import Problem
from gateway.flows.settle import Person, settle
from gateway.store.pool import Connection


async def resolve(deps: Deps, order_id: str, person: Person) -> Problem | None:
    """Settle an order that waits for a person by what the person found out; None when that is done.

    Problems: not_found, conflict (it does not wait for one), invalid (a delivery without its code).
    """
    async with deps.pool.acquire() as connection, connection.transaction():
        order = await connection.fetchrow("SELECT status, kind FROM orders WHERE id = $1 FOR UPDATE", order_id)
        if order is None:
            return Problem("not_found", "there is no such order")
        attempt_id = await _attempt(connection, order_id)
        if order["status"] != "needs_review" or attempt_id is None:
            return Problem("conflict", f"the order is {order['status']} and waits for nobody")
        if person.outcome == "fulfilled" and order["kind"] == "esim":
            lacking = await _lacking(connection, order_id, person)
            if lacking:
                errors = tuple((f"/{name}", "is needed, the supplier has not told it") for name in lacking)
                return Problem("invalid", f"as fulfilled needs {' and '.join(lacking)}", errors)
        await settle(deps, connection, attempt_id, person)
    return None


async def _attempt(connection: Connection, order_id: str) -> str | None:
    """What there is to decide about: the last attempt that is open, else the purchase that did not fail."""
    found: str | None = await connection.fetchval(
        """SELECT id FROM attempts WHERE order_id = $1 AND state <> 'failed'
           ORDER BY state = 'succeeded', n DESC LIMIT 1""",
        order_id,
    )
    return found


async def _lacking(connection: Connection, order_id: str, person: Person) -> list[str]:
    """What a fulfilled order needs and neither the person nor the supplier has given."""
    if await connection.fetchval(
        "SELECT EXISTS (SELECT FROM esims WHERE order_id = $1 AND activation_code IS NOT NULL)", order_id
    ):
        return []
    return [name for name in ("activation_code", "iccid") if getattr(person, name) is None]
