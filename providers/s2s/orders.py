"""S2S's orders, eSIMs and money in the gateway's words. Pure.

Every table is literal. A word that is in none is pending or unknown, with one line in the log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

import msgspec
import structlog

from providers import activation
from providers.s2s import wire
from providers.text import clean_text
from schemas.account import Balance, Transaction, TransactionKind
from schemas.esim import DataUsage, EsimCoverage, EsimPackage, EsimStatus, ProfileState, ServiceState
from schemas.money import Money
from schemas.order import Delivery, SupplierOrder, SupplierOrderState
from schemas.plan import MB_PER_GB

ORDER_STATES: Mapping[str, SupplierOrderState] = {
    "created": SupplierOrderState.PENDING,
    "processing": SupplierOrderState.PENDING,
    "completed": SupplierOrderState.COMPLETED,
    "cancelled": SupplierOrderState.CANCELLED,
    "failed": SupplierOrderState.FAILED,
    "partially_completed": SupplierOrderState.PARTIAL,
}
# The page names charge and topup; refund was seen 2026-11.
TRANSACTION_KINDS: Mapping[str, TransactionKind] = {
    "charge": TransactionKind.CHARGE,
    "topup": TransactionKind.DEPOSIT,
    "refund": TransactionKind.REFUND,
}
# The page shows "Installed"; the others are the words for an eSIM's profile everywhere.
PROFILE_STATES: Mapping[str, ProfileState] = {
    "released": ProfileState.RELEASED,
    "downloaded": ProfileState.DOWNLOADED,
    "installed": ProfileState.INSTALLED,
    "enabled": ProfileState.ENABLED,
    "disabled": ProfileState.DISABLED,
    "deleted": ProfileState.DELETED,
}
# Words after which no package counts.
REVOKED = frozenset({"cancel", "cancelled", "revoke", "revoked"})
UNITS_IN_MB: Mapping[str, int] = {"GB": MB_PER_GB, "MB": 1}
# Orders that took nothing: their total is what they would have cost.
NOTHING_TAKEN = frozenset({SupplierOrderState.FAILED, SupplierOrderState.CANCELLED})

_log = structlog.get_logger("providers.s2s")


def balance(answer: wire.Balance) -> Balance:
    """Our money; ``available_balance`` counts reservations and the overdraft, so it is what can be spent."""
    return Balance(
        balance=Money(answer.balance, answer.currency),
        spendable=Money(answer.available_balance, answer.currency),
    )


def transaction(move: wire.BalanceMove) -> Transaction:
    """One line of the balance history; the amount keeps its sign."""
    kind = TRANSACTION_KINDS.get(move.type)
    if kind is None:
        _unknown_word("balance move", move.type)
        kind = TransactionKind.OTHER
    return Transaction(
        kind=kind,
        amount=Money(move.amount, move.currency),
        at=_utc(move.created_at),
        supplier_order_id=move.order_id,
    )


def order(answer: wire.Order) -> SupplierOrder:
    """An order. ``charged`` is its total, None for one that failed or was cancelled: the balance history decides."""
    state = ORDER_STATES.get(answer.status)
    if state is None:
        _unknown_word("order status", answer.status)
        state = SupplierOrderState.PENDING
    errors = [clean_text(item.error_message) for item in answer.items if item.error_message]
    return SupplierOrder(
        supplier_order_id=answer.id,
        reference=answer.external_id,
        state=state,
        charged=None if state in NOTHING_TAKEN else Money(answer.total_amount, answer.currency),
        delivery=_delivery(answer.items),
        created_at=moment(answer.created_at),
        error="; ".join(errors) or None,
    )


def esim_status(answer: wire.EsimStatus, observed_at: datetime) -> EsimStatus:
    """An eSIM as it stood at ``observed_at``. Its service follows from its packages, not from its status word."""
    word = answer.status.casefold()
    profile = PROFILE_STATES.get(word)
    if profile is None:
        profile = ProfileState.UNKNOWN
        if word not in REVOKED:
            _unknown_word("eSIM status", answer.status)
    packages = tuple(_package(package) for package in answer.active_packages or ())
    ends = [package.expires_at for package in packages if package.expires_at is not None]
    return EsimStatus(
        iccid=answer.iccid,
        profile_state=profile,
        service_state=ServiceState.REVOKED if word in REVOKED else _service_state(answer.active_packages or []),
        observed_at=observed_at,
        data=_usage(answer.data_balance),
        expires_at=max(ends, default=None),
        can_topup=answer.can_renew,
        packages=packages,
        coverage=tuple(
            EsimCoverage(row.country_code.upper(), clean_text(row.network_name)) for row in answer.coverage or ()
        ),
    )


def moment(text: str | None) -> datetime | None:
    """A time in UTC; None when there is none or it cannot be read."""
    if not text:
        return None
    try:
        return _utc(msgspec.convert(text, datetime))
    except msgspec.ValidationError:
        return None


def _delivery(items: Iterable[wire.OrderItem]) -> Delivery | None:
    """The first eSIM among the delivered goods; None while there is none. Which keys it has is not documented."""
    for item in items:
        given = item.delivery_data
        for piece in given if isinstance(given, list) else [given]:
            if piece is not None and (delivery := _esim(piece)) is not None:
                return delivery
    return None


def _esim(piece: wire.DeliveryItem) -> Delivery | None:
    texts = [text for text in (piece.lpa, piece.activation_code, piece.qr_code) if text]
    if piece.smdp_address and piece.matching_id:
        texts.append(f"LPA:1${piece.smdp_address}${piece.matching_id}")
    if not texts and not piece.iccid:
        return None
    installable = [text for text in texts if activation.parse(text) is not None]
    return activation.delivery(piece.iccid, next(iter(installable or texts), None))


def _package(package: wire.ActivePackage) -> EsimPackage:
    return EsimPackage(
        name=clean_text(package.name),
        total_mb=_mb(package.data_total, package.data_unit),
        remaining_mb=_mb(package.data_remaining, package.data_unit),
        expires_at=moment(package.expires_at),
        state=clean_text(package.status) or None,
    )


def _service_state(packages: list[wire.ActivePackage]) -> ServiceState:
    if not packages:
        return ServiceState.NOT_ACTIVE
    left = [package.data_remaining for package in packages]
    if any(amount is not None and amount > 0 for amount in left):
        return ServiceState.ACTIVE
    return ServiceState.UNKNOWN if None in left else ServiceState.DEPLETED


def _usage(data: wire.DataBalance | None) -> DataUsage | None:
    if data is None:
        return None
    total, remaining = _mb(data.total_gb, data.unit), _mb(data.remaining_gb, data.unit)
    used = total - remaining if total is not None and remaining is not None else None
    return DataUsage(total_mb=total, used_mb=used, remaining_mb=remaining)


def _mb(amount: Decimal | None, unit: str | None) -> int | None:
    factor = UNITS_IN_MB.get((unit or "").upper())
    if amount is None or factor is None:
        return None
    return int((amount * factor).to_integral_value(ROUND_HALF_UP))


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _unknown_word(what: str, word: str) -> None:
    _log.warning("unknown_word", what=what, word=clean_text(word, 60))
