"""Facts of a plan in its name: minutes, SMS, hotspot, identification, a phone number, how soon to install. Pure.

A name is the last resort: what a supplier states in a field of its own goes before it (``completed``).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import msgspec

from providers.kit import durations, full_speed
from providers.kit.caseless import CaselessPattern
from schemas.plan import Features, SetAsideReason

NOTHING = Features()

_NUMBER = r"(?<![0-9.,])(?P<number>[0-9]{1,3}(?:[.,][0-9]{3})+|[0-9]{1,6})"
_KIND = r"(?:(?:incoming|outgoing|local|national|international|domestic|free|any-?net)[\s,/&-]*)*"
_CALLS = r"(?:(?:voice|calls?|calling|talk(?:[ -]?time)?)(?:[ -](?:minutes?|mins?|time))?)"
_MINUTE = r"(?:minutes?|mins?|minutos?|minuten|minuti|минут[ыа]?|分钟|分鐘|분)"
_NO = r"(?P<no>\b(?:no|not|non|without|excl(?:udes|uding|\.)?)[\s-]{1,2})?"
_AFTER = r"(?:\s?[:(-]?\s?(?P<after>{words})\b)?"

# "100 min" may be how long a plan lasts; only beside a word for calls, or added to something, it is calls for sure.
_MINUTES = CaselessPattern(
    rf"(?P<added>(?:[+&,]|\b(?:and|plus|with|incl(?:udes|uding|\.)?))\s?)?{_NUMBER}\s?-?{_KIND}(?P<calls>{_CALLS}\s)?"
    rf"{_MINUTE}(?![a-z])(?P<of>\s(?:of\s|for\s)?{_KIND}{_CALLS}(?![a-z]))?"
)
_SMS = CaselessPattern(rf"(?:[+&,]\s?)?{_NUMBER}\s?-?{_KIND}(?:sms|texts?(?:\smessages?)?|messages?|смс|短信)(?![a-z])")
_HOTSPOT = CaselessPattern(
    rf"{_NO}\b(?:personal\s|mobile\s|wi-?fi\s)?(?:hot-?\s?spot|tethering)\b"
    + _AFTER.format(words="not (?:allowed|supported|available|included)|disabled|allowed|supported|available|included")
)
_KYC = CaselessPattern(
    rf"{_NO}\b(?:(?:e-?)?kyc|real[ -]name|id[ -](?:verification|registration|check))\b"
    + _AFTER.format(words="not (?:required|needed)|free|required|needed|registration|verification")
)
_PHONE_NUMBER = CaselessPattern(
    rf"{_NO}(?:\bwith\s|\bincl(?:udes|uding|\.)?\s|[+&]\s?)?(?:\ba\s)?(?:\blocal\s)?\b(?:phone|mobile)\snumber\b"
)
_DATA_ONLY = CaselessPattern(r"\bdata[ -]only\b")
_INSTALL = CaselessPattern(
    r"\b(?:must be\s|to be\s)?install(?:ed|ation)?\s(?:with)?in\s(?P<number>[0-9]{1,3})\s?(?P<unit>[a-z]{3,6})\b"
)
_ANY = CaselessPattern(r"min|sms|text|messag|hot|tether|kyc|real|\bid\b|number|only|install|минут|смс|短信|分|분")
_IS_CALLS = CaselessPattern(rf"{_CALLS}|minutes?|mins?")
_IS_SMS = CaselessPattern(r"sms|texts?|texting|messages?|messaging")
_NETWORK_NUMBER = re.compile(r"[\s(\[-]*(?<![0-9])([2-79][0-9]{2})[ -]?([0-9]{2,3})[)\]]?$")
_TRUE = frozenset({"yes", "true", "1", "y", "allowed", "supported", "available", "included", "required", "needed"})
_FALSE = frozenset({"no", "false", "0", "n", "none", "not allowed", "not supported", "not required", "not needed"})


@lru_cache(maxsize=4096)
def facts_of(name: str) -> Features:
    """What a name states; None for the rest. A text that is too long says nothing."""
    if len(name) > durations.MAX_TEXT:
        return NOTHING
    text = unicodedata.normalize("NFKC", name)
    nouns = [match["nouns"] for match in full_speed.UNLIMITED.finditer(text) if match["nouns"]]
    if not nouns and not _ANY.search(text):
        return NOTHING
    minutes = [_number(match) for match in _MINUTES.finditer(text) if _is_calls(match, text)]
    sms = [_number(match) for match in _SMS.finditer(text)]
    install, data_only = _INSTALL.search(text), _DATA_ONLY.search(text) is not None
    nothing_else = False if data_only else None
    days = durations.days(install["number"], install["unit"]) if install else None
    return with_calls(
        Features(
            voice=nothing_else,
            sms=nothing_else,
            hotspot=_says(_HOTSPOT, text),
            voice_minutes=_only(minutes),
            voice_unlimited=any(map(_IS_CALLS.search, nouns)) or None,
            sms_count=_only(sms),
            sms_unlimited=any(map(_IS_SMS.search, nouns)) or None,
            phone_number=nothing_else if (stated := _says(_PHONE_NUMBER, text)) is None else stated,
            kyc_required=_says(_KYC, text),
            install_within_days=None if isinstance(days, SetAsideReason) else days,
        )
    )


def without_facts(text: str) -> str:
    """A name without the words that state facts: what is left says amount, duration and place."""
    if not _ANY.search(text):
        return text
    text = _MINUTES.sub(lambda match: " " if _is_calls(match, match.string) else match[0], text)
    for pattern in (_INSTALL, _SMS, _HOTSPOT, _KYC, _PHONE_NUMBER, _DATA_ONLY):
        text = pattern.sub(" ", text)
    return text


def completed(stated: Features, named: Features) -> Features:
    """What a supplier states, and what a name says of the rest. Without calls or SMS there is no number of them."""
    if named is NOTHING:
        return with_calls(stated)
    values = {
        name: value
        for name, value in msgspec.structs.asdict(named).items()
        if value is not None
        and getattr(stated, name) is None
        and getattr(stated, _PART_OF.get(name, name)) is not False
    }
    return with_calls(msgspec.structs.replace(stated, **values))


def contradict(first: Features, second: Features) -> bool:
    """Whether two sources state different minutes or SMS, which are part of what a plan is."""
    for _, number, unlimited in _COUNTED:
        amounts = {
            "unlimited" if getattr(features, unlimited) else getattr(features, number) for features in (first, second)
        }
        if len(amounts - {None}) > 1:
            return True
    return False


def with_calls(features: Features) -> Features:
    """The same with ``voice`` and ``sms`` where the minutes and SMS tell them."""
    follows = {}
    for name, number, unlimited in _COUNTED:
        parts = (getattr(features, number), getattr(features, unlimited))
        if getattr(features, name) is None and parts != (None, None):
            follows[name] = any(parts)
    return msgspec.structs.replace(features, **follows) if follows else features


def yes_or_no(value: object) -> bool | None:
    """Yes or no in a field of JSON: a boolean, 0 or 1, or a word for it; None for anything else."""
    if isinstance(value, bool) or value is None:
        return value
    word = " ".join(str(value).casefold().split()) if isinstance(value, str | int | float) else ""
    return True if word in _TRUE else False if word in _FALSE else None


def count(value: object) -> tuple[int | None, bool | None]:
    """A number in a field of JSON, and whether it is said to be unlimited: 100, "100 min", "Unlimited", "no"."""
    if isinstance(value, bool):
        return (None, None) if value else (0, None)
    if isinstance(value, str) and full_speed.UNLIMITED.search(value):
        return None, True
    if yes_or_no(value) is False:
        return 0, None
    found = re.search(_NUMBER, value if isinstance(value, str) else str(value)) if value is not None else None
    return (None, None) if found is None else (_number(found), None)


@lru_cache(maxsize=8192)
def operator(text: str) -> tuple[str, str | None]:
    """An operator's name, and its MCC and MNC where they stand behind it: "Docomo (440-10)"."""
    found = _NETWORK_NUMBER.search(text)
    if found is None or not (name := text[: found.start()].rstrip()):
        return text, None
    return name, found[1] + found[2]


def _is_calls(match: re.Match[str], text: str) -> bool:
    """Whether minutes are of calls, and not how long a plan lasts."""
    if match["added"] or match["calls"] or match["of"]:
        return True
    return durations.in_text(text)[0] is not None


def _says(pattern: CaselessPattern, text: str) -> bool | None:
    """What a name says of something: no with a "no" before it or a "not" or "free" behind; None where it is silent."""
    match = pattern.search(text)
    if match is None:
        return None
    after = (match.groupdict().get("after") or "").casefold()
    return match["no"] is None and not after.startswith(("not", "disabled", "free"))


def _number(match: re.Match[str]) -> int:
    return int(re.sub("[.,]", "", match["number"]))


def _only(numbers: list[int]) -> int | None:
    return numbers[0] if len(set(numbers)) == 1 else None


_COUNTED = (("voice", "voice_minutes", "voice_unlimited"), ("sms", "sms_count", "sms_unlimited"))
_PART_OF = {part: name for name, *parts in _COUNTED for part in parts}
