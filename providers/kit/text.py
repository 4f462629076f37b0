"""Supplier text made harmless: no markup, no control characters, capped before any pattern sees it."""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache

NAME_LENGTH = 200
DESCRIPTION_LENGTH = 500
RAW_LENGTH = 64 * 1024
ID_LENGTH = 200

_READ_AHEAD = 4  # markup may take up most of a text, so this many times the wanted length is looked at
_HIDDEN = re.compile(r"<(script|style)\b[^<>]*>.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")
_INVISIBLE = frozenset({"Cf", "Cs", "Co", "Cn"})


def clean_text(text: str | None, length: int = NAME_LENGTH) -> str:
    """``text`` on one line, at most ``length`` characters, without markup, control or invisible characters.

    Entities are resolved first, so that an escaped tag goes too. Empty for None.
    """
    return _cleaned(text[: length * _READ_AHEAD], length) if text else ""


def is_supplier_id(text: str, length: int = ID_LENGTH) -> bool:
    """Whether a supplier's id can be kept as it came: printable, not blank, at most ``length`` characters.

    An id is a key, not a text: a purchase repeats it byte for byte, so it is kept whole or refused, never cleaned.
    Markup in it is harmless where pages escape what they show.
    """
    return 0 < len(text) <= length and text.isprintable() and not text.isspace()


def raw_json(raw: bytes | memoryview) -> bytes:
    """A supplier's item as it came, as valid UTF-8 without NUL, at most 64 KiB of it: fit for a text column."""
    return bytes(raw)[:RAW_LENGTH].decode("utf-8", "replace").replace("\0", "\ufffd").encode()


@lru_cache(maxsize=4096)  # a catalogue says few things often
def _cleaned(text: str, length: int) -> str:
    if "<" in text or ">" in text or "&" in text:
        text = html.unescape(text)
        text = _TAG.sub(" ", _HIDDEN.sub(" ", text)).replace("<", " ").replace(">", " ")
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if not text.isprintable():
        text = "".join(map(_visible, text))
    return " ".join(text.split())[:length].rstrip()


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cc":
        return " "
    return "" if category in _INVISIBLE else character
