from decimal import Decimal

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from schemas.money import CurrencyMismatch, Money, currency_digits

amounts = st.decimals(min_value=-(10**9), max_value=10**9, places=6, allow_nan=False, allow_infinity=False)
currencies = st.sampled_from(["USD", "USDT", "JPY", "KWD", "EUR"])
money = st.builds(Money, amounts, currencies)


@given(amounts, currencies)
def test_money_is_the_same_after_its_way_through_json(amount, currency):
    before = Money(amount, currency)
    after = msgspec.json.decode(msgspec.json.encode(before), type=Money)
    assert after == before
    assert str(after.amount) == str(before.amount)


def test_json_numbers_become_exact_decimals():
    read = msgspec.json.decode(b'{"amount": 29.090, "currency": "USD"}', type=Money)
    assert (read.amount, str(read.amount)) == (Decimal("29.09"), "29.090")


def test_json_carries_the_amount_as_text():
    assert msgspec.json.encode(Money.of("4.90", "USD")) == b'{"amount":"4.90","currency":"USD"}'


@given(money, amounts)
def test_what_was_added_can_be_taken_away_without_a_trace(first, amount):
    second = Money(amount, first.currency)
    assert first + second - second == first


def test_a_tenth_three_times_is_three_tenths():
    tenth = Money.of("0.1", "USD")
    assert tenth + tenth + tenth == Money.of("0.3", "USD") == tenth * 3


@given(st.integers(min_value=-(10**15), max_value=10**15), currencies)
def test_minor_units_go_there_and_back(minor, currency):
    assert Money.from_minor(minor, currency).to_minor() == minor


@pytest.mark.parametrize(
    ("minor", "currency", "amount"),
    [(518, "USD", "5.18"), (518, "JPY", "518"), (518, "KWD", "0.518"), (1, "XXX", "0.01")],
)
def test_each_currency_has_its_own_minor_unit(minor, currency, amount):
    assert Money.from_minor(minor, currency) == Money.of(amount, currency)


@pytest.mark.parametrize(("amount", "currency"), [("5.185", "USD"), ("0.5", "JPY"), ("0.0001", "KWD")])
def test_a_fraction_of_a_minor_unit_is_no_whole_number_of_them(amount, currency):
    with pytest.raises(ValueError, match="fraction"):
        Money.of(amount, currency).to_minor()


@given(money)
def test_rounding_up_is_never_less_and_less_than_a_unit_more(value):
    rounded = value.rounded_up()
    unit = Decimal(1).scaleb(-currency_digits(value.currency))
    assert value <= rounded
    assert rounded.amount - value.amount < unit
    assert rounded.rounded_up() == rounded
    rounded.to_minor()


@pytest.mark.parametrize(
    ("amount", "up", "half_up"),
    [("5.181", "5.19", "5.18"), ("5.185", "5.19", "5.19"), ("5.18", "5.18", "5.18"), ("0.001", "0.01", "0.00")],
)
def test_customers_pay_rounded_up_and_figures_are_rounded_half_up(amount, up, half_up):
    assert str(Money.of(amount, "USD").rounded_up().amount) == up
    assert str(Money.of(amount, "USD").rounded_half_up().amount) == half_up


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("4.9", "USD", "4.90"),
        ("4.900000", "USD", "4.90"),
        ("0.125", "USD", "0.125"),
        ("1E+3", "JPY", "1000"),
        ("0", "KWD", "0.000"),
    ],
)
def test_amounts_carry_the_digits_of_their_currency_and_no_needless_ones(amount, currency, text):
    padded = Money.of(amount, currency).padded()
    assert f"{padded.amount}" == text
    assert str(padded) == f"{text} {currency}"


@given(money)
def test_padding_changes_no_amount(value):
    assert value.padded() == value


@pytest.mark.parametrize("amount", ["", "x", "nan", "inf", "-Infinity", "1,5"])
def test_what_is_no_amount_is_refused(amount):
    with pytest.raises(ValueError, match="not an amount"):
        Money.of(amount, "USD")


def test_a_binary_float_is_never_money():
    with pytest.raises(TypeError, match="float"):
        Money.of(0.1, "USD")


@given(money, money)
def test_different_currencies_never_meet(first, second):
    assume(first.currency != second.currency)
    for meet in (
        lambda: first + second,
        lambda: first - second,
        lambda: first < second,
        lambda: first <= second,
        lambda: first > second,
        lambda: first >= second,
    ):
        with pytest.raises(CurrencyMismatch):
            meet()
    assert first != second


@given(amounts, amounts)
def test_amounts_of_one_currency_are_ordered_like_numbers(first, second):
    a, b = Money(first, "USD"), Money(second, "USD")
    assert ((a < b), (a <= b), (a > b), (a >= b)) == (first < second, first <= second, first > second, first >= second)


def test_equal_amounts_are_one_key():
    assert {Money.of("5.0", "USD"): 1}[Money.of("5.00", "USD")] == 1
