"""The words of ``config/tiers.toml``: units of time, what comes again each day, words of the trade."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Collection, Iterable
from importlib import resources
from typing import Any

TABLE: dict[str, Any] = tomllib.loads(
    unicodedata.normalize("NFKC", resources.files("config").joinpath("tiers.toml").read_text("utf-8"))
)


def is_joined(word: str) -> bool:
    """Whether a word is of a script that puts no spaces between words: Thai and Lao, Chinese, Japanese and Korean."""
    return word[0] >= "\u3040" or "\u0e00" <= word[0] < "\u0f00"


def either(terms: Iterable[str]) -> str:
    """A pattern for these words, the longest first; parted by their first letters, which is faster."""
    by_letter: dict[str, list[str]] = {}
    for word in sorted(set(terms), key=len, reverse=True):
        by_letter.setdefault(word[0], []).append(re.escape(word[1:]))
    return "(?:" + "|".join(f"{re.escape(first)}(?:{'|'.join(rests)})" for first, rests in by_letter.items()) + ")"


def any_of(terms: Collection[str]) -> str:
    """A pattern for any of these words, each of them whole where its script parts words by spaces."""
    joined = {word for word in terms if is_joined(word)}
    spaced = rf"\b{either(set(terms) - joined)}(?!\w)"
    return f"{spaced}|{either(joined)}" if joined else spaced
