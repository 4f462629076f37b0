"""API keys: the one that a request is sent with, and all of them as operators see, make and revoke them.

The text of a key is shown once, when it is made.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from schemas.api import Price
from schemas.examples import example

_LINE = r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*\Z"  # one line, not blank

KeyName = Annotated[str, Meta(min_length=1, max_length=100, pattern=_LINE, description="What the key is for.")]
StorefrontName = Annotated[
    str,
    Meta(min_length=1, max_length=200, pattern=_LINE, description="Whose key it is. A new name makes one."),
]
ScopeName = Literal["catalog", "storefront", "routing", "goods", "ops:read", "ops"]
ScopeNames = Annotated[
    list[ScopeName],
    Meta(
        min_length=1,
        max_length=6,
        description="What it opens. `routing` and `goods` need `storefront` beside them.",
        extra_json_schema={
            "if": {"contains": {"enum": ["routing", "goods"]}},
            "then": {"contains": {"const": "storefront"}},
        },
    ),
]


class KeyRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key to be made.

    Attributes:
        storefront: Whose key it is; a new name makes a storefront.
        mode: Live or test.
        scopes: What the key opens. `routing` and `goods` need `storefront` beside them.
        name: What the key is for.
        per_minute: Its own rate limit; without one the gateway's setting holds.
    """

    storefront: Annotated[StorefrontName, example("Example shop")]
    mode: Annotated[Literal["live", "test"], example("test")]
    scopes: Annotated[ScopeNames, example(["storefront", "goods"])]
    name: Annotated[KeyName | UnsetType, example("web shop")] = UNSET
    per_minute: Annotated[int, Meta(ge=1, le=1_000_000)] | UnsetType = UNSET


class KeyEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A key without its text.

    Attributes:
        id: The key's id.
        name: What the key is for; null without a name.
        storefront: Whose key it is.
        mode: Live or test.
        scopes: What the key opens.
        prefix: How its text begins.
        per_minute: Its own rate limit; null: as the gateway's setting says.
        created_at: When it was made.
        last_used_at: When it was last used; null when it never was.
        revoked_at: When it was revoked; null while it is in force.
    """

    id: Annotated[str, example("key_5f0c1d2e3a4b5c6d")]
    name: Annotated[str | None, example("web shop")]
    storefront: Annotated[str, example("Example shop")]
    mode: Annotated[Literal["live", "test"], example("test")]
    scopes: Annotated[list[ScopeName], example(["storefront", "goods"])]
    prefix: Annotated[str, example("gw_test_3kQz")]
    per_minute: int | None
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class CreatedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that was just made.

    Attributes:
        id: The key's id.
        key: Its text. Keep it now: nothing shows it again.
        name: What the key is for; null without a name.
        storefront: Whose key it is.
        mode: Live or test.
        scopes: What the key opens.
    """

    id: Annotated[str, example("key_5f0c1d2e3a4b5c6d")]
    key: Annotated[str, example("gw_test_…")]
    name: Annotated[str | None, example("web shop")]
    storefront: Annotated[str, example("Example shop")]
    mode: Annotated[Literal["live", "test"], example("test")]
    scopes: Annotated[list[ScopeName], example(["storefront", "goods"])]


MandateAmount = Annotated[str, Meta(pattern=r"^[0-9]{1,9}(\.[0-9]{1,6})?\Z", examples=["20.00"])]


class MandateRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a key may spend at most from now on. Amounts are in the gateway's base currency; 0 allows nothing.

    Attributes:
        per_order: The most that one order may come to.
        per_day: The most for all orders of a UTC day.
        per_month: The most for all orders of a UTC month.
        ends_at: When the mandate ends; the key places no order from then on.
    """

    per_order: MandateAmount
    per_day: Annotated[MandateAmount, example("60.00")]
    per_month: Annotated[MandateAmount, example("300.00")]
    ends_at: Annotated[datetime, Meta(tz=True), example("2026-12-31T00:00:00Z")]


class Mandate(msgspec.Struct, frozen=True, kw_only=True):
    """What a key may spend at most, and what it has spent. Orders that failed or were cancelled do not count.

    Attributes:
        per_order: The most that one order may come to.
        per_day: The most for all orders of a UTC day.
        per_month: The most for all orders of a UTC month.
        spent_today: What was ordered under the mandate in this UTC day.
        spent_this_month: What was ordered under the mandate in this UTC month.
        ends_at: When the mandate ends; the key places no order from then on.
    """

    per_order: Annotated[Price, example({"amount": "20.00"})]
    per_day: Annotated[Price, example({"amount": "60.00"})]
    per_month: Annotated[Price, example({"amount": "300.00"})]
    spent_today: Annotated[Price, example({"amount": "5.50"})]
    spent_this_month: Annotated[Price, example({"amount": "42.00"})]
    ends_at: Annotated[datetime, example("2026-12-31T00:00:00Z")]


class KeyLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What a key may do at most.

    Attributes:
        requests_per_minute: How many requests the key may send in a minute.
        open_orders: How many orders of your storefront may be open at once; null without a limit.
    """

    requests_per_minute: Annotated[int, example(600)]
    open_orders: Annotated[int | None, example(200)]


class OwnKey(msgspec.Struct, frozen=True, kw_only=True):
    """The key that a request is sent with, without its text.

    Attributes:
        id: The key's id.
        name: What the key is for; null without a name.
        storefront: Whose key it is.
        mode: Live or test.
        scopes: What the key opens, with what each scope includes.
        limits: What the key may do at most.
    """

    id: Annotated[str, example("key_5f0c1d2e3a4b5c6d")]
    name: Annotated[str | None, example("web shop")]
    storefront: Annotated[str, example("Example shop")]
    mode: Annotated[Literal["live", "test"], example("test")]
    scopes: Annotated[list[ScopeName], example(["catalog", "storefront", "goods"])]
    limits: KeyLimits
