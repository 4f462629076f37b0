"""PikaSim's orders, eSIMs and money in the gateway's words. Pure, with literal tables.

A word that no table holds is pending for an order and unknown for an eSIM, never a guess.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from providers import activation
from providers.pikasim import wire
from providers.pikasim.mapping import CENTS, CURRENCY
from providers.text import clean_text
from schemas.account import Balance, Transaction, TransactionKind
from schemas.esim import DataUsage, EsimPackage, EsimStatus, ProfileState, ServiceState
from schemas.money import Money
from schemas.order import Cancellation, Delivery, SupplierOrder, SupplierOrderState

BYTES_PER_MB = 2**20
MAX_CENTS = 10**12

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


def order(answer: wire.Order) -> SupplierOrder:
    """An order or top-up as it stands; ``charged`` is its own price, not the package's."""
    state = ORDER_STATES.get(answer.status.lower(), SupplierOrderState.PENDING)
    return SupplierOrder(
        supplier_order_id=answer.order_id,
        reference=answer.external_order_id,
        state=state,
        charged=cents(answer.price),
        delivery=delivery(answer.esim),
        created_at=answer.created_at,
        error=(clean_text(answer.message) or "failed") if state is SupplierOrderState.FAILED else None,
    )


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
    service = (esim.status or esim.esim_status or "").upper()
    return EsimStatus(
        iccid=esim.iccid,
        profile_state=PROFILE_STATES.get((esim.smdp_status or "").upper(), ProfileState.UNKNOWN),
        service_state=SERVICE_STATES.get(service, ServiceState.UNKNOWN),
        observed_at=observed_at,
        data=DataUsage(
            total_mb=megabytes(esim.total_data),
            used_mb=megabytes(esim.used_data),
            remaining_mb=megabytes(esim.remaining_data),
        ),
        expires_at=esim.expire_time,
        packages=tuple(
            EsimPackage(name=clean_text(p.package_name or p.package_code), total_mb=megabytes(p.volume))
            for p in esim.package_list or ()
        ),
    )


def cancellation(answer: wire.Cancelled) -> Cancellation:
    """What a cancel gave back: the supplier's own amount, which may be less than it took."""
    return Cancellation(iccid=answer.iccid, refunded=cents(answer.refund_amount))


def account_balance(account: wire.Account) -> Balance:
    """Our money by GET /account, which tells of no credit."""
    money = _cents(account.balance)
    return Balance(balance=money, spendable=money)


def wallet_balance(wallet: wire.Wallet) -> Balance:
    """Our money by GET /balance; the available credit can be spent besides it."""
    money = _cents(wallet.balance)
    return Balance(balance=money, spendable=money + _cents(wallet.available_credit or Decimal(0)))


def transaction(entry: wire.LedgerEntry) -> Transaction:
    """One movement of our balance, signed as the supplier signs it."""
    return Transaction(
        kind=TRANSACTION_KINDS.get(entry.type.lower(), TransactionKind.OTHER),
        amount=_cents(entry.amount),
        at=entry.created_at,
        supplier_order_id=entry.order_id,
        supplier_transaction_id=str(entry.id),
    )


def cents(amount: Decimal | None) -> Money | None:
    """An amount of cents as money; None when the supplier gives none that can be."""
    if amount is None or not amount.is_finite() or not -MAX_CENTS < amount < MAX_CENTS:
        return None
    return _cents(amount)


def megabytes(count: int | None) -> int | None:
    """Bytes as whole MB (2^20), halves up; None when the supplier does not say."""
    return None if count is None else (count + BYTES_PER_MB // 2) // BYTES_PER_MB


def _cents(amount: Decimal) -> Money:
    return Money(amount.scaleb(-CENTS), CURRENCY)
