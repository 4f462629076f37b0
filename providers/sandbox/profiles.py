"""eSIM profiles as a supplier hands them out: ICCIDs, activation codes and their QR pictures."""

from __future__ import annotations

import base64
import io
import random

import segno

SMDP_ADDRESS = "rsp.sandbox.example"
_ISSUER = "8999901"  # 89 for telecoms, then a country code that nobody has
_ICCID_DIGITS = 19


def new_iccid(chance: random.Random) -> str:
    """A made-up ICCID: 19 digits, the last of which is their Luhn digit."""
    body = _ISSUER + "".join(chance.choices("0123456789", k=_ICCID_DIGITS - 1 - len(_ISSUER)))
    return body + luhn_digit(body)


def luhn_digit(digits: str) -> str:
    """The digit that makes ``digits`` a number with a right Luhn check (ITU-T E.118)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled  # noqa: PLR2004 - the sum of its two digits
    return str(-total % 10)


def new_activation_code(chance: random.Random) -> str:
    """A complete activation code (GSMA SGP.22 section 4.1) at an address that does not exist."""
    return f"LPA:1${SMDP_ADDRESS}$" + "-".join("".join(chance.choices("0123456789ABCDEF", k=5)) for _ in range(4))


def qr_png(text: str) -> bytes:
    """The text as a QR code in a PNG picture."""
    picture = io.BytesIO()
    segno.make(text, error="m", micro=False).save(picture, kind="png", scale=4)
    return picture.getvalue()


def qr_data_uri(text: str) -> str:
    """The same as a ``data:image/png;base64,…`` URI."""
    return "data:image/png;base64," + base64.b64encode(qr_png(text)).decode()
