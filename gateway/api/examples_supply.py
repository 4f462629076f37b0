"""What the documentation shows of suppliers in figures, words that were told, the queue and the settings."""

from __future__ import annotations

from typing import Any

from gateway.api.examples import PLAN, SUPPLIER, UNMAPPED, page

__all__ = [
    "BALANCE",
    "EFFECT",
    "FIGURES",
    "GROUP",
    "JOBS",
    "MAPPING",
    "NEW_MAPPING",
    "SETTING",
    "STOP",
    "page",
]

_AT = "2026-11-20T10:00:00Z"

BALANCE: dict[str, Any] = {
    "supplier": "pikasim",
    "balance": {"amount": "412.50", "currency": "USD"},
    "spendable": {"amount": "912.50", "currency": "USD"},
    "room": {"amount": "907.32", "currency": "USD"},
    "reserved": None,
    "credit": {"amount": "500.00", "currency": "USD"},
    "wallets": [],
    "at": _AT,
    "asked_at": _AT,
    "error": None,
    "spent_per_day": {"amount": "61.20", "currency": "USD"},
    "days_left": 14.9,
    "why_none": None,
}
STOP: dict[str, Any] = {"reason": "person", "note": "wrong prices, asked them", "everything": False, "created_at": _AT}
FIGURES: dict[str, Any] = {
    "supplier": {**SUPPLIER, "balance": BALANCE["balance"]},
    "freshness": "fresh",
    "orders": {
        "hours": 24, "attempts": 212, "succeeded": 208, "failed": 3, "open": 1, "success_rate": 0.9858,
        "p50_ms": 420, "p95_ms": 1870,
    },
    "syncs": {"syncs": 50, "ok": 50, "success_rate": 1.0, "p50_ms": 4210, "p95_ms": 6120},
    "open_attempts": 1,
    "selectable": 2291,
    "why_not": {"out_of_stock": 16, "suspect_price": 3},
    "stops": [],
    "balance": BALANCE,
}  # fmt: skip
GROUP: dict[str, Any] = {
    "supplier": "pikasim",
    "provider": "pikasim",
    "reason": "no_such_country",
    "about": "place",
    "word": "Bali",
    "offers": 12,
    "priced": 12,
    "cost_total": {"amount": "74.40", "currency": "USD"},
    "cost_median": {"amount": "5.90", "currency": "USD"},
    "examples": [UNMAPPED["name"]],
    "detail": "no such country: Bali",
    "first_seen_at": _AT,
    "can_be_told": True,
}
NEW_MAPPING: dict[str, Any] = {
    "provider": "pikasim",
    "about": "place",
    "word": "Asia Pacific 3",
    "means": "AU HK JP",
    "note": "their support named the countries",
}
MAPPING: dict[str, Any] = {
    "id": "map_5c1f0a9be2d44b77",
    **NEW_MAPPING,
    "created_by": "key key_01 of My shop",
    "created_at": _AT,
    "applied": False,
}
EFFECT: dict[str, Any] = {
    **{name: NEW_MAPPING[name] for name in ("provider", "about", "word", "means")},
    "tried": 14,
    "cut": False,
    "would_map": 12,
    "plans": 9,
    "by_supplier": {"pikasim": 12},
    "still_set_aside": {"no_validity": 2},
    "not_known": 0,
    "examples": [
        {
            "supplier": "pikasim",
            "supplier_plan_id": "AP3_5GB",
            "name": "Asia Pacific 3 5GB",
            "plan_id": PLAN["id"],
            "plan_name": PLAN["name"],
            "countries": ["AU", "HK", "JP"],
            "cost": {"amount": "5.90", "currency": "USD"},
        }
    ],
}
JOBS: dict[str, Any] = {
    **page(
        {
            "id": 8812,
            "kind": "sync",
            "state": "queued",
            "about": "ord_7f3a9c20e1b84d65",
            "created_at": _AT,
            "due_at": "2026-11-20T10:00:02Z",
            "attempts": 0,
            "heartbeat_at": None,
        }
    ),
    "kinds": [
        {
            "kind": "sync",
            "waiting": 1,
            "late": 0,
            "running": 0,
            "failed": 0,
            "done": 424,
            "oldest_at": None,
        }
    ],
    "schedules": [
        {
            "name": "sync_if_due",
            "expression": "* * * * * */5",
            "last_run_at": _AT,
            "next_run_at": "2026-11-20T10:00:05Z",
            "overdue": False,
        }
    ],
    "failures": [{"job_id": 8701, "kind": "sync", "at": _AT, "error": "TimeoutError"}],
}
SETTING: dict[str, Any] = {
    "name": "sync.interval_seconds",
    "value": "900",
    "secret": False,
    "is_set": True,
    "source": "default",
    "meaning": "How often suppliers are synced. Offers are stale after two intervals.",
}
