"""The selling engine: what is sold now and for how much, the same for plans, top-ups, numbers and digital goods.

An ``OfferSource`` gives the offers of one thing. Here each is judged, the cheapest that may be sold is chosen, and its
price is held against what it may come to cost. Where its price was seen long ago its supplier is asked first. Failover
(``gateway.orders.buy``) judges and chooses in the same way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from decimal import Decimal

import msgspec
import structlog

from gateway.catalog.offer_lines import Limits, OfferLine, OfferSource, mark_sold_out
from gateway.catalog.selectable_rules import why_not
from gateway.kit.problem import Problem
from gateway.pricing.price_rules import NoRate, Rates, margin_of, most_an_order_may_cost, price
from gateway.pricing.pricing import Prices, prices_now
from gateway.pricing.rates import rates_now
from gateway.selling import choosing_rules
from gateway.selling.choosing_rules import Candidate, Chosen, NoneLeft, Waits, fits
from gateway.suppliers import selling_rows, spend_rows
from gateway.suppliers.deps import Deps
from gateway.suppliers.spendable_rules import available_funds, insufficient
from providers.contract import Capability
from schemas.errors import GatewayError, NotFound
from schemas.money import Money

log = structlog.get_logger(__name__)

CHECK_SECONDS = 2.0  # for all price checks of one admission together
# A cost that fell further between two syncs may be a fault of theirs: the sync's own bounds judge it.
BELIEVED_MOVE = Decimal("0.30")
STOPPED = Problem("selling_stopped", "selling is stopped; try again later")
_CHANGED = "it costs more now than the price that was shown"


class SaleRequest(msgspec.Struct, frozen=True):
    """What an order asks for. With a quote: its price, and the most that it may cost in base currency.

    ``orders`` are placed alike at the same moment: an offer must suffice for all of them. Prices are those of one.
    """

    storefront_id: str
    source: OfferSource
    limits: Limits = Limits()
    max_price: Money | None = None
    quoted_price: Money | None = None
    quoted_cost: Money | None = None
    orders: int = 1


class SaleTerms(msgspec.Struct, frozen=True):
    """The offer that would be bought now, the customer's price, and what buying may cost, in base currency."""

    chosen: Chosen
    price: Money
    max_cost: Money


class Sale(msgspec.Struct, frozen=True):
    """What is sold: its terms, the price in base currency, and every offer as it was judged, with its line."""

    terms: SaleTerms
    price_base: Decimal
    candidates: Sequence[Candidate]
    lines: Sequence[OfferLine]

    @property
    def line(self) -> OfferLine:
        """The offer that would be bought."""
        return line_of(self.terms.chosen.candidate, self.lines)

    @property
    def offers_left(self) -> int:
        """How many offers an order for it could be filled from now."""
        return sum(not candidate.why_not and candidate.unfit is None for candidate in self.candidates)


def line_of(candidate: Candidate, lines: Sequence[OfferLine]) -> OfferLine:
    """The line that a candidate was made of."""
    key = (candidate.supplier, candidate.supplier_plan_id)
    return next(line for line in lines if (line.supplier, line.key) == key)


async def prices(deps: Deps, storefront_id: str) -> Prices:
    """The storefront's rules now, and today's exchange rates."""
    return await prices_now(deps.pool, deps.settings, storefront_id, deps.clock())


async def rates(deps: Deps) -> Rates:
    """The exchange rates in force."""
    return await rates_now(deps.pool, deps.settings)


async def sale(deps: Deps, request: SaleRequest) -> Sale | Problem:
    """The price of a thing now, or the problem that an order for it would meet. Raises ``NoRate`` for ``max_price``.

    From PostgreSQL, so that it sees every mark. Nobody pays more than the price that stood when the request came: a
    dearer offer is sold at that price where it covers the cost, and is a ``price_changed`` otherwise.
    """
    if selling_rows.ALL in await selling_rows.stops(deps.pool):
        return STOPPED
    source = request.source
    lines = await source.lines(deps)
    if not lines:
        return await source.missing(deps)
    current = await prices(deps, request.storefront_id)
    end = asyncio.get_running_loop().time() + CHECK_SECONDS
    checked: set[tuple[str, str]] = set()
    first: SaleTerms | None = None
    while True:
        found = judged(
            deps, lines, current, request.limits, source.capability,
            admitted=request.quoted_price is not None, orders=request.orders,
        )  # fmt: skip
        terms = terms_of(request, found, current.rates, await over_limit(deps, found, request.orders))
        if isinstance(terms, Problem):
            return terms
        first = first or terms
        line = line_of(terms.chosen.candidate, lines)
        if not line.needs_check or (line.supplier, line.key) in checked:
            break
        checked.add((line.supplier, line.key))
        seen = await _checked(deps, source, line, end)
        if seen is not None:
            lines = [seen if other is line else other for other in lines]
    if terms.price > first.price:
        most = terms.chosen.candidate.most
        if most is None or most > first.max_cost.amount:
            return Problem("price_changed", _CHANGED)
        terms = SaleTerms(terms.chosen, first.price, first.max_cost)
    return sold(terms, found, lines, current.rates)


