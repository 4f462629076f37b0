"""What a product's name says ("10GB Europe Data", "USA 5GB 30 Days"), and what a plan is called."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from providers.kit import places, units
from schemas.plan import DataAllowance, Reset

if TYPE_CHECKING:
    from providers.kit.mapping_overrides import MappingOverrides

NAMED_COUNTRIES = 3

_UNITS_OF_TIME = "days?|d|months?|mo|weeks?|wk|w|hours?|hrs?|h|years?|yrs?|y|minutes?|mins?"
_BRACKETED = re.compile(r"\(([^()]{0,100})\)|\[([^\[\]]{0,100})\]")
_COUNTED = re.compile(r"\b[0-9]{1,3}\s?\+?\s?(?:countries|country|areas|destinations|regions)\b", re.IGNORECASE)
_SPEED = re.compile(r"\b(?:[2345]\s?G(?:\s?/\s?[2345]\s?G)*|LTE|[0-9]{1,4}\s?[km]bps)\b", re.IGNORECASE)
_SEPARATORS = re.compile(r"[\s,;:|/_+\-–—•·]+")
_WORD = re.compile(r"\([^()]*\)|[^\s()]+")
# Words of the trade that are part of no place's name, alone and in phrases.
_FILLERS = frozenset(
    "bundle data esim esims fair fixed full fup high internet mobile only pack package packages pass plan plans"  # noqa: SIM905
    " prepaid recharge reduced roaming sim speed then throttled topup total tourist travel unlimited use valid"
    " validity for für pour para для daten datenpaket datentarif reise reisetarif tarif forfait données carte voyage"
    " prépayé prépayée piano dati prepagata viaggio viaje datos dados pakiet danych podróż veri paketi paket интернет"
    " трафик тариф пакет данные данных 流量 套餐 上网 上网卡 数据 數據 漫游 漫遊 データ プラン 通信"
    " 데이터 요금제 이심 로밍".split()
)
_TRADE = re.compile(
    r"\b(?:plano?|paquete|pacote|carte) d[eo] (?:datos|dados|donn[eé]es)\b|\bgói (?:cước|dữ liệu)\b", re.IGNORECASE
)


class Parsed(msgspec.Struct, frozen=True):
    """The parts of a name that were understood.

    ``data`` is None when the name states no amount, ``days`` None when it states no number of days or
    several. ``place`` is what is left of the words ("Europe"), for ``places.place``; empty when nothing is.
    ``other_unit`` is a duration that is neither days nor months ("2 weeks"), None when there is none.
    """

    data: DataAllowance | None = None
    days: int | None = None
    place: str = ""
    other_unit: str | None = None

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
    durations = _durations(tuple(extra_units))
    days, other_unit = _duration(text, durations, extra_units)
    place = _place_text(text, durations)
    return Parsed(data=units.declared_from_text(text), days=days, place=place, other_unit=other_unit)


def plan_name(coverage: tuple[str, ...], data: DataAllowance, days: int) -> str:
    """A plan's display name, a function of what the plan is: "Japan 1 GB, 7 days".

    Up to three countries are named ("Japan, South Korea 3 GB, 10 days"); more are their region and
    number ("Europe (33 countries) 5 GB, 30 days").
    """
    return f"{_where(coverage)} {_amount(data)}, {days} {'day' if days == 1 else 'days'}"


def _duration(
    text: str, durations: re.Pattern[str], extra_units: Mapping[str, Fraction]
) -> tuple[int | None, str | None]:
    found: set[int] = set()
    other: str | None = None
    for match in durations.finditer(text):
        unit = match[2].lower()
        if unit in ("d", "day", "days"):
            value = units.days(match[1], "DAY")
        elif unit in ("mo", "month", "months"):
            value = units.days(match[1], "MONTH")
        elif units.unit_key(unit) in extra_units:
            value = units.days(match[1], unit, extra_units)
        else:
            other = other or match[0]
            continue
        if isinstance(value, int):
            found.add(value)
    days = found.pop() if len(found) == 1 else None
    return days, None if days is not None else other


def _place_text(text: str, durations: re.Pattern[str]) -> str:
    """What stays when amounts, durations, speeds and words of the trade are taken away."""
    text = _BRACKETED.sub(
        lambda m: " " if _says_amount(m[0]) or _COUNTED.search(m[0]) else f" ({m[1] or m[2] or ''}) ", text
    )
    for pattern in (units.AMOUNT, units.DAILY, units.UNLIMITED, durations, _COUNTED, _SPEED, _TRADE):
        text = pattern.sub(" ", text)
    return " ".join(word for word in _WORD.findall(text) if not _is_trade(word)).strip(" ,;:|/_+-–—•·&")


def _is_trade(text: str) -> bool:
    """Whether a word, or a whole bracket, holds words of the trade alone."""
    return all(part in _FILLERS or not part for part in _SEPARATORS.split(text.strip("()").lower()))


@lru_cache(maxsize=8)
def _durations(extra_units: tuple[str, ...]) -> re.Pattern[str]:
    """What a duration looks like; the words of units that were told are known too, with a plural's "s"."""
    units_pattern = "|".join((_UNITS_OF_TIME, *(f"{re.escape(word)}s?" for word in extra_units)))
    return re.compile(rf"(?<![0-9A-Za-z.,])([0-9]{{1,5}})\s?-?\s?({units_pattern})\b", re.IGNORECASE)


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
