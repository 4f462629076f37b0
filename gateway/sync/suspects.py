"""Letting suspect prices through: an operator has looked at them."""

from __future__ import annotations

from gateway.access import audit_rows
from gateway.access.user_rows import Visitor
from gateway.catalog import offer_rows
from gateway.kit.pool import Pool
from gateway.sync import suspect_rows
from schemas.api_suspects import SuspectRule


async def release_all(pool: Pool, supplier: str, rule: SuspectRule | None, by: Visitor | str) -> int | None:
    """Sell a supplier's suspect offers, or those of one rule, at their present cost.

    How many there were; None when there is no such supplier.
    """
    async with pool.acquire() as connection, connection.transaction():
        if not await suspect_rows.is_supplier(connection, supplier):
            return None
        released = await suspect_rows.release(connection, supplier, rule)
        if released:
            detail = {"offers": released, **({"rule": rule} if rule else {})}
            await audit_rows.record(connection, by, "suspects.released", f"supplier:{supplier}", detail)
    return released


async def release_one(pool: Pool, offer_id: str, by: Visitor | str) -> str | None:
    """Sell one suspect or stopped offer at its present cost; its id, None when there is no such offer."""
    async with pool.acquire() as connection, connection.transaction():
        found = await offer_rows.release(connection, offer_id)
        if found is None:
            return None
        detail = {"supplier": found["supplier"], "supplier_plan_id": found["supplier_plan_id"]}
        await audit_rows.record(connection, by, "offer.released", f"offer:{offer_id}", detail)
    return offer_id
