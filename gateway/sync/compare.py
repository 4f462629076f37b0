"""Judging suppliers' lists beside each other: each walk before it replaces anything, and all at the end of a run."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

import structlog

from gateway.catalog import catalog_state_rows, offer_rows
from gateway.catalog.diff_rules import offer_id
from gateway.kit.pool import Connection, Pool
from gateway.kit.settings import Settings
from gateway.pricing.bounds import quarantine_bounds, suspect_bounds
from gateway.pricing.guard_rules import GuardBounds, Judgement, SupplierList, judge_list, judge_lists, measures
from gateway.pricing.market_rules import BESIDE_OTHERS, Market, Offers
from gateway.pricing.quarantine_rules import LIST_FAULTS
from gateway.pricing.rates import rates_now
from gateway.suppliers import supplier_rows
from gateway.suppliers.supplier_rows import UNJUDGED
from gateway.sync import quarantine_rows, rival_rows, sync_run_rows
from gateway.sync.rival_rows import Scale, SupplierRow
from schemas.plan import nominal_mb

log = structlog.get_logger(__name__)


class PriceGuard:
    """The price guard of one run: the bounds, and what walks are measured by, read once for each mode."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._markets: dict[tuple[str, ...], Market] = {}  # by mode and the suppliers that there are

    def forget(self) -> None:
        """Let go of what walks are measured by."""
        self._markets.clear()

    async def judge_staged(self, connection: Connection, supplier: str, gone: Sequence[str]) -> str | None:
        """Judge a list as the walk in ``incoming`` would leave it, and mark its suspect prices there.

        What is wrong with it that no operator let through, in words; None when it may be sold. It is measured by what
        stood of the suppliers that passed before this run, and by itself alone where there is none.
        """
        own, market = await self._own_and_market(connection, supplier)
        offers = await rival_rows.staged(connection, await self.scale(connection), own, gone)
        judgement = judge_list(offers, market, _list_of(own), await self.bounds(connection))
        await offer_rows.mark_suspect(connection, *rival_rows.arrays_of(judgement.suspicions))
        return judgement.reason

    async def judge_first(self, connection: Connection, supplier: str, run_id: str, at: datetime) -> str | None:
        """The same of a first list, which this transaction wrote into ``offers`` straight, ``at`` this time."""
        own, market = await self._own_and_market(connection, supplier)
        offers = await rival_rows.offers(connection, await self.scale(connection), [own])
        judgement = judge_list(offers, market, _list_of(own), await self.bounds(connection))
        await rival_rows.mark(connection, judgement.suspicions, run_id, at)
        return judgement.reason

    async def _own_and_market(self, connection: Connection, supplier: str) -> tuple[SupplierRow, Market]:
        every = await rival_rows.suppliers(connection, self.settings.sync.expire_after_seconds)
        own = next(row for row in every if row.name == supplier)
        names = (own.mode, *(row.name for row in every))
        if names not in self._markets:
            passed = [row for row in every if row.mode == own.mode and _measures(row)]
            standing = await rival_rows.offers(connection, await self.scale(connection), passed)
            self._markets[names] = Market(standing, measures(standing, map(_list_of, passed)))
        return own, self._markets[names]

    async def scale(self, connection: Connection) -> Scale:
        """What costs and amounts are compared by, from the rates of now and the settings."""
        assumed = nominal_mb(self.settings.needs.unstated_unlimited_mb_per_day)
        return Scale((await rates_now(connection, self.settings)).worth, assumed)

    async def bounds(self, connection: Connection) -> GuardBounds:
        """The bounds from the settings, with the least cost in base currency."""
        prices = suspect_bounds(self.settings.sync)
        dollar = (await rates_now(connection, self.settings)).worth.get("USD")
        minimum = None if dollar is None else float(prices.minimum_usd * dollar)
        return GuardBounds(quarantine_bounds(self.settings.sync), prices, minimum)


