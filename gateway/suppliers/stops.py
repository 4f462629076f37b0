"""The stop-selling switch, as an operator works it: over HTTP and at the command line alike."""

from __future__ import annotations

from gateway.access import audit_rows
from gateway.access.user_rows import Visitor
from gateway.kit.pool import Pool
from gateway.kit.problem import Problem
from gateway.suppliers import selling_rows
from gateway.suppliers.deps import Deps
from gateway.suppliers.selling_rows import Stop

_LIFTED_BY_OPERATOR: tuple[selling_rows.Reason, ...] = ("person", "account")


async def stop(deps: Deps, supplier: str | None, actor: Visitor | str, note: str = "") -> Stop | Problem:
    """Buy nothing more at a supplier, or at any (None), until it is resumed. Doing it again changes the note.

    Orders that wait go on waiting, and what was bought is followed. Problem: not_found.
    """
    if (unknown := _unknown(deps, supplier)) is not None:
        return unknown
    async with deps.pool.acquire() as connection, connection.transaction():
        await audit_rows.record(connection, actor, "selling.stopped", f"supplier:{supplier or 'all'}", {"note": note})
        return await selling_rows.stop(connection, supplier or selling_rows.ALL, "person", note)


async def resume(deps: Deps, supplier: str | None, actor: Visitor | str) -> Problem | None:
    """Lift a stop that an operator made, or that a supplier's account was stopped for; None when that is done.

    A stop for all suppliers and one for a single one are lifted each for itself. Problems: not_found, and conflict
    while a restore keeps selling off: that ends with a clean ``reconcile``.
    """
    if (unknown := _unknown(deps, supplier)) is not None:
        return unknown
    name = supplier or selling_rows.ALL
    async with deps.pool.acquire() as connection, connection.transaction():
        lifted = [await selling_rows.go_on(connection, name, reason) for reason in _LIFTED_BY_OPERATOR]
        left = (await selling_rows.stops(connection)).get(name, [])
        if any(lifted):
            await audit_rows.record(connection, actor, "selling.resumed", f"supplier:{supplier or 'all'}")
    if any(lifted):
        return None
    if left:
        return Problem("conflict", "the database was restored: selling resumes when reconcile finds nothing open")
    return Problem("not_found", f"no stop of {supplier or 'all suppliers'} is in force")


async def lift(pool: Pool, supplier: str | None, actor: Visitor | str) -> None:
    """Lift a stop that an operator made, and no other."""
    async with pool.acquire() as connection, connection.transaction():
        if await selling_rows.go_on(connection, supplier or selling_rows.ALL, "person"):
            await audit_rows.record(connection, actor, "selling.resumed", f"supplier:{supplier or 'all'}")


def _unknown(deps: Deps, supplier: str | None) -> Problem | None:
    """A name that no supplier has. One that left the configuration may keep its stop: that harms nobody."""
    if supplier is None or supplier in deps.accounts:
        return None
    return Problem("not_found", f"no supplier {supplier} is configured")
