"""What was said between us and a supplier, made fit to be kept: its shape, its plain words, nothing secret. Pure.

Other than a line of an error, this is read by people for weeks. So the rule is turned round: an opaque value is kept
only under a name that promises an id of a plan or an order; what a name or a shape gives away goes, and goes
everywhere else too where the very same characters stand in either side of the exchange.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec
from yarl import URL

from providers.kit.redaction import REDACTED, Redactor

MOST_BYTES = 256 * 1024  # of a longer body only its length is kept
MOST_CHARS = 4000  # of one side, as it is kept
_MOST_TEXT = 300
_MOST_ITEMS = 5
_MOST_NAMES = 60
_DEEPEST = 8
_SHORTEST_LITERAL = 5
_LONG_NUMBER = 15  # digits: an IMSI has 15, an ICCID 18 to 22, an EID 32

_SECRET_PARTS = (
    "iccid", "activation", "lpa", "qr", "matching", "smdp", "confirm", "mail", "phone", "msisdn", "imsi", "imei",
    "token", "secret", "apikey", "passw", "url", "uri", "link", "image", "picture", "signature", "auth", "cookie",
    "session", "customer", "serial", "firstname", "lastname", "address", "credential",
)  # fmt: skip
# What a product asks of a customer ("fields") is theirs to tell, and a voucher's PIN is money.
_SECRET_NAMES = frozenset(
    {
        "ac",
        "eid",
        "sn",
        "pin",
        "puk",
        "pin1",
        "pin2",
        "puk1",
        "puk2",
        "pins",
        "pincode",
        "vouchercode",
        "key",
        "hash",
        "number",
        "fields",
    }
)
_ID_NAMES = re.compile(
    r"(?:id|uuid|reference|sku|slug|(?:package|plan|product|country|currency|error|location)code|type|date|time|at)$"
)
_DIGITS = re.compile(rf"\d{{{_LONG_NUMBER},}}")
_PLAIN_SEGMENT = re.compile(r"[A-Za-z][A-Za-z_-]{0,40}|v\d{1,3}")
_OURS = re.compile(r"att_[0-9a-f]{8,40}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:[T ][\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?")
_CODE = re.compile(r"(?i)(?:LPA:)?1\$([^$\s\"']{1,255})\$([^$\s\"']{1,255})")
_WORD = re.compile(r"[^\s\"'<>(){}\[\],;]+")
_SPLIT = re.compile(r"[^a-z0-9]+")
_NOTHING: Any = object()
_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


def path_template(url: URL, base_path: str = "") -> str:
    """The path below the base URL with its ids as ``{id}``, and the names of its parameters without their values."""
    path = url.raw_path.removeprefix(base_path) or "/"
    parts = [part if not part or _PLAIN_SEGMENT.fullmatch(part) else "{id}" for part in path.split("/")]
    names = "&".join(dict.fromkeys(_name(name) for name in url.query))
    return ("/".join(parts) + (f"?{names}" if names else ""))[:300]


def scrubbed(bodies: Sequence[bytes | None], redact: Redactor, also: Collection[str] = ()) -> list[str | None]:
    """The sides of one exchange, each as at most ``MOST_CHARS`` characters; None stays None.

    JSON comes out as JSON, its lists cut short; anything else as a piece of text. ``also`` are texts that are known to
    be secret.
    """
    read = [_read(body) for body in bodies]
    literals = {word for word in also if len(word) >= _SHORTEST_LITERAL}
    for value in read:
        _collect_secrets(value, literals, secret=False, depth=0)
    eye = _Eye(redact, sorted(literals, key=len, reverse=True))
    return [
        None if body is None else _side(body, value, eye)[:MOST_CHARS] for body, value in zip(bodies, read, strict=True)
    ]


class _Eye:
    """Looks at texts, knowing what was secret anywhere in the exchange."""

    def __init__(self, redact: Redactor, literals: Sequence[str]) -> None:
        self._redact, self._literals = redact, literals

    def text(self, value: str) -> str:
        """A text that people are to read: words that could be codes go."""
        if _PLAIN_SEGMENT.fullmatch(value):
            return self.id(value)  # no code, by its length and without digits
        return _WORD.sub(lambda word: REDACTED if _opaque(word[0]) else word[0], self.id(value))

    def id(self, value: str) -> str:
        """A text that may be opaque."""
        # A literal may stand across the place where a long text is cut, so they go first.
        window = value[: _MOST_TEXT + 3000]
        for literal in self._literals:
            window = window.replace(literal, REDACTED)
        if len(value) > _MOST_TEXT + 3000:  # what is cut in half is not recognised
            window = window[:-2000]
        masked = _DIGITS.sub(REDACTED, self._redact(window, _MOST_TEXT))
        return masked + "…" if len(value) > _MOST_TEXT else masked


def _side(body: bytes, value: Any, eye: _Eye) -> str:
    if len(body) > MOST_BYTES:
        return f"[{len(body):,} bytes]"
    if value is _NOTHING:
        return eye.text(body[: 4 * MOST_CHARS].decode("utf-8", "replace"))
    scrubbed_value = _encoder.encode(_scrub(value, "", eye, 0))
    return msgspec.json.format(scrubbed_value, indent=1).decode()


def _read(body: bytes | None) -> Any:
    if body is None or len(body) > MOST_BYTES:
        return _NOTHING
    try:
        value = _decoder.decode(body)
    except (ValueError, RecursionError):
        return _NOTHING
    return value if isinstance(value, (dict, list)) else _NOTHING


def _scrub(value: Any, name: str, eye: _Eye, depth: int) -> Any:  # noqa: PLR0911 - one for each kind of JSON
    if isinstance(value, dict):
        if depth >= _DEEPEST:
            return "…"
        return {
            eye.text(str(key))[:80]: REDACTED if _is_secret(str(key)) and inner not in (None, "") else _scrub(
                inner, str(key), eye, depth + 1
            )
            for key, inner in list(value.items())[:_MOST_NAMES]
        }  # fmt: skip
    if isinstance(value, list):
        if depth >= _DEEPEST:
            return "…"
        items = [_scrub(inner, name, eye, depth + 1) for inner in value[:_MOST_ITEMS]]
        return items + ([f"… and {len(value) - _MOST_ITEMS} more"] if len(value) > _MOST_ITEMS else [])
    if isinstance(value, str):
        return eye.id(value) if _names_an_id(name) else eye.text(value)
    if value is None or isinstance(value, bool):
        return value
    return REDACTED if _DIGITS.search(f"{value}") or eye.id(f"{value}") != f"{value}" else value


def _collect_secrets(value: Any, found: set[str], *, secret: bool, depth: int) -> None:
    """Add every text that stands under a name that promises a secret, and the parts of every activation code."""
    if depth > _DEEPEST or value is _NOTHING:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            _collect_secrets(inner, found, secret=secret or _is_secret(str(key)), depth=depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _collect_secrets(inner, found, secret=secret, depth=depth + 1)
    elif isinstance(value, (str, int, Decimal)) and not isinstance(value, bool):
        text = str(value)[:2000]
        if "$" in text:
            for code in _CODE.finditer(text):
                found.update(part for part in code.groups() if len(part) >= _SHORTEST_LITERAL)
        if secret and len(text) >= _SHORTEST_LITERAL:
            found.add(text)


def _name(name: str) -> str:
    """A parameter's name, unless it is none of the plain ones."""
    return name if _PLAIN_SEGMENT.fullmatch(name) and len(name) <= 40 else "…"  # noqa: PLR2004 - as a segment


@lru_cache(maxsize=2048)  # the same few names come with every answer
def _is_secret(name: str) -> bool:
    bare = _SPLIT.sub("", name.lower())
    return bare in _SECRET_NAMES or any(part in bare for part in _SECRET_PARTS)


@lru_cache(maxsize=2048)
def _names_an_id(name: str) -> bool:
    return not _is_secret(name) and _ID_NAMES.search(_SPLIT.sub("", name.lower())) is not None


def _opaque(word: str) -> bool:
    """Whether a word could be a code: letters and digits mixed, or very long, and no date and no reference of ours."""
    bare = word.strip(".:!?=&-_")
    if len(bare) < 8 or _OURS.fullmatch(bare) or _MOMENT.fullmatch(bare):  # noqa: PLR2004 - shorter ones are words
        return False
    mixed = any(letter.isdigit() for letter in bare) and any(letter.isalpha() for letter in bare)
    return mixed or len(bare) > 40  # noqa: PLR2004 - no word of a language
