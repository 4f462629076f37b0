from __future__ import annotations

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.kit.amounts import taken, without_float_tail
from providers.kit.unmapped import Unmapped, cost_of
from schemas.money import Money


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("0.8899999999999999", "0.89"),
        ("0.8900000000000001", "0.89"),
        ("12.340000000000002", "12.34"),
        ("4.999999999999999", "5"),
        ("19.990000000000002", "19.99"),
        ("0.1234560000000001", "0.123456"),
        ("1.0000000009", "1"),
        ("99999.99000000001", "99999.99"),
        ("100.00000000000001", "100"),
        ("0.30000000000000004", "0.3"),
        ("2.5", "2.5"),
        ("25.00", "25.00"),
        ("0.12345678", "0.12345678"),  # no tail: eight decimals
        ("1.00000001", "1.00000001"),
        ("0.0000000004", "0.0000000004"),  # nobody's price is nothing
    ],
)
def test_a_price_with_the_tail_of_a_binary_float_is_the_number_that_was_meant(written: str, meant: str) -> None:
    assert without_float_tail(Decimal(written)) == Decimal(meant)


def test_a_price_and_a_charge_are_read_alike() -> None:
    assert cost_of(Decimal("0.8899999999999999"), "USD") == Money.of("0.89", "USD")
    assert taken(Decimal("0.8900000000000001"), "USD") == Money.of("0.89", "USD")
    with pytest.raises(Unmapped):
        cost_of(Decimal("0.123456789"), "USD")
    with pytest.raises(Unmapped):
        cost_of(Decimal("0.0000000004"), "USD")


@given(st.decimals(min_value=Decimal("0.01"), max_value=9_999, places=2))
def test_every_price_survives_its_way_through_a_float(price: Decimal) -> None:
    assert without_float_tail(Decimal(float(price))) == price
    assert cost_of(Decimal(repr(float(price) * 3)), "USD").amount == price * 3


@given(st.decimals(allow_nan=True, allow_infinity=True))
def test_whatever_is_no_price_is_refused_and_breaks_nothing(amount: Decimal) -> None:
    with contextlib.suppress(Unmapped):
        cost_of(amount, "USD")
