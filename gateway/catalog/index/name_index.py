"""Free text: which coverages and which kinds of plans a word names.

A plan's words are those of its name, of its countries' names and codes and of its region. They all
follow from its coverage or from its kind (amount, days), so the index is over those few thousands
and not over the plans.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence

MAX_TEXT = 200
MAX_WORDS = 10
_WORD = re.compile(r"[^\W_]+")
_AMOUNT = re.compile(r"(?<![^\W_])([0-9]+)(gb|mb|days|day|d)(?![^\W_])")


def terms_of(text: str) -> list[str]:
    """The words of a text, folded: without case, accents and compatibility forms ("Türkiye" -> "turkiye")."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return _WORD.findall(_AMOUNT.sub(r"\1 \2", plain))


class WordIndex:
    """Sorted words, each with the numbers of the things that it names."""

    def __init__(self, terms: Sequence[str], members: Sequence[Sequence[int]]) -> None:
        self.terms = terms
        self.members = members

    def having(self, word: str, *, begins: bool) -> set[int]:
        """The numbers that ``word`` names; with ``begins``, those of all words that begin with it."""
        at = bisect_left(self.terms, word)
        found: set[int] = set()
        while at < len(self.terms) and (self.terms[at].startswith(word) if begins else self.terms[at] == word):
            found.update(self.members[at])
            at += 1
        return found


def index_terms(texts: Mapping[int, Iterable[str]]) -> tuple[list[str], list[list[int]]]:
    """The words of the texts of each number, sorted, and the numbers of each word."""
    having: dict[str, set[int]] = {}
    for number, parts in texts.items():
        for part in parts:
            for word in terms_of(part):
                having.setdefault(word, set()).add(number)
    terms = sorted(having)
    return terms, [sorted(having[word]) for word in terms]
