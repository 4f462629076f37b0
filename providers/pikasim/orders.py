"""PikaSim's orders, eSIMs and money in the gateway's words. Pure, with literal tables.

A word that no table holds is pending for an order and unknown for an eSIM, never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import structlog

from providers.kit import activation
from providers.kit.amounts import is_amount
from providers.kit.redaction import Redactor
from providers.kit.text import clean_text
from providers.pikasim import wire
from providers.pikasim.mapping import CENTS, CURRENCY
from schemas.account import Balance, Transaction, TransactionKind
from schemas.esim import DataUsage, EsimPackage, EsimStatus, ProfileState, ServiceState
from schemas.money import Money
from schemas.order import Cancellation, Delivery, PurchaseRequest, SupplierOrder, SupplierOrderState

BYTES_PER_MB = 2**20
# How far their clock may be from ours when a list is searched back to an attempt.
CLOCKS_APART = timedelta(minutes=15)
# An order that is still processed after so long may have been refunded without a word.
STUCK_AFTER = timedelta(minutes=1)

LONGEST_APN = 100  # of an access point name (3GPP TS 23.003)
_MSISDN, _IMSI = re.compile(r"\+?[0-9]{5,15}"), re.compile("[0-9]{14,15}")
_ORDER = msgspec.json.Decoder(wire.Order, strict=False)
_log = structlog.get_logger("providers.pikasim")
_redact = Redactor()  # a reason may name the eSIM that it is about

# The page's filter of GET /orders names all four.
ORDER_STATES: dict[str, SupplierOrderState] = {
    "pending": SupplierOrderState.PENDING,
    "processing": SupplierOrderState.PENDING,
    "completed": SupplierOrderState.COMPLETED,
    "failed": SupplierOrderState.FAILED,
}

# The page's "eSIM Status Values", then words that were seen upstream (2026-11). ENABLED says nothing of use.
SERVICE_STATES: dict[str, ServiceState] = {
    "GOT_RESOURCE": ServiceState.NOT_ACTIVE,
    "IN_USE": ServiceState.ACTIVE,
    "ENABLED": ServiceState.NOT_ACTIVE,
    "SUSPENDED": ServiceState.SUSPENDED,
    "USED_UP": ServiceState.DEPLETED,
    "REVOKED": ServiceState.REVOKED,
    "REVOKE": ServiceState.REVOKED,
    "CANCEL": ServiceState.REVOKED,
    "USED_EXPIRED": ServiceState.EXPIRED,
    "UNUSED_EXPIRED": ServiceState.EXPIRED,
}
PROFILE_STATES: dict[str, ProfileState] = {
    "RELEASED": ProfileState.RELEASED,
    "DOWNLOAD": ProfileState.DOWNLOADED,
    "INSTALLATION": ProfileState.INSTALLED,
    "ENABLED": ProfileState.ENABLED,
    "DISABLED": ProfileState.DISABLED,
    "DELETED": ProfileState.DELETED,
}
TRANSACTION_KINDS: dict[str, TransactionKind] = {
    "deposit": TransactionKind.DEPOSIT,
    "order": TransactionKind.CHARGE,
    "topup": TransactionKind.CHARGE,
    "refund": TransactionKind.REFUND,
    "adjustment": TransactionKind.ADJUSTMENT,
}


def order(answer: wire.Order, iccid: str | None = None) -> SupplierOrder:
    """An order as it stands; ``iccid`` is the eSIM that it is a top-up of.

    ``charged`` is its own price, not the package's; None for one that failed: what is still held for it stands
    in the transactions. A top-up that names another eSIM is a conflict.
    """
    state = ORDER_STATES.get(answer.status.strip().lower())
    if state is None:
        _unknown_word("order status", answer.status)
        state = SupplierOrderState.PENDING
    failed = state is SupplierOrderState.FAILED
    esim = delivery(answer.esim)
    if esim is not None and iccid is not None and esim.iccid not in (None, iccid):
        esim = msgspec.structs.replace(esim, conflict=True)
    return SupplierOrder(
        supplier_order_id=answer.order_id,
        reference=answer.external_order_id,
        state=state,
        charged=None if failed else taken_cents(answer.price),
        delivery=esim,
        created_at=None if answer.created_at is None else utc(answer.created_at),
        error=(_redact(clean_text(answer.reason or answer.message)) or "failed") if failed else None,
    )


def rows(raws: Iterable[msgspec.Raw], reference: str) -> list[wire.Order]:
    """The orders of a list that can be read. Raises ``ValueError`` for one that cannot and names ``reference``."""
    read: list[wire.Order] = []
    for raw in raws:
        try:
            read.append(_ORDER.decode(raw))
        except (ValueError, RecursionError):
            if reference.encode() in bytes(raw):
                raise ValueError("the attempt's own order cannot be read") from None
    return read


def matching_order(found: Sequence[wire.Order], request: PurchaseRequest) -> SupplierOrder:
    """What the orders with an attempt's reference say. Several, or another package: PARTIAL, for an operator."""
    first = order(found[0], request.iccid)
    if len(found) > 1:
        charges = [taken_cents(row.price) for row in found]
        known = [charge for charge in charges if charge is not None]
        whole = known[0] if known else None
        for charge in known[1:]:
            whole = charge if whole is None else whole + charge
        return msgspec.structs.replace(
            first,
            state=SupplierOrderState.PARTIAL,
            charged=whole if len(known) == len(charges) else None,
            error=f"{len(found)} orders have the reference of one purchase",
        )
    if found[0].package_code not in (None, "", request.supplier_plan_id):
        return msgspec.structs.replace(
            first, state=SupplierOrderState.PARTIAL, error="the order is for another package than was bought"
        )
    return first


