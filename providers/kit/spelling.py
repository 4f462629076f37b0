"""How names of places are compared: their words without case, accents and small differences."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Sequence

LIST_MARK, AND = ",", "and"

_LIST_MARKS = re.compile(r"[,;/|+\n、，،؛；]")
_NOTHING = frozenset(".'’‘`´ʼʻ׳״")  # between letters of one word
_JOINED_BY_HAND = "和与與及"  # "and" where words are not parted by spaces
_SAME_WORD = {"st": "saint", "ste": "saint", "islands": "island", "isl": "island"} | dict.fromkeys(
    # "and" in the languages of the feeds
    ("n", "und", "et", "y", "e", "en", "i", "и", "й", "і", "та", "och", "og", "ve", "dan", "و"),
    AND,
)
_THE = "the"
_FIRST_BEYOND_LATIN = "\u0370"
# Marks that make another letter: nukta, voiced kana, virama. All others with a class of their own are accents.
_LETTER_MARKS = frozenset({7, 8, 9})


def tokens_of(text: str) -> list[str]:
    """The text's words; a comma stands for every list mark, and where Latin and another script meet ("Japan日本")."""
    letters = "".join(map(_written, unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())))
    if not letters.isascii():
        letters = _parted(unicodedata.normalize("NFC", letters))
    found = (_SAME_WORD.get(word, word) for word in letters.replace(LIST_MARK, f" {LIST_MARK} ").split())
    return [word for word in found if word != _THE]


def without_marks(tokens: Sequence[str]) -> str:
    """The words as a key."""
    return " ".join(word for word in tokens if word != LIST_MARK)


def key_of(name: str) -> str:
    """What a name is looked up by."""
    return without_marks(tokens_of(name))


@functools.cache
def _written(character: str) -> str:
    """A character of a decomposed text as it counts: a letter, a list mark, a space or nothing."""
    if character.isalnum():
        return character
    if _LIST_MARKS.match(character):
        return LIST_MARK
    if character == "&":
        return f" {AND} "
    category = unicodedata.category(character)
    if character in _NOTHING or category == "Cf":
        return ""
    if category.startswith("M"):
        accent = unicodedata.combining(character)
        return character if not accent or accent in _LETTER_MARKS else ""
    return " "


def _parted(letters: str) -> str:
    """Words of different scripts apart, and Chinese words that are joined by "and"."""
    parted: list[str] = []
    before = None
    for character in letters:
        if character in _JOINED_BY_HAND:
            parted.append(f" {AND} ")
            continue
        if character.isalpha():
            latin = character < _FIRST_BEYOND_LATIN
            if before is not None and latin is not before:
                parted.append(LIST_MARK)
            before = latin
        elif character == LIST_MARK:
            before = None
        parted.append(character)
    return "".join(parted)
