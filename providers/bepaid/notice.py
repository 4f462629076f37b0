"""bePaid's payment notifications: verified over the bytes that came, then read. Pure.

Both proofs are needed: HTTP Basic with the shop's id and secret, and ``Content-Signature``, the RSA-SHA256 signature
of the raw body in base64 by bePaid's own key, whose public half the shop is told.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec
import structlog
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from providers.bepaid import wire
from providers.bepaid.mapping import checkout_id_of, time_of
from schemas.money import Money
from schemas.payment import PaymentKind, PaymentNotice, PaymentState

AUTHORIZATION, SIGNATURE = "authorization", "content-signature"
MAX_BODY = 64 * 1024
SMALLEST_KEY_BITS = 2048
_MOST_MINOR = 10**12
_DEEPEST = 4

STATES: Mapping[str, PaymentState] = {
    "successful": PaymentState.CAPTURED,
    "failed": PaymentState.FAILED,
    "incomplete": PaymentState.PENDING,
    "pending": PaymentState.PENDING,
    "expired": PaymentState.EXPIRED,
}
KINDS: Mapping[str, PaymentKind] = {
    "payment": PaymentKind.PAYMENT,
    "authorization": PaymentKind.AUTHORISATION,
    "refund": PaymentKind.REFUND,
}

_log = structlog.get_logger("providers.bepaid")
_notice = msgspec.json.Decoder(wire.Notice, strict=False)
_PRODUCT = re.compile(r"(?<![0-9A-Za-z_])prd_[0-9A-Za-z]{4,64}(?![0-9A-Za-z_])")
_PLAIN = re.compile(r"[0-9A-Za-z_.:-]{1,100}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_ARMOUR = re.compile(r"-----[A-Z ]+-----|\s+")


def credentials(shop_id: str, secret_key: str) -> str:
    """The shop's id and secret as HTTP Basic writes them, without the word."""
    return base64.b64encode(f"{shop_id}:{secret_key}".encode()).decode()


def public_key(text: str) -> RSAPublicKey:
    """The key as bePaid shows it: base64, with or without PEM's lines. Raises ``ValueError`` for anything else."""
    try:
        der = base64.b64decode(_ARMOUR.sub("", text), validate=True)
        key = serialization.load_der_public_key(der)
    except (binascii.Error, ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("is no public key; copy it from the shop's settings at bePaid") from None
    if not isinstance(key, RSAPublicKey) or key.key_size < SMALLEST_KEY_BITS:
        raise ValueError(f"is no RSA key of {SMALLEST_KEY_BITS} bits or more")
    return key


_known_key = lru_cache(maxsize=16)(public_key)


def verify(headers: Mapping[str, str], body: bytes, *, shop_id: str, secret_key: str, key: str) -> bool:
    """Whether bePaid sent exactly these bytes to this shop. A body above 64 KiB is nobody's."""
    lowered = {name.lower(): value for name, value in headers.items()}
    word, _, sent = lowered.get(AUTHORIZATION, "").strip().partition(" ")
    expected = credentials(shop_id, secret_key)
    known = hmac.compare_digest(sent.strip().encode("utf-8", "replace"), expected.encode())
    if not known or word.lower() != "basic" or not shop_id or not secret_key or len(body) > MAX_BODY:
        return False
    try:
        signature = base64.b64decode(lowered.get(SIGNATURE, "").strip(), validate=True)
        _known_key(key).verify(signature, body, PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def parse(body: bytes) -> PaymentNotice:
    """The payment in a verified body. Raises ``ValueError`` when it is none.

    A type that is not known is OTHER, a status PENDING; a payment that does not say that it is no test is one. The
    product is looked for by the form of its id, since no page says where it stands.
    """
    try:
        transaction = _notice.decode(body).transaction
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not _PLAIN.fullmatch(transaction.uid):
        raise ValueError("its uid is none")
    if not 0 <= transaction.amount <= _MOST_MINOR or not _CURRENCY.fullmatch(transaction.currency):
        raise ValueError("its amount is none")
    state, kind = STATES.get(transaction.status), KINDS.get(transaction.type or "")
    if state is None or kind is None:
        _log.warning("payment_status_unknown", status=state is None, type=kind is None)
    return PaymentNotice(
        payment_id=transaction.uid,
        state=state or PaymentState.PENDING,
        paid=Money.from_minor(transaction.amount, transaction.currency),
        link_id=_product_in(
            (transaction.product_id, transaction.additional_data, transaction.tracking_id, transaction.description)
        ),
        checkout_id=checkout_id_of(_text(transaction.description)) or checkout_id_of(_text(transaction.tracking_id)),
        paid_at=time_of(_text(transaction.paid_at)),
        test=transaction.test is not False,
        kind=kind or PaymentKind.OTHER,
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _product_in(value: Any, depth: int = 0) -> str | None:
    """The first id of a product anywhere in it."""
    if isinstance(value, str):
        found = _PRODUCT.search(value[:2000])
        return found[0] if found else None
    if depth >= _DEEPEST or not isinstance(value, dict | list | tuple):
        return None
    inside = value.values() if isinstance(value, dict) else value
    return next((inner for part in inside if (inner := _product_in(part, depth + 1))), None)
