"""Amounts of data and durations as suppliers state them, to the declared amount and to days.

1 GB counts as 1024 MB, whatever a supplier's gigabyte is: plans are equal when what they declare is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from schemas.plan import MB_PER_GB, AfterAllowance, Basis, DataAllowance, FairUse, Reset, SetAsideReason

MAX_TEXT = 200
MAX_MB = 2**31 - 1
MAX_DAYS = 36_500
DAYS_PER_MONTH = 30
MAX_PARTS = 24 * 60  # a unit may be as short as a minute
OWN_NUMBER_FROM_GB = 100
TOLERANCE = 200  # a candidate fits when the bytes are within one 200th (0.5 %) of it

_GIB, _GB, _MIB, _MB = 2**30, 10**9, 2**20, 10**6
_MB_STEP = 50
_DAYS_PER_UNIT = {"DAY": 1, "DAYS": 1, "MONTH": DAYS_PER_MONTH, "MONTHS": DAYS_PER_MONTH}
_MB_PER_UNIT = {"GB": Decimal(MB_PER_GB), "MB": Decimal(1), "TB": Decimal(MB_PER_GB * MB_PER_GB)}

# Bare G and M are no units: "5G" is a network. A comma before three digits groups thousands.
AMOUNT = re.compile(
    r"(?<![0-9A-Za-z.,])([0-9]{1,7}(?:[.,][0-9]{1,4})?)\s?(GB|GIB|MB|MIB|TB)(?![A-Za-z0-9])", re.IGNORECASE
)
DAILY = re.compile(r"(?:/\s?(?:day|d)|\b(?:per|a|each|every)\s(?:day|d)|\bdaily|\beveryday)\b", re.IGNORECASE)
UNLIMITED = re.compile(
    r"\b(?:unlimited|unltd)\b(?!\s(?:calls?|minutes?|mins?|sms|texts?|voice|talk)\b)|∞", re.IGNORECASE
)
_THROTTLED = re.compile(
    r"throttl|\breduced\b|\bslow|\bhigh[ -]?speed\b|\bfull[ -]?speed\b|[0-9]\s?[km]bps", re.IGNORECASE
)
_CUT_OFF = re.compile(r"\bcut[ -]?off\b", re.IGNORECASE)
_THOUSANDS = re.compile(r"^[0-9]{1,3},[0-9]{3}$")


def declared_from_bytes(
    count: int, *, gb: Decimal | None = None, daily: bool = False, after: AfterAllowance | None = None
) -> DataAllowance | None:
    """The declared amount behind a number of bytes; None when there is none (zero or less).

    The first of these within 0.5 %: n or n.5 times 2^30, n or n.5 times 10^9 (both from 1 on); below
    1 GB multiples of 50 times 2^20, of 50 times 10^6; else the nearest 2^20. From 100 GB on the
    supplier's own number of GB (``gb``) decides when given. ``daily`` makes it a day's amount and
    ``after`` says what follows it.
    """
    if count <= 0:
        return None
    if gb is not None and gb.is_finite() and gb >= OWN_NUMBER_FROM_GB:
        mb = _whole(gb * MB_PER_GB)
        basis = Basis.BINARY if abs(count - gb * _GIB) <= abs(count - gb * _GB) else Basis.DECIMAL
    else:
        mb, basis = _declared_mb(count)
    return _allowance(mb, declared_text(mb), daily=daily, after=after, count=count, basis=basis)


def declared_from_gb(gb: Decimal, *, daily: bool = False, after: AfterAllowance | None = None) -> DataAllowance | None:
    """The declared amount from a supplier's number of GB (0.5 is 512 MB); None for zero or less."""
    if not gb.is_finite() or gb <= 0:
        return None
    mb = _whole(gb * MB_PER_GB)
    return _allowance(mb, _declared(mb, gb, "GB"), daily=daily, after=after)


def declared_from_text(text: str, *, daily: bool = False, after: AfterAllowance | None = None) -> DataAllowance | None:
    """The declared amount in a text: "5GB", "0.5 GB", "500MB/day", "1GB Daily", "Unlimited".

    "Unlimited (2GB/day high speed then throttled)" is unlimited with a stated fair use. ``daily`` and
    ``after`` are what the supplier says elsewhere. None when the text is too long or states no amount,
    or two that differ.
    """
    if len(text) > MAX_TEXT:
        return None
    text = unicodedata.normalize("NFKC", text)
    per_day = daily or DAILY.search(text) is not None
    after = after or _after_in(text)
    amounts = {_whole(number * _MB_PER_UNIT[unit]): (number, unit) for number, unit in _amounts(text)}
    if len(amounts) > 1 or any(mb <= 0 for mb in amounts):
        return None
    if UNLIMITED.search(text):
        allowance_mb = next(iter(amounts), None)
        return unlimited(allowance_mb=allowance_mb, per_day=per_day and allowance_mb is not None, after=after)
    for mb, (number, unit) in amounts.items():
        return _allowance(mb, _declared(mb, number, unit), daily=per_day, after=after)
    return None


