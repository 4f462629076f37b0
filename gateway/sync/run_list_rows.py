"""Sync runs, and the items that they could not map, as operators see them."""

from __future__ import annotations

import msgspec

from gateway.kit.pages import Position, Rows, page_of, part
from gateway.kit.pool import Pool
from schemas.api import SyncRun, SyncRunSupplier, UnmappedItem


async def sync_runs(pool: Pool, limit: int, after: Position | None) -> Rows[SyncRun]:
    """Sync runs, the newest first."""
    rows = await pool.fetch(
        """SELECT id, started_at, ended_at, state FROM sync_runs
           WHERE $1 = '' OR id < $1 ORDER BY id DESC LIMIT $2""",
        part(after, 0),
        limit + 1,
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
    return page_of(runs, limit, lambda run: (run.id,))


async def unmapped(
    pool: Pool, limit: int, after: Position | None, supplier_name: str | None, reason: str | None
) -> Rows[UnmappedItem]:
    """Items that no rule understood, by supplier and its own id."""
    rows = await pool.fetch(
        """SELECT supplier, supplier_plan_id, name, reason, detail, raw, first_seen_at FROM set_aside
           WHERE (supplier, supplier_plan_id) > ($1, $2)
             AND ($3::text IS NULL OR supplier = $3) AND ($4::text IS NULL OR reason = $4)
           ORDER BY supplier, supplier_plan_id LIMIT $5""",
        part(after, 0),
        part(after, 1),
        supplier_name,
        reason,
        limit + 1,
    )
    items = [msgspec.convert(dict(row), UnmappedItem) for row in rows]
    return page_of(items, limit, lambda item: (item.supplier, item.supplier_plan_id))
