"""Prices: what a customer pays for a cost, exact to the last digit.

cost -> base currency -> x (1 + percent) + fixed -> the storefront's currency -> rounded up to the
currency's digits, or to .99. Amounts are worked out in whole numbers, so nothing is ever rounded on
the way; a catalogue prices each distinct cost once, through ``minor_prices``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Context, Decimal
from fractions import Fraction
from typing import Literal, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from schemas.money import Money, currency_digits

Numbers: TypeAlias = npt.NDArray[np.int64]
_EXACT = Context(prec=200)
_MOST = 2**62  # what a column may hold on the way
_NINETY_NINE = Decimal(".99")


class NoRate(ValueError):  # noqa: N818 - named for what is missing
    """There is no exchange rate for this currency, so nothing can be priced in it."""

    def __init__(self, currency: str) -> None:
        super().__init__(f"no exchange rate for {currency}")
        self.currency = currency


class PriceRule(msgspec.Struct, frozen=True):
    """The price rule. ``percent`` and ``fixed`` (in base currency) come on top of the cost."""

    percent: Decimal = Decimal(10)
    fixed: Decimal = Decimal(0)
    rounding: Literal["currency", ".99"] = "currency"

    def __str__(self) -> str:
        return f"{self.percent.normalize():f}|{self.fixed.normalize():f}|{self.rounding}"


class Rates(msgspec.Struct, frozen=True):
    """What one unit of each currency is worth in ``base``."""

    base: str
    worth: Mapping[str, Decimal] = msgspec.field(default_factory=dict)

    def of(self, currency: str) -> Decimal:
        """One unit of ``currency`` in base currency. Raises ``NoRate``."""
        if currency == self.base:
            return Decimal(1)
        rate = self.worth.get(currency)
        if rate is None:
            raise NoRate(currency)
        return rate

    def to_base(self, cost: Money) -> Money:
        """The same money in base currency, with every digit. Raises ``NoRate``."""
        return Money(_EXACT.multiply(cost.amount, self.of(cost.currency)), self.base)


def rates_on(day: date, base: str, dated: Iterable[tuple[str, Decimal, date]]) -> Rates:
    """The rates in force on ``day``: of each currency the newest that is not in the future."""
    newest: dict[str, tuple[date, Decimal]] = {}
    for currency, rate, as_of in dated:
        if as_of <= day and (currency not in newest or as_of > newest[currency][0]):
            newest[currency] = (as_of, rate)
    return Rates(base, {currency: rate for currency, (_, rate) in sorted(newest.items())})


def price(cost_base: Money, rule: PriceRule, rates: Rates, currency: str) -> Money:
    """The customer's price in ``currency`` for a cost in base currency. Raises ``NoRate``."""
    scale = max(0, -_exponent(cost_base.amount))
    unscaled = int(_EXACT.scaleb(cost_base.amount, scale))
    (minor,) = minor_prices([unscaled], scale, rule, rates, currency)
    return Money.from_minor(minor, currency)


def minor_price_column(costs: Numbers, scale: int, rule: PriceRule, rates: Rates, currency: str) -> Numbers:
    """``minor_prices`` of a whole column; quick, and just as exact. Raises ``NoRate``."""
    per_unit, more = _line(scale, rule, rates, currency)
    below = per_unit.denominator * more.denominator
    times, plus = per_unit.numerator * more.denominator, more.numerator * per_unit.denominator
    whole, nines = _step(rule, currency)
    if int(costs.max(initial=0)) * times + plus + below > _MOST:
        return np.array(minor_prices(costs.tolist(), scale, rule, rates, currency), dtype=np.int64)
    minor = -(-(costs * times + plus) // below)
    return minor if whole == 1 else -(-(minor - nines) // whole) * whole + nines


def minor_prices(costs: Sequence[int], scale: int, rule: PriceRule, rates: Rates, currency: str) -> list[int]:
    """Prices in whole minor units of ``currency``, in the order of ``costs``. Raises ``NoRate``.

    A cost is a whole number of 10**-scale of the base currency. Dearer costs never get lower prices.
    """
    per_unit, more = _line(scale, rule, rates, currency)
    below = per_unit.denominator * more.denominator
    times, plus = per_unit.numerator * more.denominator, more.numerator * per_unit.denominator
    whole, nines = _step(rule, currency)
    if whole == 1:
        return [-(-(cost * times + plus) // below) for cost in costs]
    return [_up_to_nines(-(-(cost * times + plus) // below), whole, nines) for cost in costs]


def most_an_order_may_cost(held: Money, rates: Rates, minimum_margin: Decimal) -> Money:
    """The held price less the minimum margin, in base currency: never sold at a loss. Raises ``NoRate``."""
    return Money(_EXACT.subtract(rates.to_base(held).amount, minimum_margin), rates.base)


def minor_per_gb(minor: int, total_mb: int) -> int:
    """Minor units per GB of 1024 MB, halves up."""
    return (2 * minor * 1024 + total_mb) // (2 * total_mb)


def minor_per_day(minor: int, days: int) -> int:
    """Minor units per day, halves up."""
    return (2 * minor + days) // (2 * days)


def _line(scale: int, rule: PriceRule, rates: Rates, currency: str) -> tuple[Fraction, Fraction]:
    """The price in minor units as (factor, summand) of a cost in units of 10**-scale."""
    unit = Fraction(10 ** currency_digits(currency)) / Fraction(rates.of(currency))
    return (1 + Fraction(rule.percent) / 100) * unit / 10**scale, Fraction(rule.fixed) * unit


def _step(rule: PriceRule, currency: str) -> tuple[int, int]:
    """One major unit and its .99 in minor units; (1, 0) where there is no rounding to .99."""
    digits = currency_digits(currency)
    if rule.rounding != ".99" or digits < len("99"):
        return 1, 0
    return 10**digits, int(_NINETY_NINE.scaleb(digits))


def _up_to_nines(minor: int, whole: int, nines: int) -> int:
    return -(-(minor - nines) // whole) * whole + nines


def _exponent(amount: Decimal) -> int:
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError(f"not an amount: {amount}")  # noqa: TRY004 - an infinite Decimal is a wrong value
    return exponent
