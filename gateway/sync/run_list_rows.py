"""Sync runs, and the items that they could not map, as operators see them."""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.kit.pages import PageRequest, SortKey, SortOrders, columns
from gateway.kit.pool import Pool
from schemas.api_sync import SyncRun, SyncRunSupplier, UnmappedItem
from schemas.page import Page

# The ids go by the time of the start.
SORTS = SortOrders(started=(SortKey("id", str, descending=True),))


async def sync_runs(pool: Pool, page_request: PageRequest) -> Page[SyncRun]:
    """Sync runs, the newest first or as the page is sorted."""
    arguments: list[Any] = []
    keyset = SORTS.keyset(page_request, arguments)
    rows = await pool.fetch(
        f"""SELECT id, started_at, ended_at, state FROM sync_runs
            WHERE {keyset.condition} ORDER BY {keyset.order} LIMIT ${len(arguments) + 1}""",  # noqa: S608 - our own words
        *arguments,
        page_request.fetch,
    )
    found = page_request.page(rows, keyset.key)
    parts = await pool.fetch(
        """SELECT run_id, supplier, state, total, mapped, set_aside, other_products, new, changed, gone, up, down,
                  in_stock, out_of_stock, suspect, warnings, error, ms
           FROM sync_run_suppliers WHERE run_id = ANY($1) ORDER BY supplier""",
        [row["id"] for row in found.data],
    )
    by_run: dict[str, list[SyncRunSupplier]] = {}
    for row in parts:
        fields = dict(row)
        by_run.setdefault(fields.pop("run_id"), []).append(SyncRunSupplier(**fields))
    return found.map(lambda row: SyncRun(**row, suppliers=by_run.get(row["id"], [])))


async def unmapped(
    pool: Pool, page_request: PageRequest, supplier_name: str | None, reason: str | None
) -> Page[UnmappedItem]:
    """Items that no rule understood, by supplier and its own id."""
    rows = await pool.fetch(
        """SELECT supplier, supplier_plan_id, name, reason, detail, raw, first_seen_at FROM set_aside
           WHERE (supplier, supplier_plan_id) > ($1, $2)
             AND ($3::text IS NULL OR supplier = $3) AND ($4::text IS NULL OR reason = $4)
           ORDER BY supplier, supplier_plan_id LIMIT $5""",
        *page_request.after(str, str),
        supplier_name,
        reason,
        page_request.fetch,
    )
    page = page_request.page(rows, columns("supplier", "supplier_plan_id"))
    return page.map(lambda row: msgspec.convert(dict(row), UnmappedItem))
