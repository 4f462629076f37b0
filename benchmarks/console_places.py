"""Where the console's pages are: addresses with parts, filled in with things that this gateway has."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from gateway.console import all_pages
from gateway.store.pool import Pool

_RUN = "SELECT id FROM sync_runs WHERE ended_at IS NOT NULL ORDER BY started_at DESC LIMIT 1"
_ORDER = "SELECT id FROM orders WHERE mode = $1 AND status <> 'pending' ORDER BY created_at DESC LIMIT 1"
# One statement for each page with parts: its columns fill them in, in this order. $1 is the mode.
_PARTS = {
    "/console/prices/{country}": "SELECT 'JP'",
    "/console/sync-runs/{id}": _RUN,
}
# Lists as they are asked for in earnest. $1 is the mode.
_ASKED = {
    "/console/search?q=": "SELECT 'japan'",
}


async def places(pool: Pool, mode: str) -> dict[str, str]:
    """The address of every page that can be shown, by its path's template."""
    found: dict[str, str] = {}
    for page in all_pages():
        if page.method != "GET":
            continue
        if "{" not in page.path:
            found[page.path] = page.path
        elif page.path in _PARTS and (row := await _row(pool, _PARTS[page.path], mode)) is not None:
            address = page.path
            for value in row:
                before, _, rest = address.partition("{")
                address = before + quote(str(value), safe="") + rest.partition("}")[2]
            found[page.path] = address
    for address, statement in _ASKED.items():
        if (row := await _row(pool, statement, mode)) is not None:
            found[address + "…"] = address + quote(str(row[0]), safe="")
    return found


async def _row(pool: Pool, statement: str, mode: str) -> Any:
    return await pool.fetchrow(statement, *([mode] if "$1" in statement else []))