def sold(terms: SaleTerms, candidates: Sequence[Candidate], lines: Sequence[OfferLine], rates: Rates) -> Sale:
    """What is sold by these terms."""
    return Sale(terms, rates.to_base(terms.price).amount, candidates, lines)


def judged(
    deps: Deps,
    lines: Sequence[OfferLine],
    prices: Prices,
    limits: Limits,
    capability: Capability,
    *,
    admitted: bool = False,
    orders: int = 1,
) -> list[Candidate]:
    """Each line that has a cost, with what keeps it from sale and from this order, or from so many alike.

    ``admitted``: for an order whose price is held, which its ``max_cost`` alone guards, whatever rules say now.
    """
    suppliers = {line.supplier: line.funds for line in lines}
    tolerances = {name: deps.tolerance(name) for name in suppliers}
    unfit = {name: _unfit(deps, name, limits, capability) for name in suppliers}
    left = {
        name: None if funds is None else available_funds(funds, prices.rates, tolerances[name])
        for name, funds in suppliers.items()
    }
    return [
        _candidate(
            line,
            line.cost,
            prices,
            tolerances[line.supplier],
            left[line.supplier],
            unfit[line.supplier] or _lacking(line, limits),
            admitted=admitted,
            orders=orders,
        )
        for line in lines
        if line.cost is not None
    ]


