"""Mappings of terms by operators as JSON: the unmapped terms, the preview of a mapping, the added mappings."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from schemas.api import CountryCode, PlanId, Price, SupplierName
from schemas.examples import example
from schemas.plan import About, SetAsideReason

Tellable = Literal["place", "unit", "attribute"]
_MEANS = r"^([A-Z]{2}( [A-Z]{2})*|[0-9]{1,3}(/[0-9]{1,4})?|country|data|days)\Z"
ProviderName = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[a-z0-9_]+\Z", examples=["pikasim"])]


class UnmappedGroup(msgspec.Struct, frozen=True):
    """Items of one supplier that were unmapped for one word, or for one reason that hangs on no word.

    Attributes:
        supplier: The supplier.
        provider: The plugin that talks to it.
        reason: Why the items could not be mapped.
        about: What the word is; empty when that is not known.
        word: The supplier's word.
        offers: How many items there are.
        priced: How many of them have a cost.
        cost_total: The costs of all, in base currency.
        cost_median: The median of their costs, in base currency.
        examples: Names of some items.
        detail: What was not understood.
        first_seen_at: When the first of them was met.
        can_be_told: Whether a mapping of this word can be given.
    """

    supplier: SupplierName
    provider: Annotated[str, example("pikasim")]
    reason: Annotated[SetAsideReason, example("no_such_country")]
    about: About
    word: Annotated[str, example("Bali")]
    offers: Annotated[int, example(12)]
    priced: Annotated[int, example(12)]
    cost_total: Annotated[Price | None, example({"amount": "74.40"})]
    cost_median: Annotated[Price | None, example({"amount": "5.90"})]
    examples: Annotated[list[str], example(["Bali 5GB"])]
    detail: Annotated[str, example("no such country: Bali")]
    first_seen_at: datetime
    can_be_told: Annotated[bool, example(True)]


class MappingRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a word means. An account's own word goes before its provider's, and that before every provider's.

    Attributes:
        about: What the word is.
        word: The supplier's word.
        means: For a place ISO codes with spaces between, one for a country and several for a region; for a unit how
            many days one of it is (`14`, `1/1440`); for an attribute's code `country`, `data` or `days`.
        provider: Whose word it is; every provider's without it.
        supplier: The one account whose word it is; it implies the `provider`.
        note: Why.
    """

    about: Annotated[Tellable, example("place")]
    word: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00]+\Z"), example("Asia Pacific 3")]
    means: Annotated[str, Meta(max_length=1000, pattern=_MEANS, examples=["TR"]), example("AU HK JP")]
    provider: Annotated[ProviderName | None, example("pikasim")] = None
    supplier: SupplierName | None = None
    note: Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*\Z"), example("their support named the countries")] = (
        ""
    )


class StoredMapping(msgspec.Struct, frozen=True):
    """What a word means, as an operator stored it.

    Attributes:
        id: The mapping's id.
        provider: Whose word it is; null: every provider's.
        supplier: The one account whose word it is; null: every account at the provider.
        about: What the word is.
        word: The supplier's word.
        means: What it means.
        note: Why.
        created_by: Who stored it.
        created_at: When it was stored.
        applied: Whether each supplier that it concerns was synced since.
    """

    id: Annotated[str, example("map_5c1f0a9be2d44b77")]
    provider: Annotated[str | None, example("pikasim")]
    supplier: SupplierName | None
    about: About
    word: Annotated[str, example("Asia Pacific 3")]
    means: Annotated[str, example("AU HK JP")]
    note: Annotated[str, example("their support named the countries")]
    created_by: Annotated[str, example("key key_01 of My shop")]
    created_at: datetime
    applied: bool


class RemappedItem(msgspec.Struct, frozen=True):
    """An item that would be mapped, and to what.

    Attributes:
        supplier: The supplier.
        supplier_plan_id: The supplier's own id for it.
        name: Its name.
        plan_id: The plan that it would be an offer of.
        plan_name: That plan's name.
        countries: The countries that it would cover.
        cost: What it costs; null where that is not known.
    """

    supplier: SupplierName
    supplier_plan_id: Annotated[str, example("AP3_5GB")]
    name: Annotated[str, example("Asia Pacific 3 5GB")]
    plan_id: Annotated[PlanId, example("au-hk-jp-5gb-30d-0c44d13f21a0")]
    plan_name: Annotated[str, example("Australia, Hong Kong, Japan 5 GB, 30 days")]
    countries: Annotated[list[CountryCode], example(["AU", "HK", "JP"])]
    cost: Annotated[Price | None, example({"amount": "5.90"})]


class MappingEffect(msgspec.Struct, frozen=True):
    """What a meaning would do to the items that are unmapped for its word.

    Attributes:
        provider: Whose word it is; null: every provider's.
        supplier: The one account whose word it is; null: every account at the provider.
        about: What the word is.
        word: The supplier's word.
        means: What it would mean.
        tried: How many items were mapped once more, as they are kept.
        cut: Whether there are more.
        would_map: How many would be mapped.
        plans: Of how many plans they would be offers.
        by_supplier: How many would be mapped at each supplier.
        still_set_aside: How many would not, by reason.
        not_known: Items of which it cannot be told without a sync.
        examples: Some items that would be mapped.
    """

    provider: Annotated[str | None, example("pikasim")]
    supplier: SupplierName | None
    about: About
    word: Annotated[str, example("Asia Pacific 3")]
    means: Annotated[str, example("AU HK JP")]
    tried: Annotated[int, example(14)]
    cut: bool
    would_map: Annotated[int, example(12)]
    plans: Annotated[int, example(9)]
    by_supplier: Annotated[dict[str, int], example({"pikasim": 12})]
    still_set_aside: Annotated[dict[str, int], example({"no_validity": 2})]
    not_known: int
    examples: list[RemappedItem]
