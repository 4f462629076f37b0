"""What may stand in a query about checkouts."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from gateway.api.parameters import PageParameters
from schemas.checkouts import CaseReason, CheckoutStatus
from schemas.orders import Reference

_Status = Annotated[CheckoutStatus, Meta(description="Only checkouts in this state.")]
_Mode = Annotated[Literal["live", "test"], Meta(description="Only live ones, or only test ones.")]


class CheckoutParameters(PageParameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A storefront's checkouts."""

    status: _Status | UnsetType = UNSET
    reference: Annotated[Reference, Meta(description="The checkout with this reference of yours.")] | UnsetType = UNSET


class OpsCheckoutParameters(PageParameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All storefronts' checkouts."""

    status: _Status | UnsetType = UNSET
    mode: _Mode | UnsetType = UNSET
    storefront: (
        Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00]+$", description="A storefront's name.")]
        | UnsetType
    ) = UNSET


class PaymentCaseParameters(PageParameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What waits for a person."""

    mode: _Mode | UnsetType = UNSET
    reason: Annotated[CaseReason, Meta(description="Only what waits for this reason.")] | UnsetType = UNSET
