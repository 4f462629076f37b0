"""What people tell of words that no table knows, as JSON: what it would do, what was told, what is still unknown."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from schemas.api import CountryCode, PlanId, Price, SupplierName
from schemas.plan import About, SetAsideReason

Tellable = Literal["place", "unit", "attribute"]
_MEANS = "^([A-Z]{2}( [A-Z]{2})*|[0-9]{1,3}(/[0-9]{1,4})?|country|data|days)$"
ProviderName = Annotated[str, Meta(min_length=1, max_length=40, pattern="^[a-z0-9_]+$", examples=["pikasim"])]


class UnmappedGroup(msgspec.Struct, frozen=True):
    """Items of one supplier that were set aside for one word, or for one reason that hangs on no word.

    ``about`` says what the word is, "" when the mapping does not say. Costs are in base currency, of the ``priced``
    items among them. ``can_be_told``: a mapping of this word can be given.
    """

    supplier: SupplierName
    provider: str
    reason: SetAsideReason
    about: About
    word: str
    offers: int
    priced: int
    cost_total: Price | None
    cost_median: Price | None
    examples: list[str]
    detail: str
    first_seen_at: datetime
    can_be_told: bool


class MappingRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a word means. Without ``provider`` it is every provider's word.

    A place means ISO codes between spaces, one for a country and several for a region of that provider; a unit how
    many days one of it is ("7", "1/24"); an attribute's code country, data or days.
    """

    about: Tellable
    word: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
    means: Annotated[str, Meta(max_length=1000, pattern=_MEANS, examples=["TR"])]
    provider: ProviderName | None = None
    note: Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")] = ""


class Mapping(msgspec.Struct, frozen=True):
    """What a word means, as it was told. ``applied``: each supplier that it concerns was synced since."""

    id: str
    provider: str | None
    about: About
    word: str
    means: str
    note: str
    created_by: str
    created_at: datetime
    applied: bool


class RemappedItem(msgspec.Struct, frozen=True):
    """An item that would be mapped, and to what."""

    supplier: SupplierName
    supplier_plan_id: str
    name: str
    plan_id: PlanId
    plan_name: str
    countries: list[CountryCode]
    cost: Price | None


class MappingEffect(msgspec.Struct, frozen=True):
    """What a meaning would do to the items that are set aside for its word.

    ``tried`` of them were mapped once more as they are kept; ``cut``: there are more. ``plans`` counts the plans that
    the ``would_map`` would be offers of. ``not_known`` are items of which it cannot be told without a sync.
    """

    provider: str | None
    about: About
    word: str
    means: str
    tried: int
    cut: bool
    would_map: int
    plans: int
    by_supplier: dict[str, int]
    still_set_aside: dict[str, int]
    not_known: int
    examples: list[RemappedItem]
