"""Comparing what the providers ask for the same plan, once all of a run have come in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime

from gateway.core.suspect import BELOW_OTHERS, below_others
from gateway.flows.bounds import suspect_bounds
from gateway.settings import Settings
from gateway.store import catalog_state, offers, rivals, sync_runs
from gateway.store.pool import Pool


async def compare(
    pool: Pool, settings: Settings, run_id: str, suppliers: Iterable[str], began_at: datetime, *, everything: bool
) -> int:
    """Mark and clear offers that ask far less than the others; how many marks changed.

    Plans that were touched since the run began are compared, or ``everything``. Called again it
    finds nothing left to do.
    """
    bounds = suspect_bounds(settings.sync)
    async with pool.acquire() as connection, connection.transaction():
        await catalog_state.lock_writer(connection)
        found = await rivals.suspicious(
            connection,
            settings.base_currency,
            None if everything else began_at,
            bounds.below_median,
            settings.sync.expire_after_seconds,
        )
        groups: dict[str, list[rivals.RivalRow]] = defaultdict(list)
        for row in found:
            groups[row.group].append(row)
        marks: dict[str, str] = {}
        cleared: list[str] = []
        for rows in groups.values():
            suspects = below_others([row.rival for row in rows], bounds)
            for row in rows:
                reason = suspects.get(row.rival.id)
                if reason is not None and row.suspect is None:
                    marks[row.rival.id] = reason
                elif reason is None and row.suspect is not None and row.suspect.startswith(BELOW_OTHERS):
                    cleared.append(row.rival.id)
        if marks:
            await rivals.mark(connection, marks.items(), run_id, began_at)
        if cleared:
            await rivals.clear(connection, cleared)
        if marks or cleared:
            await rivals.date_plans_of(connection, [*marks, *cleared], datetime.now(UTC))
            counts = {name: await offers.count_suspect(connection, name) for name in suppliers}
            await sync_runs.set_suspect(connection, run_id, counts)
            await catalog_state.content_changed(connection)
    return len(marks) + len(cleared)
