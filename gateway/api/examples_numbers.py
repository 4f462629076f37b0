"""Examples of virtual numbers in the API's description."""

from __future__ import annotations

from typing import Any

_AT = "2026-11-20T10:00:00Z"
TIER: dict[str, Any] = {"id": "7d", "name": "7 Days", "days": 7}
COUNTRY: dict[str, Any] = {
    "code": "US",
    "name": "United States",
    "from_price": {"amount": "11.00", "currency": "USD"},
    "in_stock": True,
}
TIER_SHOWN: dict[str, Any] = {
    **TIER,
    "price": {"amount": "11.00", "currency": "USD"},
    "countries": ["GB", "US"],
    "in_stock": True,
}
NUMBER: dict[str, Any] = {
    "id": "num_5c1f0a9be2d44b7788aa0c13",
    "order_id": "ord_7f3a9c20e1b84d65",
    "phone_number": "+12025550123",
    "country": "US",
    "country_name": "United States",
    "tier": TIER,
    "state": "active",
    "expires_at": "2026-11-27T10:00:00Z",
    "autorenew": False,
    "observed_at": _AT,
    "created_at": _AT,
}
OPS_TIER: dict[str, Any] = {
    "supplier": "beppay",
    "mode": "live",
    "tier_id": "7d",
    "name": "7 Days",
    "days": 7,
    "cost": {"amount": "10.00", "currency": "USD"},
    "price": {"amount": "11.00", "currency": "USD"},
    "countries": 2,
    "stopped": [],
    "why_not": [],
    "suspect": None,
    "last_good_at": _AT,
    "error": None,
}
RELEASE: dict[str, Any] = {"supplier": "beppay", "tier_id": "7d", "cost": "10.00"}


def page(*rows: dict[str, Any]) -> dict[str, Any]:
    """A page that ends."""
    return {"data": list(rows), "has_more": False, "next_cursor": None}
