"""What a sync would come to: the very same run on copies of the tables, of which nothing stays."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import nullcontext
from datetime import UTC, datetime

import msgspec
from structlog.contextvars import bound_contextvars

from gateway.kit.pool import Pool
from gateway.kit.settings import Settings
from gateway.kit.table_copies import open_pool_on_copies
from gateway.suppliers.accounts import Account
from gateway.sync import quarantine_rows, sync_run_rows
from gateway.sync.progress import Progress, Written
from gateway.sync.quarantine_rows import QuarantineRow
from gateway.sync.run import RunInProgress, chosen
from gateway.sync.run_rules import SupplierRun, SyncRun, run_state

DRY_RUN = "dry_run"

# What a sync compares with. All else that it writes it only adds to, or replaces unread.
_WITH_ROWS = ("catalog_state", "goods", "number_tiers", "offer_marks", "offers", "quarantines", "suppliers")
_READ = ("fx_rates", "mappings")


async def open_copies(dsn: str) -> Pool:
    """A pool for one ``dry_run``, on copies of the tables; the accounts' rows belong there too."""
    return await open_pool_on_copies(dsn, name="esim-gateway sync --dry-run", with_rows=_WITH_ROWS, read=_READ)


async def dry_run(
    copies: Pool,
    accounts: Mapping[str, Account],
    settings: Settings,
    *,
    only: Collection[str] = (),
    accept: Collection[str] = (),
    progress: Progress | None = None,
) -> SyncRun:
    """Walk, map and compare all suppliers, or ``only`` these and those to ``accept``; what a sync would come to now.

    ``copies`` come from ``open_copies``. Neither waits for a running sync nor joins it. Raises ``ConfigurationError``
    as ``run_sync`` does, and what the database raises, with ``ConnectionError`` for copies that were lost on the way.
    """
    names = chosen(accounts, only, accept)
    async with copies.acquire() as connection:
        await sync_run_rows.insert(connection, DRY_RUN, names, sorted(accept))
    run = RunInProgress(copies, settings, DRY_RUN, frozenset(accept), Written(progress), alone=lambda _: nullcontext())
    with bound_contextvars(dry_run=True):
        await run.sync([accounts[name] for name in names])
    found = await sync_run_rows.read(copies, DRY_RUN)
    if found is None:
        raise ConnectionError("the connection was lost, and the copies with it; start the dry run again")
    quarantines = {row.supplier: row for row in await quarantine_rows.of_run(copies, DRY_RUN)}
    parts = [_with_difference(part, quarantines.get(part.supplier)) for part in found.suppliers]
    state = run_state([part.state for part in parts])
    return msgspec.structs.replace(found, ended_at=datetime.now(UTC), state=state, suppliers=parts)


def _with_difference(part: SupplierRun, quarantine: QuarantineRow | None) -> SupplierRun:
    """What a supplier would come to, with what a list would change that is quarantined."""
    if quarantine is None:
        return part
    names = ("new", "changed", "gone", "up", "down")
    return msgspec.structs.replace(part, **{name: getattr(quarantine, name) for name in names})
