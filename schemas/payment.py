"""Getting paid: a link at which a customer pays, and what the payment supplier says of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from schemas.money import Money


class PaymentLinkRequest(msgspec.Struct, frozen=True):
    """One link for exactly one payment of ``price``, payable until ``expires_at`` (UTC)."""

    checkout_id: str
    name: str
    description: str
    price: Money
    expires_at: datetime
    language: str = "en"
    return_url: str | None = None


class PaymentLink(msgspec.Struct, frozen=True):
    """A link at the payment supplier. ``remaining`` is how often it can still be paid, None for ever.

    ``checkout_id`` is ours, where the link carries one: so a link is found whose making was never answered.
    """

    id: str
    url: str
    price: Money
    remaining: int | None
    test: bool
    created_at: datetime | None = None
    name: str | None = None
    description: str | None = None
    checkout_id: str | None = None


class PaymentKind(StrEnum):
    """What a notification is about; only a PAYMENT is money taken."""

    PAYMENT = "payment"
    AUTHORISATION = "authorisation"
    REFUND = "refund"
    OTHER = "other"


class PaymentState(StrEnum):
    """A payment in the gateway's words; a word that no page states is PENDING."""

    PENDING = "pending"
    CAPTURED = "captured"
    FAILED = "failed"
    EXPIRED = "expired"


class PaymentNotice(msgspec.Struct, frozen=True):
    """A verified notification of one payment."""

    payment_id: str
    state: PaymentState
    paid: Money
    link_id: str | None = None
    checkout_id: str | None = None
    paid_at: datetime | None = None
    test: bool = False
    kind: PaymentKind = PaymentKind.PAYMENT
