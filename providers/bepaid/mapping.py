"""bePaid's words into the gateway's and back: links, refusals, what a payment link's request is made of. Pure.

A product has no field for a reference of ours, so the checkout's id stands in brackets at the end of its
description. There a product is found again whose making was never answered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from yarl import URL

from providers.bepaid import wire
from providers.kit.text import DESCRIPTION_LENGTH, NAME_LENGTH, clean_text
from providers.kit.urls import is_loopback
from schemas.errors import InvalidRequest, NotAuthorised, NotFound, SupplierError
from schemas.money import Money
from schemas.payment import PaymentLink, PaymentLinkRequest

LONGEST_DESCRIPTION = 255
DEFAULT_LANGUAGE = "en"
_MOST_MINOR = 10**12
_MOST_TIMES = 10**9
_LONGEST_URL = 2000
_MOST_FAULTS = 20

_CURRENCY = re.compile(r"[A-Z]{3}")
_LANGUAGE = re.compile(r"[a-z]{2}")
_CHECKOUT = re.compile(r"\[([0-9A-Za-z_-]{1,64})\]\s*\Z")
_ID = re.compile(r"[0-9A-Za-z_-]{1,100}")

_product = msgspec.json.Decoder(wire.Product, strict=False)
_problem = msgspec.json.Decoder(wire.Problem)

# The page says nothing of 409, which is therefore no refusal.
_REFUSALS: Mapping[int, type[SupplierError]] = {
    400: InvalidRequest,
    401: NotAuthorised,
    403: NotAuthorised,
    422: InvalidRequest,
}
# Where a product is named. By the page an unknown one answers 302.
_OF_A_PRODUCT: Mapping[int, type[SupplierError]] = {**_REFUSALS, 302: NotFound, 404: NotFound, 410: NotFound}


def new_product(
    request: PaymentLinkRequest, *, test: bool, language: str, visible_fields: tuple[wire.VisibleField, ...] = ()
) -> wire.NewProduct:
    """A product for exactly one payment of the request's price, until it expires.

    ``language`` is for a request whose own is no language. Raises ``InvalidRequest`` for what cannot be asked for.
    """
    name = clean_text(request.name)
    if not name or not _CHECKOUT.fullmatch(f"[{request.checkout_id}]"):
        raise InvalidRequest("a payment link needs a name and a checkout's id; nothing was sent")
    if request.expires_at.tzinfo is None:
        raise InvalidRequest("a payment link's expiry needs an offset; nothing was sent")
    return wire.NewProduct(
        name=name,
        description=tagged(request.description or request.name, request.checkout_id),
        currency=request.price.currency,
        amount=amount_text(request.price),
        quantity="1",
        infinite=False,
        visible_fields=visible_fields or msgspec.UNSET,
        test=test,
        immortal=False,
        expired_at=moment(request.expires_at),
        return_url=request.return_url or msgspec.UNSET,
        language=language_of(request.language) or language_of(language) or DEFAULT_LANGUAGE,
        transaction_type=wire.TransactionType.PAYMENT,
    )


def closing(now: datetime) -> wire.ProductChanges:
    """What ends a product at ``now``. Its quantity stays: that is what shows whether it was paid."""
    return wire.ProductChanges(immortal=False, expired_at=moment(now))


def amount_text(price: Money) -> str:
    """The price in whole minor units, by ISO 4217's digits. Raises ``InvalidRequest`` for what is no price."""
    try:
        minor = price.to_minor()
    except (ValueError, ArithmeticError):
        minor = 0
    if not 0 < minor <= _MOST_MINOR or not _CURRENCY.fullmatch(price.currency):
        raise InvalidRequest(f"{price.amount} {price.currency} is no price in whole minor units; nothing was sent")
    return str(minor)


def moment(at: datetime) -> str:
    """A time as the page writes it, in UTC, to the second that has begun."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")


def language_of(text: str) -> str | None:
    """The language in ``ru`` or ``ru-RU``, None where there is none."""
    word = text.strip().lower()[:20].replace("_", "-").partition("-")[0]
    return word if _LANGUAGE.fullmatch(word) else None


def tagged(description: str, checkout_id: str) -> str:
    """The description with the checkout's id at its end, short enough for every screen."""
    tag = f"[{checkout_id}]"
    text = clean_text(description, LONGEST_DESCRIPTION - len(tag) - 1)
    return f"{text} {tag}" if text else tag


