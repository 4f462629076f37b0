"""Examples of what is told of our accounts at suppliers."""

from __future__ import annotations

from typing import Any

KEY: dict[str, Any] = {
    "id": "2",
    "name": "esim-gateway beppay sky_7f3a9c20e1b84d65",
    "prefix": "pk_live_7c1",
    "active": True,
    "last_used_at": "2026-11-20T09:59:58Z",
    "created_at": "2026-11-01T08:00:00Z",
}
REPORT: dict[str, Any] = {
    "name": "s2s",
    "provider": "s2s",
    "mode": "live",
    "at": "2026-11-20T10:00:00Z",
    "answers": False,
    "capabilities": ["account", "balance", "catalog", "esim_status", "orders", "topup", "webhooks"],
    "cannot": {"cancel": "S2S has no cancel call"},
    "account": {"name": "Partner Name", "active": True, "status": None, "currency": "USD", "orders": None},
    "balance": {"amount": "-58.18", "currency": "USD"},
    "spendable": {"amount": "41.82", "currency": "USD"},
    "clock_ahead": 0.2,
    "key": None,
    "keys": None,
    "first_page": 200,
    "findings": [
        {
            "about": "clock",
            "level": "ok",
            "detail": "agrees with the supplier's",
            "what_to_do": "",
            "settings": [],
            "ms": None,
        },
        {
            "about": "signature",
            "level": "bad",
            "detail": "Invalid signature. (HTTP 401)",
            "what_to_do": "suppliers.s2s.partner_secret is not the one that S2S has for us: copy it from there;"
            " it is no other key or token",
            "settings": ["suppliers.s2s.partner_secret"],
            "ms": 41,
        },
    ],
}
