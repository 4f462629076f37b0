"""What a text says of data without end: whether "unlimited" is about data, at what speed, and in which tier. Pure."""

from __future__ import annotations

import re
import unicodedata

from providers.kit.caseless import CaselessPattern
from providers.kit.vocabulary import TABLE, either

MOST_GB: int = TABLE["most_gb"]
FULL_SPEED_KBPS: int = TABLE["full_speed_kbps"]
TIERS: dict[str, str] = {word.casefold(): word for word in TABLE["tiers"]}

_UNLIMITED = unicodedata.normalize(
    "NFKC",
    r"(?:\b(?:unlimited|unltd|unbegrenzt(?:e[nrs]?)?|unlimitiert(?:e[nrs]?)?|illimit[ée]e?s?|illimitat[oiae]"
    r"|ilimitad[oa]s?|onbeperkte?|безлимит(?:ный|ные|ная|ное|но)?|безліміт(?:ний|но)?|необмежен(?:ий|о)|неограничен(?:ный|о)?|sınırsız"
    r"|nielimitowan[yeai]|nieograniczon[yeai]|neomezen[áéýě]|neobmedzen[áéý]|korlátlan|nelimitate?|neograničen[oai]?"
    r"|obegränsa[dt]e?|ubegrenset|ubegrænset|rajaton|απεριόριστ[αηο]|không giới hạn|tanpa batas|tak terbatas)\b"
    r"|∞|无限|不限(?![速时時次])|無限(?!制)|無制限|使い放題|吃到[饱飽]|무제한|ไม่จำกัด|ไม่อั้น|ללא הגבלה"
    r"|غير محدود[ةه]?|بلا حدود)",
)
_NOT = CaselessPattern(r"\b(?:not|non|nicht|не)\s?-?\s?$")
_DATA = (
    r"(?:mobile\s)?(?:data|internet|traffic|usage|surf(?:ing)?|browsing|datos|daten(?:volumen)?|données|dati|dados"
    r"|интернет|трафик|інтернет|трафік|dane|dữ liệu|kuota|veri|เน็ต|流量|数据|數據|データ(?:通信)?|데이터|بيانات|إنترنت)"
)
# What may be unlimited beside data. One app's data, a hotspot's or a night's is no data for all uses.
_OTHER = (
    r"(?:calls?|calling|minutes?|mins?|sms|mms|texts?|texting|messages?|messaging|voice|talk|phone|whatsapp|facebook"
    r"|messenger|instagram|telegram|viber|tiktok|youtube|netflix|spotify|snapchat|twitter|wechat"
    r"|social(?:\s(?:media|networks?))?|chat|music|video|streaming|apps?|hot-?spots?|tethering|wi-?fi|sharing|nights?"
    r"|night-?time|weekends?|validity|speeds?|devices?|countries|recharges?|top-?ups?|llamadas?|minutos|mensajes|appels?"
    r"|chiamate|minuti|messaggi|chamadas|mensagens|anrufe|telefonie|telefonate|bellen|звонк[иов]+|смс|минут[ыа]?"
    r"|aramalar?|cuộc gọi|tin nhắn|telepon|โทร|通话|短信|語音|通話|통화|문자|مكالمات|رسائل"
    rf"|{either(TABLE['unlimited']['other'])})(?:\s(?:data|internet))?"
)
_KIND = r"(?:(?:incoming|outgoing|local|national|international|domestic|free|[345]g|lte|high[ -]speed)[\s,/&]+)*"
_AND = r"\s?(?:,|/|&|\+|、|和|\b(?:and|y|et|und|e|i|и|та|en|ve|và|dan|og|och)\b)\s?"
_NOUN = rf"{_KIND}(?:{_OTHER}|{_DATA})(?![a-zа-я])"
# "unlimited" with the nouns that follow it.
UNLIMITED = CaselessPattern(rf"{_UNLIMITED}(?:[\s:\-–]*(?P<nouns>{_NOUN}(?:{_AND}{_NOUN})*))?")
_IS_OTHER = CaselessPattern(_OTHER)
_SAYS_DATA = CaselessPattern(_DATA)
_OTHER_BEFORE = CaselessPattern(rf"(?:^|[^a-zа-я])(?:{_OTHER})\s?[:=\-–]?\s?$")
_ONLY_THEN = CaselessPattern(rf"\s?\(?(?:at|by|during|on|for|with|in)\s(?:the\s)?(?:{_OTHER})")
_FOR_OTHER = CaselessPattern(
    rf"\s?\(?(?:(?:at|by|during|on|for|in|für|bei|pour|para|per|en|em|su|на|для|в|trên|untuk|na)\s)?(?:(?:the|la|le|les|de|el|as|os|à)\s)?"
    rf"(?:{_OTHER})(?!\w)"
)

