"""BepPay's eSIM purchases, history and balance in the gateway's words. Pure, with literal tables.

A status that no table holds is pending, never a guess. A charge keeps the wallet's currency.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import structlog

from providers.beppay import wire
from providers.kit import activation, qr
from providers.kit.activation import ActivationCode
from providers.kit.amounts import is_amount, taken
from providers.kit.text import clean_text
from schemas.account import Balance, Wallet
from schemas.money import Money
from schemas.order import Delivery, PurchaseRequest, SupplierOrder, SupplierOrderState

PRICES = "USD"
# Base64 is four characters for three bytes.
MAX_URI = qr.MAX_BYTES * 4 // 3 + 100
LOCAL_PART = "orders"
MAX_LOCAL_PART = 64
# The pages give times in UTC; a zone or a clock that is off must not hide an order.
CLOCKS_APART = timedelta(days=1)

# The pages name one status.
ORDER_STATES: dict[str, SupplierOrderState] = {"completed": SupplierOrderState.COMPLETED}

# Wallets are named by coin and chain; the chain does not change what the coin is worth.
CURRENCIES: dict[str, str] = {"USDT_TRC20": "USDT"}

_DATA_URI = re.compile(r"data:image/png;base64,")
_TAG = re.compile(r"[^@+\s]+\+([^@+\s]{1,64})@[^@\s]+")
_REFERENCE = re.compile(r"[A-Za-z0-9_.-]+")
_PURCHASED = msgspec.json.Decoder(wire.Charged[wire.Purchased], strict=False)
_ESIM_ONLY = msgspec.json.Decoder(wire.EsimOnly, strict=False)
_ROW = msgspec.json.Decoder(wire.HistoryOrder, strict=False)
_log = structlog.get_logger("providers.beppay")


def purchase_answer(body: bytes) -> SupplierOrder:
    """What a purchase gave, out of its whole answer. Raises ``ValueError`` when there is no reading it.

    The eSIM is told only here and never again, so a fault in the figures beside it must not lose it.
    """
    try:
        return purchased(_PURCHASED.decode(body))
    except (ValueError, RecursionError):
        bare = _ESIM_ONLY.decode(body)
        return purchased(wire.Charged(data=wire.Purchased(esim=bare.data.esim)))


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
    """The eSIM by its text. The picture goes along: the text of the page's own example is not installable."""
    return activation.delivery(esim.iccid, esim.activation_code, png(esim.qr_code))


def with_picture(delivery: Delivery) -> Delivery:
    """The same delivery after a look at its picture, which may keep a core busy for a second.

    The picture's code fills in for a text that is not installable. Two complete codes that differ are a
    conflict: then no parts are filled, and text and picture stay for the person who decides. A picture that
    has told what it knows is dropped.
    """
    text = activation.parse(delivery.activation_code)
    drawn = [code for code in map(activation.parse, qr.texts(delivery.qr_image or b"")) if code is not None]
    codes = ([text] if text is not None else []) + drawn
    if not codes:
        return delivery
    if len({(code.smdp_address.casefold(), code.matching_id) for code in codes}) > 1:
        return msgspec.structs.replace(delivery, smdp_address=None, matching_id=None, conflict=True)
    return activation.delivery(delivery.iccid, _fullest(codes).text)


def history(raws: Iterable[msgspec.Raw], reference: str) -> list[wire.HistoryOrder]:
    """The rows that can be read. Raises ``ValueError`` for one that cannot and speaks of ``reference``."""
    rows: list[wire.HistoryOrder] = []
    for raw in raws:
        try:
            rows.append(_ROW.decode(raw))
        except (ValueError, RecursionError):
            if reference.casefold().encode() in bytes(raw).lower():
                raise ValueError("the attempt's own row cannot be read") from None
    return rows


def attempt_s_own(rows: Iterable[wire.HistoryOrder], request: PurchaseRequest, email: str) -> list[wire.HistoryOrder]:
    """The rows that this attempt made: bought with its own address, and not long before it."""
    return [
        row
        for row in rows
        if row.email is not None
        and (row.email.strip().casefold() == email.casefold() or _is_tag(row.email, request.reference))
        and (row.created_at is None or utc(row.created_at) >= request.signed_at - CLOCKS_APART)
    ]


def reaches_back(rows: Sequence[wire.HistoryOrder], total: int | None, since: datetime) -> bool:
    """Whether a history without an attempt's order says something: it is whole, or begins before the attempt."""
    if total is None or total <= len(rows):
        return True
    return any(row.created_at is not None and utc(row.created_at) < since - CLOCKS_APART for row in rows)


