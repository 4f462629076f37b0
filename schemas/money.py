"""Exact money: a Decimal with its currency, from the wire to the row."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal

import msgspec

# ISO 4217 minor units that are not two digits.
_DIGITS: dict[str, int] = dict.fromkeys(
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0
) | dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3)


class CurrencyMismatch(ValueError):
    """Two amounts of different currencies met in one sum or comparison."""


def currency_digits(currency: str) -> int:
    """Digits after the point that ISO 4217 gives the currency; 2 where it gives none."""
    return _DIGITS.get(currency, 2)


class Money(msgspec.Struct, frozen=True, order=False):
    """An amount of one currency. Any number of digits; never a binary float.

    ``currency`` is the supplier's or ISO 4217's word in capitals (``USD``, ``USDT``).
    """

    amount: Decimal
    currency: str

    @classmethod
    def of(cls, amount: Decimal | int | str, currency: str) -> Money:
        """Money from a Decimal, a whole number or its text. Raises ``ValueError`` for anything else."""
        if isinstance(amount, float):
            raise TypeError("money is never made from a float")
        try:
            value = Decimal(amount)
        except ArithmeticError as error:
            raise ValueError(f"not an amount: {amount!r}") from error
        if not value.is_finite():
            raise ValueError(f"not an amount: {amount!r}")
        return cls(value, currency)

    @classmethod
    def from_minor(cls, minor: int, currency: str) -> Money:
        """Money from whole minor units (cents of USD, yen of JPY)."""
        return cls(Decimal(minor).scaleb(-currency_digits(currency)), currency)

    def to_minor(self) -> int:
        """Whole minor units. Raises ``ValueError`` when the amount has a fraction of one."""
        scaled = self.amount.scaleb(currency_digits(self.currency))
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{self} has a fraction of a minor unit")
        return int(scaled)

    def rounded_up(self) -> Money:
        """The amount in whole minor units, never less than it was: what a customer pays."""
        return self._quantized(ROUND_CEILING)

    def rounded_half_up(self) -> Money:
        """The amount in whole minor units, halves away from zero: figures per GB and per day."""
        return self._quantized(ROUND_HALF_UP)

    def padded(self) -> Money:
        """The same amount, written with at least the currency's digits and no needless zeros."""
        digits = currency_digits(self.currency)
        value = self.amount.normalize()
        exponent = value.as_tuple().exponent
        if isinstance(exponent, int) and -exponent < digits:
            value = value.quantize(Decimal(1).scaleb(-digits))
        elif isinstance(exponent, int) and exponent > 0:
            value = value.quantize(Decimal(1))
        return Money(value, self.currency)

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same(other).amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same(other).amount, self.currency)

    def __mul__(self, factor: Decimal | int) -> Money:
        return Money(self.amount * factor, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other).amount

    def __le__(self, other: Money) -> bool:
        return self.amount <= self._same(other).amount

    def __gt__(self, other: Money) -> bool:
        return self.amount > self._same(other).amount

    def __ge__(self, other: Money) -> bool:
        return self.amount >= self._same(other).amount

    def __str__(self) -> str:
        return f"{self.padded().amount:f} {self.currency}"

    def _quantized(self, rounding: str) -> Money:
        step = Decimal(1).scaleb(-currency_digits(self.currency))
        return Money(self.amount.quantize(step, rounding=rounding), self.currency)

    def _same(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} met {other.currency}")
        return other
