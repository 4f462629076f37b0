"""Numbers and digital goods as offer sources, by the kind of order; a kind without one is not sold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from gateway.access.key_rows import Mode
from gateway.catalog.offer_lines import OfferSource
from gateway.items import good_source, number_source
from gateway.items.good_source import GoodSource
from gateway.items.item_rules import Item, ItemKind, NumberItem
from gateway.items.number_source import NumberSource
from gateway.kit.problem import Problem
from gateway.suppliers.deps import Deps
from schemas.order_requests import OrderForGood, OrderForNumber

OFFER_SOURCES: Mapping[str, Callable[[Mode, Any], OfferSource]] = {"number": NumberSource, "voucher": GoodSource}


class ItemRequest(msgspec.Struct, frozen=True):
    """An item that is asked for. ``fields`` are the answers to what its product asks."""

    kind: ItemKind
    item: Item
    fields: dict[str, str] = {}


def source_of(mode: Mode, item: Item) -> OfferSource | None:
    """Where the offers of an item stand; None for a kind that is not sold."""
    make = OFFER_SOURCES.get("number" if isinstance(item, NumberItem) else "voucher")
    return None if make is None else make(mode, item)


async def asked_for(deps: Deps, mode: Mode, body: OrderForNumber | OrderForGood) -> ItemRequest | Problem:
    """What an order's body asks for, checked as far as it can be before a price. Problems: no_plan, invalid."""
    if isinstance(body, OrderForNumber):
        number = await number_source.asked_for(deps, mode, body)
        return number if isinstance(number, Problem) else ItemRequest("number", number)
    good = await good_source.asked_for(deps, mode, body)
    return good if isinstance(good, Problem) else ItemRequest("voucher", *good)
