"""Examples of API keys."""

from __future__ import annotations

from typing import Any

REQUEST: dict[str, Any] = {
    "storefront": "Example shop",
    "mode": "test",
    "scopes": ["storefront", "goods"],
    "name": "web shop",
}
ENTRY: dict[str, Any] = {
    "id": "key_5f0c1d2e3a4b5c6d",
    "name": "web shop",
    "storefront": "Example shop",
    "mode": "test",
    "scopes": ["storefront", "goods"],
    "prefix": "gw_test_3kQz",
    "per_minute": None,
    "created_at": "2026-11-20T10:00:00Z",
    "last_used_at": None,
    "revoked_at": None,
}
CREATED: dict[str, Any] = {
    "id": "key_5f0c1d2e3a4b5c6d",
    "key": "gw_test_…",
    "name": "web shop",
    "storefront": "Example shop",
    "mode": "test",
    "scopes": ["storefront", "goods"],
}
