"""eSIMs as a supplier hands them out: ICCIDs, activation codes and their QR pictures, packages and their use."""

from __future__ import annotations

import base64
import io
import random
from datetime import datetime, timedelta

import segno

from providers.simulator.items import Item
from providers.simulator.sales import Esim, Package, Sale
from providers.simulator.triggers import TriggerKind
from schemas.esim import ProfileState, ServiceState
from schemas.plan import Starts

SMDP_ADDRESS = "rsp.sandbox.example"
_ISSUER = "8999901"  # 89 for telecoms, then a country code that nobody has
_ICCID_DIGITS = 19
_DAYS = 30  # of an item that does not say
_IN_USE = frozenset({ServiceState.ACTIVE, ServiceState.DEPLETED, ServiceState.EXPIRED})
_INSTALLED = frozenset({ProfileState.INSTALLED, ProfileState.ENABLED, ProfileState.DISABLED, ProfileState.DELETED})


def new_esim(sale: Sale, package: Package, chance: random.Random) -> Esim:
    """What a sale delivers, with the text and the picture that its triggers ask for."""
    iccid = new_iccid(chance)
    text = picture = new_activation_code(chance)
    if TriggerKind.PICTURE_ONLY in sale.triggers:
        text = f"LPA:1${iccid}"
    elif TriggerKind.TWO_CODES in sale.triggers:
        text = new_activation_code(chance)
    return Esim(
        iccid=iccid,
        text_code=text,
        picture_code=picture,
        sale_id=sale.id,
        created_at=package.bought_at,
        packages=[package],
        renewable=package.item.topup,
    )


def new_package(sale: Sale, item: Item, now: datetime) -> Package:
    """The data that a sale adds, unused and not begun. A daily amount counts for all of its days."""
    total = None
    if not item.unlimited and item.mb is not None:
        total = item.mb * (item.days or 1) if item.daily else item.mb
    return Package(sale.id, item, total, 0, now)


def begin(esim: Esim, now: datetime) -> None:
    """Let the days of each package run from ``now`` that were to begin with the state that the eSIM has now."""
    for package in esim.packages:
        if package.expires_at is None and _begins(package.item, esim):
            package.began_at = now
            package.expires_at = now + timedelta(days=package.item.days or _DAYS)


def _begins(item: Item, esim: Esim) -> bool:
    if item.starts is Starts.PURCHASE or esim.service in _IN_USE:
        return True
    return item.starts is not Starts.FIRST_USE and esim.profile in _INSTALLED


def use(esim: Esim, used_mb: int) -> None:
    """Let ``used_mb`` in all have been used: the first package first, and the profile is enabled by then."""
    left = used_mb
    for package in esim.packages:
        last = package is esim.packages[-1]
        package.used_mb = left if last or package.total_mb is None else min(left, package.total_mb)
        left -= package.used_mb
    if used_mb and esim.profile is ProfileState.RELEASED:
        esim.profile = ProfileState.ENABLED
    if used_mb:
        esim.service = ServiceState.DEPLETED if esim.remaining_mb == 0 else ServiceState.ACTIVE


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
