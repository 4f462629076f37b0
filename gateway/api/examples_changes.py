"""Examples of what operators see of the suppliers' past."""

from __future__ import annotations

from typing import Any

from gateway.api.examples import PLAN, SYNC_RUN, page

__all__ = ["CHANGE", "DIFFERENCE", "HISTORY", "REFUSED", "SUMMARY", "SYNC_RUN_DETAIL", "page"]

_AT = "2026-11-20T10:00:00Z"
_BEFORE = "2026-11-13T10:00:00Z"
_OFFER: dict[str, Any] = {
    "offer_id": "off_77aa01c3d5e7f90112233445",
    "supplier": "pikasim",
    "supplier_plan_id": "JP_7D_1GB",
}
_OLD, _NEW = {"amount": "5.20", "currency": "USD"}, {"amount": "5.00", "currency": "USD"}
CHANGE: dict[str, Any] = {
    **_OFFER,
    "at": _AT,
    "kind": "down",
    "plan_id": PLAN["id"],
    "name": "Japan 7 Days 1GB",
    "old": _OLD,
    "new": _NEW,
    "amount": {"amount": "-0.20", "currency": "USD"},
    "percent": -3.85,
    "stock": None,
    "back": False,
    "sync_run_id": "run_01",
}
_COUNTS = {"up": 19, "down": 9, "new": 4, "gone": 2}
SUMMARY: dict[str, Any] = {
    "since": _BEFORE,
    "until": _AT,
    "suppliers": [
        {
            "supplier": "pikasim",
            "mode": "live",
            **_COUNTS,
            "in_stock": 1,
            "out_of_stock": 3,
            "good": 671,
            "failed": 1,
            "quarantined": 0,
            "last_good_at": _AT,
            "last_sync_state": "ok",
        }
    ],
    "countries": [{"country": "JP", **_COUNTS, "price": 0, "stock": 4}],
    "largest": [CHANGE],
    "looked_at": 38,
    "complete": True,
}
HISTORY: dict[str, Any] = {
    "plan_id": PLAN["id"],
    "currency": "USD",
    "since": _BEFORE,
    "until": _AT,
    "offers": [
        {
            **_OFFER,
            "name": "Japan 7 Days 1GB",
            "cost": _NEW,
            "cost_base": _NEW,
            "first_seen_at": "2026-01-05T08:00:00Z",
            "gone_at": None,
            "steps": [
                {"at": _BEFORE, "cost": _OLD, "cost_base": _OLD},
                {"at": _AT, "cost": _NEW, "cost_base": _NEW},
            ],
        }
    ],
    "gaps": [{"supplier": "pikasim", "gaps": [{"since": "2026-11-15T03:00:00Z", "until": "2026-11-15T05:15:00Z"}]}],
    "changes": [CHANGE],
    "complete": True,
}
QUARANTINE: dict[str, Any] = {
    "run_id": "run_01",
    "supplier": "pikasim",
    "at": _AT,
    "reason": "812 of 2310 prices moved by more than 30 %, more than 30 % of them",
    "before": 2310,
    "new": 0,
    "changed": 820,
    "gone": 3,
    "up": 6,
    "down": 814,
    "moved_far": 812,
    "state": "waiting",
    "decided_at": None,
    "decided_by": None,
    "why": "",
    "accepted_run": None,
}
REFUSED: dict[str, Any] = {
    **QUARANTINE,
    "state": "refused",
    "decided_at": "2026-11-20T10:12:00Z",
    "decided_by": "key key_0d41aa of My shop",
    "why": "they confirm a fault of theirs",
}
DIFFERENCE: dict[str, Any] = {
    "quarantine": QUARANTINE,
    "data": [
        {
            "kind": "moved",
            "n": 1,
            "supplier_plan_id": "JP_7D_1GB",
            "plan_id": PLAN["id"],
            "offer_id": _OFFER["offer_id"],
            "name": "Japan 7 Days 1GB",
            "old": _NEW,
            "new": {"amount": "0.50", "currency": "USD"},
            "percent": -90.0,
        }
    ],
    "has_more": False,
    "next_cursor": None,
}
SYNC_RUN_DETAIL: dict[str, Any] = {
    **SYNC_RUN,
    "waiting": False,
    "asked": ["pikasim"],
    "accepts": [],
    "progress": [],
    "quarantines": [],
}
