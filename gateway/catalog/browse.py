"""The catalogue of one serving process: it opens, follows every change, and answers from memory.

A change of the rules of prices, or the day on which one begins or ends, swaps the indexes as a sync does.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self

import msgspec
import structlog

from gateway.catalog import snapshot_files as files
from gateway.catalog import snapshot_rows
from gateway.catalog.index import Index, layout
from gateway.catalog.index.affordable import standing_in
from gateway.catalog.index.build import SnapshotBuilder, Terms
from gateway.catalog.index.geography import of_this_world
from gateway.catalog.index.indexes import Indexes
from gateway.catalog.index.layout import SnapshotFile
from gateway.catalog.index.overlay import Overlay, OverlayState, next_change
from gateway.catalog.index.snapshot import Snapshot
from gateway.catalog.index.tables import finish
from gateway.catalog.publish import Basis
from gateway.catalog.rebuild import Rebuild, reason_of
from gateway.kit.freshness import FreshnessBounds
from gateway.kit.pool import DATABASE_DOWN, Pool
from gateway.kit.settings import Settings
from gateway.kit.tasks import end
from gateway.pricing import pricing_rule_rows
from gateway.pricing.price_rules import Rates
from gateway.pricing.pricing import sets_now
from gateway.pricing.pricing_rules import Rule, RuleSets, changes_at

Mode = Literal["live", "test"]
MODES: tuple[Mode, ...] = ("live", "test")
log = structlog.get_logger()

TICK_SECONDS = 1.0
LAG_SECONDS = 30.0  # how long a change may wait for a sync process to publish it before another process does
REBUILD_SECONDS = 20.0
LISTEN_SECONDS = 0.5
DATABASE_SECONDS = 5.0
REDIS_SECONDS = 60.0
_AWAY: tuple[type[Exception], ...] = (*DATABASE_DOWN, LookupError)


class CatalogNotLoadedError(Exception):
    """There is no catalogue to answer from; the text says why."""


class Catalog:
    """Holds an ``Index`` for each mode and rule set and keeps it no more than two seconds behind.

    A watcher task listens to Redis and asks PostgreSQL; either may be down, which only degrades.
    """

    def __init__(self, settings: Settings, pool: Pool | None, redis: Any | None) -> None:
        self._settings = settings
        self._pool = pool
        self._redis = redis
        self._bounds = FreshnessBounds(settings.sync.interval_seconds, settings.sync.expire_after_seconds)
        self._rules: tuple[Rule, ...] = ()
        self._seen_pricing: int | None = None
        self._sets: RuleSets | None = None
        self._sets_until: datetime | None = None
        self._rebuild = Rebuild(settings)
        self._indexes: dict[Mode, Indexes] = {}
        self._snapshots: dict[Mode, Snapshot] = {}
        self._overlay = Overlay()
        self._seen_overlay: int | None = None
        self._behind_since: float | None = None
        self._troubles: dict[str, str] = {}
        self._wake = asyncio.Event()
        self._listening = False
        self._refreshing = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    async def open(cls, settings: Settings, pool: Pool | None, redis: Any | None) -> Self:
        """Load the newest snapshots (state folder, Redis, else built from PostgreSQL in another process) and watch.

        Never fails for a server that is down: ``loaded`` tells whether there is something to answer from.
        """
        self = cls(settings, pool, redis)
        with contextlib.suppress(OSError):
            await self._open_newest()
        await self._refresh_or_degrade()
        if self._rebuild.running:
            await self._rebuild.finished()
            await self._refresh_or_degrade()
        self._tasks.append(asyncio.create_task(self._watch(), name="catalog watcher"))
        if redis is not None:
            self._tasks.append(asyncio.create_task(self._listen(), name="catalog listener"))
        return self

    def index(self, mode: Mode, storefront_id: str | None = None) -> Index:
        """The catalogue of a mode as it stands now for a storefront; an empty one before anything was synced.

        None is for storefronts without rules of their own. Raises ``CatalogNotLoadedError`` before there is one.
        """
        try:
            return self._indexes[mode].of(storefront_id)
        except KeyError:
            raise CatalogNotLoadedError("; ".join(("no catalogue is loaded yet", *self.degraded))) from None

    @property
    def loaded(self) -> bool:
        """Whether an index stands, even an empty one (what ``/readyz`` wants)."""
        return len(self._indexes) == len(MODES)

    @property
    def degraded(self) -> tuple[str, ...]:
        """What does not work at present, in words for ``/readyz``: "redis: …", "postgresql: …"."""
        troubles = self._troubles
        if self._rebuild.failure:
            troubles = troubles | {"snapshot": self._rebuild.failure}
        return tuple(f"{what}: {why}" for what, why in sorted(troubles.items()))

    @property
    def listening(self) -> bool:
        """Whether Redis will tell of new snapshots; without it they are found by asking PostgreSQL."""
        return self._listening

    async def refresh(self) -> None:
        """Look for a newer snapshot or overlay now rather than with the next tick."""
        async with self._refreshing:
            now = await self._ask_database()
            if now is not None:
                await self._follow(now)
            elif not self._snapshots:
                await self._follow_redis()
            await self._stand()

    async def refresh_wholly(self) -> None:
        """``refresh``, and wait for a snapshot that has to be made for that, for some seconds at most."""
        await self.refresh()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REBUILD_SECONDS):
                while self._rebuild.running:  # one that had begun before makes way for another
                    await self._rebuild.finished()
                    await self.refresh()

    async def close(self) -> None:
        """Stop watching and let go of the files."""
        await end(*self._tasks)
        await self._rebuild.stop()

    # -- looking

    async def _watch(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._until_next_check())
            self._wake.clear()
            await self._refresh_or_degrade()

    async def _refresh_or_degrade(self) -> None:
        try:
            await self.refresh()
        except Exception as error:  # noqa: BLE001 - start and watcher must outlive whatever they meet
            self._trouble("catalog", error)
        else:
            self._well("catalog")

    def _until_next_check(self) -> float:
        """Seconds until the next tick, or until the clock itself changes something, if that is sooner."""
        now = datetime.now(UTC)
        moments = (next_change(self._overlay, now, self._bounds), changes_at(self._rules, now))
        change = min((at for at in moments if at is not None), default=None)
        soon = (change - now).total_seconds() + 0.01 if change is not None else TICK_SECONDS
        return max(0.01, min(TICK_SECONDS, soon))

    async def _listen(self) -> None:
        """Wake the watcher whenever a new snapshot is announced."""
        while True:
            try:
                async with self._redis.pubsub() as channel:  # type: ignore[union-attr]
                    await channel.subscribe(files.NOTICE)
                    self._well("redis")
                    self._listening = True
                    while True:
                        if await channel.get_message(ignore_subscribe_messages=True, timeout=LISTEN_SECONDS):
                            self._wake.set()
            except Exception as error:  # noqa: BLE001 - Redis may be lost in any way; PostgreSQL is asked meanwhile
                self._trouble("redis", error)
            self._listening = False
            await asyncio.sleep(min(TICK_SECONDS, 1.0))

    async def _ask_database(self) -> snapshot_rows.State | None:
        """Where the catalogue stands, overlay and rules read when they changed; None when PostgreSQL is away."""
        if self._pool is None:
            self._troubles["postgresql"] = "not configured"
            return None
        try:
            async with asyncio.timeout(DATABASE_SECONDS):
                now = await snapshot_rows.state(self._pool)
                if now.overlay != self._seen_overlay:
                    self._overlay = await snapshot_rows.overlay(self._pool)
                    self._seen_overlay = now.overlay
                else:
                    funds = await snapshot_rows.money(self._pool)
                    self._overlay = msgspec.structs.replace(self._overlay, funds=funds)
                if now.pricing != self._seen_pricing:
                    self._rules, self._sets = tuple(await pricing_rule_rows.rules(self._pool)), None
                    self._seen_pricing = now.pricing
        except _AWAY as error:
            self._trouble("postgresql", error)
            return None
        self._well("postgresql")
        return now

    # -- snapshots

    async def _open_newest(self) -> None:
        """Whatever lies in the state folder: it may be what PostgreSQL names, and will do when that is away."""
        for mode in MODES:
            file = await asyncio.to_thread(files.newest, self._settings.state_dir, mode)
            if file is not None:
                self._take(mode, file)

    async def _follow(self, now: snapshot_rows.State) -> None:
        """Have the snapshots that PostgreSQL names; have them made when nobody else does."""
        lacking = False
        for mode in MODES:
            wanted = now.newest.versions.get(mode) if now.newest is not None else None
            snapshot = self._snapshots.get(mode)
            if wanted is None:
                if snapshot is None or now.content == 0:
                    self._take(mode, await asyncio.to_thread(self._empty, mode))
                lacking |= now.content > 0
            elif snapshot is None or snapshot.digest != wanted:
                lacking |= not await self._fetch(mode, wanted)
        loop = asyncio.get_running_loop()
        if now.content <= now.published:
            self._behind_since = None
        elif self._behind_since is None:
            self._behind_since = loop.time()
        # Nobody who changed exchange rates publishes them.
        late = (now.newest is not None and now.newest.rates != now.rates) or (
            self._behind_since is not None and loop.time() - self._behind_since > LAG_SECONDS
        )
        if not lacking and now.content <= now.published:
            self._rebuild.failure = ""
        if (lacking or late) and self._rebuild.start():
            self._behind_since = None
            log.info("catalog_rebuild_started", late=late, lacking=lacking)

    async def _follow_redis(self) -> None:
        """With PostgreSQL away and no file here, what Redis has; else nothing, but an empty catalogue."""
        versions: dict[str, str] = {}
        if self._redis is not None:
            try:
                async with asyncio.timeout(DATABASE_SECONDS):
                    versions = await files.current(self._redis)
            except Exception as error:  # noqa: BLE001 - as when listening
                self._trouble("redis", error)
        for mode in MODES:
            if mode not in versions or not await self._fetch(mode, versions[mode]):
                self._take(mode, await asyncio.to_thread(self._empty, mode))

    async def _fetch(self, mode: Mode, version: str) -> bool:
        """Take over this version from the state folder, or from Redis by way of it."""
        path = files.path_of(self._settings.state_dir, mode, version)
        file = await asyncio.to_thread(files.open_or_refuse, path)
        if file is not None:
            self._well("state folder")
        elif self._redis is not None:
            try:
                async with asyncio.timeout(REDIS_SECONDS):
                    packed = await files.pull(self._redis, mode, version)
            except Exception as error:  # noqa: BLE001 - as when listening
                self._trouble("redis", error)
                packed = None
            data = await asyncio.to_thread(files.unpack, *packed, path) if packed is not None else None
            if data is not None:
                file = await self._keep(data, path)
        if file is not None:
            self._take(mode, file)
        return file is not None

    async def _keep(self, data: bytes, path: Path) -> SnapshotFile:
        """The snapshot as a file that all processes of this host share; from memory where it cannot be written."""
        try:
            file = await asyncio.to_thread(files.keep, data, path)
        except OSError as error:
            self._trouble("state folder", error)
            return layout.from_memory(data)
        self._well("state folder")
        return file

    def _take(self, mode: Mode, file: SnapshotFile) -> None:
        self._snapshots[mode] = Snapshot(file)
        if self._seen_overlay is None and not self._overlay.suppliers:
            with contextlib.suppress(msgspec.DecodeError):
                basis = msgspec.json.decode(file.header.basis, type=Basis)
                self._overlay = basis.overlay
                if self._seen_pricing is None:
                    self._rules, self._sets = basis.rules, None

    def _empty(self, mode: Mode) -> SnapshotFile:
        """A catalogue without offers."""
        builder = SnapshotBuilder(mode, Terms(Rates(self._settings.base_currency)), of_this_world())
        meta, arrays = finish(builder, {}, {})
        return layout.from_memory(b"".join(layout.encode(meta, "", arrays)[1]))

    async def _stand(self) -> None:
        """Make indexes of each snapshot as it stands now, where something changed."""
        now = datetime.now(UTC)
        sets = self._sets
        if sets is None or (self._sets_until is not None and now >= self._sets_until):
            sets = self._sets = sets_now(self._rules, self._settings, now)
            self._sets_until = changes_at(self._rules, now)
        for mode, snapshot in self._snapshots.items():
            standing_now = standing_in(snapshot, self._overlay, now, self._bounds)
            indexes = self._indexes.get(mode)
            if (
                indexes is None
                or indexes.snapshot is not snapshot
                or indexes.standing != standing_now
                or indexes.sets != sets
            ):
                made = await asyncio.to_thread(_warm, snapshot, standing_now, sets, indexes)
                self._indexes[mode] = made
                log.info("catalog_in_force", mode=mode, version=made.shared.version, offers=snapshot.rows)
                continue
            # One at a time: what is paused or stopped must not wait for all of them.
            if (index := next((index for index in indexes.ready if index.featured.lacking), None)) is not None:
                await asyncio.to_thread(index.featured.make, index.featured.lacking[:1])

    def _trouble(self, what: str, error: Exception) -> None:
        why = reason_of(error)
        if self._troubles.get(what) != why:
            self._troubles[what] = why
            log.warning("degraded", what=what, error=f"{type(error).__name__}: {error}")

    def _well(self, what: str) -> None:
        if self._troubles.pop(what, None) is not None:
            log.info("recovered", what=what)


def _warm(snapshot: Snapshot, standing_now: OverlayState, sets: RuleSets, before: Indexes | None) -> Indexes:
    """Indexes that the first customer does not wait for, worked out from those before where little changed."""
    made = Indexes(snapshot, standing_now, sets, before)
    made.warm(before)
    return made
