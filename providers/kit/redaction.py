"""What a supplier said, made fit for an error or a log line: short, and with nothing secret in it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

DETAIL_CHARS = 300
REDACTED = "[redacted]"

# A shorter value would blank out ordinary words.
_SHORTEST_SECRET = 4
# The longest thing that a pattern below has to see whole: an e-mail address or an activation code.
_TAIL = 400

# Each with a part, in lower case, that every ASCII text it matches has.
_PATTERNS = (
    ("bearer", re.compile(r"(?i)\bbearer\s+[\w.~+/=-]{1,4096}")),
    ("basic", re.compile(r"(?i)\bbasic\s+[\w.~+/=-]{1,4096}")),
    ("lpa", re.compile(r"(?i)LPA(?::|%3A)\S{1,300}")),
    # The same code without its scheme; the address between the signs names the SM-DP+ server.
    ("1$", re.compile(r"\b1\$[\w.-]{1,255}\$?[\w$.-]{0,255}")),
    ("89", re.compile(r"(?<!\d)89\d{16,20}(?!\d)")),
    ("@", re.compile(r"[\w.+-]{1,64}@[\w.-]{1,255}")),
    ("+", re.compile(r"(?<![\w+])\+\d{8,15}(?!\d)")),  # telephone numbers
)
# A name of a field, a plain word: nothing above can stand in it.
_WORD = re.compile(r"[A-Za-z_-]{0,60}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


class Redactor:
    """Takes secrets out of texts. ``secrets`` are literal values; the patterns know the rest.

    The text is cut before any pattern runs on it, so a hostile one costs no more than a short one;
    what stands at the cut is dropped, since a secret cut in half would not be recognised.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        plain = {secret for secret in secrets if len(secret) >= _SHORTEST_SECRET}
        spelled = plain | {quote(secret, safe="") for secret in plain}
        self._secrets = sorted(spelled, key=len, reverse=True)
        self._tail = max([_TAIL, *map(len, self._secrets)])

    def __call__(self, text: object, limit: int = DETAIL_CHARS) -> str:
        """At most ``limit`` characters of ``text``, on one line, without secrets."""
        whole = text if isinstance(text, str) else str(text)
        window = whole[: limit + self._tail]
        for secret in self._secrets:
            window = window.replace(secret, REDACTED)
        if _WORD.fullmatch(window):
            return window[:limit]
        known = window.lower() if window.isascii() else None
        for part, pattern in _PATTERNS:
            if known is None or part in known:
                window = pattern.sub(REDACTED, window)
        if len(whole) > limit + self._tail:
            window = window[: -self._tail]
        if not window.isprintable():
            window = _CONTROL.sub(" ", window)
        return window[:limit].strip()
