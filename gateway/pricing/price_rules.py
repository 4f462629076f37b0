"""Prices: what a customer pays for a cost, exact to the last digit.

cost -> base currency -> x (1 + percent) + fixed -> the storefront's currency -> rounded up to the
currency's digits, or to .99 -> not above the ceiling -> not below the floor, nor below cost + minimum
margin; these two win over the ceiling. Amounts are worked out in whole numbers, so nothing is ever
rounded on the way; a catalogue prices each distinct cost once, through ``minor_prices``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Context, Decimal
from fractions import Fraction
from typing import Literal, NamedTuple, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from schemas.money import Money, currency_digits
from schemas.plan import NOMINAL_MB_PER_GB

Numbers: TypeAlias = npt.NDArray[np.int64]
Rounding = Literal["currency", ".99"]
Deciding = Literal["rule", "floor", "ceiling", "minimum_margin"]
DECIDING: tuple[Deciding, ...] = ("rule", "floor", "ceiling", "minimum_margin")
_EXACT = Context(prec=200)
_MOST = 2**62  # what a column may hold on the way
_NINETY_NINE = Decimal(".99")


class NoRate(ValueError):  # noqa: N818 - named for what is missing
    """There is no exchange rate for this currency, so nothing can be priced in it."""

    def __init__(self, currency: str) -> None:
        super().__init__(f"no exchange rate for {currency}")
        self.currency = currency
        self.advice = f"there is no exchange rate for {currency}; the operator of this gateway can add one"


class PriceRule(msgspec.Struct, frozen=True):
    """How a cost becomes a price. ``percent`` and ``fixed`` come on top of the cost; none of it is negative.

    Amounts are of ``currency`` (None: the base currency), the minimum margin of ``margin_currency``
    where that is said ("": the base currency). Equal rules have equal texts.
    """

    percent: Decimal = Decimal(10)
    fixed: Decimal = Decimal(0)
    rounding: Rounding = "currency"
    minimum_margin: Decimal = Decimal(0)
    floor: Decimal | None = None
    ceiling: Decimal | None = None
    currency: str | None = None
    margin_currency: str | None = None

    def __str__(self) -> str:
        amounts = (self.percent, self.fixed, self.minimum_margin, self.floor, self.ceiling)
        figures = ("" if amount is None else f"{amount.normalize():f}" for amount in amounts)
        margin = self.currency if self.margin_currency is None else self.margin_currency
        return "|".join((*figures, self.rounding, self.currency or "", margin or ""))


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


def price(cost_base: Money, rule: PriceRule, rates: Rates, currency: str) -> Money:
    """The customer's price in ``currency`` for a cost in base currency. Raises ``NoRate``."""
    (minor,) = minor_prices(*_whole(cost_base), rule, rates, currency)
    return Money.from_minor(minor, currency)


def deciding(cost_base: Money, rule: PriceRule, rates: Rates, currency: str) -> Deciding:
    """What made the price what it is: one of the bounds, unless it is what percentage and rounding came to.

    Raises ``NoRate``.
    """
    costs, scale = _whole(cost_base)
    line = _line(scale, rule, rates, currency)
    marked, (sold,) = line.marked(costs[0]), minor_prices(costs, scale, rule, rates, currency)
    if sold == marked:
        return "rule"
    if sold == line.ceiling and sold < marked:
        return "ceiling"
    return "floor" if sold == line.floor else "minimum_margin"


def deciding_column(costs: Numbers, scale: int, rule: PriceRule, rates: Rates, currency: str) -> Numbers:
    """``deciding`` of a whole column, each as its place in ``DECIDING``. Raises ``NoRate``."""
    line = _line(scale, rule, rates, currency)
    bare = PriceRule(rule.percent, rule.fixed, rule.rounding, currency=rule.currency)
    marked = minor_price_column(costs, scale, bare, rates, currency)
    sold = minor_price_column(costs, scale, rule, rates, currency)
    bound = np.where(sold == line.floor, DECIDING.index("floor"), DECIDING.index("minimum_margin"))
    if line.ceiling is not None:
        bound = np.where((sold == line.ceiling) & (sold < marked), DECIDING.index("ceiling"), bound)
    return np.where(sold == marked, DECIDING.index("rule"), bound)


