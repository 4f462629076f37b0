"""What a plan's offers cost over time at each supplier, with what changed and when nobody looked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from gateway.kit.pages import price_of
from gateway.kit.pool import Pool
from gateway.kit.settings import Settings
from gateway.prices import change_rows, history_rows
from gateway.prices.change_rules import ChangeFilter
from gateway.prices.changes import present
from gateway.prices.history_rows import HistoryOffer
from gateway.prices.history_rules import CurrentOffer, PriceStep, Recorded, gaps, stairs
from gateway.pricing.rates import rates_now
from schemas.api import Price
from schemas.api_changes import Gap, OfferHistory, PriceHistory, Step, SupplierGaps
from schemas.money import Money

MOST_OFFERS = 12
MOST_CHANGES = 2_000
MISSED_INTERVALS = 2  # a supplier that was not well synced for longer than so many intervals was not looked at


async def plan_of(pool: Pool, offer_id: str) -> str | None:
    """The plan of an offer, on sale or gone; None when there is no such offer."""
    found = await history_rows.offer(pool, offer_id)
    return None if found is None else found.plan_id


async def price_history(
    pool: Pool,
    settings: Settings,
    plan_id: str,
    *,
    since: datetime,
    mode: str | None = None,
    suppliers: tuple[str, ...] = (),
    offer_id: str | None = None,
) -> PriceHistory | None:
    """The history of a plan's offers since then, None when no supplier has or had it in this time.

    At most so many offers, the cheapest of today first, and the newest changes.
    """
    until = datetime.now(UTC)
    base = settings.base_currency
    rates = (await rates_now(pool, settings)).worth
    found = await history_rows.offers(
        pool, plan_id, mode=mode, suppliers=suppliers, since=since, rates=rates, limit=MOST_OFFERS + 1
    )
    if offer_id is not None:
        found = [offer for offer in found if offer.id == offer_id]
    if not found:
        return None
    kept = found[:MOST_OFFERS]
    recorded = await changes_since(pool, kept, rates, since=since, most=MOST_CHANGES)
    return PriceHistory(
        plan_id=plan_id,
        currency=base,
        since=recorded.since,
        until=until,
        offers=[offer_history(offer, recorded, base, rates) for offer in kept],
        gaps=await supplier_gaps(pool, settings, {offer.supplier for offer in kept}, recorded.since, until),
        changes=[present(row, base) for row in recorded.rows],
        complete=recorded.complete and len(found) <= MOST_OFFERS,
    )


class RecordedChanges(msgspec.Struct, frozen=True):
    """What was recorded of some offers ``since`` a moment: all ``rows``, the newest first, and those of each offer.

    ``complete`` is False where there was more than was asked for: before ``since`` not everything is known then.
    """

    since: datetime
    rows: list[dict[str, Any]]
    by_offer: Mapping[tuple[str, str], list[dict[str, Any]]]
    complete: bool


async def changes_since(
    pool: Pool, offers: Sequence[HistoryOffer], rates: Mapping[str, Decimal], *, since: datetime, most: int
) -> RecordedChanges:
    """What was recorded of these offers since then, the newest ``most``."""
    chunk = await change_rows.chunk(
        pool,
        ChangeFilter(since=since),
        rates,
        after=None,
        scan_limit=most + 1,
        limit=most + 1,
        offers=[(offer.supplier, offer.supplier_plan_id) for offer in offers],
    )
    rows, complete = chunk.rows[:most], len(chunk.rows) <= most
    by_offer: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        by_offer.setdefault((row["supplier"], row["supplier_plan_id"]), []).append(row)
    return RecordedChanges(since if complete else rows[-1]["at"], rows, by_offer, complete)


async def supplier_gaps(
    pool: Pool, settings: Settings, suppliers: Iterable[str], since: datetime, until: datetime
) -> list[SupplierGaps]:
    """When the prices of these suppliers were not looked at, by name."""
    longest = timedelta(seconds=settings.sync.interval_seconds * MISSED_INTERVALS)
    names = sorted(suppliers)
    unlooked = await history_rows.unlooked(pool, names, since, until, longest)
    return [
        SupplierGaps(name, [Gap(gap.since, gap.until) for gap in gaps(unlooked[name], since, until, longest)])
        for name in names
        if name in unlooked
    ]


def offer_history(
    offer: HistoryOffer, changes: RecordedChanges, base: str, rates: Mapping[str, Decimal]
) -> OfferHistory:
    """What one offer cost over time."""
    cost = _money(offer.cost, offer.currency)
    return OfferHistory(
        offer_id=offer.id,
        supplier=offer.supplier,
        supplier_plan_id=offer.supplier_plan_id,
        name=offer.name,
        cost=price_of(cost),
        cost_base=_in_base(cost, base, rates),
        first_seen_at=offer.first_seen_at,
        gone_at=offer.gone_at,
        steps=[_step(stair, base, rates) for stair in stairs_of(offer, changes)],
    )


def stairs_of(offer: HistoryOffer, changes: RecordedChanges) -> list[PriceStep]:
    """The steps of one offer, the oldest first."""
    recorded = [
        Recorded(
            row["at"],
            row["event"],
            _money(row["old"], row["old_currency"]),
            _money(row["new"], row["new_currency"]),
        )
        for row in reversed(changes.by_offer.get((offer.supplier, offer.supplier_plan_id), []))
    ]
    current = CurrentOffer(_money(offer.cost, offer.currency), offer.first_seen_at, offer.gone_at)
    return stairs(current, recorded, changes.since)


def _step(stair: PriceStep, base: str, rates: Mapping[str, Decimal]) -> Step:
    return Step(stair.at, price_of(stair.cost), _in_base(stair.cost, base, rates))


def _in_base(cost: Money | None, base: str, rates: Mapping[str, Decimal]) -> Price | None:
    rate = None if cost is None else rates.get(cost.currency)
    return None if cost is None or rate is None else price_of(Money(cost.amount * rate, base))


def _money(amount: Decimal | None, currency: str | None) -> Money | None:
    return None if amount is None or currency is None else Money(amount, currency)
