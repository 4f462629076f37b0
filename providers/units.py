"""Amounts of data and durations as suppliers state them, to the declared amount and to days.

1 GB counts as 1024 MB, whatever a supplier's gigabyte is: plans are equal when what they declare is.
"""

from __future__ import annotations

import re
from decimal import Decimal

from schemas.plan import (
    MB_PER_GB,
    AfterAllowance,
    Basis,
    DataAllowance,
    FairUse,
    Reset,
    SetAsideReason,
)

MAX_TEXT = 200
MAX_MB = 2**31 - 1
MAX_DAYS = 36_500
DAYS_PER_MONTH = 30
OWN_NUMBER_FROM_GB = 100
TOLERANCE = 200  # a candidate fits when the bytes are within one 200th (0.5 %) of it

_NUMBER = r"(\d{1,7}(?:[.,]\d{1,4})?)"
_AMOUNT = re.compile(rf"(?<![\w.,]){_NUMBER}\s?(GB|GIB|G|MB|MIB|M|TB)(?![A-Za-z])", re.IGNORECASE)
_DAILY = re.compile(r"(?:/|\bper\b|\ba\b|\beach\b|\bevery\b)\s?(?:day|d)\b|\bdaily\b|\beveryday\b", re.IGNORECASE)
_UNLIMITED = re.compile(r"\bunlimited\b|\bunltd\b|∞", re.IGNORECASE)
_THROTTLED = re.compile(
    r"\bthrottl\w*|\breduced\b|\bslow\w*|\bhigh[ -]?speed\b|\bthen\s+\d+\s?(?:kbps|mbps)\b", re.IGNORECASE
)
_CUT_OFF = re.compile(r"\bcut[ -]?off\b|\bservice stops\b", re.IGNORECASE)


def declared_from_bytes(
    count: int, *, gb: Decimal | None = None, daily: bool = False, after: AfterAllowance | None = None
) -> DataAllowance | None:
    """The declared amount behind a number of bytes; None when there is none (zero or less).

    The first of these within 0.5 %: n or n.5 times 2^30, n or n.5 times 10^9 (both from 1 on); below
    1 GB multiples of 50 times 2^20, of 50 times 10^6; else the nearest 2^20. From 100 GB on the
    supplier's own number of GB (``gb``) decides when given. ``daily`` makes it a day's amount and
    ``after`` says what follows it.
    """
    raise NotImplementedError


def declared_from_gb(gb: Decimal, *, daily: bool = False, after: AfterAllowance | None = None) -> DataAllowance | None:
    """The declared amount from a supplier's number of GB (0.5 is 512 MB); None for zero or less."""
    raise NotImplementedError


def declared_from_text(text: str, *, daily: bool = False, after: AfterAllowance | None = None) -> DataAllowance | None:
    """The declared amount in a text: "5GB", "0.5 GB", "500MB/day", "1GB Daily", "Unlimited".

    "Unlimited (2GB/day high speed then throttled)" is unlimited with a stated fair use. ``daily`` says
    what the supplier says elsewhere. None when the text states no amount, or more than one.
    """
    raise NotImplementedError


def unlimited(
    *, allowance_mb: int | None = None, per_day: bool = False, after: AfterAllowance | None = None
) -> DataAllowance:
    """An unlimited amount, with its stated fair-use allowance if there is one."""
    raise NotImplementedError


def days(number: int | str | Decimal | None, unit: str = "DAY") -> int | SetAsideReason:
    """A validity in days: DAY counts one, MONTH thirty.

    Anything else is ``UNKNOWN_UNIT``; a number that is missing, not whole or not positive is
    ``NO_VALIDITY``.
    """
    raise NotImplementedError


def declared_text(mb: int) -> str:
    """An amount of MB as it is shown: whole and half GB as "5 GB" and "0.5 GB", all else as "500 MB"."""
    raise NotImplementedError