SPEED = re.compile(
    r"(?<![0-9.,])(?:([0-9]{1,5}(?:[.,][0-9]{1,3})?)\s?[-–]\s?)?([0-9]{1,5}(?:[.,][0-9]{1,3})?)\s?"
    r"([kmgкмг])\s?(bps|bits?\s?/\s?s(?:ec)?|bits?ps|b\s?/\s?s(?:ec)?|бит(?:а|ов)?\s?/\s?с(?:ек)?)(?![a-zа-я])",
    re.IGNORECASE,
)
_THEN = CaselessPattern(
    rf"(?:\bthen|\bafter\w*|\bdanach|\bdann|\bdespués|\bluego|\bensuite|\bpuis|\bpoi|\bdepois|\bdopo|\bпотом|\bдалее|\bзатем|\bsonra"
    r"|\bpotem|\bsau đó|之后|之後|その後|以降|이후|소진 후"
    rf"|{_UNLIMITED}(?:\sdata)?\sat)[^0-9]{{0,40}}$"
)
_KBPS_PER = {"k": 1, "m": 1000, "g": 1_000_000, "к": 1, "м": 1000, "г": 1_000_000}
_BITS_PER_BYTE = 8
_BOUNDLESS = CaselessPattern(
    r"\b(?:no|not|never|without|zero)\s(?:data\s)?(?:throttl\w*|speed\s(?:limits?|caps?|reductions?|restrictions?)|fup"
    rf"|fair[ -]use)|\btruly unlimited|{_UNLIMITED}\s(?:at\s)?(?:full|max(?:imum)?|top)[ -]?speed|\bohne drosselung"
    r"|\bsans (?:bridage|limitation de débit)|\bsin (?:límite|reducción) de velocidad|不限速|速度制限なし"
)
_THROTTLED = CaselessPattern(r"throttl|\breduced\b|\bslow|\bgedrosselt|\bbrid[ée]|\breducid[oa]|\bridott[oa]")
_SPEED_NAMED = CaselessPattern(r"\b(?:high|full)[ -]?speed\b")
_CUT_OFF = CaselessPattern(r"\bcut[ -]?off\b")

_TIER = "(" + "|".join(map(re.escape, TIERS)) + r")\b"
TIER = CaselessPattern(rf"{_UNLIMITED}\s?[-–:(\[]?\s?{_TIER}|\b{_TIER}\s?[-–]?\s?{_UNLIMITED}")


def is_unlimited(text: str) -> bool:
    """Whether data is unlimited: the word alone, or beside data; not beside calls, one app, a hotspot or nights."""
    return any(_is_of_data(match) for match in UNLIMITED.finditer(text))


def slowest_kbps(text: str) -> int | None:
    """The lowest speed in a text; None where none is stated. "MB/s" are megabytes, "Mb/s" and the like megabits."""
    speeds = []
    for match in SPEED.finditer(text):
        in_bytes = match[4][0] == "B" and "/" in match[4] and match[4][1:2] != "i"
        factor = _KBPS_PER[match[3].lower()] * (_BITS_PER_BYTE if in_bytes else 1)
        speeds += [float(number.replace(",", ".")) * factor for number in (match[1], match[2]) if number]
    return int(min(speeds)) if speeds else None


def speed_follows(text: str) -> bool:
    """Whether a speed is said to be that of what comes after the amount, or of all unlimited data."""
    return any(_THEN.search(text[: match.start()]) for match in SPEED.finditer(text))


def says_boundless(text: str) -> bool:
    """Whether it is stated that nothing slows unlimited data down."""
    return _BOUNDLESS.search(text) is not None


def says_throttled(text: str, *, beside_amount: bool) -> bool:
    """Whether data goes on slower; with an amount, also where only that amount is said to be at full speed."""
    return _THROTTLED.search(text) is not None or (beside_amount and _SPEED_NAMED.search(text) is not None)


def says_cut_off(text: str) -> bool:
    """Whether data ends with its amount."""
    return _CUT_OFF.search(text) is not None


def tier_in(text: str) -> str | None:
    """The tier beside "unlimited", as ``config/tiers.toml`` writes it; None where there is none."""
    found = TIER.search(text)
    return TIERS[(found[1] or found[2]).casefold()] if found else None


def _is_of_data(match: re.Match[str]) -> bool:
    before, after = match.string[: match.start()], match.string[match.end() :]
    if _NOT.search(before):
        return False
    if match["nouns"]:
        says_data = _SAYS_DATA.search(_IS_OTHER.sub("", match["nouns"])) is not None
        return says_data and _ONLY_THEN.match(after) is None
    return _OTHER_BEFORE.search(before) is None and _FOR_OTHER.match(after) is None
