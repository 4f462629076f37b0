"""What of a supplier's statement the ledger lacks for one attempt, with plain values."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gateway.orders.statement_booking_rules import LedgerRow, StatementLine, ToBook, to_book
from schemas.money import Money


def usd(amount: str) -> Money:
    return Money(Decimal(amount), "USD")


def line(key: str, amount: str, kind: str = "refund", currency: str = "USD") -> StatementLine:
    return StatementLine(key, kind, Money(Decimal(amount), currency))  # type: ignore[arg-type]


def row(amount: str, kind: str = "refund", key: str | None = None) -> LedgerRow:
    return LedgerRow(kind, usd(amount), key)  # type: ignore[arg-type]


CHARGE = line("c", "10", "charge")
CHARGED = row("10", "charge")


def test_each_refund_of_a_statement_is_booked_by_its_own_key() -> None:
    lines = [CHARGE, line("r1", "3"), line("r2", "3"), line("r3", "2")]
    assert to_book(lines, [CHARGED], failed=False) == ToBook(None, tuple(lines[1:]))
    written = [CHARGED, row("3", key="r1"), row("3", key="r2")]
    assert to_book(lines, written, failed=False) == ToBook(None, (lines[3],))


def test_a_refund_that_an_answer_stated_is_the_line_of_its_amount() -> None:
    lines = [CHARGE, line("r1", "5"), line("r2", "3")]
    found = to_book(lines, [CHARGED, row("5")], failed=False)
    assert found.refunds == (lines[1], lines[2])


@pytest.mark.parametrize("lines", [[line("r1", "3"), line("r2", "2")], [line("r1", "5.18")]], ids=["parts", "other"])
def test_beside_a_stated_refund_that_no_line_shows_nothing_is_guessed(lines: list[StatementLine]) -> None:
    assert to_book([CHARGE, *lines], [CHARGED, row("5")], failed=False) == ToBook()


def test_a_refund_without_a_charge_in_the_ledger_is_left_for_an_operator() -> None:
    assert to_book([CHARGE, line("r1", "10")], [], failed=False) == ToBook()


@pytest.mark.parametrize(
    ("lines", "charge"),
    [
        ([CHARGE], usd("10")),
        ([CHARGE, line("c2", "1", "charge")], usd("11")),
        ([CHARGE, line("r1", "4")], usd("10")),
        ([CHARGE, line("r1", "10")], None),
        ([line("r1", "4")], None),
        ([CHARGE, line("c2", "1", "charge", "EUR")], None),
        ([], None),
    ],
    ids=["charge", "two", "part back", "all back", "refund alone", "two currencies", "nothing"],
)
def test_a_charge_of_a_failed_purchase_is_booked_unless_all_of_it_came_back(
    lines: list[StatementLine], charge: Money | None
) -> None:
    found = to_book(lines, [], failed=True)
    assert found.charge == charge
    assert found.refunds == (() if charge is None else tuple(one for one in lines if one.kind == "refund"))


def test_a_charge_that_is_booked_is_not_booked_again() -> None:
    assert to_book([CHARGE], [CHARGED], failed=True) == ToBook()