def _candidate(
    line: OfferLine,
    cost: Money,
    prices: Prices,
    tolerance: Decimal,
    left: Decimal | None,
    unfit: str | None,
    *,
    admitted: bool,
    orders: int,
) -> Candidate:
    rule = prices.rules.of(line.subject)
    unit, most = prices.terms(cost, rule)
    base = None if unit is None else unit * line.units
    reasons = why_not(
        visible=line.visible,
        stock=0 if line.stock is not None and line.stock < line.units * orders else line.stock,
        cost_base=unit,
        suspect=line.suspect,
        expired=line.expired,
        marks=line.marks,
        quarantined=line.quarantined,
        paused=line.paused,
        no_balance=line.no_balance or insufficient(left, None if base is None else base * orders, tolerance),
        tolerance=tolerance,
        max_cost_base=None if admitted else most,
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


def _unfit(deps: Deps, supplier: str, limits: Limits, capability: Capability) -> str | None:
    account = deps.accounts.get(supplier)
    if account is None:
        return "the supplier is not configured"
    if capability not in account.manifest.capabilities:
        return "the supplier does not sell it"
    if (limits.only and supplier not in limits.only) or supplier in limits.ignore:
        return "not among the suppliers that were allowed"
    return None


def _lacking(line: OfferLine, limits: Limits) -> str | None:
    return None if line.features is None else fits(limits.wanted, line.features, line.networks, ())


async def over_limit(deps: Deps, found: Sequence[Candidate], orders: int = 1) -> frozenset[tuple[str, str]]:
    """Offers (supplier, its key) that the supplier's daily spend limit does not allow so often any more."""
    over: set[tuple[str, str]] = set()
    for supplier in {candidate.supplier for candidate in found}:
        account = deps.accounts.get(supplier)
        limit = None if account is None else account.settings.daily_spend_limit
        if limit is None:
            continue
        left = limit - await spend_rows.spent(deps.pool, "supplier", supplier, deps.clock())
        over |= {
            (supplier, candidate.supplier_plan_id)
            for candidate in found
            if candidate.supplier == supplier
            and candidate.cost_base is not None
            and candidate.cost_base * orders > left
        }
    return frozenset(over)


def price_of(candidate: Candidate, rates: Rates, currency: str) -> Money:
    """What the customer pays for all units: so many times the price of one. Raises ``NoRate``."""
    if candidate.cost_base is None:
        raise NoRate(candidate.cost.currency)
    unit = candidate.cost_base if candidate.units == 1 else candidate.cost_base / candidate.units
    return Money(price(Money(unit, rates.base), candidate.rule, rates, currency).amount * candidate.units, currency)


def terms_of(
    request: SaleRequest, found: Sequence[Candidate], rates: Rates, over: Collection[tuple[str, str]]
) -> SaleTerms | Problem:
    """The cheapest of these offers by the order's own limits. ``over``: offers beyond their supplier's day."""
    most_allowed = Decimal("Infinity") if request.quoted_cost is None else request.quoted_cost.amount
    chosen = choosing_rules.choose(found, most_allowed, (), over)
    if isinstance(chosen, Waits):
        return STOPPED
    if isinstance(chosen, NoneLeft):
        return _none_left(chosen, found)
    limit = request.max_price
    if request.quoted_price is not None:
        price = request.quoted_price
    else:
        price = price_of(chosen.candidate, rates, rates.base if limit is None else limit.currency)
        if limit is not None and price > limit:
            # Under a highest price only offers count that are sold for no more, as in a list under that filter.
            within = [
                candidate
                for candidate in found
                if not candidate.why_not and price_of(candidate, rates, limit.currency) <= limit
            ]
            again = choosing_rules.choose(within, most_allowed, (), over)
            if isinstance(again, Chosen):
                chosen, price = again, price_of(again.candidate, rates, limit.currency)
    if limit is not None and rates.to_base(limit) < rates.to_base(price):
        return Problem("price_changed", f"the price is {price}, more than max_price", (("/max_price", "too low"),))
    most = request.quoted_cost or max_cost_at(price, chosen.candidate, rates)
    if not _covers(most, chosen.candidate):
        return Problem("no_stock", "none can be sold at present for its price in this currency")
    return SaleTerms(chosen, price, most)


def max_cost_at(price: Money, candidate: Candidate, rates: Rates) -> Money:
    """What an order for an offer at this price may come to cost, in base currency."""
    return most_an_order_may_cost(price, rates, margin_of(candidate.rule, rates) * candidate.units)


def price_in(candidate: Candidate, rates: Rates, currency: str) -> Money | None:
    """``price_of``; None where it does not cover the cost: rounded otherwise in another currency, it may not."""
    found = price_of(candidate, rates, currency)
    return found if _covers(max_cost_at(found, candidate, rates), candidate) else None


def _covers(most: Money, candidate: Candidate) -> bool:
    return candidate.most is None or candidate.most <= most.amount


def _none_left(none: NoneLeft, found: Sequence[Candidate]) -> Problem:
    if none.code == "price_changed":
        return Problem("price_changed", _CHANGED)
    if found and all(candidate.unfit is not None for candidate in found):
        return Problem("no_plan", "there is no offer with these features at the suppliers that are allowed")
    return Problem(none.code if none.code == "spend_limit" else "no_stock", "none can be sold at present")


async def _checked(deps: Deps, source: OfferSource, line: OfferLine, end: float) -> OfferLine | None:
    """The offer as its supplier tells it now, and kept so; None where it was not told.

    A check that fails or takes too long changes nothing: the attempt will tell.
    """
    seconds = end - asyncio.get_running_loop().time()
    if seconds <= 0:
        return None
    try:
        async with asyncio.timeout(seconds):
            answer = await source.ask(deps, line)
    except NotFound:
        return await mark_sold_out(deps, line, "the supplier does not have it any more")
    except (GatewayError, TimeoutError) as error:
        log.info("price_check_failed", supplier=line.supplier, error=type(error).__name__)
        return None
    if answer is None or (answer.cost is not None and not _believed(line.cost, answer.cost)):
        return None
    return await source.take_over(deps, line, answer)


def _believed(before: Money | None, now: Money) -> bool:
    """Whether a checked cost may be used: any rise (it can only refuse), and a fall that is no mistake."""
    if before is None or before.currency != now.currency or now.amount <= 0:
        return False
    return now.amount >= before.amount * (1 - BELIEVED_MOVE)
