"""From the public id of an offer to what its supplier calls it."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.kit.pool import Pool


async def offer_keys(pool: Pool, ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """(supplier, supplier_plan_id) of each of these offers that was ever seen."""
    rows = await pool.fetch("SELECT id, supplier, supplier_plan_id FROM offers WHERE id = ANY($1::text[])", ids)
    return {row["id"]: (row["supplier"], row["supplier_plan_id"]) for row in rows}
