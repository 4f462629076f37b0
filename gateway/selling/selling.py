"""What is sold now, and for how much: the cheapest offer in stock, its price held against what it may cost."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Literal

import msgspec
import structlog

from gateway.access.key_rows import Mode
from gateway.catalog.index.geography import Geography, of_this_world
from gateway.kit.freshness import Freshness, FreshnessBounds, freshness
from gateway.kit.problem import Problem
from gateway.pricing.price_rules import Rates, margin_of, most_an_order_may_cost, price
from gateway.selling import candidate_rows, choosing_rules, offers
from gateway.selling.candidate_rows import Stored
from gateway.selling.choosing_rules import Candidate, Chosen, NoneLeft, Waits
from gateway.selling.sold_rules import plan_sold
from gateway.suppliers import selling_rows
from gateway.suppliers.deps import Deps
from providers.contract import Capability
from schemas import api
from schemas.errors import GatewayError, NotFound
from schemas.money import Money
from schemas.plan import DataAllowance, Offer

log = structlog.get_logger(__name__)

LOOK_SECONDS = 2.0  # for all looks of one admission together
# A cost that moved further between two syncs may be a fault of theirs: the sync's own bounds judge it.
BELIEVED_MOVE = Decimal("0.30")


class PlanRequest(msgspec.Struct, frozen=True):
    """What an order asks for. ``held`` and ``held_cost`` are a quote's price and what it may cost, in base currency."""

    storefront_id: str
    plan_id: str
    limits: offers.Limits
    max_price: Money | None = None
    held: Money | None = None
    held_cost: Money | None = None


class Offered(msgspec.Struct, frozen=True):
    """What is sold: the plan as shown, the price, what it is in base currency, and what buying it may cost.

    ``chosen`` is the offer that would be bought now.
    """

    plan: api.Plan
    price: Money
    price_base: Decimal
    max_cost: Money
    limits: offers.Limits
    chosen: Chosen


async def offered(deps: Deps, mode: Mode, asked: PlanRequest) -> Offered | Problem:
    """The price of a plan now, or the problem that an order for it would meet. Raises ``NoRate``.

    From PostgreSQL, so that it sees every mark; the supplier is asked whether its price stands where that is old.
    """
    if selling_rows.ALL in await selling_rows.stops(deps.pool):
        return STOPPED
    stored = await candidate_rows.of_plan(deps.pool, mode, asked.plan_id)
    if not stored:
        known = await candidate_rows.was_there(deps.pool, asked.plan_id)
        return Problem("gone" if known else "no_plan", f"no plan {asked.plan_id}")
    prices = await offers.prices(deps, asked.storefront_id)
    rates = prices.rates
    found = offers.judged(deps, stored, prices, asked.limits, admitted=asked.held is not None)
    by_key = {(one.supplier, one.supplier_plan_id): one for one in stored}
    end = asyncio.get_running_loop().time() + LOOK_SECONDS
    gone: set[tuple[str, str]] = set()
    jumped = False
    while True:
        left = [one for one in found if (one.supplier, one.supplier_plan_id) not in gone]
        terms = terms_of(asked, left, rates, await offers.over_limit(deps, left))
        if isinstance(terms, Problem):
            return Problem("price_changed", _CHANGED) if jumped and terms.code in _NONE else terms
        one = terms.chosen.candidate
        row = by_key[one.supplier, one.supplier_plan_id]
        seen = await _look(deps, row, end)
        if isinstance(seen, Money) and _believed(one.cost, seen):
            newer = offers.judge(deps, row, prices, asked.limits, seen, admitted=asked.held is not None)
            if newer.most is None or newer.most > terms.max_cost.amount:
                gone.add((one.supplier, one.supplier_plan_id))
                jumped = True
                continue
            found = [newer if other is one else other for other in found]
            terms = msgspec.structs.replace(terms, chosen=msgspec.structs.replace(terms.chosen, candidate=newer))
            if asked.held is None and seen < one.cost:
                cheaper = terms_of(asked, [newer], rates, await offers.over_limit(deps, [newer]))
                terms = terms if isinstance(cheaper, Problem) else cheaper
        elif seen == "gone":
            gone.add((one.supplier, one.supplier_plan_id))
            continue
        return sold(deps, asked, row, found, terms, rates)


def sold(deps: Deps, asked: PlanRequest, row: Stored, found: list[Candidate], terms: Terms, rates: Rates) -> Offered:
    """What is sold by these terms; ``row`` is the offer that was chosen."""
    base = rates.to_base(terms.held).amount
    plan = _plan(deps, row, found, terms.held)
    return Offered(plan, terms.held, base, terms.max_cost, asked.limits, terms.chosen)


class Terms(msgspec.Struct, frozen=True):
    """The offer that would be bought, the price that is held and the most that it may cost."""

    chosen: Chosen
    held: Money
    max_cost: Money


