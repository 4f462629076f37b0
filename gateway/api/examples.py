"""What the documentation shows for each answer. All of it is checked against the types by a test."""

from __future__ import annotations

from typing import Any

_AT = "2026-11-20T10:00:00Z"

PLAN: dict[str, Any] = {
    "id": "jp-1gb-7d-5c2a9e0b71d4",
    "name": "Japan 1 GB, 7 days",
    "scope": "country",
    "countries": ["JP"],
    "data": {
        "mb": 1024,
        "total_mb": 1024,
        "declared": "1 GB",
        "unlimited": False,
        "reset": "never",
        "fair_use": None,
    },
    "validity": {"days": 7, "starts": "install"},
    "networks": [{"country": "JP", "operator": "Docomo", "generation": "4G"}],
    "features": {"topup": True, "voice": False, "sms": False, "exit_country": "US"},
    "price": {"amount": "5.50", "currency": "USD"},
    "price_per_gb": {"amount": "5.50", "currency": "USD"},
    "price_per_day": {"amount": "0.79", "currency": "USD"},
    "in_stock": True,
    "offer_count": 2,
    "stale": False,
    "updated_at": _AT,
}
PLAN_LIST: dict[str, Any] = {
    "data": [PLAN],
    "has_more": False,
    "next_cursor": None,
    "catalog": {"version": "5f3a1c", "synced_at": _AT, "stale": False},
}
OFFER: dict[str, Any] = {
    "id": "off_9d1f2c",
    "plan_id": PLAN["id"],
    "supplier": "pikasim",
    "supplier_plan_id": "JP_7D_1GB",
    "name": "Japan 7 Days 1GB",
    "cost": {"amount": "5.00", "currency": "USD"},
    "cost_base": {"amount": "5.00", "currency": "USD"},
    "price": {"amount": "5.50", "currency": "USD"},
    "price_rule": "rule 3: Japan +10 %",
    "stock": None,
    "in_stock": True,
    "stale": False,
    "observed_at": _AT,
    "selectable": True,
    "why_not": None,
}
OFFER_LIST: dict[str, Any] = {"data": [OFFER]}
COUNTRY_LIST: dict[str, Any] = {
    "data": [{"code": "JP", "name": "Japan", "plan_count": 41, "from_price": {"amount": "1.10", "currency": "USD"}}]
}
REGION_LIST: dict[str, Any] = {
    "data": [
        {
            "code": "scandinavia",
            "name": "Scandinavia",
            "countries": ["DK", "NO", "SE"],
            "plan_count": 12,
            "from_price": {"amount": "2.20", "currency": "USD"},
        }
    ]
}
NEED: dict[str, Any] = {"countries": ["JP", "KR"], "data_mb": 3072, "days": 10, "features": {"topup": True}}
QUOTE: dict[str, Any] = {
    "id": "qt_Zm9vYmFy",
    "plan": PLAN,
    "price": {"amount": "5.50", "currency": "USD"},
    "expires_at": "2026-11-20T10:15:00Z",
    "why": {
        "plans_considered": 41,
        "plans_in_stock": 37,
        "rule": "cheapest_in_stock",
        "next_best": {"plan_id": "jp-2gb-7d-0b71d45c2a9e", "price": {"amount": "6.40", "currency": "USD"}},
    },
}
SUPPLIER: dict[str, Any] = {
    "name": "pikasim",
    "provider": "pikasim",
    "mode": "live",
    "state": "ok",
    "configured": True,
    "capabilities": ["catalog", "orders"],
    "last_sync": {"state": "ok", "at": _AT, "good_at": _AT},
    "offers": 2310,
    "set_aside": 12,
    "balance": None,
    "breaker": {"state": "closed", "failures": 0, "retry_at": None, "last_error": None},
    "rate_limit": {
        "per_minute": 60,
        "reported_limit": 60,
        "remaining": 57,
        "resets_at": _AT,
        "blocked_until": None,
    },
    "problems": [],
}
PAUSED_SUPPLIER: dict[str, Any] = {
    **SUPPLIER,
    "state": "paused",
    "problems": [{"cause": "pause", "reason": "an operator paused it", "until": None}],
}
AUDIT_ENTRY: dict[str, Any] = {
    "id": "aud_4711",
    "at": "2026-11-20T10:00:00Z",
    "user_id": "usr_5c1f0a9be2d44b77",
    "actor": "ana",
    "action": "user.logged_in",
    "object": "user:ana",
    "detail": {"address": "192.0.2.10"},
}