def unlimited(
    *, allowance_mb: int | None = None, per_day: bool = False, after: AfterAllowance | None = None
) -> DataAllowance:
    """An unlimited amount, with its stated fair-use allowance if there is one."""
    fair_use = None
    if allowance_mb is not None or after is not None:
        fair_use = FairUse(after=after, allowance_mb=allowance_mb, per_day=per_day)
    return DataAllowance(mb=None, declared="Unlimited", unlimited=True, fair_use=fair_use)


def days(
    number: int | str | Decimal | None, unit: str = "DAY", extra_units: Mapping[str, Fraction] | None = None
) -> int | SetAsideReason:
    """A validity in days: DAY counts one, MONTH thirty.

    ``extra_units`` says what other units count, by ``unit_key``. Anything else is ``UNKNOWN_UNIT``; a number that is
    missing, not positive, no whole number of days or beyond a century is ``NO_VALIDITY``.
    """
    factor: int | Fraction | None = _DAYS_PER_UNIT.get(unit.strip().upper())
    if factor is None and extra_units is not None:
        factor = extra_units.get(unit_key(unit))
    if factor is None:
        return SetAsideReason.UNKNOWN_UNIT
    if number is None or (isinstance(number, str) and len(number) > MAX_TEXT):
        return SetAsideReason.NO_VALIDITY
    try:
        value = Decimal(number)
    except ArithmeticError:
        return SetAsideReason.NO_VALIDITY
    if not value.is_finite() or not 0 < value <= MAX_DAYS * MAX_PARTS or value != value.to_integral_value():
        return SetAsideReason.NO_VALIDITY
    whole = int(value) * factor
    if whole.denominator != 1 or whole > MAX_DAYS:
        return SetAsideReason.NO_VALIDITY
    return int(whole)


def unit_key(word: str) -> str:
    """What a unit of time is looked up by: case and a plural's "s" make no difference."""
    word = word.strip().upper()
    return word[:-1] if len(word) > len("hr") and word.endswith("S") else word


def declared_text(mb: int) -> str:
    """An amount of MB as it is shown: whole and half GB as "5 GB" and "0.5 GB", all else as "500 MB"."""
    if mb % (MB_PER_GB // 2) == 0:
        return f"{Decimal(mb) / MB_PER_GB:f} GB"
    return f"{mb} MB"


def _declared_mb(count: int) -> tuple[int, Basis]:
    """The rule for bytes, candidate by candidate, in whole numbers throughout."""
    for unit, basis in ((_GIB, Basis.BINARY), (_GB, Basis.DECIMAL)):
        halves = (2 * count + unit // 2) // unit  # the nearest half of a unit
        if halves >= 2 and _fits(2 * count, halves * unit):  # noqa: PLR2004 - two halves: from one whole on
            return halves * (MB_PER_GB // 2), basis
    if count < _GIB:
        for unit, basis in ((_MIB, Basis.BINARY), (_MB, Basis.DECIMAL)):
            step = _MB_STEP * unit
            steps = (2 * count + step) // (2 * step)
            if steps >= 1 and _fits(count, steps * step):
                return steps * _MB_STEP, basis
    return max(1, (2 * count + _MIB) // (2 * _MIB)), Basis.BINARY


def _fits(count: int, candidate: int) -> bool:
    return abs(count - candidate) * TOLERANCE <= candidate


def _amounts(text: str) -> Iterator[tuple[Decimal, str]]:
    for number, unit in AMOUNT.findall(text):
        plain = number.replace(",", "") if _THOUSANDS.match(number) else number.replace(",", ".")
        yield Decimal(plain), unit.upper().replace("I", "")


def _after_in(text: str) -> AfterAllowance | None:
    if _THROTTLED.search(text):
        return AfterAllowance.THROTTLED
    return AfterAllowance.CUT_OFF if _CUT_OFF.search(text) else None


def _declared(mb: int, number: Decimal, unit: str) -> str:
    """The canonical text where there is one, so that equal amounts read the same; else the supplier's number."""
    return declared_text(mb) if mb % (MB_PER_GB // 2) == 0 else f"{number.normalize():f} {unit}"


def _allowance(
    mb: int,
    declared: str,
    *,
    daily: bool,
    after: AfterAllowance | None,
    count: int | None = None,
    basis: Basis = Basis.TEXT,
) -> DataAllowance | None:
    if not 0 < mb <= MAX_MB:
        return None
    return DataAllowance(
        mb=mb,
        declared=f"{declared}/day" if daily else declared,
        reset=Reset.DAILY if daily else Reset.NEVER,
        fair_use=FairUse(after=after) if after is not None else None,
        bytes=count,
        basis=basis,
    )


def _whole(mb: Decimal) -> int:
    return int(mb.to_integral_value(ROUND_HALF_UP))