def terms_of(  # noqa: PLR0911 - one for each problem
    asked: PlanRequest, left: list[Candidate], rates: Rates, over: Collection[tuple[str, str]]
) -> Terms | Problem:
    """The cheapest of these offers by the order's own limits. ``over``: offers beyond their supplier's day."""
    chosen = choosing_rules.choose(left, asked.held_cost.amount if asked.held_cost else Decimal("Infinity"), (), over)
    if isinstance(chosen, Waits):
        return STOPPED
    if isinstance(chosen, NoneLeft):
        if chosen.code == "price_changed":
            return Problem("price_changed", _CHANGED)
        fitting = any(one.unfit is None for one in left)
        if not fitting and left:
            return Problem("no_plan", "the plan has no offer with these features at the suppliers that are allowed")
        return Problem(chosen.code if chosen.code == "spend_limit" else "no_stock", "none can be sold at present")
    one = chosen.candidate
    if asked.held is not None:
        held = asked.held
    elif asked.max_price is None:
        held = _price(one, rates, rates.base)
    else:
        # Under a highest price only offers count that are sold for no more, as in a list under that filter.
        held, most = _price(one, rates, asked.max_price.currency), asked.max_price
        within = [other for other in left if not other.why_not and _price(other, rates, most.currency) <= most]
        again = choosing_rules.choose(within, Decimal("Infinity"), (), over)
        if held > most and isinstance(again, Chosen):
            chosen, one = again, again.candidate
            held = _price(one, rates, most.currency)
    if asked.max_price is not None and rates.to_base(asked.max_price) < rates.to_base(held):
        return Problem("price_changed", f"the price is {held}, more than max_price", (("/max_price", "too low"),))
    most = asked.held_cost or most_an_order_may_cost(held, rates, margin_of(one.rule, rates))
    if one.most is not None and one.most > most.amount:  # rounded otherwise in another currency, it may not cover it
        return Problem("no_stock", "none can be sold at present for its price in this currency")
    return Terms(chosen, held, most)


def _price(one: Candidate, rates: Rates, currency: str) -> Money:
    base = Money(one.cost_base if one.cost_base is not None else Decimal(0), rates.base)
    return price(base, one.rule, rates, currency)


async def _look(deps: Deps, row: Stored, end: float) -> Money | Literal["gone"] | None:
    """The offer's cost as the supplier tells it now when the stored one is old; "gone" without stock, None if not told.

    What it tells is taken over. A look that fails or takes too long changes nothing: the attempt will tell.
    """
    account = deps.accounts[row.supplier]
    now = deps.clock()
    if not needs_price_check(deps, row, now):
        return None
    seconds = end - asyncio.get_running_loop().time()
    if seconds <= 0:
        return None
    try:
        async with asyncio.timeout(seconds):
            seen = await account.provider.plan(row.supplier_plan_id, row.supplier_product_id)
    except NotFound:
        await _sold_out(deps, row, now, "the supplier does not have it any more")
        return "gone"
    except (GatewayError, TimeoutError) as error:
        log.info("price_not_checked", supplier=row.supplier, error=type(error).__name__)
        return None
    if isinstance(seen, Offer) and (not seen.visible or (seen.stock is not None and seen.stock <= 0)):
        await _sold_out(deps, row, now, "the supplier has none of it")
        return "gone"
    if seen.cost is not None and row.cost is not None and seen.cost != row.cost and _believed(row.cost, seen.cost):
        async with deps.pool.acquire() as connection, connection.transaction():
            await candidate_rows.observe_cost(connection, row.supplier, row.supplier_plan_id, seen.cost, now)
    # An item that only an operator's word maps comes back unmapped here, and its cost is told all the same.
    return seen.cost


def needs_price_check(deps: Deps, row: Stored, now: datetime) -> bool:
    """Whether an offer was observed so long ago that its supplier is asked before admission, where it can tell."""
    if Capability.PLAN_LOOKUP not in deps.accounts[row.supplier].manifest.capabilities:
        return False
    old = timedelta(seconds=deps.settings.orders.price_check_seconds)
    return row.last_good_at is None or now - row.last_good_at > old


async def _sold_out(deps: Deps, row: Stored, now: datetime, note: str) -> None:
    until = now + timedelta(seconds=deps.settings.orders.out_of_stock_seconds)
    async with deps.pool.acquire() as connection:
        await selling_rows.mark_out_of_stock(connection, row.supplier, row.supplier_plan_id, until, note)


def _believed(before: Money, now: Money) -> bool:
    """Whether a look's cost may be used: any rise (it can only refuse), and a fall that is no mistake."""
    if before.currency != now.currency or now.amount <= 0:
        return False
    return now.amount >= before.amount * (1 - BELIEVED_MOVE)


def _plan(deps: Deps, row: Stored, found: list[Candidate], held: Money) -> api.Plan:
    sync = deps.settings.sync
    bounds = FreshnessBounds(sync.interval_seconds, sync.expire_after_seconds)
    age = freshness(row.last_good_at, row.last_sync_state, deps.clock(), bounds)
    return plan_sold(
        plan_id=row.plan_id,
        name=plan_name(row.coverage, row.data, row.days),
        coverage=row.coverage,
        data=row.data,
        days=row.days,
        starts=row.starts,
        networks=row.networks,
        features=row.features,
        price=held,
        offer_count=sum(not one.why_not and one.unfit is None for one in found),
        stale=age is not Freshness.FRESH,
        updated_at=row.updated_at or deps.clock(),
    )


def plan_name(coverage: tuple[str, ...], data: DataAllowance, days: int) -> str:
    """A plan's name for people."""
    return _world().place_name(coverage) + _world().rest_of_name(data, days)


@lru_cache(maxsize=1)
def _world() -> Geography:
    return of_this_world()


STOPPED = Problem("selling_stopped", "selling is stopped at present; ask again later")
_NONE = frozenset({"no_stock", "selling_stopped"})
_CHANGED = "it costs more now than the price that was shown"
