"""What a product's name says ("10GB Europe Data", "USA 5GB 30 Days"), and what a plan is called."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from providers.kit import durations, full_speed, places, plan_facts, units, vocabulary
from providers.kit.caseless import CaselessPattern
from schemas.plan import DataAllowance, Period, Reset

if TYPE_CHECKING:
    from providers.kit.mapping_overrides import MappingOverrides

NAMED_COUNTRIES = 3

_BRACKETED = re.compile(r"\(([^()]{0,100})\)|\[([^\[\]]{0,100})\]")
_COUNTED = CaselessPattern(r"\b[0-9]{1,3}\s?\+?\s?(?:countries|country|areas|destinations|regions)\b")
_UP_TO = CaselessPattern(r"\bup to\b")
_GENERATION = CaselessPattern(r"\b(?:[2345]\s?G(?:\s?/\s?[2345]\s?G)*|LTE)\b")
# What a name says besides its place, in this order: a tier goes with its "unlimited".
_NO_PLACES = (full_speed.SPEED, units.DAILY, units.MONTHLY, units.AMOUNT, full_speed.TIER, full_speed.UNLIMITED, _UP_TO)
_SEPARATORS = re.compile(r"[\s,;:|/_+\-–—•·]+")
_WORD = re.compile(r"\([^()]*\)|[^\s()]+")
_FILLERS = frozenset(vocabulary.TABLE["trade"]["words"].split())
# "eSIM" has no space beside it in "韓国eSIM".
_PHRASES = vocabulary.any_of(vocabulary.TABLE["trade"]["phrases"])
_TRADE = CaselessPattern(rf"{_PHRASES}|(?<![a-z])e-?sims?(?![a-z])")
_VERSION = CaselessPattern(r"\bv[0-9]{1,2}\b")
_BRACKETS = str.maketrans("【】〔〕「」『』", "[][][][]")


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
    if len(text) > durations.MAX_TEXT:
        return Parsed()
    text = plan_facts.without_facts(unicodedata.normalize("NFKC", text))
    extra_units = overrides.units if overrides is not None else {}
    days, unknown_unit = durations.in_text(units.DAILY.sub(" ", text), extra_units)
    place = _place_text(text, extra_units)
    data = data_of(text, overrides)
    if data is not None and data.tier is not None and data.tier == _last_tier(text):
        place = _without_last(place, data.tier)
    return Parsed(data=data, days=days, place=place, unknown_unit=unknown_unit)


@lru_cache(maxsize=4096)
def data_of(text: str, overrides: MappingOverrides | None = None) -> DataAllowance | None:
    """The amount in a name, with the tier that ends a name which is understood without it."""
    data = units.declared_from_text(text)
    if data is None or data.tier is not None or (tier := _last_tier(text)) is None:
        return data
    place = _place_text(text, overrides.units if overrides is not None else {})
    without = _without_last(place, tier)
    # Of a region nobody knows whether "Europe Plus" is as large as Europe.
    understood = without != place and (not without or places.place(without, overrides).codes)
    return msgspec.structs.replace(data, tier=tier) if understood else data


def plan_name(coverage: tuple[str, ...], data: DataAllowance, days: int, included: tuple[str, ...] = ()) -> str:
    """A plan's display name, a function of what the plan is: "Japan 1 GB, 7 days".

    What is ``included`` besides data (``Features.included``) stands before the days. Up to three countries are named
    ("Japan, South Korea 3 GB, 10 days"); more are their region and
    number ("Europe (33 countries) 5 GB, 30 days").
    """
    return f"{_where(coverage)} {', '.join((_amount(data), *included, f'{days} days' if days != 1 else '1 day'))}"


def _last_tier(text: str) -> str | None:
    """The tier that ends a name; None for another word."""
    parts = text.rstrip(" )]").split()
    return full_speed.TIERS.get(parts[-1].casefold()) if parts else None


def _without_last(place: str, tier: str) -> str:
    return place[: -len(tier)].rstrip() if place.casefold().endswith(tier.casefold()) else place


def _place_text(text: str, extra_units: Mapping[str, Fraction]) -> str:
    """What stays when amounts, durations, speeds and words of the trade are taken away."""
    text = _BRACKETED.sub(
        lambda m: " " if _says_amount(m[0]) or _COUNTED.search(m[0]) else f" ({m[1] or m[2] or ''}) ",
        text.translate(_BRACKETS),
    )
    for pattern in _NO_PLACES:
        text = pattern.sub(" ", text)
    text = durations.without_durations(text, extra_units)
    for pattern in (_COUNTED, _GENERATION, _VERSION, _TRADE):
        text = pattern.sub(" ", text)
    return " ".join(word for word in _WORD.findall(text) if not _is_trade(word)).strip(" ,;:|/_+-–—•·&")


def _is_trade(text: str) -> bool:
    """Whether a word, or a whole bracket, holds words of the trade alone."""
    return all(part in _FILLERS or not part for part in _SEPARATORS.split(text.strip("()").lower()))


def _says_amount(text: str) -> bool:
    return units.AMOUNT.search(text) is not None or full_speed.UNLIMITED.search(text) is not None


def _where(coverage: tuple[str, ...]) -> str:
    if len(coverage) <= NAMED_COUNTRIES:
        return ", ".join(sorted(places.country_name(code) for code in coverage))
    region = places.region(places.region_of(coverage) or "")
    if region is None:
        return f"{len(coverage)} countries"
    return f"{region.name} ({len(coverage)} countries)"


def _amount(data: DataAllowance) -> str:
    if data.mb is not None:
        return units.declared_text(data.mb) + _EACH[data.reset]
    allowance, grade = data.allowance, data.after.grade
    said = []
    if allowance is not None and allowance.mb != 0:
        amount = "all" if allowance.mb is None else units.declared_text(allowance.mb)
        each = "" if allowance.per is Period.TOTAL else f" a {allowance.per.value}"
        said.append(f"{amount}{each} at full speed")
    if grade is not None:
        said.append(f"then {grade.value}" if said else grade.value)
    tier = f" {data.tier}" if data.tier else ""
    return f"unlimited{tier}" + (f" ({', '.join(said)})" if said else "")


_EACH = {Reset.NEVER: "", Reset.DAILY: " a day", Reset.MONTHLY: " a month"}