def entries(page: wire.LedgerPage) -> list[wire.LedgerEntry]:
    """The movements of a page. Raises ``ValueError`` for an amount that is none: sums must be whole."""
    if any(cents(entry.amount) is None for entry in page.transactions):
        raise ValueError("a transaction without an amount")
    return page.transactions


def net_charge(entries: Iterable[wire.LedgerEntry], order_id: str) -> Money | None:
    """What the transactions show to be held for an order: charges less refunds, never below zero.

    None when they show no charge of it.
    """
    amounts = [entry.amount for entry in entries if entry.order_id == order_id]
    if not any(amount < 0 for amount in amounts):
        return None
    return _cents(max(-sum(amounts, Decimal(0)), Decimal(0)))


def settled(reported: SupplierOrder, charge: Money | None) -> SupplierOrder:
    """A failed order with what is still held for it, and a pending one that was given back as the failure it is.

    A failed order is refunded by itself, says the page; so one whose charge is not shown holds nothing.
    """
    if reported.state is SupplierOrderState.FAILED:
        return msgspec.structs.replace(reported, charged=charge if charge is not None else _cents(Decimal(0)))
    if charge is not None and charge.amount == 0:
        return msgspec.structs.replace(
            reported, state=SupplierOrderState.FAILED, charged=charge, error="refunded while it was processed"
        )
    return reported


def needs_transactions(reported: SupplierOrder, request: PurchaseRequest, now: datetime) -> bool:
    """Whether the transactions have to say what an order alone does not."""
    if reported.state is SupplierOrderState.FAILED:
        return True
    return reported.state is SupplierOrderState.PENDING and now - request.signed_at >= STUCK_AFTER


def delivery(esim: wire.OrderEsim | None) -> Delivery | None:
    """What was delivered; None while nothing that can be installed is there."""
    if esim is None or not (esim.iccid or esim.activation_code):
        return None
    return activation.delivery(esim.iccid, esim.activation_code)


def delivery_of_esim(esim: wire.Esim) -> Delivery:
    """The same from the eSIM's own page, which repeats the activation code."""
    return activation.delivery(esim.iccid, esim.activation_code)


