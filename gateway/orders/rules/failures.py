"""An error's code as what the storefront is told, and what is learnt from it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from schemas.orders import FailureCode

MOST_TRIES = 10
MOST_OF_OURS = 3
# The send was called off on our side: the same offer may be tried again.
OURS = frozenset({"deadline_passed", "gate_unavailable", "circuit_open"})

# What an error of an attempt is to its storefront; any other one is "supplier_refused".
_CODES: Mapping[str, FailureCode] = {
    "out_of_stock": "no_stock",
    "insufficient_balance": "supplier_unavailable",
    "not_authorised": "supplier_unavailable",
    "not_reached": "supplier_unavailable",
    "circuit_open": "supplier_unavailable",
    "rate_limited": "supplier_unavailable",
    "deadline_passed": "supplier_unavailable",
    "gate_unavailable": "supplier_unavailable",
    "not_supported": "not_supported",
}
DETAILS: Mapping[FailureCode, str] = {
    "no_stock": "it is sold out",
    "price_changed": "it costs more than the price that was held",
    "supplier_unavailable": "it cannot be bought at present",
    "supplier_refused": "the purchase was refused",
    "not_supported": "that is not offered",
    "spend_limit": "the daily spend limit is reached",
    "cancelled": "the order was cancelled",
}


class Lesson(StrEnum):
    """What a definite refusal teaches about the offer or the supplier."""

    NOTHING = "nothing"
    OUT_OF_STOCK = "out_of_stock"
    NO_BALANCE = "no_balance"
    ASK_AGAIN = "ask_again"


def failure_of(error_code: str | None) -> tuple[FailureCode, str]:
    """The storefront's failure code for an attempt's error, and words that name no supplier."""
    code = _CODES.get(error_code or "", "supplier_refused")
    return code, DETAILS[code]


def detail_of(code: FailureCode) -> str:
    """What a failure code says to people."""
    return DETAILS[code]


def lesson(error_code: str | None) -> Lesson:
    """Out of stock (or gone) marks the offer, no balance cools the supplier down, 401 and 403 have a read tried."""
    match error_code:
        case "out_of_stock" | "not_found":
            return Lesson.OUT_OF_STOCK
        case "insufficient_balance":
            return Lesson.NO_BALANCE
        case "not_authorised":
            return Lesson.ASK_AGAIN
    return Lesson.NOTHING
