"""What a shelf is: one kind of thing that is sold beside eSIMs, as its suppliers' lists stand in PostgreSQL."""

from __future__ import annotations

from typing import Protocol

import msgspec

from gateway.access.key_rows import Mode
from gateway.items.item_rules import Item, ItemWanted
from gateway.kit.problem import Problem
from gateway.suppliers.deps import Deps
from providers.contract import Capability
from schemas.money import Money
from schemas.orders import OrderForGood, OrderForNumber

ItemBody = OrderForNumber | OrderForGood


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What one supplier sells of an item, as it is stored.

    ``key`` is its name in attempts, marks and stops. ``cost`` is of one unit, None when it has none. ``wanted`` is
    what the supplier is asked for, all units of it. ``countries`` are what rules of price may ask for.
    """

    supplier: str
    key: str
    cost: Money | None
    wanted: ItemWanted
    units: int = 1
    countries: tuple[str, ...] = ()
    stock: int | None = None
    visible: bool = True
    suspect: bool = False
    expired: bool = False
    old: bool = False


class OfferSource(Protocol):
    """One kind of item. ``capability`` is what a supplier needs to sell it."""

    capability: Capability

    async def asked(self, deps: Deps, mode: Mode, body: ItemBody) -> ItemRequest | Problem:
        """What an order's body asks for, checked as far as it can be before a price; no_plan where there is none."""
        ...

    async def lines(self, deps: Deps, mode: Mode, item: Item) -> list[Line]:
        """Every line of it at suppliers of that mode, sellable or not, from PostgreSQL."""
        ...

    async def look(self, deps: Deps, line: Line) -> Line | None:
        """The line as its supplier tells it now, taken over; None when it cannot tell, or could not be asked.

        Asked only of a line that is ``old``, and not waited for long.
        """
        ...


class ItemRequest(msgspec.Struct, frozen=True):
    """An item that is asked for. ``fields`` are the answers to what its product asks."""

    item: Item
    fields: dict[str, str] = {}


class Limits(msgspec.Struct, frozen=True):
    """Which suppliers an order may go to."""

    only: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
