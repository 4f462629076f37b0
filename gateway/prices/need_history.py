"""What a need cost over time: the cheapest offer of each supplier for a country, an amount of data and a duration."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from gateway.catalog.diff_rules import offer_id, offer_key
from gateway.catalog.index import Index, matrix
from gateway.catalog.index.matrix import Bucket
from gateway.kit.pages import money_of
from gateway.kit.pool import Pool
from gateway.kit.settings import Settings
from gateway.prices import history_rows
from gateway.prices.history import RecordedChanges, changes_since, stairs_of, supplier_gaps
from gateway.prices.history_rows import GoneOffer, HistoryOffer
from gateway.prices.need_history_rules import NeedOffer, OfferLine, SupplierLine, meets, supplier_lines
from gateway.pricing.price_rules import Rates
from gateway.pricing.rates import rates_now
from schemas.api_changes import SupplierGaps
from schemas.plan import nominal_mb

MOST_OFFERS = 60  # in all; of each supplier its share, the cheapest of today
FEWEST_OF_A_SUPPLIER = 3
MOST_GONE = 500
MOST_CHANGES = 2_000


class NeedHistory(msgspec.Struct, frozen=True):
    """The lines of a need's suppliers, in base ``currency``. ``since`` is no earlier than the first price."""

    currency: str
    since: datetime
    until: datetime
    lines: list[SupplierLine]
    gaps: list[SupplierGaps]
    complete: bool


async def need_history(
    pool: Pool, settings: Settings, index: Index, bucket: Bucket, country: str, since: datetime
) -> NeedHistory:
    """What meeting a need in a country cost since then.

    Of each supplier the cheapest offers of today count, and the cheapest of those that left since then.
    """
    until = datetime.now(UTC)
    rates = await rates_now(pool, settings)
    current, share = _cheapest_now(index, bucket, country)
    left = await history_rows.gone(pool, country, mode=index.mode, since=since, limit=MOST_GONE)
    offers = await history_rows.by_ids(pool, current)
    assumed = nominal_mb(settings.needs.unstated_unlimited_mb_per_day)
    met = [each for each in left if meets(bucket, each.data, each.days, each.coverage, assumed)]
    offers += _cheapest_gone(met, rates, share)
    recorded = await changes_since(pool, offers, rates.worth, since=since, most=MOST_CHANGES)
    lines = supplier_lines(_line(offer, recorded, rates) for offer in offers)
    begins = min((line.steps[0].at for line in lines), default=since)
    gaps = await supplier_gaps(pool, settings, {line.supplier for line in lines}, begins, until)
    return NeedHistory(settings.base_currency, begins, until, lines, gaps, recorded.complete)


def _line(offer: HistoryOffer, recorded: RecordedChanges, rates: Rates) -> OfferLine:
    steps: list[tuple[datetime, Decimal | None]] = []
    for stair in stairs_of(offer, recorded):
        rate = None if stair.cost is None else rates.worth.get(stair.cost.currency)
        steps.append((stair.at, None if stair.cost is None or rate is None else stair.cost.amount * rate))
    return OfferLine(NeedOffer(offer.id, offer.supplier, offer.supplier_plan_id, offer.name, offer.plan_id), steps)


def _cheapest_now(index: Index, bucket: Bucket, country: str) -> tuple[list[str], int]:
    """Ids of the offers that compete now, of each supplier its cheapest; and how many of each were taken at most."""
    snapshot = index.snapshot
    rows = matrix.competing(snapshot, index.selectable, bucket, country, None)
    suppliers = snapshot.supplier.take(rows).tolist()
    share = max(FEWEST_OF_A_SUPPLIER, MOST_OFFERS // max(len(set(suppliers)), 1))
    taken: Counter[int] = Counter()
    found = []
    for row, supplier in zip(rows.tolist(), suppliers, strict=True):
        if taken[supplier] < share:
            taken[supplier] += 1
            found.append(offer_id(offer_key(snapshot.suppliers[supplier], snapshot.offer_text(row)[0])))
    return found, share


def _cheapest_gone(left: list[GoneOffer], rates: Rates, share: int) -> list[HistoryOffer]:
    priced = []
    for each in left:
        cost = money_of(each.offer.cost, each.offer.currency)
        if cost is not None and (rate := rates.worth.get(cost.currency)) is not None:
            priced.append((cost.amount * rate, each.offer))
    taken: Counter[str] = Counter()
    found = []
    for _, offer in sorted(priced, key=lambda each: (each[0], each[1].id)):
        if taken[offer.supplier] < share:
            taken[offer.supplier] += 1
            found.append(offer)
    return found
