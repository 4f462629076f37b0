"""Examples of pricing rules for the description of the API."""

from __future__ import annotations

from typing import Any

NEW_RULE: dict[str, Any] = {"name": "Europe", "region": "europe", "percent": "18", "rounding": ".99", "floor": "4.00"}
RULE: dict[str, Any] = {
    "id": "pr_9f2c41d07be5a613",
    "position": 3,
    "name": "Europe",
    "enabled": True,
    "state": "in_force",
    "words": "rule 3: Europe +18 %, rounded to .99, at least 4.00 USD",
    "storefront": None,
    "supplier": None,
    "countries": [],
    "region": "europe",
    "scope": None,
    "min_data_mb": None,
    "max_data_mb": None,
    "unlimited": None,
    "plan_ids": [],
    "valid_from": None,
    "valid_until": None,
    "percent": "18",
    "fixed": "0",
    "minimum_margin": None,
    "floor": "4",
    "ceiling": None,
    "rounding": ".99",
    "currency": "USD",
    "created_at": "2026-11-20T10:00:00Z",
    "updated_at": "2026-11-20T10:00:00Z",
}
DEFAULT: dict[str, Any] = {
    "words": "default: +10 %",
    "percent": "10",
    "fixed": "0",
    "minimum_margin": "0",
    "rounding": "currency",
    "currency": "USD",
}
RULE_PAGE: dict[str, Any] = {"data": [RULE], "has_more": False, "next_cursor": None, "default": DEFAULT}
PREVIEW: dict[str, Any] = {
    "at": "2026-11-20T10:00:00Z",
    "storefront": None,
    "mode": "live",
    "currency": "USD",
    "same": 30120,
    "rise": {
        "count": 8211,
        "median": {"amount": "0.49", "currency": "USD"},
        "median_percent": 7.4,
        "most": {"amount": "6.10", "currency": "USD"},
        "most_percent": 98.2,
    },
    "fall": {"count": 0, "median": None, "median_percent": None, "most": None, "most_percent": None},
    "begin": 0,
    "end": 0,
    "thin_before": 12,
    "thin_after": 0,
    "at_floor": 310,
    "at_ceiling": 0,
    "at_minimum_margin": 0,
    "priced_by": [
        {"id": RULE["id"], "words": RULE["words"], "offers": 8521},
        {"id": None, "words": DEFAULT["words"], "offers": 41007},
    ],
    "examples": [
        {
            "plan_id": "fr-1gb-7d-5c2a9e",
            "name": "France 1 GB, 7 days",
            "supplier": "pikasim",
            "cost_base": {"amount": "2.10", "currency": "USD"},
            "before": {"amount": "2.31", "currency": "USD"},
            "after": {"amount": "4.00", "currency": "USD"},
            "percent": 73.16,
            "rule_before": "default: +10 %",
            "rule_after": "rule 3: Europe +18 %, rounded to .99, at least 4.00 USD; raised to its floor",
            "why_not": None,
        }
    ],
}
MARGIN_PAGE: dict[str, Any] = {
    "data": [
        {
            "offer_id": "off_4f2a9c1e7b3d5a6f8c0e1d2b",
            "plan_id": "fr-1gb-7d-5c2a9e",
            "name": "France 1 GB, 7 days",
            "supplier": "pikasim",
            "supplier_plan_id": "FR_7D_1GB",
            "cost": {"amount": "2.10", "currency": "EUR"},
            "rate": "1.08",
            "cost_base": {"amount": "2.268", "currency": "USD"},
            "price": {"amount": "2.50", "currency": "USD"},
            "price_rule": "default: +10 %",
            "fees": {"amount": "0.37", "currency": "USD"},
            "margin": {"amount": "-0.138", "currency": "USD"},
            "margin_percent": -5.52,
            "negative": True,
            "selectable": True,
            "why_not": None,
        }
    ],
    "has_more": False,
    "next_cursor": None,
    "summary": {"offers": 1, "negative": 1, "thin": 0, "median_percent": -5.52},
    "fee_percent": "2.9",
    "fee_fixed": {"amount": "0.30", "currency": "USD"},
}
