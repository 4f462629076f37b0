from decimal import ROUND_CEILING, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pricing.price_rules import (
    NoRate,
    PriceRule,
    Rates,
    minor_per_day,
    minor_per_gb,
    minor_price_column,
    minor_prices,
    most_an_order_may_cost,
    price,
)
from schemas.money import Money

RATES = Rates("USD", {"EUR": Decimal("1.08"), "JPY": Decimal("0.0066"), "KWD": Decimal("3.26"), "USDT": Decimal(1)})


def usd(text: str) -> Money:
    return Money.of(text, "USD")


def test_ten_percent_on_five_dollars_is_five_fifty() -> None:
    assert price(usd("5.00"), PriceRule(), RATES, "USD") == usd("5.50")


def test_a_fraction_of_a_cent_is_rounded_up() -> None:
    assert price(usd("0.01"), PriceRule(), RATES, "USD") == usd("0.02")
    assert price(usd("4.999"), PriceRule(percent=Decimal(0)), RATES, "USD") == usd("5.00")


def test_the_fixed_part_comes_after_the_percentage() -> None:
    assert price(usd("5"), PriceRule(percent=Decimal(10), fixed=Decimal("0.30")), RATES, "USD") == usd("5.80")


@pytest.mark.parametrize(("cost", "expected"), [("5.00", "5.99"), ("5.44", "5.99"), ("5.45", "6.99"), ("0.01", "0.99")])
def test_rounding_to_99_takes_the_next_amount_that_ends_so(cost: str, expected: str) -> None:
    assert price(usd(cost), PriceRule(rounding=".99"), RATES, "USD") == usd(expected)


def test_a_currency_without_minor_units_is_rounded_to_whole_units_even_when_99_is_set() -> None:
    assert price(usd("1"), PriceRule(rounding=".99"), RATES, "JPY") == Money.of(167, "JPY")


def test_a_currency_with_three_digits_keeps_three() -> None:
    assert str(price(usd("1"), PriceRule(), RATES, "KWD")) == "0.338 KWD"


def test_a_currency_without_a_rate_cannot_be_priced_in() -> None:
    with pytest.raises(NoRate, match="XYZ"):
        price(usd("1"), PriceRule(), RATES, "XYZ")


def test_a_cost_in_another_currency_comes_to_base_with_every_digit() -> None:
    assert RATES.to_base(Money.of("12.3456789", "JPY")) == usd("0.08148148074")


def test_an_order_may_cost_the_held_price_less_the_margin_in_base_currency() -> None:
    assert most_an_order_may_cost(Money.of("10.00", "EUR"), RATES, Decimal("0.50")) == usd("10.3000")


def test_figures_per_gb_and_day_round_halves_up() -> None:
    assert minor_per_gb(550, 1000) == 550
    assert minor_per_gb(1, 2000) == 1
    assert minor_per_day(550, 7) == 79
    assert minor_per_day(1, 3) == 0


@given(
    cost=st.decimals("0.0001", 5000, places=4),
    percent=st.decimals(0, 300, places=2),
    fixed=st.decimals(0, 9, places=2),
    currency=st.sampled_from(["USD", "EUR", "JPY", "KWD"]),
)
def test_a_price_is_the_smallest_amount_of_the_currency_that_is_not_below_the_rule(
    cost: Decimal, percent: Decimal, fixed: Decimal, currency: str
) -> None:
    from fractions import Fraction

    from schemas.money import currency_digits

    rule = PriceRule(percent=percent, fixed=fixed)
    got = price(Money(cost, "USD"), rule, RATES, currency)
    exact = (Fraction(cost) * (1 + Fraction(percent) / 100) + Fraction(fixed)) / Fraction(RATES.of(currency))
    step = Fraction(1, 10 ** currency_digits(currency))
    assert exact <= Fraction(got.amount) < exact + step
    assert got.amount == got.amount.quantize(Decimal(1).scaleb(-currency_digits(currency)), rounding=ROUND_CEILING)


@given(
    costs=st.lists(st.integers(1, 10**12), max_size=20),
    rounding=st.sampled_from(["currency", ".99"]),
    percent=st.decimals(0, 300, places=3),
    fixed=st.decimals(0, 9, places=2),
    currency=st.sampled_from(["USD", "EUR", "JPY", "KWD"]),
    scale=st.integers(0, 10),
)
def test_a_column_is_priced_as_its_costs_are_one_by_one(costs, rounding, percent, fixed, currency, scale) -> None:
    import numpy as np

    rule = PriceRule(percent, fixed, rounding)
    column = minor_price_column(np.array(costs, dtype=np.int64), scale, rule, RATES, currency)
    assert column.tolist() == minor_prices(costs, scale, rule, RATES, currency)


def test_dearer_costs_never_get_lower_prices() -> None:
    prices = minor_prices(list(range(1, 3000, 7)), 3, PriceRule(rounding=".99"), RATES, "EUR")
    assert prices == sorted(prices)
