"""Offers of all suppliers with the reason that keeps each from sale, as operators look for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from gateway.core.freshness import Freshness, FreshnessBounds, freshness
from gateway.core.pricing import NoRate, PriceRule, Rates, most_an_order_may_cost, price, rates_on
from gateway.core.selectable import why_not
from gateway.settings import Settings
from gateway.store import fx, ops
from gateway.store.pool import Pool
from schemas.api import Offer
from schemas.money import Money
from schemas.plan import WhyNot

_CHUNK = 1_000
_MOST_CHUNKS = 20  # a request looks at no more than so many offers; the cursor goes on from there


@dataclass(frozen=True, slots=True)
class Bench:
    """What offers are judged by. ``tolerances`` are the shares by which suppliers may charge more than they list."""

    settings: Settings
    rates: Rates
    now: datetime
    tolerances: Mapping[str, Decimal] = field(default_factory=dict)


async def offers(
    pool: Pool,
    settings: Settings,
    tolerances: Mapping[str, Decimal],
    *,
    limit: int,
    after: ops.Position | None,
    reason: WhyNot | None,
    supplier: str | None,
    plan_id: str | None,
) -> ops.Rows[Offer]:
    """A page of offers, only those that ``reason`` holds back when one is given.

    A page may be short, even empty, although there are more: ``after`` says so.
    """
    bench = await _bench(pool, settings, tolerances)
    suspect = reason is WhyNot.SUSPECT_PRICE
    found: list[Offer] = []
    for _ in range(_MOST_CHUNKS):
        chunk = limit if reason is None else _CHUNK
        rows = await ops.offers(pool, chunk, after, supplier, plan_id, suspect=suspect)
        for row in rows.rows:
            reasons = judge(row, bench)
            if reason is None or reason in reasons:
                found.append(shown(row, reasons, reason, bench))
                after = (row.id,)
                if len(found) == limit:
                    more = rows.after is not None or row is not rows.rows[-1]
                    return ops.Rows(found, after if more else None)
        after = rows.after
        if after is None:
            break
    return ops.Rows(found, after)


async def one(pool: Pool, settings: Settings, tolerances: Mapping[str, Decimal], offer_id: str) -> Offer | None:
    """One offer, None when there is none."""
    row = await ops.offer(pool, offer_id)
    bench = await _bench(pool, settings, tolerances)
    return None if row is None else shown(row, judge(row, bench), None, bench)


def judge(row: ops.OfferRow, bench: Bench) -> tuple[WhyNot, ...]:
    """Every reason that keeps this offer from sale now."""
    settings = bench.settings
    bounds = FreshnessBounds(settings.sync.interval_seconds, settings.sync.expire_after_seconds)
    cost_base = _in_base(row, bench)
    most = None
    if cost_base is not None:
        most = most_an_order_may_cost(_price(cost_base, bench), bench.rates, settings.pricing.minimum_margin).amount
    return why_not(
        visible=row.visible,
        stock=row.stock,
        cost_base=None if cost_base is None else cost_base.amount,
        has_cost=row.cost is not None,
        suspect=row.suspect,
        expired=freshness(row.last_good_at, row.last_sync_state, bench.now, bounds) is Freshness.EXPIRED,
        marks=row.marks,
        paused=row.paused,
        no_balance=row.no_balance,
        tolerance=bench.tolerances.get(row.supplier, Decimal(0)),
        max_cost_base=most,
    )


def shown(row: ops.OfferRow, reasons: tuple[WhyNot, ...], asked: WhyNot | None, bench: Bench) -> Offer:
    """The offer as the API writes it. Of several reasons it names the one asked for, else the first."""
    settings = bench.settings
    bounds = FreshnessBounds(settings.sync.interval_seconds, settings.sync.expire_after_seconds)
    cost_base = _in_base(row, bench)
    return Offer(
        id=row.id,
        plan_id=row.plan_id,
        supplier=row.supplier,
        supplier_plan_id=row.supplier_plan_id,
        name=row.name,
        cost=ops.price_of(row.cost),
        cost_base=ops.price_of(cost_base),
        price=ops.price_of(None if cost_base is None else _price(cost_base, bench)),
        stock=row.stock,
        in_stock=WhyNot.OUT_OF_STOCK not in reasons,
        stale=freshness(row.last_good_at, row.last_sync_state, bench.now, bounds) is not Freshness.FRESH,
        observed_at=row.last_good_at,
        selectable=not reasons,
        why_not=asked if asked in reasons else next(iter(reasons), None),
    )


async def _bench(pool: Pool, settings: Settings, tolerances: Mapping[str, Decimal]) -> Bench:
    now = datetime.now(UTC)
    base = settings.base_currency
    known = await fx.current(pool, base)
    rates = rates_on(now.date(), base, [(rate.currency, rate.rate, rate.as_of) for rate in known.values()])
    return Bench(settings, rates, now, tolerances)


def _in_base(row: ops.OfferRow, bench: Bench) -> Money | None:
    try:
        return None if row.cost is None else bench.rates.to_base(row.cost)
    except NoRate:
        return None


def _price(cost_base: Money, bench: Bench) -> Money:
    pricing = bench.settings.pricing
    rule = PriceRule(pricing.percent, pricing.fixed, pricing.rounding)
    return price(cost_base, rule, bench.rates, bench.rates.base)
