"""Quotes: the price of a plan, held for a while in a sealed token that only this gateway can read.

Nothing is stored: the quote's id is the quote, encrypted and signed (AES-256-GCM) with a key that is
derived from ``secret_key``. The first secret key seals, every listed one opens, so a list rotates.
The token carries what an order may cost us, which is why it is encrypted and not only signed.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache

import msgspec
import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.catalog.index import Choice, Index, Need, NoMatch
from gateway.catalog.wanted_rules import stored
from gateway.kit.settings import Settings
from gateway.pricing.price_rules import most_an_order_may_cost
from schemas.errors import ConfigurationError
from schemas.features import Wanted
from schemas.money import Money

PREFIX = "qt_"
MAX_TOKEN = 1000
_NONCE_BYTES = 12
_PURPOSE = b"esim-gateway quote 1"


class Quote(msgspec.Struct, frozen=True):
    """A held price. ``body`` is the JSON answer of ``POST /v1/quotes``."""

    id: str
    body: bytes
    expires_at: datetime


class HeldPrice(msgspec.Struct, frozen=True):
    """What a quote's token holds. ``max_cost`` is the most an order under it may cost us, in base currency."""

    plan_id: str
    price: Money
    max_cost: Money
    wanted: Wanted
    expires_at: datetime


class QuoteExpired(Exception):  # noqa: N818 - a fact about the quote, not a fault
    """The quote was good once; answer 409 ``quote_expired``."""


class QuoteUnknown(Exception):  # noqa: N818 - as above
    """No quote of this storefront and mode; answer 404."""


class _Sealed(msgspec.Struct, frozen=True, array_like=True):
    storefront: str
    mode: str
    plan_id: str
    amount: str
    currency: str
    max_cost: str
    base: str
    wanted: Wanted | tuple[bool, bool, bool, bool, str | None]  # the tuple from before 2026-11-22
    expires: int


def make_quote(
    index: Index, need: Need, settings: Settings, *, storefront: str, mode: str, now: datetime
) -> Quote | NoMatch:
    """The cheapest plan in stock for a need with its price held, or what was missing. Raises ``QueryError``.

    Raises ``ConfigurationError`` when the settings have no secret key.
    """
    choice = index.choose(need)
    if isinstance(choice, NoMatch):
        return choice
    expires_at = datetime.fromtimestamp(int(now.timestamp()) + settings.quotes.ttl_seconds, UTC)
    rates = index.snapshot.rates
    most = most_an_order_may_cost(choice.price, rates, choice.minimum_margin)
    sealed = _Sealed(
        storefront,
        mode,
        choice.plan_id,
        str(choice.price.amount),
        choice.price.currency,
        str(most.amount),
        most.currency,
        need.wanted,
        int(expires_at.timestamp()),
    )
    token = PREFIX + _seal(settings, msgspec.json.encode(sealed))
    return Quote(token, _body(token, choice, expires_at), expires_at)


def open_quote(token: str, settings: Settings, *, storefront: str, mode: str, now: datetime) -> HeldPrice:
    """What a quote's id holds. Raises ``QuoteExpired`` or ``QuoteUnknown``."""
    try:
        sealed = msgspec.json.decode(_unseal(settings, token), type=_Sealed)
    except msgspec.DecodeError:  # of another release
        raise QuoteUnknown from None
    if (sealed.storefront, sealed.mode) != (storefront, mode):
        raise QuoteUnknown
    expires_at = datetime.fromtimestamp(sealed.expires, UTC)
    if now >= expires_at:
        raise QuoteExpired
    return HeldPrice(
        plan_id=sealed.plan_id,
        price=Money(Decimal(sealed.amount), sealed.currency),
        max_cost=Money(Decimal(sealed.max_cost), sealed.base),
        wanted=_wanted(sealed),
        expires_at=expires_at,
    )


def _wanted(sealed: _Sealed) -> Wanted:
    if isinstance(sealed.wanted, Wanted):
        return sealed.wanted
    names = ("topup", "voice", "sms", "five_g", "exit_country")
    return stored(dict(zip(names, sealed.wanted, strict=True)))


def _body(token: str, choice: Choice, expires_at: datetime) -> bytes:
    next_best = None
    if choice.next_best is not None:
        plan_id, price = choice.next_best
        next_best = {"plan_id": plan_id, "price": _price_json(price)}
    return orjson.dumps(
        {
            "id": token,
            "plan": orjson.Fragment(choice.plan),
            "price": _price_json(choice.price),
            "expires_at": expires_at,
            "why": {
                "assumed": choice.assumed,
                "plans_considered": choice.considered,
                "plans_in_stock": choice.in_stock,
                "rule": choice.rule,
                "next_best": next_best,
            },
        },
        option=orjson.OPT_UTC_Z,
    )


def _price_json(price: Money) -> dict[str, str]:
    return {"amount": f"{price.padded().amount:f}", "currency": price.currency}


def _seal(settings: Settings, plain: bytes) -> str:
    nonce = os.urandom(_NONCE_BYTES)
    cipher = next(_ciphers(settings), None)
    if cipher is None:
        raise ConfigurationError("secret_key: quotes need one; set GATEWAY_SECRET_KEY to 32 characters or more")
    return base64.urlsafe_b64encode(nonce + cipher.encrypt(nonce, plain, _PURPOSE)).rstrip(b"=").decode()


def _unseal(settings: Settings, token: str) -> bytes:
    if not token.startswith(PREFIX) or len(token) > MAX_TOKEN:
        raise QuoteUnknown
    text = token.removeprefix(PREFIX)
    try:
        raw = base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise QuoteUnknown from None
    for cipher in _ciphers(settings):
        try:
            return cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _PURPOSE)
        except (InvalidTag, ValueError):
            continue
    raise QuoteUnknown


def _ciphers(settings: Settings) -> Iterator[AESGCM]:
    return (_cipher(key.get_secret_value()) for key in settings.secret_key)


@lru_cache(maxsize=8)
def _cipher(secret: str) -> AESGCM:
    derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret.encode())
    return AESGCM(derived)
