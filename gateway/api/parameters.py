"""What may stand in a query, operation by operation; the types that check it also describe it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from gateway.kit.pages import CURSOR_FORM, PageRequest
from schemas.api import CountryCode, CurrencyCode, Days, PlanId, SupplierName
from schemas.api_suspects import SuspectRule
from schemas.features import Wanted
from schemas.notice import NoticeType
from schemas.orders import Email, Kind, OrderId, OrderStatus, Reference
from schemas.plan import Scope, SetAsideReason, WhyNot

Limit = Annotated[int, Meta(ge=1, le=200, description="How many at most.")]
Cursor = Annotated[
    str, Meta(pattern=CURSOR_FORM, max_length=600, description="Where to go on: the `next_cursor` of a page.")
]
Currency = Annotated[CurrencyCode, Meta(description="The currency of prices; the gateway's base currency by default.")]
Sort = Literal[
    "price", "-price", "price_per_gb", "-price_per_gb", "price_per_day", "-price_per_day",
    "data", "-data", "days", "-days",
]  # fmt: skip


Triggers = Annotated[
    bool,
    Meta(
        description="Plans on which a supplier's sandbox goes wrong on purpose, too. Only test mode has such; one is"
        " found by its id without this."
    ),
]


MetadataText = Annotated[str, Meta(pattern=r"^[^\x00:]{1,40}:[^\x00]*\Z", max_length=541, examples=["cart:8812"])]


class NoParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An operation that takes none."""


class CurrencyParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An answer with prices."""

    currency: Currency | UnsetType = UNSET


class PlanParameters(Wanted, frozen=True, forbid_unknown_fields=True):
    """The filters of the list of plans. Every one narrows."""

    country: Annotated[
        list[CountryCode], Meta(max_length=50, description="Plans that cover this country; repeated: all of them.")
    ] = msgspec.field(default_factory=list)
    region: (
        Annotated[
            str,
            Meta(
                pattern=r"^[a-z0-9_-]+\Z", max_length=60, description="Plans of this region (`code` in `/v1/regions`)."
            ),
        ]
        | UnsetType
    ) = UNSET
    scope: Annotated[Scope, Meta(description="One country, a region, or 100 countries and more.")] | UnsetType = UNSET
    min_data_mb: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=1_000_000_000,
                description="At least this much data in MB. Multiples of 512 count 1024 a GB, other numbers 1000. "
                "Only data at full speed counts: of a daily "
                "plan its amount times its days, or times `min_days` when that is given; of an unlimited plan what it "
                "states to run at full speed, or what is assumed where it states nothing.",
            ),
        ]
        | UnsetType
    ) = UNSET
    unlimited: (
        Annotated[bool, Meta(description="Only plans whose data goes on, be it slower, or none of them.")] | UnsetType
    ) = UNSET
    min_days: Annotated[Days, Meta(description="Valid for at least so many days.")] | UnsetType = UNSET
    max_days: Annotated[Days, Meta(description="Valid for at most so many days.")] | UnsetType = UNSET
    max_price: (
        Annotated[
            str,
            Meta(
                pattern=r"^[0-9]{1,9}(\.[0-9]{1,6})?\Z",
                max_length=16,
                description="The highest price, as an amount of `currency`.",
                examples=["9.90"],
            ),
        ]
        | UnsetType
    ) = UNSET
    currency: Currency | UnsetType = UNSET
    in_stock: Annotated[
        Literal["true", "false", "any"], Meta(description="What can be sold now, what cannot, or both.")
    ] = "true"
    q: Annotated[str, Meta(min_length=1, max_length=100, description="Words of the plan's name.")] | UnsetType = UNSET
    updated_since: (
        Annotated[
            datetime,
            Meta(tz=True, description="Plans that changed since this time; ids that left since are listed in `gone`."),
        ]
        | UnsetType
    ) = UNSET
    triggers: Triggers = False
    expand: Annotated[
        list[Literal["networks"]],
        Meta(max_length=1, description="`networks`: each plan with the operators that it uses."),
    ] = msgspec.field(default_factory=list)
    sort: Annotated[Sort, Meta(description="What to sort by; `-` turns it round.")] = "price"
    limit: Limit = 50
    cursor: Cursor | UnsetType = UNSET


class PageParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A list in pages."""

    limit: Limit = 50
    cursor: Cursor | UnsetType = UNSET

    @property
    def page(self) -> PageRequest:
        """The page that is asked for."""
        return PageRequest(self.limit, None if self.cursor is UNSET else self.cursor)


