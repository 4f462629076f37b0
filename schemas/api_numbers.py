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
    """A country in which numbers are sold.

    Attributes:
        code: The country.
        name: The country's name in English.
        from_price: The price of the cheapest tier that can be bought now; null when none can.
        in_stock: Whether one can be bought now.
    """

    code: Annotated[CountryCode, example("US")]
    name: Annotated[str, example("United States")]
    from_price: TierPrice | None
    in_stock: Annotated[bool, example(True)]


class NumberCountryList(msgspec.Struct, frozen=True):
    """Where numbers are sold, by name.

    Attributes:
        data: The countries.
    """

    data: list[NumberCountryShown]


class NumberTierShown(msgspec.Struct, frozen=True):
    """How long a number is held.

    Attributes:
        id: Send it as `tier_id`.
        name: The tier's name.
        days: For how many days.
        price: The lowest price; null when it cannot be bought now.
        countries: The countries in which it can be bought now.
        in_stock: Whether it can be bought now.
    """

    id: TierId
    name: Annotated[str, example("7 Days")]
    days: Annotated[int, example(7)]
    price: TierPrice | None
    countries: Annotated[list[CountryCode], example(["GB", "US"])]
    in_stock: Annotated[bool, example(True)]


class NumberTierList(msgspec.Struct, frozen=True):
    """The tiers, the shortest first.

    Attributes:
        data: The tiers.
    """

    data: list[NumberTierShown]


class VirtualNumber(msgspec.Struct, frozen=True, kw_only=True):
    """A number that was delivered.

    Attributes:
        id: The number's id.
        order_id: The order that it was delivered for.
        phone_number: The number.
        country: The country of the number.
        country_name: The country's name in English.
        tier: How long it is held.
        state: Whether it is still held, by the clock and `expires_at`.
        expires_at: When it ends, as the supplier said last; null where it does not say.
        autorenew: Whether the supplier renews it, as it said last; null where it does not say.
        observed_at: When the supplier said so.
        created_at: When it was delivered.
    """

    id: Annotated[str, Meta(pattern=r"^num_[0-9a-f]{24}\Z", examples=["num_5c1f0a9be2d44b7788aa0c13"])]
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
    """A tier at one account.

    Attributes:
        supplier: The supplier.
        mode: Live or test.
        tier_id: The tier.
        name: Its name.
        days: For how many days.
        cost: What the supplier charges.
        price: What a customer pays; null without a rate.
        countries: In how many countries it is sold.
        stopped: Countries in which it is kept from sale.
        why_not: What keeps it from sale everywhere.
        suspect: What of its price cannot be right; null when nothing.
        last_good_at: When the lists were last read; null when they never were.
        error: Why they could not be read last time; null when they could.
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
    """Which tier may be sold again.

    Attributes:
        supplier: The supplier.
        tier_id: The tier.
        cost: The cost that you saw: a tier that was changed meanwhile stays held back.
    """

    supplier: Annotated[SupplierName, example("beppay")]
    tier_id: TierId
    cost: Annotated[Amount, example("10.00")]
