"""What the documentation shows of alerts, their rules and channels."""

from __future__ import annotations

from typing import Any

_AT = "2026-11-20T10:00:00Z"

ALERT: dict[str, Any] = {
    "id": "alt_5c1f0a9be2d44b77a010",
    "rule_id": "alr_1f0a9be2d44b77a0",
    "rule": "A cost moved by 25 %",
    "kind": "price_move",
    "level": "warn",
    "subject": "pikasim\nJP_5GB_30D",
    "title": "pikasim: Japan 5GB 30Days: cost up 40 %",
    "detail": "from 5.00 to 7.00 USD",
    "supplier": "pikasim",
    "mode": "live",
    "link": "/console/history?plan=jp-5gb-30d-3f21a0c44d10",
    "flapping": False,
    "raised_at": _AT,
    "cleared_at": None,
    "cleared_why": None,
}
NEW_RULE: dict[str, Any] = {
    "name": "Costs in Japan rose by 15 %",
    "kind": "price_move",
    "threshold": "15",
    "direction": "up",
    "about": "offer",
    "supplier": None,
    "country": "JP",
    "channels": [],
    "enabled": True,
}
RULE: dict[str, Any] = {"id": "alr_1f0a9be2d44b77a0", **NEW_RULE, "trouble": None}
NEW_CHANNEL: dict[str, Any] = {
    "name": "On call",
    "kind": "webhook",
    "recipients": [],
    "url": "https://ops.example.com/alerts",
}
CHANNEL: dict[str, Any] = {
    "id": "ach_5c1f0a9be2d44b77",
    **NEW_CHANNEL,
    "enabled": True,
    "created_at": _AT,
    "last_ok_at": _AT,
    "failing_since": None,
    "last_error": None,
    "waiting": 0,
}
CHANNEL_MADE: dict[str, Any] = {
    **CHANNEL,
    "last_ok_at": None,
    "secret": "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
}
TESTED: dict[str, Any] = {"arrived": True, "said": "HTTP 204", "ms": 212}
