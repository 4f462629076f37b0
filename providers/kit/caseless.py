"""Patterns for texts in any case: what ``re.IGNORECASE`` finds, found faster in ASCII, and compiled when first needed.

With ``re.IGNORECASE`` Python tries every alternative in full; without it most are ruled out by their first letter. So a
text that is ASCII, as most names are, is searched in lower case.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cached_property

# What IGNORECASE takes for an ASCII letter besides its other case: dotless and dotted i, long s, the kelvin sign.
_AS_ASCII = {0x131: "i", 0x130: "i", 0x17F: "s", 0x212A: "k"}
_PARTS = re.compile(r"\\.|\(\?P|[^\\(]+|\(", re.DOTALL)


class CaselessPattern:
    """A pattern without inline flags. A match's text may be in lower case; its places are those in the text."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern

    def search(self, text: str) -> re.Match[str] | None:
        return self._ascii.search(text.lower()) if text.isascii() else self._any.search(text)

    def match(self, text: str, at: int = 0) -> re.Match[str] | None:
        return self._ascii.match(text.lower(), at) if text.isascii() else self._any.match(text, at)

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        return self._ascii.finditer(text.lower()) if text.isascii() else self._any.finditer(text)

    def sub(self, replacement: str | Callable[[re.Match[str]], str], text: str) -> str:
        """The text as it is but for its matches."""
        return self._any.sub(replacement, text) if self.search(text) else text

    @cached_property
    def _any(self) -> re.Pattern[str]:
        return re.compile(self.pattern, re.IGNORECASE)

    @cached_property
    def _ascii(self) -> re.Pattern[str]:
        # Escapes (\S, \B) and names of groups (?P<…>) stay as they are.
        parts = (part[0] for part in _PARTS.finditer(self.pattern.translate(_AS_ASCII)))
        return re.compile("".join(part if part[0] == "\\" or part == "(?P" else part.lower() for part in parts))
