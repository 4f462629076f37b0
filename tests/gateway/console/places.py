"""Where the console's pages are: addresses with parts are filled in with things that the stocked gateway has."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from gateway.flows.balances import look_if_due


async def extra_places(console: Any) -> list[tuple[str, str]]:
    """Name and address of pages that are about one thing, and of lists with filters that show something."""
    found: list[tuple[str, str]] = [("search", "/console/search?q=japan"), ("password", "/console/password")]
    found += await supply_places(console)
    found += await price_places(console)
    return found


async def supply_places(console: Any) -> list[tuple[str, str]]:
    """A supplier's own page, and a word that is not understood with what its meaning would do."""
    await look_if_due(console.pool, console.deps.accounts, datetime.now(UTC))
    row = await console.pool.fetchrow(
        "SELECT supplier, reason, words[1] AS word FROM set_aside WHERE about = 'place' AND words <> '{}'"
        " GROUP BY 1, 2, 3 ORDER BY count(*) DESC, 1, 2, 3 LIMIT 1"
    )
    query = urlencode({"reason": row["reason"], "about": "place", "word": row["word"], "means": "Iceland"})
    return [
        ("supplier", "/console/suppliers/pikasim"),
        ("unmapped-word", f"/console/unmapped/at/{row['supplier']}?{query}"),
    ]


async def price_places(console: Any) -> list[tuple[str, str]]:
    """The matrix of a usual need, the offers of one country, and four of them side by side."""
    found = await console.pool.fetch(
        """SELECT id FROM offers WHERE coverage = '{JP}' AND cost IS NOT NULL AND gone_at IS NULL
           ORDER BY days DESC, cost, id LIMIT 4"""
    )
    offers = "&".join(f"offer={row['id']}" for row in found)
    need = "data_mb=5120&days=30"
    return [
        ("prices-need", f"/console/prices?{need}"),
        ("prices-country", f"/console/prices/JP?{need}"),
        ("compare-offers", f"/console/compare?country=JP&{offers}"),
    ]
