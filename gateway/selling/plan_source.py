"""Plans and top-ups as offer sources: their offers stand in the catalogue's tables, or were listed for one eSIM."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache

import msgspec

from gateway.access.key_rows import Mode
from gateway.catalog import successor_rows
from gateway.catalog.index.geography import Geography, of_this_world
from gateway.catalog.offer_lines import OfferLine, SupplierAnswer, mark_sold_out
from gateway.kit.freshness import Freshness, FreshnessBounds, freshness
from gateway.kit.problem import Problem
from gateway.pricing.pricing import subject_of
from gateway.selling import candidate_rows
from gateway.selling.candidate_rows import Stored
from gateway.selling.engine import Sale
from gateway.selling.sold_rules import plan_sold
from gateway.suppliers.deps import Deps
from providers.contract import Capability
from schemas import api
from schemas.plan import DataAllowance, Offer


class PlanSource(msgspec.Struct, frozen=True):
    """The offers of a plan at suppliers of one mode. ``stored``: those that the caller has read already.

    With ``order_id`` those, too, that had the plan's id when that order, or its checkout, was admitted.
    """

    mode: Mode
    plan_id: str
    stored: tuple[Stored, ...] | None = None
    order_id: str | None = None
    capability = Capability.ORDERS

    async def lines(self, deps: Deps) -> Sequence[OfferLine]:
        """Every offer that the catalogue has."""
        stored = self.stored
        if stored is None:
            stored = tuple(await candidate_rows.of_plan(deps.pool, self.mode, self.plan_id, self.order_id))
        return plan_lines(deps, stored)

    async def missing(self, deps: Deps) -> Problem:
        """Whether it was in the catalogue once."""
        if successors := await successor_rows.of_plan(deps.pool, self.mode, self.plan_id):
            return Problem("plan_replaced", f"plan {self.plan_id} was replaced", successors=successors)
        known = await candidate_rows.was_there(deps.pool, self.plan_id)
        return Problem("gone" if known else "no_plan", f"no plan {self.plan_id}")

    async def ask(self, deps: Deps, line: OfferLine) -> SupplierAnswer | None:
        """An item that only an operator's word maps comes back unmapped here, and its cost is told all the same."""
        plan = _plan_of(line)
        seen = await deps.accounts[line.supplier].provider.plan(line.key, plan.supplier_product_id)
        return SupplierAnswer(seen.cost, seen)

    async def take_over(self, deps: Deps, line: OfferLine, answer: SupplierAnswer) -> OfferLine | None:
        """A new cost is recorded as a change of price; what is not there any more is marked."""
        seen = answer.item
        if isinstance(seen, Offer) and (not seen.visible or (seen.stock is not None and seen.stock <= 0)):
            return await mark_sold_out(deps, line, "the supplier has none of it")
        if answer.cost is None:
            return None
        if answer.cost != line.cost:
            async with deps.pool.acquire() as connection, connection.transaction():
                await candidate_rows.observe_cost(connection, line.supplier, line.key, answer.cost, deps.clock())
        return msgspec.structs.replace(line, cost=answer.cost, needs_check=False)


class TopupSource(msgspec.Struct, frozen=True):
    """What can be added to one eSIM, as its supplier listed it just now: nothing is asked again."""

    listed: tuple[OfferLine, ...]
    capability = Capability.TOPUP

    async def lines(self, deps: Deps) -> Sequence[OfferLine]:  # noqa: ARG002 - by the protocol
        """As they were listed."""
        return self.listed

    async def missing(self, deps: Deps) -> Problem:  # noqa: ARG002 - by the protocol
        """Nothing of the kind was listed."""
        return Problem("no_plan", "that cannot be added to this eSIM")

    async def ask(self, deps: Deps, line: OfferLine) -> SupplierAnswer | None:  # noqa: ARG002 - by the protocol
        """None: it was told just now."""
        return None

    async def take_over(self, deps: Deps, line: OfferLine, answer: SupplierAnswer) -> OfferLine | None:  # noqa: ARG002
        """Never asked for."""
        return None


