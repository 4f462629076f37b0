"""Virtual numbers as JSON: where they are sold and for how much, those of a storefront, and what operators see."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from schemas.api import Amount, CountryCode, Price, SupplierName
from schemas.examples import AT, example
from schemas.orders import NumberTierSold, TierId
from schemas.plan import WhyNot

TierPrice = Annotated[Price, example({"amount": "11.00"})]


class NumberCountryShown(msgspec.Struct, frozen=True):
    """A country in which numbers are sold; ``from_price`` is of the cheapest tier that can be bought now."""

    code: Annotated[CountryCode, example("US")]
    name: Annotated[str, example("United States")]
    from_price: TierPrice | None
    in_stock: Annotated[bool, example(True)]


class NumberCountryList(msgspec.Struct, frozen=True):
    """Where numbers are sold, by name."""

    data: list[NumberCountryShown]


class NumberTierShown(msgspec.Struct, frozen=True):
    """How long a number is held. ``countries`` are those in which it can be bought now, ``price`` is the lowest there.

    Null and none when it cannot be bought at present.
    """

    id: TierId
    name: Annotated[str, example("7 Days")]
    days: Annotated[int, example(7)]
    price: TierPrice | None
    countries: Annotated[list[CountryCode], example(["GB", "US"])]
    in_stock: Annotated[bool, example(True)]


class NumberTierList(msgspec.Struct, frozen=True):
    """The tiers, the shortest first."""

    data: list[NumberTierShown]


class VirtualNumber(msgspec.Struct, frozen=True, kw_only=True):
    """A number that was delivered. ``expires_at`` and ``autorenew`` are as its supplier said at ``observed_at``."""

    id: Annotated[str, Meta(pattern="^num_[0-9a-f]{24}$", examples=["num_5c1f0a9be2d44b7788aa0c13"])]
    order_id: Annotated[str, example("ord_7f3a9c20e1b84d65")]
    phone_number: Annotated[str, example("+12025550123")]
    country: Annotated[CountryCode, example("US")]
    country_name: Annotated[str, example("United States")]
    tier: NumberTierSold
    state: Annotated[
        Literal["active", "expired"], Meta(description="By the clock and `expires_at`."), example("active")
    ]
    expires_at: Annotated[datetime | None, example("2026-11-27T10:00:00Z")]
    autorenew: Annotated[bool | None, example(False)]
    observed_at: datetime
    created_at: datetime


class OpsNumberTier(msgspec.Struct, frozen=True, kw_only=True):
    """A tier at one account. ``why_not`` is what keeps it from sale everywhere, ``stopped`` countries alone.

    ``error`` is why the lists could not be read last time; they then stand as they were at ``last_good_at``.
    """

    supplier: Annotated[SupplierName, example("beppay")]
    mode: Annotated[Literal["live", "test"], example("live")]
    tier_id: TierId
    name: Annotated[str, example("7 Days")]
    days: Annotated[int, example(7)]
    cost: Annotated[Price, example({"amount": "10.00"})]
    price: TierPrice | None
    countries: Annotated[int, example(2)]
    stopped: Annotated[list[CountryCode], example([])]
    why_not: Annotated[list[WhyNot], example([])]
    suspect: str | None
    last_good_at: Annotated[datetime | None, example(AT)]
    error: str | None


class ReleaseTier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which tier may be sold again, at which cost: one that was changed meanwhile stays held back."""

    supplier: Annotated[SupplierName, example("beppay")]
    tier_id: TierId
    cost: Annotated[Amount, example("10.00")]
