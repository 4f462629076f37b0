"""Names of items that are no new eSIM: a top-up of one that the traveller has, a card of plastic."""

from __future__ import annotations

import re

from providers.kit.unmapped import Unmapped
from schemas.plan import SetAsideReason

_TOPUP = (
    r"\btop[\s‐‑–-]?ups?\b|\brecharges?[\s-]only\b|\bonly[\s-]recharges?\b"
    r"|\bfor existing (?:e-?sims?|users?|customers?)\b"
    r"|\bnur (?:zu[mr] )?auflad(?:en|ung)\b|\brecharges? (?:uniquement|seulement)\b"
    r"|\b(?:s[oó]lo|solamente|apenas|só) (?:recarga|ricarica)\b|\b(?:recarga|ricarica) (?:s[oó]lo|solamente|apenas)\b"
    r"|\bпополнени[ея]\b|\bsadece yükleme\b|[仅僅]限?充[值値]|充[值値][专專]用|チャージ専用|충전\s?전용"
    r"|\bnạp thêm\b|\bgói nạp\b|\bisi ulang\b|\bdoładowani[ea]\b|\bek paketi?\b|เติมเงิน|เติมเน็ต|^\s*\+\s?(?=[0-9])"
)
_PLASTIC = (
    r"\b(?:physical|plastic|physische|plastik)[\s-]sim\b|\bsim(?:[\s-]cards?)? \(?(?:physical|physique|f[ií]sica)\b"
    r"|\b(?:физическ|пластиков)ая sim\b|[实實][体體]\s?(?:sim)?\s?卡|物理\s?sim|실물\s?유심"
    r"|\bsim vật lý\b|\bfiziksel sim\b|\bsim fisik\b|\bkartu fisik\b|\bfyzická sim\b|\bfysi(?:sk|eke?) sim\b"
    r"|\bfizyczna (?:karta )?sim\b|\bkarta sim fizyczna\b|ซิมจริง"
)
# Words for the card itself, where no eSIM is named beside it.
_CARD = re.compile("유심|SIMカード|ซิมการ์ด", re.IGNORECASE)
_ESIM = re.compile(r"e-?sim|이심", re.IGNORECASE)
# "No physical SIM needed", "top-up available": what an eSIM lacks or can do is not what it is.
_ITEM = re.compile(
    r"(?P<has>\b(?:no|non|not an?|not|without|with|w/|supports?|supporting|allows?|includes?|optional)[\s-]+)?"
    rf"(?P<kind>{_TOPUP}|{_PLASTIC})"
    r"(?P<can>[\s:=,-]*\b(?:not|available|possible|supported|enabled|allowed|ready|options?|optional|any\s?time|yes|no|later)\b)?",
    re.IGNORECASE,
)


def other_kind(name: str) -> str | None:
    """The words that say that a name is no new eSIM's ("Top-up", "physical SIM"); None where none does."""
    found = (match for match in _ITEM.finditer(name) if not match["has"] and not match["can"])
    if kind := next((match["kind"] for match in found), None):
        return kind.strip()
    card = _CARD.search(name)
    return card[0] if card and not _ESIM.search(name) else None


def require_new_esim(*names: str) -> None:
    """Raise ``Unmapped`` for an item that one of its names calls something else than a new eSIM."""
    for name in names:
        if kind := other_kind(name):
            raise Unmapped(SetAsideReason.NOT_A_NEW_ESIM, f"{kind!r} is no new eSIM")