class UnmappedParameters(PageParameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Items that could not be mapped."""

    supplier: SupplierName | UnsetType = UNSET
    reason: SetAsideReason | UnsetType = UNSET


class PriceChangeParameters(PageParameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Price changes."""

    supplier: SupplierName | UnsetType = UNSET
    plan_id: PlanId | UnsetType = UNSET


class OpsOfferParameters(PageParameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Offers of all suppliers."""

    why_not: Annotated[WhyNot, Meta(description="Only offers that this keeps out of the selection.")] | UnsetType = (
        UNSET
    )
    supplier: SupplierName | UnsetType = UNSET
    plan_id: PlanId | UnsetType = UNSET
    triggers: Triggers = False


class SuspectParameters(PageParameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Suspect prices of all suppliers."""

    supplier: SupplierName | UnsetType = UNSET
    rule: Annotated[SuspectRule, Meta(description="Only what this rule found suspect.")] | UnsetType = UNSET


class BucketParameters(PageParameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What offers are compared for: a need of one country."""

    data_mb: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=1_000_000_000,
                description="At least this much data in MB. Multiples of 512 count 1024 a GB, other numbers 1000. "
                "Only data at full speed counts: of a daily plan its amount times `days`, or times its own; of an "
                "unlimited plan what it states, or what is assumed.",
            ),
        ]
        | UnsetType
    ) = UNSET
    days: Annotated[Days, Meta(description="Valid for at least so many days.")] | UnsetType = UNSET
    unlimited: (
        Annotated[Literal[True], Meta(description="Only plans whose data goes on, be it slower.")] | UnsetType
    ) = UNSET
    exact: Annotated[bool, Meta(description="Just that amount of data and just so many days.")] = False
    scope: Annotated[Scope, Meta(description="Plans of this reach only; all compete by default.")] | UnsetType = UNSET
    triggers: Triggers = False
    mode: (
        Annotated[Literal["live", "test"], Meta(description="Mode of the suppliers; the key's own mode by default.")]
        | UnsetType
    ) = UNSET


class PriceParameters(BucketParameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The matrix of prices."""

    country: Annotated[list[CountryCode], Meta(max_length=250, description="Only these countries; repeated.")] = []
    region: (
        Annotated[
            str,
            Meta(pattern=r"^[a-z0-9_-]+\Z", max_length=60, description="Only countries of this region."),
        ]
        | UnsetType
    ) = UNSET
    all: Annotated[bool, Meta(description="Offers that cannot be sold now compete, too.")] = False
    per: Annotated[Literal["plan", "gb", "day"], Meta(description="By which figure the cheapest is marked.")] = "plan"
    limit: Annotated[int, Meta(ge=1, le=50, description="How many countries at most.")] = 50


class PricedOfferParameters(BucketParameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Offers that compete in one country."""

    supplier: SupplierName | UnsetType = UNSET


class CompareParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Offers side by side."""

    offer: Annotated[
        list[Annotated[str, Meta(pattern=r"^[a-z0-9_]{1,60}\Z")]],
        Meta(min_length=2, max_length=10, description="An offer's `id`; repeated, two to ten of them."),
    ]
    mode: (
        Annotated[Literal["live", "test"], Meta(description="Mode of the suppliers; the key's own mode by default.")]
        | UnsetType
    ) = UNSET


class OrderParameters(PageParameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A storefront's orders."""

    status: Annotated[OrderStatus, Meta(description="Only orders in this state.")] | UnsetType = UNSET
    kind: Annotated[Kind, Meta(description="Only orders of this kind.")] | UnsetType = UNSET
    reference: Annotated[Reference, Meta(description="The order with this reference of yours.")] | UnsetType = UNSET
    created_from: Annotated[datetime, Meta(tz=True, description="Only orders from this time on.")] | UnsetType = UNSET
    created_to: Annotated[datetime, Meta(tz=True, description="Only orders from before this time.")] | UnsetType = UNSET
    email: Annotated[Email, Meta(description="Only orders with this `customer.email`.")] | UnsetType = UNSET
    metadata: Annotated[
        list[MetadataText],
        Meta(
            max_length=10,
            description="Only orders with this text in their `metadata`, as `key:value`; repeated: with all of them.",
        ),
    ] = []


class EventParameters(PageParameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A storefront's events."""

    type: Annotated[NoticeType, Meta(description="Only events of this type.")] | UnsetType = UNSET


class OpsOrderParameters(PageParameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All storefronts' orders."""

    status: Annotated[OrderStatus, Meta(description="Only orders in this state.")] | UnsetType = UNSET
    mode: Annotated[Literal["live", "test"], Meta(description="Only live orders, or only test ones.")] | UnsetType = (
        UNSET
    )
    supplier: Annotated[SupplierName, Meta(description="Orders for which this supplier was asked.")] | UnsetType = UNSET
    storefront: (
        Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00]+\Z", description="A storefront's name.")]
        | UnsetType
    ) = UNSET


class LedgerParameters(PageParameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The ledger."""

    supplier: SupplierName | UnsetType = UNSET
    order_id: OrderId | UnsetType = UNSET


class StopParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which stop."""

    supplier: Annotated[SupplierName, Meta(description="Its own stop; without it, that of all.")] | UnsetType = UNSET
