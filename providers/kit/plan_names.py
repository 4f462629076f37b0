"""What a product's name says ("10GB Europe Data", "USA 5GB 30 Days"), and what a plan is called."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import msgspec

from providers.kit import durations, places, units
from schemas.plan import DataAllowance, Reset

if TYPE_CHECKING:
    from providers.kit.mapping_overrides import MappingOverrides

NAMED_COUNTRIES = 3

_BRACKETED = re.compile(r"\(([^()]{0,100})\)|\[([^\[\]]{0,100})\]")
_COUNTED = re.compile(r"\b[0-9]{1,3}\s?\+?\s?(?:countries|country|areas|destinations|regions)\b", re.IGNORECASE)
_SPEED = re.compile(r"\b(?:[2345]\s?G(?:\s?/\s?[2345]\s?G)*|LTE|[0-9]{1,4}\s?[km]bps)\b", re.IGNORECASE)
_SEPARATORS = re.compile(r"[\s,;:|/_+\-–—•·]+")
# Words of the trade that are part of no place's name.
_FILLERS = frozenset(
    "bundle data esim esims fair fixed for full fup high internet mobile only pack package packages pass plan plans"  # noqa: SIM905
    " prepaid recharge reduced roaming sim speed then throttled topup total tourist travel unlimited use valid"
    " validity интернет трафик данные".split()  # a list of words reads better as words
)
_UP_TO = re.compile(r"\bup to\b", re.IGNORECASE)


class Parsed(msgspec.Struct, frozen=True):
    """The parts of a name that were understood.

    ``data`` is None when the name states no amount, ``days`` None when it states no number of days or
    several. ``place`` is what is left of the words ("Europe"), for ``places.place``; empty when nothing is.
    ``unknown_unit`` is the ``durations.unit_key`` of a duration's unit that no table knows; empty when there is none.
    """

    data: DataAllowance | None = None
    days: int | None = None
    place: str = ""
    unknown_unit: str = ""

    @property
    def unlimited(self) -> bool:
        return self.data is not None and self.data.unlimited

    @property
    def daily(self) -> bool:
        return self.data is not None and self.data.reset is Reset.DAILY


def parse(text: str, overrides: MappingOverrides | None = None) -> Parsed:
    """The amount, duration and place in a name. Never raises; a text that is too long says nothing.

    ``overrides`` say what other units of time count.
    """
    if len(text) > units.MAX_TEXT:
        return Parsed()
    text = unicodedata.normalize("NFKC", text)
    extra_units = overrides.units if overrides is not None else {}
    days, unknown_unit = durations.in_text(text, extra_units)
    place = _place_text(text, durations.pattern(tuple(extra_units)))
    return Parsed(data=units.declared_from_text(text), days=days, place=place, unknown_unit=unknown_unit)


def plan_name(coverage: tuple[str, ...], data: DataAllowance, days: int) -> str:
    """A plan's display name, a function of what the plan is: "Japan 1 GB, 7 days".

    Up to three countries are named ("Japan, South Korea 3 GB, 10 days"); more are their region and
    number ("Europe (33 countries) 5 GB, 30 days").
    """
    return f"{_where(coverage)} {_amount(data)}, {days} {'day' if days == 1 else 'days'}"


def _place_text(text: str, duration: re.Pattern[str]) -> str:
    """What stays when amounts, durations, speeds and words of the trade are taken away."""
    text = _BRACKETED.sub(
        lambda m: " " if _says_amount(m[0]) or _COUNTED.search(m[0]) else f" {m[1] or m[2] or ''} ", text
    )
    for pattern in (units.AMOUNT, units.DAILY, units.UNLIMITED, _UP_TO, duration, _COUNTED, _SPEED):
        text = pattern.sub(" ", text)
    tokens = text.split()
    kept = [
        word for word in tokens if not all(part.lower() in _FILLERS or not part for part in _SEPARATORS.split(word))
    ]
    return " ".join(kept).strip(" ,;:|/_+-–—•·()[]&")


def _says_amount(text: str) -> bool:
    return units.AMOUNT.search(text) is not None or units.UNLIMITED.search(text) is not None


def _where(coverage: tuple[str, ...]) -> str:
    if len(coverage) <= NAMED_COUNTRIES:
        return ", ".join(sorted(places.country_name(code) for code in coverage))
    region = places.region(places.region_of(coverage) or "")
    if region is None:
        return f"{len(coverage)} countries"
    return f"{region.name} ({len(coverage)} countries)"


def _amount(data: DataAllowance) -> str:
    if data.mb is None:
        allowance = data.fair_use.allowance_mb if data.fair_use is not None else None
        if data.fair_use is None or allowance is None:
            return "unlimited"
        each = " a day" if data.fair_use.per_day else ""
        return f"unlimited ({units.declared_text(allowance)}{each} at full speed)"
    return units.declared_text(data.mb) + (" a day" if data.reset is Reset.DAILY else "")