class PlanLine(OfferLine, frozen=True, kw_only=True):
    """An offer of a plan or top-up, with the row that it was made of."""

    plan: Stored


def plan_lines(deps: Deps, stored: Sequence[Stored]) -> list[PlanLine]:
    """Offers of plans as the selling engine takes them."""
    now, bounds = deps.clock(), _bounds(deps)
    return [_line(deps, offer, now, bounds) for offer in stored]


def sold_plan(deps: Deps, sale: Sale) -> api.Plan:
    """The plan as an order freezes it: priced as it is sold, with the networks and features of the chosen offer."""
    row = _plan_of(sale.line)
    return plan_sold(
        plan_id=row.plan_id,
        name=plan_name(row.coverage, row.data, row.days, row.features.included),
        coverage=row.coverage,
        data=row.data,
        days=row.days,
        starts=row.starts,
        networks=row.networks,
        features=row.features,
        price=sale.terms.price,
        offer_count=sale.offers_left,
        stale=freshness(row.last_good_at, row.last_sync_state, deps.clock(), _bounds(deps)) is not Freshness.FRESH,
        updated_at=row.updated_at or deps.clock(),
    )


def listed_offer(supplier: str, offer: Offer, now: datetime) -> Stored:
    """An offer that a supplier listed just now, in the shape of one that is stored."""
    return Stored(
        supplier=supplier,
        supplier_plan_id=offer.supplier_plan_id,
        plan_id=offer.plan_id,
        name=offer.name,
        coverage=offer.coverage,
        data=offer.data,
        days=offer.validity.days,
        starts=offer.validity.starts.value,
        networks=offer.networks,
        features=offer.features,
        cost=offer.cost,
        stock=offer.stock,
        supplier_product_id=None,
        visible=offer.visible,
        suspect=False,
        quarantined=False,
        paused=False,
        no_balance=False,
        last_good_at=now,
        last_sync_state="ok",
        marks=(),
        updated_at=now,
    )


def plan_name(coverage: tuple[str, ...], data: DataAllowance, days: int, included: tuple[str, ...]) -> str:
    """A plan's name for people."""
    return _world().place_name(coverage) + _world().rest_of_name(data, days, included)


def _plan_of(line: OfferLine) -> Stored:
    if not isinstance(line, PlanLine):
        raise TypeError(f"{line.supplier} {line.key} is no offer of a plan")
    return line.plan


def _line(deps: Deps, stored: Stored, now: datetime, bounds: FreshnessBounds) -> PlanLine:
    return PlanLine(
        supplier=stored.supplier,
        key=stored.supplier_plan_id,
        subject=subject_of(stored.supplier, stored.plan_id, stored.coverage, stored.data, stored.days),
        cost=stored.cost,
        stock=stored.stock,
        visible=stored.visible,
        suspect=stored.suspect,
        expired=freshness(stored.last_good_at, stored.last_sync_state, now, bounds) is Freshness.EXPIRED,
        marks=stored.marks,
        quarantined=stored.quarantined,
        paused=stored.paused,
        no_balance=stored.no_balance,
        funds=stored.funds,
        features=stored.features,
        networks=stored.networks,
        needs_check=_needs_check(deps, stored, now),
        plan=stored,
    )


def _needs_check(deps: Deps, stored: Stored, now: datetime) -> bool:
    """Whether it was observed so long ago that its supplier is asked before admission, where it can tell."""
    account = deps.accounts.get(stored.supplier)
    if account is None or Capability.PLAN_LOOKUP not in account.manifest.capabilities:
        return False
    return stored.last_good_at is None or now - stored.last_good_at > timedelta(
        seconds=deps.settings.orders.price_check_seconds
    )


def _bounds(deps: Deps) -> FreshnessBounds:
    return FreshnessBounds(deps.settings.sync.interval_seconds, deps.settings.sync.expire_after_seconds)


@lru_cache(maxsize=1)
def _world() -> Geography:
    return of_this_world()
