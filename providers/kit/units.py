"""Amounts of data as suppliers state them, to the declared amount in nominal MB (1 GB = 1000). Pure.

A supplier's gigabyte is 2^30 or 10^9 bytes, or 1024 or 1000 MB: plans are equal when what they declare is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from operator import itemgetter

from msgspec.structs import replace

from providers.kit import durations, full_speed, vocabulary
from providers.kit.caseless import CaselessPattern
from providers.kit.durations import MAX_TEXT, plain_digits
from schemas.plan import (
    DAYS_PER_MONTH,
    NOMINAL_MB_PER_GB,
    NOT_STATED,
    AfterFullSpeed,
    Basis,
    DataAllowance,
    FullSpeed,
    Period,
    Reset,
    SetAsideReason,
    nominal_mb,
)

_RESETS = {Period.TOTAL: Reset.NEVER, Period.DAY: Reset.DAILY, Period.MONTH: Reset.MONTHLY}
MAX_MB = 2**31 - 1
MOST_MB = full_speed.MOST_GB * NOMINAL_MB_PER_GB

# A count of bytes is a multiple when it is within one 10,000th of it, and a stated number is of the same amount
# within 8 %: 10^9 and 2^30 are 7.4 % apart.
_EXACT, _NEAR = Fraction(1, 10_000), Fraction(8, 100)
_GIB, _GB, _THOUSAND_MIB, _MB = 2**30, 10**9, 1000 * 2**20, 10**6
_STEP, _FINE_STEP, _FINE_BELOW = 500, 50, 10_000

_AGAIN = vocabulary.TABLE["again"]
_NUMBER = r"[0-9]{1,7}(?:[.,][0-9]{1,4}){0,2}"
# Bare G and M are no units: "5G" is a network. "Mo" is a megaoctet where it cannot be months.
_UNITS = {
    "GB": r"GB|GIB|gigabytes?|gigas?|gigaoctets?|Go|ГБ|гигабайт[а-я]{0,2}"
    r"|ギガ(?:バイト)?|기가(?:바이트)?|[جغ]ي[جغ]ا(?:بايت)?",
    "MB": r"MB|MIB|megabytes?|megas?|m[ée]gaoctets?|(?-i:(?:(?<=[0-9]{3}\s)|(?<=[0-9]{3}))Mo)|МБ|мегабайт[а-я]{0,2}"
    r"|メガ(?:バイト)?|메가(?:바이트)?|مي[جغ]ا(?:بايت)?",
    "TB": r"TB|TIB|terabytes?|ТБ",
}
_UNIT = "(?:" + "|".join(f"(?:{spelled})" for spelled in _UNITS.values()) + ")(?![A-Za-z0-9А-Яа-я])"
_PLUS = r"(?:\+|\s\+\s|\s?\(\s?\+\s?)"
# One amount, or the sum of several: "20+10 GB", "20 GB + 10 GB", "20 GB (+10 GB)".
AMOUNT = re.compile(rf"(?<![0-9A-Za-z.,])(?:{_NUMBER}(?:\s?{_UNIT})?{_PLUS}){{0,3}}{_NUMBER}\s?{_UNIT}", re.IGNORECASE)
_TERM = re.compile(rf"({_NUMBER})\s?({_UNIT})?", re.IGNORECASE)
_KIND_OF_UNIT = tuple((kind, re.compile(spelled, re.IGNORECASE)) for kind, spelled in _UNITS.items())
_GROUPED = re.compile(r"[1-9][0-9]{0,2}(?:[.,][0-9]{3})+")
_BEHIND = vocabulary.any_of(_AGAIN["behind"])
_24_HOURS = r"24\s?(?:h(?:rs?|ours?)?|stunden|std|heures|horas|ore|uur|часа|часов)"
# "1GB/天" is a day's amount; in "韩国/日本" and "5GB/日韩" the same letter begins a country's name.
_NO_PLACE_BEFORE = "(?:(?<![\u3041-\u9fff\uac00-\ud7a3])|(?<=[量据據タター速度터트]))"
_NO_PLACE = "(?![本본韩韓中台臺泰港澳美欧歐])"


def _again(periods: Iterable[str], alone: Collection[str]) -> str:
    """A pattern for what says that an amount comes again with each period of ``periods``, or that is ``alone``."""
    spaced = "|".join(word for word in periods if not vocabulary.is_joined(word))
    joined = vocabulary.either(word for word in periods if vocabulary.is_joined(word))
    return (
        rf"/\s?(?:{spaced})(?!\w)|{_NO_PLACE_BEFORE}\s?/\s?{joined}{_NO_PLACE}|(?:{_BEHIND})\s(?:{spaced})(?!\w)"
        rf"|{vocabulary.any_of(alone)}"
    )


# "1日1GB": a day's amount where nothing parts the two, else the duration of a plan.
_ONE_DAY = rf"(?<![0-9])[1一][日天일](?={_NUMBER}\s?{_UNIT})"
_DAYS = _again((*durations.WORDS_FOR_DAY, _24_HOURS), _AGAIN["day"])
DAILY = CaselessPattern(f"{_DAYS}|{_ONE_DAY}")
MONTHLY = CaselessPattern(_again((*durations.WORDS_FOR_MONTH, "月", "월"), _AGAIN["month"]))
# An amount that is not for every use: of nights or one app, or, in Japanese, of a country beside the plan's own.
_NOT_FOR_ALL = CaselessPattern(
    r"\s?\(?(?:nights?|night-?time|weekends?|social|chat|whatsapp|facebook|instagram|tiktok|youtube|noche|nuit|nachts?"
    r"|notte|noturn[oa]|ночн|ночью|malam|夜间|夜間|야간)"
)
# The same behind a sum: "50 GB + 15 GB hotspot" is no 65 GB, while "5 GB hotspot" has 5 GB that may be shared.
_PART_OF_SUM = CaselessPattern(r"\s?\(?(?:hot-?spots?|tethering|lo[ck]al\w*|(?:EU|EEA|UE|international)\sroaming)\b")
_ELSEWHERE = ("国内", "國內", "국내")


def declared_from_bytes(
    count: int,
    *,
    basis: Basis = Basis.BINARY,
    stated: Iterable[Decimal] = (),
    daily: bool = False,
    after: AfterFullSpeed = NOT_STATED,
) -> DataAllowance | SetAsideReason:
    """The declared amount behind a number of bytes.

    ``basis`` is how the supplier counts its gigabyte, ``stated`` are the numbers of GB that it writes beside the bytes
    (above 0). A multiple of 0.5 GB, or below 10 GB of 50 MB, in any basis, is that amount. Otherwise a stated number
    decides that agrees with the bytes and is not more than they are; else they are rounded down to whole MB.
    ``daily`` makes it a day's amount and ``after`` says what follows it.

    ``CONTRADICTORY`` when a stated number is of another amount, ``NO_DATA_AMOUNT`` for less than 1 MB.
    """
    if count <= 0:
        return SetAsideReason.NO_DATA_AMOUNT
    unit = _GB if basis is Basis.DECIMAL else _GIB
    numbers = [number for number in stated if number.is_finite() and number > 0]
    if not all(_agrees(count, number, unit) for number in numbers):
        return SetAsideReason.CONTRADICTORY
    wanted = [int(number * NOMINAL_MB_PER_GB) for number in numbers]
    multiples = _multiples(count, basis)
    mb, found = next(iter(multiples.items()), (0, basis))
    if not multiples:
        affordable = [mb for mb in wanted if mb * _MB <= count * (1 + _EXACT)]
        mb = affordable[0] if affordable else count * NOMINAL_MB_PER_GB // unit
    elif agreed := [mb for mb in wanted if mb in multiples]:
        mb, found = agreed[0], multiples[agreed[0]]
    data = _allowance(mb, Period.DAY if daily else Period.TOTAL, after=after, count=count, basis=found)
    return SetAsideReason.NO_DATA_AMOUNT if data is None else data


def declared_from_text(text: str) -> DataAllowance | None:
    """The declared amount in a text: "5GB", "20+10 GB", "500MB/day", "1GB Daily", "Unlimited".

    "Unlimited (2GB/day high speed then throttled)" is unlimited with what it states to run at full speed. A speed is
    what follows the amount, and of unlimited data without one the speed of all of it; one of ``FULL_SPEED_KBPS`` or
    more slows nothing down. None when the text is too long or states no amount, or two that differ.
    """
    if len(text) > MAX_TEXT:
        return None
    text = plain_digits(unicodedata.normalize("NFKC", text))
    kbps = full_speed.slowest_kbps(text)
    per = Period.DAY if DAILY.search(text) else Period.MONTH if MONTHLY.search(text) else Period.TOTAL
    amounts = set(_amounts(text if kbps is None else full_speed.SPEED.sub(" ", text), daily=per is Period.DAY))
    if len(amounts) > 1 or any(mb <= 0 for mb in amounts):
        return None
    mb = next(iter(amounts), None)
    after = _after(text, kbps, beside_amount=mb is not None)
    if not full_speed.is_unlimited(text):
        return None if mb is None else _allowance(mb, per, after=after)
    allowance = None if mb is None else FullSpeed(mb, per)
    if kbps is not None and kbps >= full_speed.FULL_SPEED_KBPS:
        if allowance is None or full_speed.speed_follows(text):
            allowance, after = FullSpeed(None), NOT_STATED
    elif kbps is not None:
        allowance = allowance or FullSpeed(0)
    elif full_speed.says_boundless(text):
        allowance = allowance or FullSpeed(None)
    return unlimited(allowance, after=after, tier=full_speed.tier_in(text))


def stated_gb(text: str) -> Decimal | None:
    """The one plain amount in a text in GB, with the digits that it shows; None for none, a sum or several."""
    if len(text) > MAX_TEXT or full_speed.is_unlimited(text):
        return None
    found = {match[0] for match in AMOUNT.finditer(plain_digits(unicodedata.normalize("NFKC", text)))}
    terms = _terms(found.pop()) if len(found) == 1 else None
    if terms is None or len(terms) > 1:
        return None
    number, unit = terms[0]
    if unit == "MB":
        # By its digits: 500 MB are 0.500 GB, and 512 MB half of one.
        whole = nominal_mb(int(number)) if number == int(number) else number
        return Decimal(whole).scaleb(-3)
    return number.scaleb(3) if unit == "TB" else number


def unlimited(
    allowance: FullSpeed | None = None, *, after: AfterFullSpeed = NOT_STATED, tier: str | None = None
) -> DataAllowance:
    """Unlimited data, with what is stated to run at full speed."""
    return DataAllowance(mb=None, declared="Unlimited", unlimited=True, allowance=allowance, after=after, tier=tier)


def over_days(data: DataAllowance, days: int) -> DataAllowance:
    """The same for a plan of so many days: an amount a month that lasts for less than two is one of all days."""
    if days >= 2 * DAYS_PER_MONTH:
        return data
    if data.reset is Reset.MONTHLY and data.mb is not None:
        return replace(data, reset=Reset.NEVER, declared=declared_text(data.mb))
    if data.allowance is not None and data.allowance.per is Period.MONTH:
        return replace(data, allowance=FullSpeed(data.allowance.mb))
    return data


def completed(data: DataAllowance, other: DataAllowance) -> DataAllowance | None:
    """An amount with what another source states of it besides; None where the two contradict each other."""
    if (data.mb, data.unlimited, data.reset) != (other.mb, other.unlimited, other.reset):
        return None
    if None not in (data.allowance, other.allowance) and data.allowance != other.allowance:
        return None
    if None not in (data.tier, other.tier) and data.tier != other.tier:
        return None
    after = AfterFullSpeed(
        other.after.kbps if data.after.kbps is None else data.after.kbps,
        other.after.cut_off if data.after.cut_off is None else data.after.cut_off,
    )
    return replace(data, allowance=data.allowance or other.allowance, after=after, tier=data.tier or other.tier)


def declared_text(mb: int) -> str:
    """Nominal MB as they are shown: "5 GB", "1.126 GB", "0.5 GB", and what is less as "750 MB"."""
    if mb >= NOMINAL_MB_PER_GB or mb % (NOMINAL_MB_PER_GB // 2) == 0 or nominal_mb(mb) != mb:
        gigabytes = Decimal(mb).scaleb(-3).normalize()
        return f"{gigabytes:f} GB"
    return f"{mb} MB"


def _agrees(count: int, gb: Decimal, unit: int) -> bool:
    """Whether a stated number of GB is of the same amount as the bytes."""
    exact = Fraction(count, unit)
    if abs(Fraction(gb) - exact) <= _NEAR * exact:
        return True
    exponent = gb.as_tuple().exponent
    digits = Decimal(1).scaleb(min(exponent, 0)) if isinstance(exponent, int) else Decimal(1)
    return gb < MAX_MB and (Decimal(count) / unit).quantize(digits, ROUND_HALF_UP) == gb


def _multiples(count: int, basis: Basis) -> dict[int, Basis]:
    """The round amounts that the bytes are, in nominal MB, the best first, with the basis of each."""
    units = [(_GIB, Basis.BINARY), (_THOUSAND_MIB, Basis.BINARY), (_GB, Basis.DECIMAL)]
    if basis is Basis.DECIMAL:
        units.reverse()
    found: list[tuple[Fraction, int, Basis]] = []
    for unit, counted in units:
        for step in (_STEP, _FINE_STEP):
            mb = (2 * count * NOMINAL_MB_PER_GB + unit * step) // (2 * unit * step) * step
            if mb == 0 or (step == _FINE_STEP and mb >= _FINE_BELOW):
                continue
            error = abs(Fraction(count * NOMINAL_MB_PER_GB, mb * unit) - 1)
            if error <= _EXACT:
                found.append((error, mb, counted))
    found.sort(key=itemgetter(0))  # of equal ones the supplier's own basis stays first
    best: dict[int, Basis] = {}
    for _, mb, counted in found:
        best.setdefault(mb, counted)
    return best


def _amounts(text: str, *, daily: bool) -> Iterator[int]:
    """Each amount in nominal MB, a sum as one; 0 for what cannot be read as one."""
    for match in AMOUNT.finditer(text):
        terms = _terms(match[0])
        # "1 GB + 500 MB/day" is no day's amount, nor one of all days.
        unclear = daily and sum(1 for term in _TERM.finditer(match[0]) if term[2]) > 1
        unclear = unclear or _NOT_FOR_ALL.match(text, match.end()) is not None
        unclear = unclear or ("+" in match[0] and _PART_OF_SUM.match(text, match.end()) is not None)
        unclear = unclear or text[: match.start()].rstrip().endswith(_ELSEWHERE)
        yield 0 if terms is None or unclear else sum(_nominal(number, unit) for number, unit in terms)


def _terms(text: str) -> list[tuple[Decimal, str]] | None:
    """The numbers of an amount with their units; one without a unit has that of the next. None for no number."""
    terms: list[tuple[Decimal, str]] = []
    unit = ""
    for match in reversed(list(_TERM.finditer(text))):
        unit = _unit_of(match[2]) if match[2] else unit
        number = _number(match[1], unit)
        if number is None:
            return None
        terms.append((number, unit))
    return terms


def _unit_of(word: str) -> str:
    return next(kind for kind, spelled in _KIND_OF_UNIT if spelled.match(word)) if word.lower() != "mo" else "MB"


def _number(text: str, unit: str) -> Decimal | None:
    """A number as it is written: with MB, a dot or comma before three digits groups thousands."""
    if unit == "MB" and _GROUPED.fullmatch(text):
        return Decimal(re.sub(r"[.,]", "", text))
    plain = text.replace(",", ".")
    return Decimal(plain) if plain.count(".") <= 1 else None


def _nominal(number: Decimal, unit: str) -> int:
    if unit == "MB":
        return nominal_mb(int(number)) if number == int(number) else int(number)
    return int(number * NOMINAL_MB_PER_GB * (NOMINAL_MB_PER_GB if unit == "TB" else 1))


def _after(text: str, kbps: int | None, *, beside_amount: bool) -> AfterFullSpeed:
    if kbps is not None and kbps < full_speed.FULL_SPEED_KBPS:
        return AfterFullSpeed(kbps, cut_off=False)
    if full_speed.says_throttled(text, beside_amount=beside_amount):
        return NOT_STATED if full_speed.says_boundless(text) else AfterFullSpeed(cut_off=False)
    return AfterFullSpeed(cut_off=True) if full_speed.says_cut_off(text) else NOT_STATED


def _allowance(
    mb: int,
    per: Period,
    *,
    after: AfterFullSpeed,
    count: int | None = None,
    basis: Basis = Basis.TEXT,
) -> DataAllowance | None:
    if not 0 < mb <= MAX_MB:
        return None
    each = "" if per is Period.TOTAL else f"/{per.value}"
    return DataAllowance(
        mb=mb,
        declared=f"{declared_text(mb)}{each}",
        reset=_RESETS[per],
        after=after,
        bytes=count,
        basis=basis,
    )
