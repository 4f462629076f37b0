"""API keys as operators see, make and revoke them. The text of a key is shown once, when it is made."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from schemas.examples import example

_LINE = r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$"  # one line, not blank

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
    """A key to be made. ``per_minute`` is its own rate limit; without one the gateway's setting holds."""

    storefront: Annotated[StorefrontName, example("Example shop")]
    mode: Annotated[Literal["live", "test"], example("test")]
    scopes: Annotated[ScopeNames, example(["storefront", "goods"])]
    name: Annotated[KeyName | UnsetType, example("web shop")] = UNSET
    per_minute: Annotated[int, Meta(ge=1, le=1_000_000)] | UnsetType = UNSET


class KeyEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A key without its text; ``prefix`` is how the text begins. ``per_minute`` null: as the gateway's setting says."""

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
    """A key that was just made. ``key`` is its text: keep it now, nothing shows it again."""

    id: Annotated[str, example("key_5f0c1d2e3a4b5c6d")]
    key: Annotated[str, example("gw_test_…")]
    name: Annotated[str | None, example("web shop")]
    storefront: Annotated[str, example("Example shop")]
    mode: Annotated[Literal["live", "test"], example("test")]
    scopes: Annotated[list[ScopeName], example(["storefront", "goods"])]
