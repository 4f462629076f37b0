"""Comparing what the providers ask for the same plan, once all of a run have come in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime

from gateway.catalog import catalog_state_rows, offer_rows
from gateway.kit.pool import Pool
from gateway.kit.settings import Settings
from gateway.pricing.bounds import suspect_bounds
from gateway.pricing.rates import rates_now
from gateway.pricing.suspect_rules import BELOW_OTHERS, below_others
from gateway.sync import rival_rows, sync_run_rows


async def compare(
    pool: Pool, settings: Settings, run_id: str, suppliers: Iterable[str], began_at: datetime, *, everything: bool
) -> int:
    """Mark and clear offers that ask far less than the others; how many marks changed.

    Plans that were touched since the run began are compared, or ``everything``. Called again it
    finds nothing left to do.
    """
    bounds = suspect_bounds(settings.sync)
    async with pool.acquire() as connection, connection.transaction():
        await catalog_state_rows.lock_writer(connection)
        found = await rival_rows.suspicious(
            connection,
            (await rates_now(connection, settings)).worth,
            None if everything else began_at,
            bounds.below_median,
            settings.sync.expire_after_seconds,
        )
        groups: dict[str, list[rival_rows.RivalRow]] = defaultdict(list)
        for row in found:
            groups[row.group].append(row)
        marks: dict[str, str] = {}
        unmarked: list[str] = []
        for rows in groups.values():
            suspects = below_others([row.rival for row in rows], bounds)
            for row in rows:
                reason = suspects.get(row.rival.id)
                if reason is not None and row.suspect is None:
                    marks[row.rival.id] = reason
                elif reason is None and row.suspect is not None and row.suspect.startswith(BELOW_OTHERS):
                    unmarked.append(row.rival.id)
        if marks:
            await rival_rows.mark(connection, marks.items(), run_id, began_at)
        if unmarked:
            await rival_rows.clear(connection, unmarked)
        if marks or unmarked:
            await rival_rows.date_plans_of(connection, [*marks, *unmarked], datetime.now(UTC))
            counts = {name: await offer_rows.count_suspect(connection, name) for name in suppliers}
            await sync_run_rows.set_suspect(connection, run_id, counts)
            await catalog_state_rows.content_changed(connection)
    return len(marks) + len(unmarked)
