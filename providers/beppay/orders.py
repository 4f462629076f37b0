"""BepPay's purchases, history, balance and virtual numbers in the gateway's words. Pure, with literal tables.

A status that no table holds is pending, never a guess. A charge keeps the wallet's currency.
"""

from __future__ import annotations

import base64
import binascii
import re
from decimal import Decimal

from providers import activation
from providers.beppay import wire
from providers.text import clean_text
from schemas.account import Balance, NumberCountry, NumberTier
from schemas.money import Money
from schemas.order import Delivery, SupplierOrder, SupplierOrderState

PRICES = "USD"
MAX_IMAGE = 256 * 1024
PNG = b"\x89PNG\r\n\x1a\n"

# The pages name one status.
ORDER_STATES: dict[str, SupplierOrderState] = {"completed": SupplierOrderState.COMPLETED}

# Wallets are named by coin and chain; the chain does not change what the coin is worth.
CURRENCIES: dict[str, str] = {"USDT_TRC20": "USDT"}

_DATA_URI = re.compile(r"data:image/png;base64,")
_TAG = re.compile(r"[^@+\s]+\+([^@+\s]{1,64})@[^@\s]+")


def purchased(answer: wire.Charged[wire.Purchased]) -> SupplierOrder:
    """What a purchase gave. The answer names neither an order id nor a reference of ours.

    A good answer without an eSIM is pending: it was paid for and has still to come.
    """
    esim = answer.data.esim
    done = esim is not None and bool(esim.iccid or esim.activation_code or esim.qr_code)
    return SupplierOrder(
        supplier_order_id=None,
        reference=None,
        state=SupplierOrderState.COMPLETED if done else SupplierOrderState.PENDING,
        charged=charged(answer.meta),
        delivery=delivery(esim) if esim is not None and done else None,
    )


def delivery(esim: wire.Esim) -> Delivery:
    """The eSIM. The picture goes along: the text of the page's own example is not installable."""
    return activation.delivery(esim.iccid, esim.activation_code, png(esim.qr_code))


def from_history(row: wire.HistoryOrder) -> SupplierOrder:
    """One row of the order history. ``reference`` is the plus-tag of the address that we bought with."""
    return SupplierOrder(
        supplier_order_id=str(row.id),
        reference=reference_in(row.email),
        state=order_state(row.status),
        charged=money(row.cost_usd, row.currency),
        delivery=Delivery(iccid=row.iccid, activation_code=None) if row.iccid else None,
        created_at=row.created_at,
    )


def number_purchased(answer: wire.Charged[wire.PurchasedNumber]) -> SupplierOrder:
    """What a purchase of a virtual number took; the number itself stays in the answer."""
    return SupplierOrder(
        supplier_order_id=None,
        reference=None,
        state=SupplierOrderState.COMPLETED if answer.data.phone_number else SupplierOrderState.PENDING,
        charged=charged(answer.meta),
    )


def number_from_history(row: wire.HistoryNumber) -> SupplierOrder:
    """One row of the virtual number history."""
    return SupplierOrder(
        supplier_order_id=str(row.id),
        reference=None,
        state=order_state(row.status),
        charged=money(row.cost_usd, row.currency),
        created_at=row.created_at,
    )


def balance(answer: wire.Wallets) -> Balance:
    """Our money across all wallets, in USD; the page knows no reservations and no credit."""
    total = Money(answer.total_balance_usd, PRICES)
    return Balance(balance=total, spendable=total)


def number_country(country: wire.NumberCountry) -> NumberCountry:
    """A country in which numbers are sold."""
    return NumberCountry(code=country.code.upper(), name=clean_text(country.name))


def number_tier(tier: wire.NumberTier) -> NumberTier:
    """How long a number is held, and its price in USD."""
    return NumberTier(id=tier.id, name=clean_text(tier.name), days=tier.days, cost=Money(tier.price_usd, PRICES))


def order_state(status: str) -> SupplierOrderState:
    """A status in the gateway's words; pending when the pages do not name it."""
    return ORDER_STATES.get(status.strip().lower(), SupplierOrderState.PENDING)


def charged(meta: wire.Charge | None) -> Money | None:
    """What a purchase took from our balance; None when the answer does not say."""
    return None if meta is None else money(meta.amount_charged, meta.currency)


def money(amount: Decimal | None, currency: str | None) -> Money | None:
    """An amount in its wallet's currency, USD when it names none; None without a finite amount."""
    if amount is None or not amount.is_finite():
        return None
    word = clean_text(currency).upper() or PRICES
    return Money(amount, CURRENCIES.get(word, word))


def png(uri: str | None) -> bytes | None:
    """The picture in a data URI; None when there is none that can be read (such as the page's "...")."""
    if not uri or len(uri) > MAX_IMAGE or not (match := _DATA_URI.match(uri)):
        return None
    try:
        image = base64.b64decode(uri[match.end() :], validate=True)
    except (binascii.Error, ValueError):
        return None
    return image if image.startswith(PNG) else None


def reference_in(email: str | None) -> str | None:
    """The tag of a plus-address ("orders+<attempt>@domain"); None for any other address."""
    match = _TAG.fullmatch((email or "")[:320])
    return match[1] if match else None
