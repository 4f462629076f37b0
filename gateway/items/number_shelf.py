"""The shelf of virtual numbers: country and tier, at every account that sells them."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.access.key_rows import Mode
from gateway.items import number_list_rows
from gateway.items.item_rules import Item, NumberItem
from gateway.items.number_list_rows import NumberLine
from gateway.items.shelf import ItemBody, ItemRequest, Line, OfferSource
from gateway.kit.freshness import Freshness, FreshnessBounds, freshness
from gateway.kit.problem import Problem
from gateway.suppliers.deps import Deps
from providers.contract import Capability
from providers.places import country_name
from schemas.order import NumberWanted
from schemas.orders import OrderForNumber

NO_NUMBER = "no number of that country and tier is sold"


class NumberShelf(OfferSource):
    """Virtual numbers."""

    capability = Capability.NUMBERS

    async def asked(self, deps: Deps, mode: Mode, body: ItemBody) -> ItemRequest | Problem:
        """The number as it would be sold."""
        if not isinstance(body, OrderForNumber):
            raise TypeError("no order for a number")
        rows = await number_list_rows.lines(deps.pool, mode, body.number.country, body.number.tier_id)
        if not rows:
            return Problem("no_plan", NO_NUMBER, (("/number", NO_NUMBER),))
        return ItemRequest(item_of(agreed(rows)[0]))

    async def lines(self, deps: Deps, mode: Mode, item: Item) -> list[Line]:
        """One for each account that sells it."""
        if not isinstance(item, NumberItem):
            return []
        rows = await number_list_rows.lines(deps.pool, mode, item.country, item.tier_id)
        return [line_of(deps, row) for row in rows if row.days == item.days]

    async def look(self, deps: Deps, line: Line) -> Line | None:  # noqa: ARG002 - by the protocol
        """None: no supplier tells the price of one number."""
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


def line_of(deps: Deps, row: NumberLine) -> Line:
    """What one account sells of it."""
    bounds = FreshnessBounds(deps.settings.sync.interval_seconds, deps.settings.sync.expire_after_seconds)
    state = "ok" if row.last_good else "failed"
    return Line(
        supplier=row.supplier,
        key=row.key,
        cost=row.cost,
        wanted=NumberWanted(row.country, row.country_name, row.tier_id),
        countries=(row.country,),
        suspect=row.suspect is not None,
        expired=freshness(row.last_good_at, state, deps.clock(), bounds) is Freshness.EXPIRED,
    )
