"""Points of storefronts."""

from __future__ import annotations

from typing import Annotated

import msgspec

from gateway.kit.pool import Pool
from schemas.examples import example


class Points(msgspec.Struct, frozen=True):
    """How many points a storefront has."""

    storefront: Annotated[str, example("My shop")]
    points: int


async def grant(pool: Pool) -> None:
    """Give each storefront a point."""
    await pool.execute(
        """INSERT INTO loyalty_points (storefront_id, points) SELECT id, 1 FROM storefronts
           ON CONFLICT (storefront_id) DO UPDATE SET points = loyalty_points.points + 1"""
    )


async def by_storefront(pool: Pool) -> list[Points]:
    """The points of every storefront, by name."""
    rows = await pool.fetch(
        "SELECT name, points FROM loyalty_points JOIN storefronts ON storefronts.id = storefront_id ORDER BY name"
    )
    return [Points(row["name"], row["points"]) for row in rows]
