"""Virtual numbers as an offer source: country and tier, at every account that sells them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gateway.access.key_rows import Mode
from gateway.catalog.offer_lines import OfferLine, SupplierAnswer, with_states
from gateway.items import number_list_rows
from gateway.items.item_rules import NumberItem
from gateway.items.number_list_rows import NumberLine
from gateway.kit.freshness import Freshness, FreshnessBounds, freshness
from gateway.kit.problem import Problem
from gateway.pricing.pricing_rules import Subject
from gateway.suppliers.deps import Deps
from providers.contract import Capability
from providers.kit.places import country_name
from schemas.order import NumberWanted
from schemas.order_requests import OrderForNumber

NO_NUMBER = "no number of that country and tier is sold"


async def asked_for(deps: Deps, mode: Mode, body: OrderForNumber) -> NumberItem | Problem:
    """The number as it would be sold."""
    rows = await number_list_rows.lines(deps.pool, mode, body.number.country, body.number.tier_id)
    if not rows:
        return Problem("no_plan", NO_NUMBER, (("/number", NO_NUMBER),))
    return item_of(agreed(rows)[0])


class NumberSource(msgspec.Struct, frozen=True):
    """The offers of a virtual number: one for each account that sells its country and tier."""

    mode: Mode
    item: NumberItem
    capability = Capability.NUMBERS

    async def lines(self, deps: Deps) -> list[OfferLine]:
        """Those that mean as many days as was asked for."""
        rows = await number_list_rows.lines(deps.pool, self.mode, self.item.country, self.item.tier_id)
        return await with_states(deps, [line_of(deps, row) for row in rows if row.days == self.item.days])

    async def missing(self, deps: Deps) -> Problem:  # noqa: ARG002 - by the protocol
        """No account lists it at present."""
        return Problem("no_stock", "none can be sold at present")

    async def ask(self, deps: Deps, line: OfferLine) -> SupplierAnswer | None:  # noqa: ARG002 - by the protocol
        """None: no supplier tells the price of one number."""
        return None

    async def take_over(self, deps: Deps, line: OfferLine, answer: SupplierAnswer) -> OfferLine | None:  # noqa: ARG002
        """Never asked for."""
        return None


def agreed(rows: Sequence[NumberLine]) -> list[NumberLine]:
    """Of lines of one tier those that mean the same by it: where accounts differ, the fewest days count."""
    days = min(row.days for row in rows)
    return [row for row in rows if row.days == days]


def item_of(row: NumberLine) -> NumberItem:
    """What an order for it is sold as."""
    name = country_name(row.country)
    return NumberItem(
        id=f"number-{row.country.lower()}-{row.tier_id}",
        name=f"{name} number, {row.tier_name}",
        country=row.country,
        country_name=name,
        tier_id=row.tier_id,
        tier_name=row.tier_name,
        days=row.days,
    )


def line_of(deps: Deps, row: NumberLine) -> OfferLine:
    """What one account sells of it, without its state."""
    bounds = FreshnessBounds(deps.settings.sync.interval_seconds, deps.settings.sync.expire_after_seconds)
    state = "ok" if row.last_good else "failed"
    return OfferLine(
        supplier=row.supplier,
        key=row.key,
        subject=Subject(row.supplier, item_of(row).id, (row.country,), None, is_plan=False),
        cost=row.cost,
        wanted=NumberWanted(row.country, row.country_name, row.tier_id),
        suspect=row.suspect is not None,
        expired=freshness(row.last_good_at, state, deps.clock(), bounds) is Freshness.EXPIRED,
    )
