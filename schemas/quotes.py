"""Quotes: what a storefront asks for, and the plan, price and reasons that answer it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from schemas.api import CountryCode, CurrencyCode, Days, Megabytes, Plan, PlanId, Price
from schemas.examples import example
from schemas.features import Wanted


class NeedFeatures(Wanted, frozen=True, forbid_unknown_fields=True):
    """Features that a plan must have; what is left out may be either way."""


class QuoteForNeed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a traveller needs: all of the countries, at least the data, for at least the days.

    Attributes:
        countries: The countries that the plan must cover, all of them.
        data_mb: The least data at full speed, in MB.
        unlimited: Only plans whose data goes on after the full-speed data.
        days: For at least how many days.
        features: Features that the plan must have.
        currency: The currency of the price; the gateway's base currency by default.
        triggers: In test mode: plans on which a supplier's sandbox goes wrong on purpose compete, too.
    """

    countries: Annotated[list[CountryCode], Meta(min_length=1, max_length=300)]
    data_mb: Annotated[Megabytes | UnsetType, example(3072)] = UNSET
    unlimited: bool = False
    days: Annotated[Days | UnsetType, example(10)] = UNSET
    features: Annotated[NeedFeatures | UnsetType, example({})] = UNSET
    currency: CurrencyCode | UnsetType = UNSET
    triggers: Annotated[
        bool, Meta(description="In test mode: plans on which a supplier's sandbox goes wrong on purpose compete, too.")
    ] = False


class QuoteForPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One plan by its id.

    Attributes:
        plan_id: The plan.
        features: Features that the offer must have.
        currency: The currency of the price; the gateway's base currency by default.
    """

    plan_id: PlanId
    features: NeedFeatures | UnsetType = UNSET
    currency: CurrencyCode | UnsetType = UNSET


class NextBest(msgspec.Struct, frozen=True):
    """What would have been chosen next.

    Attributes:
        plan_id: The plan that would have been chosen next.
        price: Its price.
    """

    plan_id: Annotated[PlanId, example("jp-2gb-7d-0b71d45c2a9e")]
    price: Annotated[Price, example({"amount": "6.40"})]


class WhyChosen(msgspec.Struct, frozen=True):
    """How the plan of a quote was found.

    Attributes:
        plans_considered: How many plans meet the need.
        plans_in_stock: How many of them can be bought now.
        rule: The rule that chose among them.
        next_best: What would have been chosen next; null when nothing else meets the need.
        assumed: Whether the plan is unlimited, does not say how much of it is at full speed, and was counted by what is
            assumed.
    """

    plans_considered: Annotated[int, example(41)]
    plans_in_stock: Annotated[int, example(37)]
    rule: Annotated[str, example("cheapest_in_stock")]
    next_best: NextBest | None
    assumed: Annotated[bool, example(False)] = False


class Quote(msgspec.Struct, frozen=True):
    """A plan whose price is held until ``expires_at``.

    Attributes:
        id: The quote's id: send it as `quote_id` with an order.
        plan: The plan that was chosen.
        price: The price that is held.
        expires_at: Until when the price is held.
        why: Why this plan was chosen.
    """

    id: Annotated[str, example("qt_Zm9vYmFy")]
    plan: Plan
    price: Price
    expires_at: Annotated[datetime, example("2026-11-20T10:15:00Z")]
    why: WhyChosen
