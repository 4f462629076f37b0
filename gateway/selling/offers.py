"""The offers of a plan judged now, from PostgreSQL: what admission sells and failover buys."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gateway.catalog.index.query import Wanted
from gateway.catalog.selectable_rules import why_not
from gateway.kit.freshness import Freshness, FreshnessBounds, freshness
from gateway.orders.order_rows import OrderRow
from gateway.pricing import fx_rows
from gateway.pricing.price_rules import Rates
from gateway.pricing.pricing import Prices, prices_now, subject_of
from gateway.selling.candidate_rows import Stored
from gateway.selling.choosing_rules import Candidate, fits
from gateway.suppliers import spend_rows
from gateway.suppliers.deps import Deps
from gateway.suppliers.spendable_rules import available_funds, insufficient
from gateway.suppliers.tolerance import tolerance_of
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
    return Rates(base, await fx_rows.worth(deps.pool, base))


async def prices(deps: Deps, storefront_id: str) -> Prices:
    """The storefront's rules now, and today's exchange rates."""
    return await prices_now(deps.pool, deps.settings, storefront_id, deps.clock())


def judged(
    deps: Deps, stored: Sequence[Stored], prices: Prices, limits: Limits, *, admitted: bool = False
) -> list[Candidate]:
    """Each offer that has a cost, with what keeps it from sale and from this order.

    ``admitted``: for an order whose price is held, which its ``max_cost`` alone guards, whatever rules say now.
    """
    return [judge(deps, one, prices, limits, admitted=admitted) for one in stored if one.cost is not None]


def judge(
    deps: Deps, one: Stored, prices: Prices, limits: Limits, cost: Money | None = None, *, admitted: bool = False
) -> Candidate:
    """One offer; ``cost`` is a newer one than the stored. ``admitted`` as in ``judged``."""
    now = deps.clock()
    sync = deps.settings.sync
    bounds = FreshnessBounds(sync.interval_seconds, sync.expire_after_seconds)
    tolerance = tolerance_of(deps, one.supplier)
    listed = cost or one.cost
    assert listed is not None  # noqa: S101 - the callers leave out what has no cost
    rule = prices.rules.of(subject_of(one.supplier, one.plan_id, one.coverage, one.data, one.days))
    base, most = prices.terms(listed, rule)
    left = None if one.funds is None else available_funds(one.funds, prices.rates, tolerance)
    reasons = why_not(
        visible=one.visible,
        stock=one.stock,
        cost_base=base,
        suspect=one.suspect,
        expired=freshness(one.last_good_at, one.last_sync_state, now, bounds) is Freshness.EXPIRED,
        marks=one.marks,
        paused=one.paused,
        no_balance=one.no_balance or insufficient(left, base, tolerance),
        tolerance=tolerance,
        max_cost_base=None if admitted else most,
    )
    return Candidate(
        supplier=one.supplier,
        supplier_plan_id=one.supplier_plan_id,
        cost=listed,
        cost_base=base,
        tolerance=tolerance,
        why_not=reasons,
        unfit=_unfit(deps, one, limits),
        rule=rule,
        available_funds=left,
    )


async def over_limit(deps: Deps, found: Sequence[Candidate]) -> frozenset[tuple[str, str]]:
    """Offers (supplier, its plan) for which the supplier's daily limit leaves no room."""
    over: set[tuple[str, str]] = set()
    for supplier in {one.supplier for one in found}:
        account = deps.accounts.get(supplier)
        limit = None if account is None else account.settings.daily_spend_limit
        if limit is None:
            continue
        room = limit - await spend_rows.spent(deps.pool, "supplier", supplier, deps.clock())
        over |= {
            (supplier, one.supplier_plan_id)
            for one in found
            if one.supplier == supplier and one.cost_base is not None and one.cost_base > room
        }
    return frozenset(over)


def _unfit(deps: Deps, one: Stored, limits: Limits) -> str | None:
    account = deps.accounts.get(one.supplier)
    if account is None:
        return "the supplier is not configured"
    if Capability.ORDERS not in account.manifest.capabilities:
        return "the supplier takes no orders"
    if (limits.only and one.supplier not in limits.only) or one.supplier in limits.ignore:
        return "not among the suppliers that were allowed"
    return fits(limits.wanted, one.features, one.networks, ())
