"""Syncing the catalogues of all suppliers: at once, each alone in failure, each replaced whole or not at all.

A run holds an advisory lock, and one for each supplier while it is walked. A run whose lock is free is
dead, and the next one closes it. A run that is asked for beside one that covers it joins that one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import structlog

from gateway.catalog import offer_rows
from gateway.items.goods_sync import sync_goods
from gateway.items.number_sync import sync_numbers
from gateway.kit.database_retry import retry_while_database_down
from gateway.kit.pool import Pool
from gateway.kit.run_locks import RUN_LOCK, SUPPLIER_LOCK, RunLocks, hold, run_locks
from gateway.kit.settings import Settings
from gateway.pricing.rates import note_rates
from gateway.suppliers import supplier_rows
from gateway.suppliers.accounts import Account
from gateway.sync import sync_run_rows
from gateway.sync.compare import PriceGuard, compare
from gateway.sync.mapped_by import mapping_of
from gateway.sync.mapping_rows import load_overrides
from gateway.sync.progress import Progress, written
from gateway.sync.replace import replace
from gateway.sync.run_rules import SupplierRun, SyncRun
from gateway.sync.staging_rows import Staging
from gateway.sync.walk import Walk
from providers.contract import Capability
from schemas.errors import ConfigurationError, GatewayError

log = structlog.get_logger(__name__)

# How long what was synced waits for more before it is published, while slower suppliers are still walked.
PUBLISH_AFTER_SECONDS = 5.0

Publish: TypeAlias = Callable[[], Awaitable[object]]


async def run_sync(
    pool: Pool,
    accounts: Mapping[str, Account],
    settings: Settings,
    *,
    only: Collection[str] = (),
    accept: Collection[str] = (),
    progress: Progress | None = None,
    publish: Publish | None = None,
    run_id: str | None = None,
) -> SyncRun:
    """Sync all suppliers, or ``only`` these and those to ``accept``, and return what the run came to.

    ``accept`` lifts the bounds of quarantine for the suppliers that it names. ``publish`` is awaited
    when offers were replaced, before the run ends; its failure is logged and no more. ``run_id`` is a
    run that was noted before and waits. When a run that covers all of it is going on, this one waits
    for that and returns it.

    Raises ``ConfigurationError`` for names that are no account and when there is none to sync, and
    what the database raises when it stays away.
    """
    try:
        names = chosen(accounts, only, accept)
    except ConfigurationError as error:
        if run_id is not None:
            await _close(pool, run_id, str(error))
        raise
    async with run_locks(pool) as locks:
        began = await _begin(pool, locks, run_id, names, accept)
        if isinstance(began, SyncRun):
            return began
        try:
            async with written(pool, began.run_id, progress) as writer:
                run = RunInProgress(
                    pool,
                    settings,
                    began.run_id,
                    frozenset(accept),
                    writer,
                    lambda supplier: locks.holding((SUPPLIER_LOCK, supplier)),
                    publish,
                )
                await run.sync([accounts[name] for name in names], everything=began.after_a_dead_one)
        except BaseException as error:
            message = "stopped before it was done" if isinstance(error, asyncio.CancelledError) else str(error)
            await asyncio.shield(_close(pool, began.run_id, message))
            raise
        return await _close(pool, began.run_id, "not done")


def chosen(accounts: Mapping[str, Account], only: Collection[str], accept: Collection[str]) -> list[str]:
    """The names to sync, sorted: those that are named, else every account that has a catalogue."""
    able = {name for name, account in accounts.items() if Capability.CATALOG in account.manifest.capabilities}
    wanted = {*only, *accept}
    if unknown := sorted(wanted - able):
        raise ConfigurationError(f"no supplier with a catalogue is named {', '.join(unknown)}")
    if not able:
        raise ConfigurationError("no supplier is configured; name one under [suppliers.<name>]")
    return sorted(wanted or able)


class _Began:
    def __init__(self, run_id: str, *, after_a_dead_one: bool) -> None:
        self.run_id = run_id
        self.after_a_dead_one = after_a_dead_one


async def _begin(
    pool: Pool, locks: RunLocks, run_id: str | None, names: Sequence[str], accept: Collection[str]
) -> _Began | SyncRun:
    """Begin a run, after closing the dead ones; or wait for a living one that covers it, and return that."""
    dead = False
    while True:
        joined: str | None = None
        async with locks.starting() as connection:
            for other in await sync_run_rows.running(connection):
                if await locks.free(connection, (RUN_LOCK, other["id"])):
                    dead = True
                    await sync_run_rows.close(connection, other["id"], "its process ended before it was done")
                elif set(names) <= set(other["suppliers"]) and set(accept) <= set(other["accepts"]):
                    joined = other["id"]
            if joined is None:
                own = run_id or sync_run_rows.new_id()
                if not await sync_run_rows.insert(connection, own, names, sorted(accept)):
                    # The run that was asked for has ended, closed as dead: this is another.
                    own = sync_run_rows.new_id()
                    await sync_run_rows.insert(connection, own, names, sorted(accept))
                await hold(connection, (RUN_LOCK, own))
                return _Began(own, after_a_dead_one=dead)
        async with locks.holding((RUN_LOCK, joined)):
            pass
        found = await sync_run_rows.read(pool, joined)
        if found is not None and found.ended_at is not None:
            if run_id not in {None, joined}:
                await sync_run_rows.copy_parts(pool, joined, run_id)
                return await _close(pool, run_id, "not part of the run that was joined")
            return found


@retry_while_database_down
async def _close(pool: Pool, run_id: str, why_missing: str) -> SyncRun:
    async with pool.acquire() as connection, connection.transaction():
        await sync_run_rows.close(connection, run_id, why_missing)
        found = await sync_run_rows.read(connection, run_id)
    if found is None:
        raise GatewayError(f"the sync run {run_id} is gone")
    return found


class RunInProgress:
    """One run in progress, of which a row is in ``sync_runs``. ``alone`` keeps others from a supplier for a block."""

    def __init__(
        self,
        pool: Pool,
        settings: Settings,
        run_id: str,
        accept: frozenset[str],
        progress: Progress,
        alone: Callable[[str], AbstractAsyncContextManager[None]],
        publish: Publish | None = None,
    ) -> None:
        self._pool = pool
        self._settings = settings
        self._id = run_id
        self._accept = accept
        self._progress = progress
        self._alone = alone
        self._publish = publish
        self._began_at = datetime.now(UTC)
        self._guard = PriceGuard(settings)
        self._writing = asyncio.Lock()  # one at a time: the others walk on meanwhile
        self._replaced = asyncio.Event()

    async def sync(self, accounts: Sequence[Account], *, everything: bool = False) -> None:
        """Walk and replace them all, compare them with each other, publish."""
        await retry_while_database_down(note_rates)(self._pool, self._settings)
        async with self._publishing():
            await asyncio.gather(*(self._supplier(account) for account in accounts))
        await retry_while_database_down(compare)(
            self._pool, self._guard, self._id, self._began_at, accept=self._accept, everything=everything
        )
        await self._publish_now()

    async def _supplier(self, account: Account) -> None:
        async with self._alone(account.name):
            part = await self._walk_and_replace(account)
        if part.state == "ok":
            self._replaced.set()
        self._progress.ended(part)

    async def _walk_and_replace(self, account: Account) -> SupplierRun:
        began, started_at = time.monotonic(), datetime.now(UTC)
        staging = Staging(_folder_for_staging(self._settings))
        walk: Walk | None = None
        try:
            overrides = await retry_while_database_down(load_overrides)(self._pool, account.manifest.name, account.name)
            mapping = mapping_of(account.provider, overrides)
            remapped = (
                await retry_while_database_down(supplier_rows.mapping_of)(self._pool, account.name) != mapping.hex()
            )
            stored = await retry_while_database_down(offer_rows.stored)(self._pool, account.name)
            walk = Walk(account.name, stored, staging, mapping, remapped=remapped, overrides=overrides)
            await account.limiter.probe()
            accepted = account.name in self._accept
            walk.warnings += await sync_goods(self._pool, account, self._id, self._settings, accepted=accepted)
            walk.warnings += await sync_numbers(self._pool, account, self._settings, accepted=accepted)
            progress = self._progress
            await walk.run(account.provider, lambda n, of: progress.seen(account.name, n, of))
            async with self._writing:
                part = await retry_while_database_down(replace)(
                    self._pool,
                    walk,
                    self._id,
                    self._guard,
                    datetime.now(UTC),
                    accepted=accepted,
                    began=began,
                )
        except Exception as error:  # noqa: BLE001 - one supplier's fault, of whatever kind, is its own
            part = await self._failed(account.name, started_at, walk, error, round((time.monotonic() - began) * 1000))
        finally:
            staging.close()
        log.info("supplier_synced", supplier=account.name, state=part.state, total=part.total, ms=part.ms)
        return part

    async def _failed(
        self, supplier: str, started_at: datetime, walk: Walk | None, error: Exception, ms: int
    ) -> SupplierRun:
        if isinstance(error, GatewayError):
            message = str(error)
            log.warning("sync_failed", supplier=supplier, error=message)
        else:
            message = f"{type(error).__name__} while syncing"
            log.error("sync_failed", supplier=supplier, exc_info=error)
        part = SupplierRun(
            supplier=supplier,
            state="failed",
            total=walk.total if walk else 0,
            mapped=walk.mapped if walk else 0,
            set_aside=dict(sorted(walk.staging.reasons.items())) if walk else {},
            other_products=walk.other_products if walk else 0,
            warnings=walk.warnings if walk else [],
            error=message,
            ms=ms,
        )
        return await _record_failure(self._pool, self._id, part, started_at)

    @asynccontextmanager
    async def _publishing(self) -> AsyncIterator[None]:
        """Publish what was replaced while slower suppliers are still walked."""
        done = asyncio.Event()
        task = asyncio.create_task(self._publish_meanwhile(done))
        try:
            yield
        finally:
            done.set()
            self._replaced.set()
            await task

    async def _publish_meanwhile(self, done: asyncio.Event) -> None:
        while not done.is_set():
            await self._replaced.wait()
            self._replaced.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), PUBLISH_AFTER_SECONDS)
            if not done.is_set():
                await self._publish_now()

    async def _publish_now(self) -> None:
        if self._publish is None:
            return
        try:
            await self._publish()
        except Exception as error:  # noqa: BLE001 - the offers stand in the database; the next run publishes them
            log.warning("publish_failed", error=f"{type(error).__name__}: {error}")


def _folder_for_staging(settings: Settings) -> Path:
    # Not the system's folder for temporary files, which is often memory.
    folder = settings.state_dir / "sync"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@retry_while_database_down
async def _record_failure(pool: Pool, run_id: str, part: SupplierRun, started_at: datetime) -> SupplierRun:
    async with pool.acquire() as connection, connection.transaction():
        if await sync_run_rows.still_open(connection, run_id):
            await sync_run_rows.add_supplier(connection, run_id, part)
            await supplier_rows.not_synced(connection, part.supplier, started_at, part.state)
    return part
