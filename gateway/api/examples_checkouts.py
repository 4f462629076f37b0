"""What the documentation shows of checkouts."""

from __future__ import annotations

from typing import Any

from gateway.api.examples import PLAN, page

_AT = "2026-11-20T10:00:00Z"
CHECKOUT_FOR_PLAN: dict[str, Any] = {
    "plan_id": PLAN["id"],
    "customer": {"email": "traveller@example.com"},
    "language": "en",
    "return_url": "https://shop.example.com/thanks",
    "reference": "YOUR-1",
}
CHECKOUT: dict[str, Any] = {
    "id": "co_7f3a9c20e1b84d65",
    "status": "open",
    "plan": PLAN,
    "price": PLAN["price"],
    "payment_url": "https://api.bepaid.by/products/prd_ed27b047d3ccd1a6/pay",
    "expires_at": "2026-11-20T11:00:00Z",
    "order_id": None,
    "reference": "YOUR-1",
    "language": "en",
    "return_url": "https://shop.example.com/thanks",
    "review": None,
    "failure": None,
    "metadata": {},
    "created_at": _AT,
    "updated_at": _AT,
    "paid_at": None,
}
PAYMENT: dict[str, Any] = {
    "id": "pay_5c1d2e3f4a5b6c7d",
    "supplier_payment_id": "4107-310b0da80b",
    "kind": "payment",
    "state": "captured",
    "amount": {"amount": "4.50", "currency": "USD"},
    "test": False,
    "accepted": False,
    "paid_at": "2026-11-20T10:05:00Z",
    "received_at": "2026-11-20T10:05:02Z",
}
CASE: dict[str, Any] = {
    "id": "pc_1a2b3c4d5e6f7a8b",
    "reason": "paid_too_little",
    "means": "less was paid than the price",
    "detail": "4.50 USD where the price is 5.50 USD",
    "mode": "live",
    "checkout_id": CHECKOUT["id"],
    "payment": PAYMENT,
    "opened_at": "2026-11-20T10:05:02Z",
    "closed_at": None,
    "outcome": None,
    "note": None,
}
OPS_CHECKOUT: dict[str, Any] = {
    **CHECKOUT,
    "status": "needs_review",
    "payment_url": None,
    "review": {"reason": "paid_too_little", "since": "2026-11-20T10:05:02Z"},
    "storefront": "shop",
    "mode": "live",
    "account": "bepaid",
    "link_id": "prd_ed27b047d3ccd1a6",
    "order_status": None,
    "fee": None,
    "margin": None,
    "payments": [PAYMENT],
    "cases": [CASE],
    "next_look_at": "2026-11-20T10:15:00Z",
}
RESOLVE: dict[str, Any] = {"as": "refunded", "note": "given back in the shop's account at bePaid"}
RESOLVED: dict[str, Any] = {
    "data": [{**CASE, "closed_at": "2026-11-20T10:30:00Z", "outcome": "refunded", "note": RESOLVE["note"]}]
}
PAGE: dict[str, Any] = page(CHECKOUT)
OPS_PAGE: dict[str, Any] = page(OPS_CHECKOUT)
CASES: dict[str, Any] = page(CASE)
