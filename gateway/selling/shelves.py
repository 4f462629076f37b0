"""What is sold beside eSIMs, judged now: each kind has a shelf that says which suppliers could deliver an item.

A shelf knows its tables; everything else (rules of price, marks, stops, the choice and its failover) is the same for
all kinds, and the same as for offers of eSIMs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from decimal import Decimal

import msgspec

from gateway.access.key_rows import Mode
from gateway.catalog.selectable_rules import why_not
from gateway.items.goods_shelf import GoodsShelf
from gateway.items.item_rules import Item
from gateway.items.number_shelf import NumberShelf
from gateway.items.shelf import Limits, Line, OfferSource
from gateway.kit.problem import Problem
from gateway.pricing.price_rules import NoRate, PriceRule, Rates, margin_of, most_an_order_may_cost, price
from gateway.pricing.pricing import Prices
from gateway.pricing.pricing_rules import Subject
from gateway.selling import choosing_rules, offers
from gateway.selling.choosing_rules import Candidate, Chosen, NoneLeft, Waits
from gateway.selling.selling import STOPPED
from gateway.suppliers import fund_rows, selling_rows
from gateway.suppliers.deps import Deps
from gateway.suppliers.spendable_rules import available_funds_by_supplier, insufficient
from gateway.suppliers.tolerance import tolerance_of
from providers.contract import Capability
from schemas.money import Money
from schemas.plan import WhyNot

Terms = tuple[Decimal | None, Decimal | None]  # a unit's cost and the most that one may come to, in base currency
LOOK_SECONDS = 2.0  # for all looks of one admission together


class Offered(msgspec.Struct, frozen=True):
    """What is sold: its price, that in base currency, and what buying it may cost."""

    item: Item
    price: Money
    price_base: Decimal
    max_cost: Money


SHELVES: dict[str, OfferSource] = {"number": NumberShelf(), "voucher": GoodsShelf()}
"""By the kind of order; a kind without one is not sold."""


async def candidates(
    deps: Deps, mode: Mode, kind: str, item: Item, prices: Prices, limits: Limits, *, admitted: bool = False
) -> list[Candidate]:
    """Each line of an item that has a cost, with what keeps it from sale and from this order.

    ``admitted``: for an order whose price is held, which its ``max_cost`` alone guards, whatever rules say now.
    """
    shelf = SHELVES.get(kind)
    if shelf is None:
        return []
    found = await judged(deps, await shelf.lines(deps, mode, item), item, prices, limits, shelf.capability)
    return [_without_margin(one) for one in found] if admitted else found


def _without_margin(one: Candidate) -> Candidate:
    return msgspec.structs.replace(one, why_not=tuple(why for why in one.why_not if why is not WhyNot.THIN_MARGIN))


async def judged(
    deps: Deps, lines: Sequence[Line], item: Item, prices: Prices, limits: Limits, capability: Capability
) -> list[Candidate]:
    """These lines as candidates."""
    return await judged_of_many(deps, [(item.id, line) for line in lines], prices, limits, capability)


async def judged_of_many(
    deps: Deps, lines_of: Sequence[tuple[str, Line]], prices: Prices, limits: Limits, capability: Capability
) -> list[Candidate]:
    """Lines of many items, each with its item's id, as candidates; those without a cost are left out."""
    lines = [line for _, line in lines_of]
    marks = await selling_rows.marks(deps.pool, [(line.supplier, line.key) for line in lines])
    suppliers = sorted({line.supplier for line in lines})
    standing = await selling_rows.standing(deps.pool, suppliers)
    held = await fund_rows.load(deps.pool, suppliers)
    unfit = {name: _unfit(deps, name, capability, limits) for name in suppliers}
    tolerances = {name: tolerance_of(deps, name) for name in suppliers}
    left = available_funds_by_supplier(held, prices.rates, tolerances)
    found = []
    for item_id, line in lines_of:
        if line.cost is None:
            continue
        rule = prices.rules.of(Subject(line.supplier, item_id, line.countries, None, is_plan=False))
        found.append(
            _judge(
                line,
                line.cost,
                rule,
                prices.terms(line.cost, rule),
                tolerance=tolerances[line.supplier],
                unfit=unfit[line.supplier],
                marks=marks.get((line.supplier, line.key), ()),
                standing=standing[line.supplier],
                left=left.get(line.supplier),
            )
        )
    return found


def price_of(one: Candidate, rates: Rates, currency: str) -> Money:
    """What the customer pays for all units: so many times the price of one. Raises ``NoRate``."""
    if one.cost_base is None:
        raise NoRate(one.cost.currency)
    unit = price(Money(one.cost_base / one.units, rates.base), one.rule, rates, currency)
    return Money(unit.amount * one.units, currency)


