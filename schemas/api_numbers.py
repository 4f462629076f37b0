"""Virtual numbers as JSON: where they are sold and for how much, those of a storefront, and what operators see."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from schemas.api import Amount, CountryCode, Price, SupplierName
from schemas.orders import NumberTierSold, TierId
from schemas.plan import WhyNot


class NumberCountryShown(msgspec.Struct, frozen=True):
    """A country in which numbers are sold; ``from_price`` is of the cheapest tier that can be bought now."""

    code: CountryCode
    name: str
    from_price: Price | None
    in_stock: bool


class NumberCountryList(msgspec.Struct, frozen=True):
    """Where numbers are sold, by name."""

    data: list[NumberCountryShown]


class NumberTierShown(msgspec.Struct, frozen=True):
    """How long a number is held. ``countries`` are those in which it can be bought now, ``price`` is the lowest there.

    Null and none when it cannot be bought at present.
    """

    id: TierId
    name: str
    days: int
    price: Price | None
    countries: list[CountryCode]
    in_stock: bool


class NumberTierList(msgspec.Struct, frozen=True):
    """The tiers, the shortest first."""

    data: list[NumberTierShown]


class VirtualNumber(msgspec.Struct, frozen=True, kw_only=True):
    """A number that was delivered. ``expires_at`` and ``autorenew`` are as its supplier said at ``observed_at``."""

    id: Annotated[str, Meta(pattern="^num_[0-9a-f]{24}$", examples=["num_5c1f0a9be2d44b7788aa0c13"])]
    order_id: str
    phone_number: str
    country: CountryCode
    country_name: str
    tier: NumberTierSold
    state: Annotated[Literal["active", "expired"], Meta(description="By the clock and `expires_at`.")]
    expires_at: datetime | None
    autorenew: bool | None
    observed_at: datetime
    created_at: datetime


class OpsNumberTier(msgspec.Struct, frozen=True, kw_only=True):
    """A tier at one account. ``why_not`` is what keeps it from sale everywhere, ``stopped`` countries alone.

    ``error`` is why the lists could not be read last time; they then stand as they were at ``last_good_at``.
    """

    supplier: SupplierName
    mode: Literal["live", "test"]
    tier_id: TierId
    name: str
    days: int
    cost: Price
    price: Price | None
    countries: int
    stopped: list[CountryCode]
    why_not: list[WhyNot]
    suspect: str | None
    last_good_at: datetime | None
    error: str | None


class ReleaseTier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which tier may be sold again, at which cost: one that was changed meanwhile stays held back."""

    supplier: SupplierName
    tier_id: TierId
    cost: Amount