def checkout_id_of(text: str | None) -> str | None:
    """The checkout's id at the end of a description of ours; None for anybody else's."""
    found = _CHECKOUT.search(text[: 4 * LONGEST_DESCRIPTION]) if text else None
    return found[1] if found else None


def link(raw: bytes | msgspec.Raw) -> PaymentLink:
    """A product's payment link. Raises ``ValueError`` when it is not one that can be paid by anybody."""
    product = _product.decode(raw)
    if not _ID.fullmatch(product.id):
        raise ValueError("its id is none")
    if product.amount is None or not 0 < product.amount <= _MOST_MINOR:
        raise ValueError("it states no price")
    if product.currency is None or not _CURRENCY.fullmatch(product.currency):
        raise ValueError("its currency is none")
    return PaymentLink(
        id=product.id,
        url=_address(product.payment_url or product.pay_url),
        price=Money.from_minor(product.amount, product.currency),
        remaining=_remaining(product),
        test=product.test is True,
        created_at=time_of(product.created_at),
        name=clean_text(product.name, NAME_LENGTH) or None,
        description=clean_text(product.description, DESCRIPTION_LENGTH) or None,
        checkout_id=checkout_id_of(product.description),
    )


def listed(raw: bytes | msgspec.Raw) -> PaymentLink | None:
    """A row of the list; None for one of the shop's own making that cannot be read as a link.

    Raises ``ValueError`` for one that carries an id of ours, or could.
    """
    try:
        return link(raw)
    except ValueError:
        product = _product.decode(raw)
        if checkout_id_of(product.description) is not None:
            raise
        return None


def refusal(status: int, body: bytes) -> SupplierError | None:
    """A refusal of the page: a status that it names, with a readable word of why."""
    return _refusal(_REFUSALS, status, body)


def product_refusal(status: int, body: bytes) -> SupplierError | None:
    """The same where a product is named."""
    return _refusal(_OF_A_PRODUCT, status, body)


def time_of(text: str | None) -> datetime | None:
    """A time with its offset, in UTC; None for anything else."""
    try:
        at = msgspec.convert(text, datetime) if text else None
        return at.astimezone(UTC) if at is not None and at.tzinfo is not None else None
    except (msgspec.ValidationError, ArithmeticError, ValueError):
        return None


def _refusal(kinds: Mapping[int, type[SupplierError]], status: int, body: bytes) -> SupplierError | None:
    kind = kinds.get(status)
    if kind is None:
        return None
    try:
        problem = _problem.decode(body)
    except (ValueError, RecursionError):
        return None
    message = "; ".join(_faults(problem.errors)) or _sentence(problem.message) or _sentence(problem.error)
    return kind(message) if message else None


def _remaining(product: wire.Product) -> int | None:
    if product.infinite:
        return None
    if product.quantity is None or not 0 <= product.quantity <= _MOST_TIMES:
        raise ValueError("it does not say how often it can be paid")
    return product.quantity


def _address(text: str | None) -> str:
    """Where a customer is sent: https, or this machine."""
    url = (text or "").strip()
    if not url or len(url) > _LONGEST_URL or not url.isascii() or not url.isprintable():
        raise ValueError("its payment link is none")
    parts = URL(url)
    secure = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.host or ""))
    if not secure or not parts.host or parts.user is not None:
        raise ValueError("its payment link is none")
    return url


def _faults(errors: Any) -> Iterable[str]:
    """Each parameter with what is wrong about it."""
    if not isinstance(errors, dict):
        return
    for name, faults in list(errors.items())[:_MOST_FAULTS]:
        sentences = [_sentence(fault) for fault in (faults if isinstance(faults, list) else [faults])[:_MOST_FAULTS]]
        yield f"{clean_text(str(name), 40)}: {', '.join(filter(None, sentences))}"


def _sentence(text: Any) -> str:
    return clean_text(text) if isinstance(text, str) else ""