async def offered(
    deps: Deps, mode: Mode, storefront_id: str, kind: str, item: Item, limits: Limits, max_price: Money | None
) -> Offered | Problem:
    """The price of an item now, or the problem that an order for it would meet. Raises ``NoRate`` for ``max_price``."""
    shelf = SHELVES[kind]
    if selling_rows.ALL in await selling_rows.stops(deps.pool):
        return STOPPED
    lines = await shelf.lines(deps, mode, item)
    prices = await offers.prices(deps, storefront_id)
    end = asyncio.get_running_loop().time() + LOOK_SECONDS
    looked: set[tuple[str, str]] = set()
    shown: tuple[Money, Money] | None = None
    while True:
        found = await judged(deps, lines, item, prices, limits, shelf.capability)
        terms = await _terms(deps, found, prices.rates, max_price)
        if isinstance(terms, Problem):
            return terms
        chosen, held, most = terms
        shown = shown or (held, most)
        key = (chosen.supplier, chosen.supplier_plan_id)
        at = next(n for n, line in enumerate(lines) if (line.supplier, line.key) == key)
        if not lines[at].old or key in looked:
            if held > shown[0]:  # dearer than anybody was shown: sold at the old price if that covers it
                if chosen.most is None or chosen.most > shown[1].amount:
                    return Problem("price_changed", "it costs more now than the price that was shown")
                held, most = shown
            return Offered(item, held, prices.rates.to_base(held).amount, most)
        looked.add(key)
        seen = await _look(shelf, deps, lines[at], end)
        if seen is not None:
            lines = [*lines[:at], seen, *lines[at + 1 :]]


async def _look(shelf: OfferSource, deps: Deps, line: Line, end: float) -> Line | None:
    seconds = end - asyncio.get_running_loop().time()
    if seconds <= 0:
        return None
    try:
        async with asyncio.timeout(seconds):
            return await shelf.look(deps, line)
    except TimeoutError:
        return None


async def _terms(
    deps: Deps, found: Sequence[Candidate], rates: Rates, max_price: Money | None
) -> tuple[Candidate, Money, Money] | Problem:
    """The cheapest of these, its price, and the most that it may cost."""
    over = await offers.over_limit(deps, found)
    chosen = choosing_rules.choose(found, Decimal("Infinity"), (), over)
    if isinstance(chosen, Waits):
        return STOPPED
    if isinstance(chosen, NoneLeft):
        if found and all(one.unfit is not None for one in found):
            return Problem("no_stock", "none of the suppliers that are allowed sells it")
        return Problem("no_stock", "it is not to be had at present")
    one = chosen.candidate
    held = price_of(one, rates, rates.base if max_price is None else max_price.currency)
    if max_price is not None:
        within = [c for c in found if not c.why_not and price_of(c, rates, max_price.currency) <= max_price]
        again = choosing_rules.choose(within, Decimal("Infinity"), (), over)
        if held > max_price and isinstance(again, Chosen):
            one = again.candidate
            held = price_of(one, rates, max_price.currency)
        if max_price < held:
            return Problem("price_changed", f"the price is {held}, more than max_price", (("/max_price", "too low"),))
    most = most_an_order_may_cost(held, rates, margin_of(one.rule, rates) * one.units)
    if one.most is not None and one.most > most.amount:  # rounded otherwise in another currency, it may not cover it
        return Problem("no_stock", "none can be sold at present for its price in this currency")
    return one, held, most


def _judge(
    line: Line,
    cost: Money,
    rule: PriceRule,
    terms: Terms,
    *,
    tolerance: Decimal,
    unfit: str | None,
    marks: Collection[str],
    standing: selling_rows.SellingState,
    left: Decimal | None,
) -> Candidate:
    unit, most = terms
    base = None if unit is None else unit * line.units
    reasons = why_not(
        visible=line.visible,
        stock=0 if line.stock is not None and line.stock < line.units else line.stock,
        cost_base=unit,
        suspect=line.suspect,
        expired=line.expired,
        marks=marks,
        paused=standing.paused,
        no_balance=standing.no_balance or insufficient(left, base, tolerance),
        tolerance=tolerance,
        max_cost_base=most,
    )
    return Candidate(
        supplier=line.supplier,
        supplier_plan_id=line.key,
        cost=Money(cost.amount * line.units, cost.currency),
        cost_base=base,
        tolerance=tolerance,
        why_not=reasons,
        unfit=unfit,
        rule=rule,
        available_funds=left,
        item=line.wanted,
        units=line.units,
    )


def _unfit(deps: Deps, supplier: str, capability: Capability, limits: Limits) -> str | None:
    account = deps.accounts.get(supplier)
    if account is None:
        return "the supplier is not configured"
    if capability not in account.manifest.capabilities:
        return "the supplier does not sell it"
    if (limits.only and supplier not in limits.only) or supplier in limits.ignore:
        return "not among the suppliers that were allowed"
    return None


def limits_of(only: Sequence[str], ignore: Sequence[str]) -> Limits:
    """Those of an admitted order."""
    return Limits(tuple(only), tuple(ignore))