def found(rows: Sequence[wire.HistoryOrder], request: PurchaseRequest) -> SupplierOrder:
    """What the rows of one attempt say. Several of them, or another plan, is PARTIAL: for an operator to settle."""
    first = from_history(rows[0])
    if len(rows) > 1:
        return msgspec.structs.replace(
            first,
            state=SupplierOrderState.PARTIAL,
            charged=_sum([money(row.cost_usd, row.currency) for row in rows]),
            error=f"the history shows {len(rows)} orders for one purchase",
        )
    if rows[0].plan_id not in (None, "") and str(rows[0].plan_id) != request.supplier_plan_id:
        return msgspec.structs.replace(
            first, state=SupplierOrderState.PARTIAL, error="the history shows another plan than was bought"
        )
    return first


def email_for(reference: str, domain: str) -> str | None:
    """The address that an attempt buys with; None when the reference cannot be part of one."""
    local = f"{LOCAL_PART}+{reference}"
    return f"{local}@{domain}" if _REFERENCE.fullmatch(reference) and len(local) <= MAX_LOCAL_PART else None


def from_history(row: wire.HistoryOrder) -> SupplierOrder:
    """One row of the order history. ``reference`` is the plus-tag of the address that we bought with."""
    return SupplierOrder(
        supplier_order_id=str(row.id),
        reference=reference_in(row.email),
        state=order_state(row.status),
        charged=money(row.cost_usd, row.currency),
        delivery=Delivery(iccid=row.iccid, activation_code=None) if row.iccid else None,
        created_at=None if row.created_at is None else utc(row.created_at),
    )


def balance(answer: wire.Wallets) -> Balance:
    """Our money across all wallets, in USD; the page knows no reservations and no credit. Raises ``ValueError``."""
    if not is_amount(answer.total_balance_usd):
        raise ValueError("a balance that is no amount")
    total = Money(answer.total_balance_usd, PRICES)
    wallets = tuple(_wallet(wallet) for wallet in answer.wallets if is_amount(wallet.balance))
    return Balance(balance=total, spendable=total, wallets=wallets)


def _wallet(wallet: wire.Wallet) -> Wallet:
    """One of our wallets, with its amount in the gateway's word for its currency (USDT for USDT_TRC20)."""
    word = clean_text(wallet.currency, 40).upper()
    name = f"{clean_text(str(wallet.id), 40)} {word}".strip()
    return Wallet(name=name, balance=Money(wallet.balance, CURRENCIES.get(word, word)))


def order_state(status: str) -> SupplierOrderState:
    """A status in the gateway's words; pending when the pages do not name it."""
    state = ORDER_STATES.get(status.strip().lower())
    if state is None:
        _log.warning("supplier_term_unknown", what="order status", word=clean_text(status, 60))
        return SupplierOrderState.PENDING
    return state


def charged(meta: wire.Charge | None) -> Money | None:
    """What a purchase took from our balance; None when the answer does not say."""
    return None if meta is None else money(meta.amount_charged, meta.currency)


def money(amount: Decimal | None, currency: str | None) -> Money | None:
    """What was taken, in its wallet's currency, USD when it names none; None when it does not say."""
    word = clean_text(currency).upper() or PRICES
    return taken(amount, CURRENCIES.get(word, word))


def png(uri: str | None) -> bytes | None:
    """The picture in a data URI; None when there is none that can be read (such as the page's "...")."""
    if not uri or len(uri) > MAX_URI or not (match := _DATA_URI.match(uri)):
        return None
    try:
        image = base64.b64decode(uri[match.end() :], validate=True)
    except (binascii.Error, ValueError):
        return None
    return image if qr.is_png(image) else None


def reference_in(email: str | None) -> str | None:
    """The tag of a plus-address ("orders+<attempt>@domain"); None for any other address."""
    match = _TAG.fullmatch((email or "")[:320])
    return match[1] if match else None


def utc(at: datetime) -> datetime:
    """A time in UTC, which is what a time without a zone is."""
    try:
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError:  # at the ends of the calendar, where the hours do not matter
        return at.replace(tzinfo=UTC)


def _is_tag(email: str, reference: str) -> bool:
    tag = reference_in(email)
    return tag is not None and tag.casefold() == reference.casefold()


def _fullest(codes: Iterable[ActivationCode]) -> ActivationCode:
    """Of codes that are the same but for their last part, the one which says that a confirmation is needed."""
    return max(codes, key=lambda code: code.confirmation_code_required)


def _sum(amounts: Sequence[Money | None]) -> Money | None:
    """The sum; None when one of them is not known or has another currency."""
    known = [amount for amount in amounts if amount is not None]
    if len(known) != len(amounts) or len({amount.currency for amount in known}) != 1:
        return None
    return Money(sum((amount.amount for amount in known), Decimal(0)), known[0].currency)
