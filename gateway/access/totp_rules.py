"""Codes of a second factor: TOTP (RFC 6238) as authenticator apps make them, six digits every 30 seconds. Pure."""

from __future__ import annotations

from datetime import datetime

import pyotp
import segno
from pyotp.utils import strings_equal

ISSUER = "eSIM gateway"
_STEPS_APART = 1  # a phone's clock may be 30 seconds off either way
_QR_SCALE = 5
_QR_BORDER = 4


def new_secret() -> str:
    """A random secret, in base32 as it is typed into an app."""
    return pyotp.random_base32()


def uri_of(secret: str, name: str) -> str:
    """What the picture holds: the secret with the user's name and this gateway's."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)


def picture_of(uri: str) -> str:
    """The QR code of an address, black on white, as the ``src`` of an image."""
    code = segno.make(uri, error="m", micro=False)
    return code.svg_data_uri(scale=_QR_SCALE, border=_QR_BORDER, dark="#000", light="#fff")


def grouped(secret: str) -> str:
    """A secret to be read out and typed: groups of four."""
    return " ".join(secret[place : place + 4] for place in range(0, len(secret), 4))


def step_of(secret: str, code: str, now: datetime, used: int | None) -> int | None:
    """The step that a code belongs to, None for a wrong one. Steps up to ``used`` count no more."""
    typed = "".join(code.split())
    totp = pyotp.TOTP(secret)
    present = totp.timecode(now)
    for step in range(present - _STEPS_APART, present + _STEPS_APART + 1):
        if strings_equal(typed, totp.generate_otp(step)):
            return step if used is None or step > used else None
    return None