SYNC_RUN: dict[str, Any] = {
    "id": "run_01",
    "started_at": _AT,
    "ended_at": "2026-11-20T10:00:21Z",
    "state": "ok",
    "suppliers": [
        {
            "supplier": "pikasim",
            "state": "ok",
            "total": 2322,
            "mapped": 2310,
            "set_aside": {"coverage_unknown": 12},
            "other_products": 0,
            "new": 4,
            "changed": 31,
            "gone": 2,
            "up": 19,
            "down": 9,
            "in_stock": 1,
            "out_of_stock": 3,
            "suspect": 0,
            "warnings": [],
            "error": None,
            "ms": 4210,
        }
    ],
}
SYNC_STARTED: dict[str, Any] = {"status": "queued", "suppliers": ["pikasim"], "accept": []}
UNMAPPED: dict[str, Any] = {
    "supplier": "pikasim",
    "supplier_plan_id": "BALI_5GB",
    "name": "Bali 5GB",
    "reason": "no_such_country",
    "detail": "Bali",
    "raw": '{"packageCode": "BALI_5GB"}',
    "first_seen_at": _AT,
}
PRICE_CHANGE: dict[str, Any] = {
    "supplier": "pikasim",
    "supplier_plan_id": "JP_7D_1GB",
    "plan_id": PLAN["id"],
    "old": {"amount": "5.20", "currency": "USD"},
    "new": {"amount": "5.00", "currency": "USD"},
    "at": _AT,
    "sync_run_id": "run_01",
}
PRICED_OFFER: dict[str, Any] = {
    "offer_id": OFFER["id"],
    "supplier": "pikasim",
    "plan_id": PLAN["id"],
    "name": OFFER["name"],
    "declared": "1 GB",
    "total_mb": 1024,
    "days": 7,
    "scope": "country",
    "cost": OFFER["cost"],
    "cost_base": OFFER["cost_base"],
    "per_gb": {"amount": "5.00", "currency": "USD"},
    "per_day": {"amount": "0.71", "currency": "USD"},
    "price": OFFER["price"],
    "stock": None,
    "stale": False,
    "selectable": True,
    "why_not": None,
}
PRICE_MATRIX: dict[str, Any] = {
    "data": [
        {
            "country": "JP",
            "name": "Japan",
            "cells": [PRICED_OFFER],
            "cheapest": {
                "supplier": "pikasim",
                "offer_id": OFFER["id"],
                "by": {"amount": "0.40", "currency": "USD"},
                "percent": 7.4,
            },
        }
    ],
    "has_more": False,
    "next_cursor": None,
    "per": "plan",
    "suppliers": [{"name": "pikasim", "stale": False, "observed_at": _AT}],
    "catalog": PLAN_LIST["catalog"],
}
COMPARISON: dict[str, Any] = {
    "data": [
        {
            **PRICED_OFFER,
            "supplier_plan_id": OFFER["supplier_plan_id"],
            "plan_name": PLAN["name"],
            **{name: PLAN[name] for name in ("countries", "data", "validity", "networks", "features")},
            "priced_by": "the settings: +10 %",
            "observed_at": _AT,
        }
    ],
    "missing": ["off_5c2a9e"],
}
ORDER_FOR_PLAN: dict[str, Any] = {
    "plan_id": PLAN["id"],
    "reference": "YOUR-1",
    "max_price": {"amount": "6.00", "currency": "USD"},
    "metadata": {"cart": "8812"},
}
ORDER: dict[str, Any] = {
    "id": "ord_7f3a9c20e1b84d65",
    "kind": "esim",
    "status": "fulfilled",
    "reference": "YOUR-1",
    "plan": PLAN,
    "price": PLAN["price"],
    "number": None,
    "voucher": None,
    "esim": {
        "id": "esim_5c1f0a9be2d44b7788aa0c13",
        "iccid": "8944500102198765432",
        "activation_code": "LPA:1$smdp.example.com$ABC-123",
        "smdp_address": "smdp.example.com",
        "matching_id": "ABC-123",
        "confirmation_code_required": False,
        "qr_svg_url": "/v1/esims/esim_5c1f0a9be2d44b7788aa0c13/qr.svg",
        "qr_png_url": "/v1/esims/esim_5c1f0a9be2d44b7788aa0c13/qr.png",
        "install": {
            "ios": "https://esimsetup.apple.com/esim_qrcode_provisioning?carddata=LPA%3A1%24smdp.example.com%24ABC-123",
            "android": "https://esimsetup.android.com/esim_qrcode_provisioning"
            "?carddata=LPA%3A1%24smdp.example.com%24ABC-123",
        },
        "page_url": None,
    },
    "failure": None,
    "refund": None,
    "metadata": {"cart": "8812"},
    "created_at": _AT,
    "updated_at": "2026-11-20T10:00:02Z",
    "fulfilled_at": "2026-11-20T10:00:02Z",
}
ORDER_EVENT: dict[str, Any] = {"at": _AT, "type": "fulfilled", "detail": "the eSIM was delivered"}
ATTEMPT: dict[str, Any] = {
    "n": 1,
    "kind": "purchase",
    "supplier": "pikasim",
    "supplier_plan_id": "JP_7D_1GB",
    "state": "succeeded",
    "reference": "att_0b6f2d1c9e8a4735",
    "supplier_order_id": "a81bc81b",
    "cost": {"amount": "5.00", "currency": "USD"},
    "listed": {"amount": "5.00", "currency": "USD"},
    "error": None,
    "why": "the cheapest in stock",
    "started_at": _AT,
    "ended_at": "2026-11-20T10:00:02Z",
}
OPS_ORDER: dict[str, Any] = {
    **ORDER,
    "esim": {
        **ORDER["esim"],
        **dict.fromkeys(
            ("activation_code", "smdp_address", "matching_id", "qr_svg_url", "qr_png_url", "install", "page_url")
        ),
    },
    "cost_quoted": {"amount": "5.00", "currency": "USD"},
    "cost_charged": {"amount": "5.00", "currency": "USD"},
    "supplier": "pikasim",
    "attempts": [ATTEMPT],
    "storefront": "My shop",
    "mode": "live",
    "next_look_at": None,
}
RESOLVE: dict[str, Any] = {
    "as": "fulfilled",
    "activation_code": "LPA:1$smdp.example.com$ABC-123",
    "iccid": "8944500102198765432",
    "note": "the supplier's support sent the code",
}
OPS_CANCEL: dict[str, Any] = {"force": True, "note": "the customer gets both back"}
SELLING_STOP: dict[str, Any] = {
    "supplier": "pikasim",
    "reason": "person",
    "note": "their portal shows wrong prices",
    "since": _AT,
}
LEDGER_ENTRY: dict[str, Any] = {
    "at": _AT,
    "supplier": "pikasim",
    "attempt": ATTEMPT["reference"],
    "order_id": ORDER["id"],
    "kind": "charge",
    "amount": {"amount": "5.00", "currency": "USD"},
}
ESIM: dict[str, Any] = {
    "id": "esim_5c1f0a9be2d44b7788aa0c13",
    "iccid": "8944500102198765432",
    "order_id": "ord_7f3a9c20e1b84d65",
    "plan_id": PLAN["id"],
    "profile_state": "enabled",
    "service_state": "active",
    "data": {"total_mb": 10240, "used_mb": 1536, "remaining_mb": 8704},
    "expires_at": "2026-12-20T10:00:00Z",
    "can_topup": True,
    "packages": [
        {
            "name": "Japan 10 GB",
            "total_mb": 10240,
            "remaining_mb": 8704,
            "expires_at": "2026-12-20T10:00:00Z",
            "state": "active",
        }
    ],
    "coverage": [{"country": "JP", "operator": "Docomo"}],
    "observed_at": _AT,
    "created_at": _AT,
}
ESIM_USAGE: dict[str, Any] = {"data": ESIM["data"], "observed_at": _AT}
TOPUP_PLAN_LIST: dict[str, Any] = {
    "data": [
        {
            "id": "tp_3b9d20",
            "plan_id": PLAN["id"],
            "name": PLAN["name"],
            "data": PLAN["data"],
            "validity": PLAN["validity"],
            "price": PLAN["price"],
        }
    ]
}
NEW_ENDPOINT: dict[str, Any] = {"url": "https://shop.example.com/esim-events", "events": ["order.fulfilled"]}
ENDPOINT: dict[str, Any] = {
    "id": "we_5b1e0c9a7d3f",
    **NEW_ENDPOINT,
    "description": "",
    "status": "enabled",
    "old_secret_until": None,
    "created_at": _AT,
}
ENDPOINT_WITH_SECRET: dict[str, Any] = {**ENDPOINT, "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
DELIVERY: dict[str, Any] = {
    "id": "whd_0c41d7",
    "event_id": "evt_77aa01",
    "event_type": "order.fulfilled",
    "status": "pending",
    "attempts": [{"at": _AT, "http_status": 500, "error": None, "ms": 41}],
    "next_attempt_at": "2026-11-20T10:00:05Z",
    "created_at": _AT,
}


def page(item: dict[str, Any]) -> dict[str, Any]:
    """A page with one item in it."""
    return {"data": [item], "has_more": False, "next_cursor": None}
