"""bePaid's JSON as its page has it: products, requests for them, and what it says of a payment. Pure.

Amounts are whole minor units: text on the way out, an integer on the way in.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType


class VisibleField(StrEnum):
    """What the payment page can ask a customer for."""

    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    COUNTRY = "country"
    STATE = "state"
    CITY = "city"
    ADDRESS = "address"
    ZIP = "zip"
    PHONE = "phone"
    BIRTH_DATE = "birth_date"
    EMAIL = "email"
    TAXPAYER_ID = "taxpayer_id"


class TransactionType(StrEnum):
    """Whether a payment takes the money, or only holds it."""

    PAYMENT = "payment"
    AUTHORIZATION = "authorization"


class ProductChanges(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters of a product; what is left out of a PUT stays as it is.

    ``amount`` and ``quantity`` are whole numbers as text, the first in minor units. ``expired_at`` is a time with
    its offset (``2026-11-20T18:20:45+00:00``). A product is ``infinite`` or has a ``quantity``, ``immortal`` or has
    an ``expired_at``.
    """

    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    amount: str | UnsetType = UNSET
    quantity: str | UnsetType = UNSET
    infinite: bool | UnsetType = UNSET
    visible_fields: tuple[VisibleField, ...] | UnsetType = UNSET
    test: bool | UnsetType = UNSET
    immortal: bool | UnsetType = UNSET
    expired_at: str | UnsetType = UNSET
    return_url: str | UnsetType = UNSET
    shop_id: str | UnsetType = UNSET
    language: str | UnsetType = UNSET
    transaction_type: TransactionType | UnsetType = UNSET


class NewProduct(ProductChanges, frozen=True, kw_only=True):
    """What a product is made of. The first five are required."""

    name: str
    description: str
    currency: str
    amount: str
    language: str


class Product(msgspec.Struct, frozen=True):
    """A product with its payment links. Lax: of a shop's own products any field may be empty."""

    id: str
    name: str | None = None
    description: str | None = None
    currency: str | None = None
    amount: int | None = None
    quantity: int | None = None
    infinite: bool | None = None
    test: bool | None = None
    created_at: str | None = None
    pay_url: str | None = None
    payment_url: str | None = None


class Problem(msgspec.Struct, frozen=True):
    """What a refusal says: a sentence, and the faults of each parameter."""

    message: Any = None
    errors: Any = None
    error: Any = None


class Transaction(msgspec.Struct, frozen=True):
    """One payment, or one other movement, as a notification tells it. ``test`` None when it does not say.

    What may name its checkout is taken in any shape: a payment is none the less made.
    """

    uid: str
    status: str
    amount: int
    currency: str
    type: str | None = None
    product_id: Any = None
    tracking_id: Any = None
    description: Any = None
    test: bool | None = None
    paid_at: Any = None
    additional_data: Any = None


class Notice(msgspec.Struct, frozen=True):
    """A notification."""

    transaction: Transaction
