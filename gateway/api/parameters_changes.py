"""What may stand in a query about the suppliers' past."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from gateway.api.parameters import PageParameters
from schemas.api import CountryCode, PlanId, SupplierName
from schemas.api_changes import ChangeKind

_Figure = Annotated[str, Meta(pattern=r"^[0-9]{1,9}(\.[0-9]{1,6})?$", max_length=16)]
_Suppliers = Annotated[list[SupplierName], Meta(max_length=50, description="Only these suppliers; may be repeated.")]
_Kinds = Annotated[list[ChangeKind], Meta(max_length=6, description="Only these kinds; may be repeated.")]
_Mode = Annotated[Literal["live", "test"], Meta(description="Only suppliers in this mode.")]
_OfferId = Annotated[str, Meta(pattern="^[a-z0-9_]{1,60}$", max_length=60, description="Only this offer of the plan.")]


class ChangeParameters(PageParameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Changes at the suppliers."""

    kind: Annotated[list[ChangeKind], Meta(max_length=6, description="Only these kinds; may be repeated.")] = (
        msgspec.field(default_factory=list)
    )
    supplier: _Suppliers = msgspec.field(default_factory=list)
    mode: _Mode | UnsetType = UNSET
    country: Annotated[CountryCode, Meta(description="Only offers that cover this country.")] | UnsetType = UNSET
    plan_id: PlanId | UnsetType = UNSET
    since: Annotated[datetime, Meta(tz=True, description="Only what changed after this time.")] | UnsetType = UNSET
    min_percent: (
        Annotated[_Figure, Meta(description="Costs that moved by so many percent or more.", examples=["10"])]
        | UnsetType
    ) = UNSET
    min_amount: (
        Annotated[
            _Figure, Meta(description="Costs that moved by so much or more, in base currency.", examples=["0.50"])
        ]
        | UnsetType
    ) = UNSET


class ChangeSummaryParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What changed since a moment."""

    since: Annotated[datetime, Meta(tz=True, description="What changed after this time.")]
    supplier: _Suppliers = msgspec.field(default_factory=list)
    mode: _Mode | UnsetType = UNSET


class PriceHistoryParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The history of a plan's costs."""

    plan_id: PlanId
    offer_id: _OfferId | UnsetType = UNSET
    supplier: _Suppliers = msgspec.field(default_factory=list)
    mode: _Mode | UnsetType = UNSET
    since: Annotated[datetime, Meta(tz=True, description="From when on; 30 days by default.")] | UnsetType = UNSET


class DifferenceParameters(PageParameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a quarantined supplier differs."""

    supplier: SupplierName
    kind: (
        Annotated[
            Literal["moved", "gone", "new"],
            Meta(description="Only prices that would move, offers that would go, or new ones."),
        ]
        | UnsetType
    ) = UNSET
