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
        return await with_states(deps, lines_of(deps, [row for row in rows if row.days == self.item.days]))

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
        id=_id(row),
        name=f"{name} number, {row.tier_name}",
        country=row.country,
        country_name=name,
        tier_id=row.tier_id,
        tier_name=row.tier_name,
        days=row.days,
    )


def lines_of(deps: Deps, rows: Sequence[NumberLine]) -> list[OfferLine]:
    """What each account sells of them, without its state."""
    sync, now = deps.settings.sync, deps.clock()
    bounds = FreshnessBounds(sync.interval_seconds, sync.expire_after_seconds)
    # All lines of an account were read together.
    read = {(row.last_good_at, row.last_good) for row in rows}
    ages = {(at, good): freshness(at, "ok" if good else "failed", now, bounds) for at, good in read}
    return [
        OfferLine(
            supplier=row.supplier,
            key=row.key,
            subject=Subject(row.supplier, _id(row), (row.country,), None, is_plan=False),
            cost=row.cost,
            wanted=NumberWanted(row.country, row.country_name, row.tier_id),
            suspect=row.suspect is not None,
            expired=ages[row.last_good_at, row.last_good] is Freshness.EXPIRED,
        )
        for row in rows
    ]


def _id(row: NumberLine) -> str:
    return f"number-{row.country.lower()}-{row.tier_id}"
