"""What a storefront may say of its pages for travellers, and what they are drawn with. Pure."""

from __future__ import annotations

import base64
import binascii
import io
from typing import NamedTuple
from urllib.parse import quote

from PIL import Image

from gateway.kit.addresses import fault_of_url

LARGEST_LOGO = 40_000  # bytes; the page carries the logo in itself
MOST_PIXELS = 1024  # of either side
_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg"}
_DARK, _LIGHT = "#000000", "#ffffff"
_PLACES = ("esim_id", "iccid", "order_id", "language")


class Logo(NamedTuple):
    """A picture and its media type."""

    body: bytes
    type: str


def read_logo(text: str) -> Logo | str:
    """The logo that a base64 text holds, or what is wrong with it."""
    try:
        body = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return "is not base64"
    if len(body) > LARGEST_LOGO:
        return f"must have at most {LARGEST_LOGO:,} bytes"
    try:
        with Image.open(io.BytesIO(body), formats=tuple(_TYPES)) as picture:
            size, kind = picture.size, str(picture.format)
            picture.verify()
    except Exception:  # noqa: BLE001 - Pillow raises many things for what is no picture
        return "must be a PNG or JPEG picture"
    if max(size) > MOST_PIXELS:
        return f"must have at most {MOST_PIXELS} by {MOST_PIXELS} pixels"
    return Logo(body, _TYPES[kind])


def fault_of_topup_url(url: str) -> str | None:
    """What is wrong with the address of a top-up button; None when nothing is."""
    filled = topup_link(url, **dict.fromkeys(_PLACES, "0"))
    if "{" in filled or "}" in filled:
        return f"may have {', '.join(f'{{{place}}}' for place in _PLACES)} and no other braces"
    if not filled.startswith("https://"):
        return "must be https"
    return fault_of_url(filled, ())


def topup_link(url: str, **values: str) -> str:
    """The address of the top-up button for one eSIM."""
    for name, value in values.items():
        url = url.replace(f"{{{name}}}", quote(value, safe=""))
    return url


def text_on(color: str) -> str:
    """Black or white, whichever is read better on a colour ("#0b5cad"); the contrast is 4.5 or more (WCAG 2)."""
    light = _luminance(color)
    on_light, on_dark = (_luminance(_LIGHT) + 0.05) / (light + 0.05), (light + 0.05) / (_luminance(_DARK) + 0.05)
    return _LIGHT if on_light >= on_dark else _DARK


def _luminance(color: str) -> float:
    parts = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]  # noqa: PLR2004 - WCAG's formula
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
