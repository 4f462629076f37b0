"""What orders of other kinds than eSIMs are for: virtual numbers and digital goods. Pure.

``NumberItem`` and ``VoucherItem`` are what an order was sold as, frozen in it. ``NumberWanted`` and ``GoodWanted``
are what one supplier is asked for, frozen in the attempt, so that every look repeats the words of the purchase.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Literal, TypeAlias

import msgspec

from schemas.order import Delivery, GoodWanted, NumberDelivery, NumberWanted, OrderKind, VoucherCode

ItemKind = Literal["number", "voucher"]
ITEM_KINDS: frozenset[str] = frozenset({"number", "voucher"})
# E.164 has 15 digits at most; suppliers write it with or without the plus, spaces and brackets.
_PHONE = re.compile(r"\+?[0-9][0-9 ().-]{3,24}")
_FEWEST_DIGITS = 5
LONGEST_SECRET = 500


class NumberItem(msgspec.Struct, frozen=True, tag_field="kind", tag="number"):
    """A virtual number as it was sold; ``country`` is an ISO code."""

    id: str
    name: str
    country: str
    country_name: str
    tier_id: str
    tier_name: str
    days: int

    @property
    def units(self) -> int:
        """How many are bought."""
        return 1


class VoucherItem(msgspec.Struct, frozen=True, tag_field="kind", tag="voucher"):
    """A digital good as it was sold: ``quantity`` of one denomination.

    ``amount`` (of ``currency``) is one's own denomination. ``field_names`` are what the product asked for; the
    answers stand sealed in the order.
    """

    id: str
    name: str
    product_name: str
    type: str
    quantity: int = 1
    amount: Decimal | None = None
    currency: str | None = None
    field_names: tuple[str, ...] = ()

    @property
    def units(self) -> int:
        """How many are bought."""
        return self.quantity


Item: TypeAlias = NumberItem | VoucherItem
ItemWanted: TypeAlias = NumberWanted | GoodWanted


class VoucherCodes(msgspec.Struct, frozen=True):
    """All codes of one order."""

    codes: tuple[VoucherCode, ...]


Delivered: TypeAlias = Delivery | NumberDelivery | VoucherCodes


def item_of(frozen: Any) -> Item:
    """The item out of an order's ``plan``."""
    item: Item = msgspec.convert(frozen, Item, strict=False)
    return item


def stored(wanted: ItemWanted | None) -> dict[str, Any] | None:
    """What an attempt keeps of what it asks for: all but the answers to a product's fields, which are sealed."""
    match wanted:
        case None:
            return None
        case NumberWanted():
            return {"kind": "number", **msgspec.to_builtins(wanted)}
        case GoodWanted():
            return {"kind": "voucher", **msgspec.to_builtins(msgspec.structs.replace(wanted, fields={}))}


def wanted_of(kept: dict[str, Any] | None) -> ItemWanted | None:
    """What ``stored`` kept."""
    if kept is None:
        return None
    values = {name: value for name, value in kept.items() if name != "kind"}
    if kept.get("kind") == "number":
        return msgspec.convert(values, NumberWanted)
    return msgspec.convert(values, GoodWanted, strict=False)


def kind_of(wanted: ItemWanted | None, *, topup: bool = False) -> OrderKind:
    """The kind of order that a supplier is asked for."""
    if isinstance(wanted, NumberWanted):
        return OrderKind.NUMBER
    if isinstance(wanted, GoodWanted):
        return OrderKind.VOUCHER
    return OrderKind.TOPUP if topup else OrderKind.ESIM


def is_phone_number(text: str) -> bool:
    """Whether somebody could be called by it."""
    digits = sum(letter.isdigit() for letter in text)
    return _PHONE.fullmatch(text) is not None and digits >= _FEWEST_DIGITS


def codes_in(text: str) -> tuple[VoucherCode, ...]:
    """Codes as people write them: one a line, PIN; serial; other text, each of which may be empty."""
    found: list[VoucherCode] = []
    for line in filter(str.strip, text.splitlines()):
        parts = [part.strip() or None for part in line.split(";", 2)]
        pin, serial, instead = (*parts, None, None)[:3]
        found.append(VoucherCode(pin=pin, serial=serial, told=instead))
    return tuple(found)


def complete(codes: tuple[VoucherCode, ...], quantity: int) -> bool:
    """Whether this is what was paid for: one usable code for each unit, no more and no fewer, and no code twice."""
    # Without a PIN the serial is what is typed in.
    pins = [code.pin or code.serial for code in codes if code.pin or code.serial]
    return len(codes) == quantity and all(map(_usable, codes)) and len(set(pins)) == len(pins)


def _usable(code: VoucherCode) -> bool:
    texts = (code.pin, code.serial, code.told)
    return any(texts) and all(text is None or 0 < len(text) <= LONGEST_SECRET for text in texts)
