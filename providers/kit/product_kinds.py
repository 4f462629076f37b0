"""Names of items that are no new eSIM: a top-up of one that the traveller has, a card of plastic."""

from __future__ import annotations

from functools import lru_cache

from providers.kit.caseless import CaselessPattern
from providers.kit.unmapped import Unmapped
from schemas.plan import SetAsideReason

_TOPUP = (
    r"\b(?:top[\s‐‑–-]?ups?|recharges?[\s-]only|only[\s-]recharges?|for existing (?:e-?sims?|users?|customers?)"
    r"|nur (?:zu[mr] )?auflad(?:en|ung)|recharges? (?:uniquement|seulement)|(?:s[oó]lo|solamente|apenas|só)"
    r" (?:recarga|ricarica)|(?:recarga|ricarica) (?:s[oó]lo|solamente|apenas)|пополнени[ея]|sadece yükleme|nạp thêm"
    r"|gói nạp|isi ulang|doładowani[ea]|ek paketi?)\b"
    r"|[仅僅]限?充[值値]|充[值値][专專]用|チャージ専用|충전\s?전용|เติมเงิน|เติมเน็ต|^\s*\+\s?(?=[0-9])"
)
_PLASTIC = (
    r"\b(?:(?:physical|plastic|physische|plastik)[\s-]sim|sim(?:[\s-]cards?)? \(?(?:physical|physique|f[ií]sica)"
    r"|(?:физическ|пластиков)ая sim|sim vật lý|fiziksel sim|sim fisik|kartu fisik|fyzická sim|fysi(?:sk|eke?) sim"
    r"|fizyczna (?:karta )?sim|karta sim fizyczna)\b|[实實][体體]\s?(?:sim)?\s?卡|物理\s?sim|실물\s?유심|ซิมจริง"
)
# Words for the card itself, where no eSIM is named beside it.
_CARD = CaselessPattern("유심|SIMカード|ซิมการ์ด")
_ESIM = CaselessPattern(r"e-?sim|이심")
# "No physical SIM needed", "top-up available": what an eSIM lacks or can do is not what it is.
_ITEM = CaselessPattern(
    r"(?P<has>\b(?:no|non|not an?|not|without|with|w/|supports?|supporting|allows?|includes?|optional)[\s-]+)?"
    rf"(?P<kind>{_TOPUP}|{_PLASTIC})"
    r"(?P<can>[\s:=,-]*\b(?:not|available|possible|supported|enabled|allowed|ready|options?|optional|any\s?time|yes|no|later)\b)?"
)


@lru_cache(maxsize=4096)
def other_kind(name: str) -> str | None:
    """The words that say that a name is no new eSIM's ("Top-up", "physical SIM"); None where none does."""
    found = (match for match in _ITEM.finditer(name) if not match["has"] and not match["can"])
    if match := next(found, None):
        return name[slice(*match.span("kind"))].strip()
    card = _CARD.search(name)
    return card[0] if card and not _ESIM.search(name) else None


def require_new_esim(*names: str) -> None:
    """Raise ``Unmapped`` for an item that one of its names calls something else than a new eSIM."""
    for name in names:
        if kind := other_kind(name):
            raise Unmapped(SetAsideReason.NOT_A_NEW_ESIM, f"{kind!r} is no new eSIM")
