"""Patterns for texts in any case find what ``re.IGNORECASE`` finds."""

import re
from types import ModuleType

import pytest

from providers.kit import full_speed, plan_facts, plan_names, product_kinds, units
from providers.kit.caseless import CaselessPattern
from tests.providers.test_shop_names import ROWS

MODULES: tuple[ModuleType, ...] = (full_speed, plan_facts, plan_names, product_kinds, units)
PATTERNS = {
    f"{module.__name__}.{name}": pattern
    for module in MODULES
    for name, pattern in vars(module).items()
    if isinstance(pattern, CaselessPattern)
}
# Beside names of real shops: words of the patterns, and letters that IGNORECASE takes for another.
WORDS = (
    *("sinirsiz", "SINIRSIZ", "sınırsız", "ſms", "1GB/day", "5 GB MONTHLY", "Top-Up only", "no physical SIM", "+ 3GB"),
    *(
        "Unlimited calls and data",
        "then",
        "100 MIN calls + 50 SMS",
        "HOTSPOT not allowed",
        "5 GB PRO",
        "Unlimited LITE",
    ),
    *("installed within 30 days", "3 COUNTRIES", "up to 5 GB", "V2 4G/5G LTE eSIM", "500 MB nights", "calls:", "not "),
    *(
        "with a phone number",
        "no KYC",
        "data only",
        "cut off",
        "no throttling",
        "at high speed",
        "for whatsapp",
        "유심",
    ),
    *("hotspot", "on weekends", "Unlimited LITE", "유심"),
)
TEXTS = [variant for text in (*WORDS, *(row["name"] for row in ROWS)) for variant in (text, text.upper(), text.lower())]


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_finds_the_same_places_as_without_the_difference_of_case(name: str) -> None:
    pattern = PATTERNS[name]
    plain = re.compile(pattern.pattern, re.IGNORECASE)
    assert any(map(pattern.search, TEXTS)) or any(map(pattern.match, TEXTS))
    for text in TEXTS:
        assert [found.regs for found in pattern.finditer(text)] == [found.regs for found in plain.finditer(text)], text
        assert pattern.sub("-", text) == plain.sub("-", text)
        for at in (0, 3):
            assert bool(pattern.match(text, at)) == bool(plain.match(text, at))