async def compare(
    pool: Pool,
    guard: PriceGuard,
    run_id: str,
    began_at: datetime,
    *,
    accept: Collection[str] = (),
    everything: bool = False,
) -> int:
    """Judge all lists beside each other, now that all of the run have come in; how much was changed by it.

    Marks and clears suspect prices, and quarantines the suppliers of this run whose lists do not pass; those in
    ``accept`` pass with the faults that they have. Nothing is done when no plan was touched since the run began, unless
    ``everything`` is to be looked at. Called again it finds nothing left to do.
    """
    sync = guard.settings.sync
    async with pool.acquire() as connection, connection.transaction():
        await catalog_state_rows.lock_writer(connection)
        rows = await rival_rows.suppliers(connection, sync.expire_after_seconds)
        replaced = frozenset(await sync_run_rows.replaced_in(connection, run_id))
        touched: list[str] = []
        if sync.suspect_release_days:
            touched += await rival_rows.heal(connection, sync.suspect_release_days, sync.suspect_release_share)
        unsettled = any(row.name in replaced and (row.quarantined or not row.passed) for row in rows)
        if not (everything or accept or touched or unsettled or await rival_rows.touched_since(connection, began_at)):
            return 0
        guard.forget()  # all walks are over, and what follows needs as much memory
        changed, scale = False, await guard.scale(connection)
        for mode in sorted({row.mode for row in rows}):
            of_mode = [row for row in rows if row.mode == mode]
            offers = await rival_rows.offers(connection, scale, of_mode)
            lists = [_list_of(row, accept) for row in of_mode]
            judged = judge_lists(offers, lists, await guard.bounds(connection))
            touched += await _mark(connection, offers, judged.values(), run_id, began_at)
            for row in of_mode:
                if row.name in replaced:
                    changed |= await _settle(connection, row, judged[row.number], run_id)
        if touched:
            await rival_rows.date_plans_of(connection, touched, datetime.now(UTC))
        if touched or changed:
            counts = {row.name: await offer_rows.count_suspect(connection, row.name) for row in rows}
            await sync_run_rows.set_suspect(connection, run_id, counts)
            await catalog_state_rows.content_changed(connection)
    return len(touched) + changed


async def _mark(
    connection: Connection, offers: Offers, judged: Collection[Judgement], run_id: str, began_at: datetime
) -> list[str]:
    """Mark what is suspect and was not, and clear what is no longer; the offers' ids."""
    found = {key: why for judgement in judged for key, why in judgement.suspicions.items()}
    marked = {key.tobytes() for key in offers["id"][offers["suspect"] == BESIDE_OTHERS]}
    touched: list[str] = []
    if found.keys() - marked:
        fresh = {key: why for key, why in found.items() if key not in marked}
        touched += await rival_rows.mark(connection, fresh, run_id, began_at)
    if cleared := marked - found.keys():
        await rival_rows.clear(connection, cleared)
        touched += map(offer_id, cleared)
    return touched


async def _settle(connection: Connection, row: SupplierRow, judgement: Judgement, run_id: str) -> bool:
    """Let a list be sold, or quarantine it where it stands; whether that is new."""
    now = datetime.now(UTC)
    if judgement.reason is None:
        if row.quarantined not in {None, UNJUDGED}:
            await quarantine_rows.end_waiting(connection, row.name)
        return await supplier_rows.passed(connection, row.name, sorted(judgement.accepted), now)
    await sync_run_rows.set_quarantined(connection, run_id, row.name, judgement.reason)
    await supplier_rows.quarantine(connection, row.name, judgement.reason)
    if row.quarantined in {None, UNJUDGED}:
        await quarantine_rows.keep_standing(connection, run_id, row.name, now, judgement.reason)
        log.warning("supplier_quarantined", supplier=row.name, reason=judgement.reason)
    return row.quarantined != judgement.reason


def _measures(row: SupplierRow) -> bool:
    """Whether others are measured by it: not by a list that waits, nor by one that is sold with its faults."""
    return row.passed and row.quarantined is None and not row.accepted_faults


def _list_of(row: SupplierRow, accept: Collection[str] = ()) -> SupplierList:
    accepted = LIST_FAULTS if row.name in accept else row.accepted_faults
    return SupplierList(row.number, row.provider_number, _measures(row), frozenset(accepted))
