"""Examples of our money at the suppliers."""

from __future__ import annotations

from typing import Any

from gateway.api.examples_supply import BALANCE, page

__all__ = ["DEPOSIT", "LEDGER", "MONEY", "NEW_DEPOSIT", "TRANSACTION", "page"]

_AT, _FROM = "2026-11-20T10:00:00Z", "2026-10-21T10:00:00Z"
_BOOKS: dict[str, Any] = {"whole_from": _FROM, "whole_to": _AT, "asked_at": _AT, "error": None}
_ORDER = "65a4f8c9d2b34e7f8a901234"
MONEY: dict[str, Any] = {
    "balance": BALANCE,
    "deposit_ways": [
        {
            "name": "stripe",
            "title": "Card, by Stripe",
            "online": True,
            "what_to_do": "Pay at the page that the supplier gives; the balance rises once it has the money.",
            "currency": "USD",
        }
    ],
    "books_of": "transactions",
    "books": _BOOKS,
}
TRANSACTION: dict[str, Any] = {
    "id": 4711,
    "supplier": "pikasim",
    "kind": "charge",
    "amount": {"amount": "-5.18", "currency": "USD"},
    "at": _AT,
    "supplier_order_id": _ORDER,
    "transaction_id": "txn_90210",
    "reference": None,
    "seen_at": _AT,
}
LEDGER: dict[str, Any] = {
    "data": [
        {
            "at": _AT,
            "kind": "charge",
            "verdict": "amount_differs",
            "why": "amount_differs",
            "movement": f"charge:{_ORDER}",
            "theirs": {"amount": "5.18", "currency": "USD"},
            "ours": {"amount": "5.00", "currency": "USD"},
            "supplier_order_id": _ORDER,
            "attempt": "att_1f0c2d3e4b5a69788796a5b4",
            "order_id": "ord_0a1b2c3d4e5f60718293a4b5",
        }
    ],
    "has_more": False,
    "next_cursor": None,
    "supplier": "pikasim",
    "first": "2026-11-14",
    "last": "2026-11-20",
    "totals": [
        {
            "kind": "charge",
            "currency": "USD",
            "lines": 1,
            "theirs": {"amount": "5.18", "currency": "USD"},
            "ours": {"amount": "5.00", "currency": "USD"},
            "differences": 1,
        }
    ],
    "books": _BOOKS,
}
NEW_DEPOSIT: dict[str, Any] = {
    "supplier": "pikasim",
    "way": "stripe",
    "amount": {"amount": "100.00", "currency": "USD"},
}
DEPOSIT: dict[str, Any] = {
    "id": "dep_5b6a798897a6b5c4d3e2f1a0",
    "supplier": "pikasim",
    "way": "stripe",
    "amount": {"amount": "100.00", "currency": "USD"},
    "state": "begun",
    "url": "https://checkout.stripe.com/c/pay/cs_live_a1b2",
    "error": None,
    "begun_by": "ana",
    "begun_at": _AT,
    "arrived_at": None,
}
