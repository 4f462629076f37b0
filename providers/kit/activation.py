"""Activation codes (GSMA SGP.22 section 4.1): whether a supplier's text is installable, and its parts."""

from __future__ import annotations

import re

import msgspec

from schemas.order import Delivery

MAX_LENGTH = 255
PREFIX = "LPA:"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_CODE = re.compile(
    rf"LPA:1\$(?P<address>{_LABEL}(?:\.{_LABEL})+(?::\d{{1,5}})?)"
    r"\$(?P<matching>[A-Za-z0-9-]+)(?:\$(?P<oid>[0-9.]*)(?:\$(?P<confirm>1)?)?)?"
)


class ActivationCode(msgspec.Struct, frozen=True):
    """The parts of an installable activation code. A bearer secret: never logged."""

    text: str
    smdp_address: str
    matching_id: str
    confirmation_code_required: bool


def parse(text: str | None) -> ActivationCode | None:
    """The parts of ``LPA:1$<SM-DP+ address>$<matching ID>[$<OID>[$1]]``; None when it is not complete.

    A text that begins with ``1$`` lacks only its ``LPA:``.
    """
    whole = normalised(text)
    if whole is None or (match := _CODE.fullmatch(whole)) is None:
        return None
    return ActivationCode(whole, match["address"], match["matching"], match["confirm"] == "1")


def normalised(text: str | None) -> str | None:
    """The text with its ``LPA:``; None when there is none or it cannot be an activation code at all."""
    text = (text or "").strip()
    if not text or len(text) > MAX_LENGTH or not (text.isascii() and text.isprintable()):
        return None
    if text.startswith("1$"):
        return PREFIX + text
    return PREFIX + text[len(PREFIX) :] if text[: len(PREFIX)].upper() == PREFIX else text


def delivery(iccid: str | None, text: str | None, qr_image: bytes | None = None) -> Delivery:
    """A delivery of what a supplier sent. The parts are filled only from an installable text."""
    code = parse(text)
    if code is None:
        return Delivery(iccid=iccid, activation_code=normalised(text), qr_image=qr_image)
    return Delivery(
        iccid=iccid,
        activation_code=code.text,
        smdp_address=code.smdp_address,
        matching_id=code.matching_id,
        confirmation_code_required=code.confirmation_code_required,
        qr_image=qr_image,
    )