def esim_status(esim: wire.Esim | wire.Usage, observed_at: datetime) -> EsimStatus:
    """Profile, service and usage; the figures lag the network by hours (seen 2026-11)."""
    service = (esim.status or esim.esim_status or "").strip().upper()
    profile = (esim.smdp_status or "").strip().upper()
    if service and service not in SERVICE_STATES:
        _unknown_word("eSIM status", service)
    if profile and profile not in PROFILE_STATES:
        _unknown_word("profile status", profile)
    status = EsimStatus(
        iccid=esim.iccid,
        profile_state=PROFILE_STATES.get(profile, ProfileState.UNKNOWN),
        service_state=SERVICE_STATES.get(service, ServiceState.UNKNOWN),
        observed_at=observed_at,
        data=DataUsage(
            total_mb=megabytes(esim.total_data),
            used_mb=megabytes(esim.used_data),
            remaining_mb=megabytes(esim.remaining_data),
        ),
        expires_at=None if esim.expire_time is None else utc(esim.expire_time),
        packages=tuple(
            EsimPackage(name=clean_text(p.package_name or p.package_code), total_mb=megabytes(p.volume))
            for p in esim.package_list or ()
        ),
    )
    return status if isinstance(esim, wire.Usage) else msgspec.structs.replace(status, **_line(esim))


def _line(esim: wire.Esim) -> dict[str, str | None]:
    """What the eSIM's own page says of the line. A number that is none, as the "..." of its example, is left out."""
    msisdn, imsi = ((text or "").strip() for text in (esim.msisdn, esim.imsi))
    return {
        "apn": clean_text(esim.apn, LONGEST_APN) or None,
        "msisdn": msisdn if _MSISDN.fullmatch(msisdn) else None,
        "imsi": imsi if _IMSI.fullmatch(imsi) else None,
    }


def with_usage(status: EsimStatus, usage: EsimStatus) -> EsimStatus:
    """The eSIM's own page, with the figures and packages of its usage page where it has none."""
    return msgspec.structs.replace(
        status,
        data=status.data if has_figures(status) else usage.data,
        expires_at=status.expires_at or usage.expires_at,
        packages=status.packages or usage.packages,
    )


def has_figures(status: EsimStatus) -> bool:
    """Whether it says how much data there was and how much is left."""
    return status.data is not None and status.data.total_mb is not None and status.data.remaining_mb is not None


def cancellation(answer: wire.Cancelled) -> Cancellation:
    """What a cancel gave back: the supplier's own amount, which may be less than it took."""
    return Cancellation(iccid=answer.iccid, refunded=taken_cents(answer.refund_amount))


def account_balance(account: wire.Account) -> Balance:
    """Our money by GET /account, which tells of no credit."""
    money = _cents(account.balance)
    return Balance(balance=money, spendable=money)


def wallet_balance(wallet: wire.Wallet) -> Balance:
    """Our money by GET /balance; the available credit can be spent besides it. Raises ``ValueError``."""
    money, credit = cents(wallet.balance), cents(wallet.available_credit or Decimal(0))
    if money is None or credit is None:
        raise ValueError("a balance that is no amount")
    return Balance(balance=money, spendable=money + credit, credit=credit)


def transaction(entry: wire.LedgerEntry) -> Transaction:
    """One movement of our balance, signed as the supplier signs it."""
    kind = TRANSACTION_KINDS.get(entry.type.strip().lower())
    if kind is None:
        _unknown_word("transaction", entry.type)
    return Transaction(
        kind=kind or TransactionKind.OTHER,
        amount=_cents(entry.amount),
        at=utc(entry.created_at),
        supplier_order_id=entry.order_id,
        supplier_transaction_id=str(entry.id),
    )


def cents(amount: Decimal | None) -> Money | None:
    """An amount of cents as money; None when the supplier gives none that can be."""
    return _cents(amount) if amount is not None and is_amount(amount) else None


def taken_cents(amount: Decimal | None) -> Money | None:
    """The same for what was taken or given back, which is never less than nothing."""
    return cents(amount) if amount is not None and amount.is_finite() and amount >= 0 else None


def megabytes(count: int | None) -> int | None:
    """Bytes as whole MB (2^20), halves up; None when the supplier does not say."""
    return None if count is None else (count + BYTES_PER_MB // 2) // BYTES_PER_MB


def _cents(amount: Decimal) -> Money:
    return Money(amount.scaleb(-CENTS), CURRENCY)


def utc(at: datetime) -> datetime:
    """A time in UTC, which is what a time without a zone is."""
    try:
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError:  # at the ends of the calendar, where the hours do not matter
        return at.replace(tzinfo=UTC)


def _unknown_word(what: str, word: str) -> None:
    _log.warning("supplier_term_unknown", what=what, word=clean_text(word, 60))
