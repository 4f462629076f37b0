"""A balance held against all charges of the time together, with plain values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from gateway.ledger.balance_sum_rules import Charged, Reading, Unexplained, unexplained_fall

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def readings(*balances: str) -> list[Reading]:
    return [Reading(NOON + timedelta(minutes=10 * n), Decimal(balance)) for n, balance in enumerate(balances)]


def charges(*amounts: str, minutes: int = 5) -> list[Charged]:
    return [Charged(NOON + timedelta(minutes=minutes), Decimal(amount)) for amount in amounts]


@pytest.mark.parametrize(
    ("balances", "amounts"),
    [
        ([], []),
        (["100"], []),
        (["100", "100"], []),
        (["100", "90", "80"], ["10", "10"]),
        (["100", "90"], ["10", "5"]),
        (["100", "89.99"], ["10"]),
        (["100", "595", "590"], ["5", "5"]),
        (["100", "95.01", "600"], ["5"]),
    ],
    ids=["none", "one", "still", "sum", "booked later", "rounding", "deposit", "deposit after"],
)
def test_a_fall_that_the_charges_explain_together_is_none(balances: list[str], amounts: list[str]) -> None:
    assert unexplained_fall(readings(*balances), charges(*amounts)) is None


@pytest.mark.parametrize(
    ("balances", "amounts", "fell"),
    [(["100", "80"], ["10"], "20"), (["100", "90", "85"], ["10"], "15"), (["100", "80", "300", "290"], ["10"], "30")],
)
def test_what_fell_beyond_all_charges_is_named(balances: list[str], amounts: list[str], fell: str) -> None:
    told = readings(*balances)
    found = unexplained_fall(told[::-1], charges(*amounts))
    assert found == Unexplained(told[-1].at, Decimal(fell), Decimal(10))


def test_charges_count_as_far_as_clocks_may_be_apart() -> None:
    told = readings("100", "90")
    assert unexplained_fall(told, charges("10", minutes=65)) is None
    assert unexplained_fall(told, charges("10", minutes=-59)) is None
    assert unexplained_fall(told, charges("10", minutes=120)) is not None
