"""Offers of all suppliers with the reason that keeps each from sale, as operators look for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from gateway.catalog.selectable_rules import why_not
from gateway.kit.freshness import Freshness, FreshnessBounds, freshness
from gateway.kit.pages import PageRequest, price_of, write_cursor
from gateway.kit.pool import Pool
from gateway.kit.settings import Settings
from gateway.pricing.price_rules import NoRate, margin_of, most_an_order_may_cost, price
from gateway.pricing.pricing import Prices, prices_now, subject_of
from gateway.selling import offer_list_rows
from gateway.suppliers import fund_rows
from gateway.suppliers.spendable_rules import available_funds_by_supplier, insufficient
from schemas.api import Offer
from schemas.money import Money
from schemas.page import Page
from schemas.plan import WhyNot

_CHUNK = 1_000
_MOST_CHUNKS = 20  # a request looks at no more than so many offers; the cursor goes on from there


@dataclass(frozen=True, slots=True)
class PricingContext:
    """What offers are judged by.

    ``tolerances`` are the shares by which suppliers may charge more than they list, ``available_funds`` what can still
    be spent at each, in base currency.
    """

    settings: Settings
    prices: Prices
    now: datetime
    tolerances: Mapping[str, Decimal] = field(default_factory=dict)
    available_funds: Mapping[str, Decimal] = field(default_factory=dict)


async def offers(
    pool: Pool,
    settings: Settings,
    tolerances: Mapping[str, Decimal],
    page_request: PageRequest,
    *,
    reason: WhyNot | None,
    supplier: str | None,
    plan_id: str | None,
    triggers: bool = False,
) -> Page[Offer]:
    """A page of offers, only those that ``reason`` holds back when one is given.

    Those of plans on which a sandbox goes wrong only with ``triggers``, a ``reason`` or a ``plan_id``.
    Priced as for a storefront without rules of its own. A page may be short, even empty, although there are more:
    ``has_more`` says so.
    """
    context = await _bench(pool, settings, tolerances)
    suspect = reason is WhyNot.SUSPECT_PRICE
    triggers = triggers or reason is not None or plan_id is not None
    found: list[Offer] = []
    cursor = page_request.cursor
    for _ in range(_MOST_CHUNKS):
        chunk = PageRequest(page_request.limit if reason is None else _CHUNK, cursor)
        rows = await offer_list_rows.offers(pool, chunk, supplier, plan_id, suspect=suspect, triggers=triggers)
        for row in rows.data:
            reasons = judge(row, context)
            if reason is None or reason in reasons:
                found.append(present(row, reasons, reason, context))
                if len(found) == page_request.limit and (rows.has_more or row is not rows.data[-1]):
                    return Page(found, has_more=True, next_cursor=write_cursor(row.id))
        cursor = rows.next_cursor
        if cursor is None:
            break
    return Page(found, cursor is not None, cursor)


async def find_offer(pool: Pool, settings: Settings, tolerances: Mapping[str, Decimal], offer_id: str) -> Offer | None:
    """One offer, None when there is none."""
    row = await offer_list_rows.offer(pool, offer_id)
    context = await _bench(pool, settings, tolerances)
    return None if row is None else present(row, judge(row, context), None, context)


def judge(row: offer_list_rows.OfferRow, context: PricingContext) -> tuple[WhyNot, ...]:
    """Every reason that keeps this offer from sale now."""
    settings = context.settings
    bounds = FreshnessBounds(settings.sync.interval_seconds, settings.sync.expire_after_seconds)
    cost_base, priced = _in_base(row, context), _priced(row, context)
    most = None if priced is None else priced.most
    tolerance = context.tolerances.get(row.supplier, Decimal(0))
    short = insufficient(
        context.available_funds.get(row.supplier), None if cost_base is None else cost_base.amount, tolerance
    )
    return why_not(
        visible=row.visible,
        stock=row.stock,
        cost_base=None if cost_base is None or priced is None else cost_base.amount,
        has_cost=row.cost is not None,
        suspect=row.suspect,
        expired=freshness(row.last_good_at, row.last_sync_state, context.now, bounds) is Freshness.EXPIRED,
        marks=row.marks,
        quarantined=row.quarantined,
        paused=row.paused,
        no_balance=row.no_balance or short,
        tolerance=tolerance,
        max_cost_base=most,
    )


def present(
    row: offer_list_rows.OfferRow, reasons: tuple[WhyNot, ...], why_not: WhyNot | None, context: PricingContext
) -> Offer:
    """The offer as the API writes it. Of several reasons it names the one asked for, else the first."""
    settings = context.settings
    bounds = FreshnessBounds(settings.sync.interval_seconds, settings.sync.expire_after_seconds)
    cost_base, priced = _in_base(row, context), _priced(row, context)
    return Offer(
        id=row.id,
        plan_id=row.plan_id,
        supplier=row.supplier,
        supplier_plan_id=row.supplier_plan_id,
        name=row.name,
        cost=price_of(row.cost),
        cost_base=price_of(cost_base),
        price=price_of(None if priced is None else priced.price),
        price_rule=None if priced is None else priced.text,
        stock=row.stock,
        in_stock=WhyNot.OUT_OF_STOCK not in reasons,
        stale=freshness(row.last_good_at, row.last_sync_state, context.now, bounds) is not Freshness.FRESH,
        observed_at=row.last_good_at,
        selectable=not reasons,
        why_not=why_not if why_not in reasons else next(iter(reasons), None),
    )


async def _bench(pool: Pool, settings: Settings, tolerances: Mapping[str, Decimal]) -> PricingContext:
    now = datetime.now(UTC)
    prices = await prices_now(pool, settings, None, now)
    left = available_funds_by_supplier(await fund_rows.load_all(pool), prices.rates, tolerances)
    return PricingContext(settings, prices, now, tolerances, left)


def _in_base(row: offer_list_rows.OfferRow, context: PricingContext) -> Money | None:
    try:
        return None if row.cost is None else context.prices.rates.to_base(row.cost)
    except NoRate:
        return None


@dataclass(frozen=True, slots=True)
class _Priced:
    """A price in base currency, what it leaves to buy with, and the rule that made it."""

    price: Money
    most: Decimal
    text: str


def _priced(row: offer_list_rows.OfferRow, context: PricingContext) -> _Priced | None:
    """None without a cost, and where cost or rule have no exchange rate."""
    rates, rules = context.prices.rates, context.prices.rules
    number = rules.find(subject_of(row.supplier, row.plan_id, row.coverage, row.data, row.days))
    rule, base = rules.price_rule(number), _in_base(row, context)
    if base is None:
        return None
    try:
        sold = price(base, rule, rates, rates.base)
        most = most_an_order_may_cost(sold, rates, margin_of(rule, rates)).amount
        return _Priced(sold, most, rules.explain(number, base, rates, rates.base))
    except NoRate:
        return None
