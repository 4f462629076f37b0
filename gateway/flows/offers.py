"""The offers of a plan judged now, from PostgreSQL: what admission sells and failover buys."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from gateway.core.catalog.query import Wanted
from gateway.core.freshness import Freshness, FreshnessBounds, freshness
from gateway.core.orders.choosing import Candidate, fits
from gateway.core.pricing import NoRate, PriceRule, Rates, most_an_order_may_cost, price
from gateway.core.selectable import why_not
from gateway.flows.deps import Deps
from gateway.flows.settle import tolerance_of
from gateway.store import candidates, spend
from gateway.store.candidates import Stored
from gateway.store.order_rows import OrderRow
from providers.contract import Capability
from schemas.money import Money


class Limits(msgspec.Struct, frozen=True):
    """What an order asks of an offer besides the plan: features, and which suppliers it may go to."""

    wanted: Wanted = Wanted()
    only: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    @classmethod
    def of(cls, order: OrderRow) -> Limits:
        """Those of an admitted order."""
        wanted = msgspec.convert(order.wanted, Wanted)
        return cls(wanted, tuple(order.only_suppliers), tuple(order.ignore_suppliers))


async def rates(deps: Deps) -> Rates:
    """Today's exchange rates."""
    base = deps.settings.base_currency
    return Rates(base, await candidates.rates(deps.pool, base))


def rule_of(deps: Deps) -> PriceRule:
    """The price rule."""
    pricing = deps.settings.pricing
    return PriceRule(pricing.percent, pricing.fixed, pricing.rounding)


def judged(deps: Deps, stored: Sequence[Stored], rates: Rates, limits: Limits) -> list[Candidate]:
    """Each offer that has a cost, with what keeps it from sale and from this order."""
    return [judge(deps, one, rates, limits) for one in stored if one.cost is not None]


def judge(deps: Deps, one: Stored, rates: Rates, limits: Limits, cost: Money | None = None) -> Candidate:
    """One offer; ``cost`` is a newer one than the stored."""
    now = deps.clock()
    sync = deps.settings.sync
    bounds = FreshnessBounds(sync.interval_seconds, sync.expire_after_seconds)
    tolerance = tolerance_of(deps, one.supplier)
    listed = cost or one.cost
    assert listed is not None  # noqa: S101 - the callers leave out what has no cost
    base, most = _base(deps, listed, rates)
    reasons = why_not(
        visible=one.visible,
        stock=one.stock,
        cost_base=base,
        suspect=one.suspect,
        expired=freshness(one.last_good_at, one.last_sync_state, now, bounds) is Freshness.EXPIRED,
        marks=one.marks,
        paused=one.paused,
        no_balance=one.no_balance,
        tolerance=tolerance,
        max_cost_base=most,
    )
    return Candidate(
        supplier=one.supplier,
        supplier_plan_id=one.supplier_plan_id,
        cost=listed,
        cost_base=base,
        tolerance=tolerance,
        why_not=reasons,
        unfit=_unfit(deps, one, limits),
    )


async def over_limit(deps: Deps, found: Sequence[Candidate]) -> frozenset[tuple[str, str]]:
    """Offers (supplier, its plan) for which the supplier's daily limit leaves no room."""
    over: set[tuple[str, str]] = set()
    for supplier in {one.supplier for one in found}:
        account = deps.accounts.get(supplier)
        limit = None if account is None else account.settings.daily_spend_limit
        if limit is None:
            continue
        room = limit - await spend.spent(deps.pool, "supplier", supplier, deps.clock())
        over |= {
            (supplier, one.supplier_plan_id)
            for one in found
            if one.supplier == supplier and one.cost_base is not None and one.cost_base > room
        }
    return frozenset(over)


def _base(deps: Deps, cost: Money, rates: Rates) -> tuple[Decimal | None, Decimal | None]:
    """The cost in base currency, and the most that an order at this offer's own price may cost."""
    try:
        base = rates.to_base(cost)
    except NoRate:
        return None, None
    own = price(base, rule_of(deps), rates, rates.base)
    return base.amount, most_an_order_may_cost(own, rates, deps.settings.pricing.minimum_margin).amount


def _unfit(deps: Deps, one: Stored, limits: Limits) -> str | None:
    account = deps.accounts.get(one.supplier)
    if account is None:
        return "the supplier is not configured"
    if Capability.ORDERS not in account.manifest.capabilities:
        return "the supplier takes no orders"
    if (limits.only and one.supplier not in limits.only) or one.supplier in limits.ignore:
        return "not among the suppliers that were allowed"
    return fits(limits.wanted, one.features, one.networks, ())
