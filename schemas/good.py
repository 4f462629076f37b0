"""Digital goods beside eSIMs: vouchers and recharges, with fixed, custom or open denominations."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

from schemas.money import Money

Denomination = Literal["fixed", "custom"]


class GoodField(msgspec.Struct, frozen=True):
    """Something that a product asks for before it can be ordered (a phone number, an account).

    ``pattern`` is a plain one, safe to run on anything of at most 200 characters: one character class after another.
    """

    name: str
    label: str
    required: bool = True
    pattern: str | None = None
    options: tuple[str, ...] = ()


class CustomPrice(msgspec.Struct, frozen=True):
    """How a denomination of one's choice is priced.

    One unit of ``currency`` costs ``rate`` of ``cost_currency``; ``markup_percent`` and ``markup_fixed`` (in
    ``cost_currency``) come on top. ``least`` and ``most`` bound the denomination where the supplier says so.
    """

    currency: str
    rate: Decimal
    cost_currency: str
    markup_percent: Decimal = Decimal(0)
    markup_fixed: Decimal = Decimal(0)
    least: Decimal | None = None
    most: Decimal | None = None


class Good(msgspec.Struct, frozen=True):
    """One sellable good of a supplier. ``cost`` is None for custom denominations, ``stock`` where nobody says.

    ``countries`` are ISO codes of where it is accepted, as far as that is told. A good whose supplier writes in
    several languages comes once in each, the first time in the account's own; ``locale`` says in which.
    """

    sku: str
    product_id: str
    type: str
    name: str
    product_name: str
    denomination: Denomination
    cost: Money | None = None
    custom: CustomPrice | None = None
    face_value: Money | None = None
    stock: int | None = None
    max_per_order: int | None = None
    category_id: str | None = None
    category: str | None = None
    description: str = ""
    image: str | None = None
    attributes: dict[str, str] = {}
    countries: tuple[str, ...] = ()
    fields: tuple[GoodField, ...] = ()
    locale: str | None = None


class GoodAttribute(msgspec.Struct, frozen=True):
    """An attribute that goods of a category have."""

    code: str
    name: str
    type: str
    target: str


class GoodCategory(msgspec.Struct, frozen=True):
    """A category of goods."""

    id: str
    name: str
    parent_id: str | None = None
    attributes: tuple[GoodAttribute, ...] = ()
