"""Sync runs, and the items that they could not map, as operators see them."""

from __future__ import annotations

import msgspec

from gateway.kit.pages import PageRequest, columns
from gateway.kit.pool import Pool
from schemas.api_sync import SyncRun, SyncRunSupplier, UnmappedItem
from schemas.page import Page


async def sync_runs(pool: Pool, page_request: PageRequest) -> Page[SyncRun]:
    """Sync runs, the newest first."""
    rows = await pool.fetch(
        """SELECT id, started_at, ended_at, state FROM sync_runs
           WHERE $1::text IS NULL OR id < $1 ORDER BY id DESC LIMIT $2""",
        *page_request.before(str),
        page_request.fetch,
    )
    parts = await pool.fetch(
        """SELECT run_id, supplier, state, total, mapped, set_aside, other_products, new, changed, gone, up, down,
                  in_stock, out_of_stock, suspect, warnings, error, ms
           FROM sync_run_suppliers WHERE run_id = ANY($1) ORDER BY supplier""",
        [row["id"] for row in rows],
    )
    by_run: dict[str, list[SyncRunSupplier]] = {}
    for row in parts:
        fields = dict(row)
        by_run.setdefault(fields.pop("run_id"), []).append(SyncRunSupplier(**fields))
    runs = [SyncRun(**row, suppliers=by_run.get(row["id"], [])) for row in rows]
    return page_request.page(runs, lambda run: (run.id,))


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
