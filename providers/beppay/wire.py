"""BepPay's JSON as typed structs, from both of its pages (seen 2026-11).

Most numbers are strings ("30", "25.00", "5GB"), a few are JSON numbers (``price_usd``). Nothing here
judges a value, ``mapping`` does. Answers are decoded with ``strict=False``.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Generic, TypeVar

import msgspec
from msgspec import Raw

T = TypeVar("T")


class Answer(msgspec.Struct, Generic[T]):
    """Every good answer: ``success``, what was asked for, and for lists how many there are."""

    data: T
    success: bool = True
    total: int | None = None


class Charged(msgspec.Struct, Generic[T]):
    """The answer to a purchase: the goods and, in ``meta``, what they took from our balance."""

    data: T
    meta: Charge | None = None
    success: bool = True


class Charge(msgspec.Struct):
    """``currency`` is the wallet's word ("USDT_TRC20"), no ISO 4217 code."""

    amount_charged: Decimal
    currency: str
    remaining_balance: Decimal | None = None


class Problem(msgspec.Struct):
    """Every error answer: ``{"success": false, "error": …}``."""

    success: bool
    error: str | None = None
    message: str | None = None


# --- plans ----------------------------------------------------------------------------------------


class Plan(msgspec.Struct, rename={"country_iso2": "countryIso2"}):
    """One eSIM plan. ``plan_id`` is the word that a purchase takes; ``id`` has been the same (2026-11)."""

    plan_id: str | int | None = None
    id: str | int | None = None
    name: str | None = None
    days: str | int | None = None
    price: Decimal | None = None
    data: str | None = None
    countries_included: str | list[str] | None = None
    country_iso2: str | None = None
    plan_type: str | None = None
    is_visible: bool | None = None


Plans = Answer[list[Raw]]
# Each row still as it came, so that one bad row spoils only itself.
History = Answer[list[Raw]]


# --- purchases and orders -------------------------------------------------------------------------


class Purchase(msgspec.Struct):
    """The body of POST /api/partner/esim/purchase."""

    plan_id: str
    email: str


class Esim(msgspec.Struct):
    """A delivered eSIM; ``qr_code`` is a PNG as a data URI."""

    iccid: str | None = None
    qr_code: str | None = None
    activation_code: str | None = None


class PurchasedPlan(msgspec.Struct):
    id: str | int | None = None
    name: str | None = None
    price_usd: Decimal | None = None


class Purchased(msgspec.Struct):
    esim: Esim | None = None
    plan: PurchasedPlan | None = None


class EsimAlone(msgspec.Struct):
    esim: Esim


class EsimOnly(msgspec.Struct):
    """The answer to a purchase with nothing but the goods in it."""

    data: EsimAlone


class HistoryOrder(msgspec.Struct):
    """One row of GET /api/partner/esim/orders."""

    id: str | int
    status: str
    iccid: str | None = None
    plan_id: str | int | None = None
    plan_name: str | None = None
    cost_usd: Decimal | None = None
    currency: str | None = None
    email: str | None = None
    created_at: datetime | None = None


# --- balance, keys, session -----------------------------------------------------------------------


class Wallet(msgspec.Struct):
    id: str | int
    balance: Decimal
    currency: str


class Wallets(msgspec.Struct):
    total_balance_usd: Decimal
    wallets: list[Wallet] = []


class ApiKey(msgspec.Struct):
    id: str | int
    name: str
    key_prefix: str
    is_active: bool
    last_used_at: datetime | None = None
    created_at: datetime | None = None


class NewKey(msgspec.Struct):
    """The body of POST /api/partner/keys."""

    name: str


class CreatedKey(msgspec.Struct):
    """The new key, only here, and without its id: it is learnt by listing."""

    api_key: str
    key_prefix: str
    created_at: datetime | None = None


class Revoked(msgspec.Struct):
    success: bool
    message: str | None = None


class Partner(msgspec.Struct):
    """GET /api/auth/me, which takes the dashboard's session cookie and no key."""

    id: int
    email: str
    created_at: datetime | None = None
    updated_at: datetime | None = None


# --- virtual numbers ------------------------------------------------------------------------------


class NumberCountry(msgspec.Struct):
    code: str
    name: str


class NumberTier(msgspec.Struct):
    id: str
    name: str
    days: int
    price_usd: Decimal


class NumberPurchase(msgspec.Struct):
    """The body of POST /api/partner/virtual-numbers/purchase."""

    country_code: str
    country_name: str
    tier_id: str


class PurchasedNumber(msgspec.Struct):
    phone_number: str | None = None
    country_code: str | None = None
    country_name: str | None = None
    tier: NumberTier | None = None
    expires_at: datetime | None = None


class NumberAlone(msgspec.Struct):
    phone_number: str


class NumberOnly(msgspec.Struct):
    """The answer to a purchase with nothing but the number in it."""

    data: NumberAlone


class HistoryNumber(msgspec.Struct):
    """One row of GET /api/partner/virtual-numbers/orders."""

    id: str | int
    status: str
    phone_number: str | None = None
    country_code: str | None = None
    country_name: str | None = None
    tier_id: str | None = None
    tier_name: str | None = None
    duration_days: int | None = None
    cost_usd: Decimal | None = None
    currency: str | None = None
    autorenew: bool | None = None
    expires_at: datetime | None = None
    created_at: datetime | None = None
