"""Admission of numbers and digital goods: what is asked for, from its shelf, at the price of now."""

from __future__ import annotations

from decimal import Decimal

import msgspec
from msgspec import UNSET

from gateway.access.key_rows import Mode
from gateway.items.item_rules import Item, ItemKind
from gateway.items.shelf import Limits
from gateway.kit.problem import Problem
from gateway.selling import shelves
from gateway.suppliers.deps import Deps
from schemas.money import Money
from schemas.orders import OrderForGood, OrderForNumber


class ItemOffered(msgspec.Struct, frozen=True):
    """What is sold, as ``selling.Offered``; ``fields`` are the answers to what its product asks."""

    kind: ItemKind
    item: Item
    price: Money
    price_base: Decimal
    max_cost: Money
    limits: Limits
    fields: dict[str, str]


async def offered_item(
    deps: Deps, storefront_id: str, mode: Mode, body: OrderForNumber | OrderForGood
) -> ItemOffered | Problem:
    """The price of a number or good now, or the problem that an order for it would meet. Raises ``NoRate``."""
    kind: ItemKind = "number" if isinstance(body, OrderForNumber) else "voucher"
    shelf = shelves.SHELVES.get(kind)
    if shelf is None:
        return Problem("no_plan", f"no {kind} is sold here")
    asked = await shelf.asked(deps, mode, body)
    if isinstance(asked, Problem):
        return asked
    choice = None if body.suppliers is UNSET else body.suppliers
    limits = Limits()
    if choice is not None:
        only, ignore = choice.only, choice.ignore
        limits = Limits(() if only is UNSET else tuple(only), () if ignore is UNSET else tuple(ignore))
    most = None if body.max_price is UNSET else Money(Decimal(body.max_price.amount), body.max_price.currency)
    found = await shelves.offered(deps, mode, storefront_id, kind, asked.item, limits, most)
    if isinstance(found, Problem):
        return found
    return ItemOffered(kind, asked.item, found.price, found.price_base, found.max_cost, limits, asked.fields)
