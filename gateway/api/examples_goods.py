"""What the documentation shows of digital goods."""

from __future__ import annotations

from typing import Any

from gateway.api.examples import page

__all__ = ["ASIDE", "CATEGORY", "CHANGE", "GOOD", "OPS_GOOD", "WALK", "page"]

_AT = "2026-11-20T10:00:00Z"
_ID = "good_5c2a9e0b7d41f3a86c1e9b02"
GOOD: dict[str, Any] = {
    "id": _ID,
    "type": "voucher",
    "name": "$10 Apple gift card USA",
    "product_name": "Apple gift card | USA",
    "description": "Music, films, apps and more.",
    "image": None,
    "category": {"id": "18", "name": "Gift cards"},
    "countries": ["US"],
    "attributes": {"denomination": "10", "denomination_currency": "USD", "digital_acceptance": "online"},
    "denomination": {
        "kind": "fixed",
        "face_value": {"amount": "10.00", "currency": "USD"},
        "currency": None,
        "least": None,
        "most": None,
    },
    "fields": [
        {"name": "player", "label": "Player", "required": False, "pattern": "^[A-Za-z0-9]{3,20}$", "options": []}
    ],
    "max_per_order": 5,
    "price": {"amount": "12.10", "currency": "USD"},
    "in_stock": True,
    "stale": False,
    "locale": "en",
    "updated_at": _AT,
}
CATEGORY: dict[str, Any] = {
    "id": "18",
    "name": "Gift cards",
    "parent_id": None,
    "attributes": [{"code": "denomination", "name": "Denomination", "type": "number", "target": "sku"}],
    "goods": 24,
}
OPS_GOOD: dict[str, Any] = {
    "id": _ID,
    "supplier": "s2s",
    "sku": "019bc0dd-8434-7246-a0fa-a8a29b88eeee",
    "type": "voucher",
    "name": GOOD["name"],
    "product_name": GOOD["product_name"],
    "cost": {"amount": "11.00", "currency": "USD"},
    "custom": None,
    "price": GOOD["price"],
    "stock": 100,
    "max_per_order": 5,
    "why_not": [],
    "suspect": None,
    "changed_at": _AT,
    "observed_at": _AT,
}
WALK: dict[str, Any] = {
    "supplier": "s2s",
    "at": _AT,
    "good_at": _AT,
    "state": "ok",
    "error": None,
    "total": 412,
    "mapped": 409,
    "new": 2,
    "changed": 11,
    "gone": 0,
    "suspect": 1,
    "set_aside": {"no_price": 2, "unknown_fields": 1},
}
CHANGE: dict[str, Any] = {
    "at": _AT,
    "supplier": "s2s",
    "good_id": _ID,
    "sku": OPS_GOOD["sku"],
    "name": GOOD["name"],
    "kind": "price",
    "old": {"amount": "10.90", "currency": "USD"},
    "new": {"amount": "11.00", "currency": "USD"},
}
ASIDE: dict[str, Any] = {
    "supplier": "s2s",
    "sku": "019d732c-57c0-739a-8a38-b767229f881f",
    "name": "Travel voucher, any amount",
    "reason": "no_price",
    "detail": "in no price list",
}