def minor_price_column(costs: Numbers, scale: int, rule: PriceRule, rates: Rates, currency: str) -> Numbers:
    """``minor_prices`` of a whole column; quick, and just as exact. Raises ``NoRate``."""
    line = _line(scale, rule, rates, currency)
    if line.largest(int(costs.max(initial=0))) > _MOST:
        return np.array(minor_prices(costs.tolist(), scale, rule, rates, currency), dtype=np.int64)
    minor = -(-(costs * line.times + line.plus) // line.below)
    if line.whole > 1:
        minor = -(-(minor - line.nines) // line.whole) * line.whole + line.nines
    if line.ceiling is not None:
        minor = np.minimum(minor, line.ceiling)
    least = -(-(costs * line.cost_times + line.margin_plus) // line.cost_below)
    return np.maximum(minor, np.maximum(least, line.floor))


def minor_prices(costs: Sequence[int], scale: int, rule: PriceRule, rates: Rates, currency: str) -> list[int]:
    """Prices in whole minor units of ``currency``, in the order of ``costs``. Raises ``NoRate``.

    A cost is a whole number of 10**-scale of the base currency. Dearer costs never get lower prices,
    and no price is lower than its cost.
    """
    line = _line(scale, rule, rates, currency)
    top = line.ceiling
    return [
        max(line.marked(cost) if top is None else min(line.marked(cost), top), line.floor, line.least(cost))
        for cost in costs
    ]


def margin_of(rule: PriceRule, rates: Rates) -> Decimal:
    """The least that a price must bring above the cost, in base currency. Raises ``NoRate``."""
    currency = rule.currency if rule.margin_currency is None else rule.margin_currency
    return rates.to_base(Money(rule.minimum_margin, currency or rates.base)).amount


def most_an_order_may_cost(price: Money, rates: Rates, minimum_margin: Decimal) -> Money:
    """The held price less the minimum margin, in base currency: never sold at a loss. Raises ``NoRate``."""
    return Money(_EXACT.subtract(rates.to_base(price).amount, minimum_margin), rates.base)


def minor_per_gb(minor: int, total_mb: int) -> int:
    """Minor units per GB of so many nominal MB, halves up."""
    return (2 * minor * NOMINAL_MB_PER_GB + total_mb) // (2 * total_mb)


def minor_per_day(minor: int, days: int) -> int:
    """Minor units per day, halves up."""
    return (2 * minor + days) // (2 * days)


class _Line(NamedTuple):
    """A rule for one scale and one currency: whole numbers only, in minor units of the currency."""

    times: int  # the marked price is (cost x times + plus) / below
    plus: int
    below: int
    cost_times: int  # cost and minimum margin together are (cost x cost_times + margin_plus) / cost_below
    margin_plus: int
    cost_below: int
    whole: int  # one major unit where prices end in .99, else 1
    nines: int
    floor: int
    ceiling: int | None

    def marked(self, cost: int) -> int:
        """The cost with percentage and fixed part, rounded."""
        minor = -(-(cost * self.times + self.plus) // self.below)
        return minor if self.whole == 1 else -(-(minor - self.nines) // self.whole) * self.whole + self.nines

    def least(self, cost: int) -> int:
        """The cost with the minimum margin, rounded up."""
        return -(-(cost * self.cost_times + self.margin_plus) // self.cost_below)

    def largest(self, cost: int) -> int:
        """No number on the way to the price of this cost is larger."""
        marked = cost * self.times + self.plus + self.below
        return max(marked, cost * self.cost_times + self.margin_plus + self.cost_below, self.floor, self.ceiling or 0)


def _line(scale: int, rule: PriceRule, rates: Rates, currency: str) -> _Line:
    unit = Fraction(10 ** currency_digits(currency)) / Fraction(rates.of(currency))
    own = unit * Fraction(rates.of(rule.currency or rates.base))
    margin = Fraction(margin_of(rule, rates)) * unit
    per_unit = unit / 10**scale
    marked, more = (1 + Fraction(rule.percent) / 100) * per_unit, Fraction(rule.fixed) * own
    whole, nines = _step(rule, currency)
    return _Line(
        times=marked.numerator * more.denominator,
        plus=more.numerator * marked.denominator,
        below=marked.denominator * more.denominator,
        cost_times=per_unit.numerator * margin.denominator,
        margin_plus=margin.numerator * per_unit.denominator,
        cost_below=per_unit.denominator * margin.denominator,
        whole=whole,
        nines=nines,
        floor=0 if rule.floor is None else math.ceil(Fraction(rule.floor) * own),
        ceiling=None if rule.ceiling is None else math.ceil(Fraction(rule.ceiling) * own),
    )


def _step(rule: PriceRule, currency: str) -> tuple[int, int]:
    """One major unit and its .99 in minor units; (1, 0) where there is no rounding to .99."""
    digits = currency_digits(currency)
    if rule.rounding != ".99" or digits < len("99"):
        return 1, 0
    return 10**digits, int(_NINETY_NINE.scaleb(digits))


def _whole(cost_base: Money) -> tuple[list[int], int]:
    """A cost as a whole number of 10**-scale, and the scale."""
    scale = max(0, -_exponent(cost_base.amount))
    return [int(_EXACT.scaleb(cost_base.amount, scale))], scale


def _exponent(amount: Decimal) -> int:
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError(f"not an amount: {amount}")  # noqa: TRY004 - an infinite Decimal is a wrong value
    return exponent
