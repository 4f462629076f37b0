"""What may stand in a query for digital goods."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from gateway.api.parameters import Currency, PageParameters
from schemas.api import CountryCode, SupplierName
from schemas.api_goods import Locale

Language = Annotated[Locale, Meta(description="The language of names and descriptions, where the supplier has it.")]
Words = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00]+$", description="Words of the name.")]


class GoodsParameters(PageParameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The filters of the list of goods. Every one narrows."""

    category: (
        Annotated[
            str, Meta(pattern=r"^[^\x00]+$", max_length=60, description="A category's `id` in `/v1/goods/categories`.")
        ]
        | UnsetType
    ) = UNSET
    type: (
        Annotated[
            str,
            Meta(
                pattern="^[a-z_]+$",
                max_length=60,
                description="`voucher`, `recharge_fixed`, `recharge`, `voucher_open_range` or `other`.",
                examples=["voucher"],
            ),
        ]
        | UnsetType
    ) = UNSET
    q: Words | UnsetType = UNSET
    country: Annotated[CountryCode, Meta(description="Goods that are accepted there, as told.")] | UnsetType = UNSET
    attribute: Annotated[
        list[Annotated[str, Meta(pattern=r"^[^:\x00]+:[^\x00]+$", max_length=300, examples=["denomination:10"])]],
        Meta(max_length=10, description="`code:value`, to the letter; repeated: all of them."),
    ] = msgspec.field(default_factory=list)
    locale: Language | UnsetType = UNSET
    currency: Currency | UnsetType = UNSET


class GoodParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One good."""

    amount: (
        Annotated[
            str,
            Meta(
                pattern=r"^[0-9]{1,9}(\.[0-9]{1,6})?$",
                max_length=16,
                description="A denomination of one's choice, in its own currency: the price is then of it.",
                examples=["25"],
            ),
        ]
        | UnsetType
    ) = UNSET
    locale: Language | UnsetType = UNSET
    currency: Currency | UnsetType = UNSET


class CategoryParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The categories."""

    locale: Language | UnsetType = UNSET


class OpsGoodsParameters(PageParameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Goods by account."""

    supplier: SupplierName | UnsetType = UNSET
    mode: Annotated[Literal["live", "test"], Meta(description="Only accounts of this mode.")] | UnsetType = UNSET
    why_not: (
        Annotated[Literal["suspect_price", "stopped"], Meta(description="Only goods that this keeps from sale.")]
        | UnsetType
    ) = UNSET
    q: Words | UnsetType = UNSET
