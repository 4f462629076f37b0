"""What S2S delivered, found in JSON whose shape no page gives. Pure.

The keys of an eSIM are looked for wherever they stand and however they are spelt ("smdp_address",
"smdpAddress"); everything else in it is left alone.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from providers.kit import activation
from schemas.order import Delivery

# In the order in which they are believed: the first names the thing itself, the last may be a picture or a link.
CODE_KEYS = ("lpa", "activationcode", "qrcode")
ICCID, ADDRESS, MATCHING_ID = "iccid", "smdpaddress", "matchingid"

_DEEPEST = 6
_LONGEST_ICCID = 32
_MOST_IMAGE = 256 * 1024
_PNG = b"\x89PNG\r\n\x1a\n"
_DATA_URI = "data:image/png;base64,"


def esim(delivered: Any) -> Delivery | None:
    """The eSIM in the delivered goods of one order; None while there is none in them.

    Complete activation codes that differ are a conflict: the order is for one eSIM.
    """
    objects = [_spelt(found) for found in _objects(delivered, _DEEPEST)]
    texts = [text for found in objects for text in _texts(found)]
    if isinstance(delivered, str):
        texts.append(delivered.strip())
    codes = [code for code in map(activation.parse, texts) if code is not None]
    iccid = next((number for found in objects if (number := _iccid(found.get(ICCID)))), None)
    image = next((png for text in texts if (png := _picture(text)) is not None), None)
    if codes:
        # The same code may stand there with and without its last part, which says that a confirmation is needed.
        fullest = max(codes, key=lambda code: code.confirmation_code_required)
        whole = activation.delivery(iccid, fullest.text, image)
        differ = len({(code.smdp_address.casefold(), code.matching_id) for code in codes}) > 1
        return msgspec.structs.replace(whole, conflict=differ)
    part = next(
        (text for text in map(activation.normalised, texts) if text and text.startswith(activation.PREFIX)), None
    )
    return activation.delivery(iccid, part, image) if iccid or part or image else None


def _objects(value: Any, deepest: int) -> Iterator[Mapping[str, Any]]:
    """Every JSON object in ``value``, the outer ones first."""
    if deepest and isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _objects(inner, deepest - 1)
    elif deepest and isinstance(value, list):
        for inner in value:
            yield from _objects(inner, deepest - 1)


def _spelt(found: Mapping[str, Any]) -> dict[str, Any]:
    return {key.casefold().replace("_", "").replace("-", ""): value for key, value in found.items()}


def _texts(found: Mapping[str, Any]) -> Iterator[str]:
    """The activation codes that one object may state; address and matching ID make one too."""
    for key in CODE_KEYS:
        if isinstance(text := found.get(key), str) and text.strip():
            yield text.strip()
    address, matching_id = found.get(ADDRESS), found.get(MATCHING_ID)
    if isinstance(address, str) and isinstance(matching_id, str) and address.strip() and matching_id.strip():
        yield f"LPA:1${address.strip()}${matching_id.strip()}"


def _iccid(value: Any) -> str | None:
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if text.isascii() and text.isalnum() and len(text) <= _LONGEST_ICCID else None


def _picture(text: str) -> bytes | None:
    if not text.startswith(_DATA_URI) or len(text) > _MOST_IMAGE:
        return None
    try:
        image = base64.b64decode(text.removeprefix(_DATA_URI), validate=True)
    except (binascii.Error, ValueError):
        return None
    return image if image.startswith(_PNG) else None
