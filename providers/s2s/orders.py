"""S2S's orders, eSIMs and money in the gateway's words. Pure.

Every table is literal. A word that is in none is pending or unknown, with one line in the log.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

import msgspec
import structlog

from providers.kit.amounts import is_amount, taken
from providers.kit.text import clean_text
from providers.s2s import delivery, wire
from schemas.account import Balance, Transaction, TransactionKind
from schemas.esim import DataUsage, EsimCoverage, EsimPackage, EsimStatus, ProfileState, ServiceState
from schemas.money import Money
from schemas.order import SupplierOrder, SupplierOrderState
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

_COUNTRY = re.compile(r"[A-Za-z]{2}")
# The last digits of an ICCID are a check digit and sometimes padding, which some write and others do not.
_ICCID_PROPER = 18
_MOST_DATA = 10**6  # of any unit: what is beyond was not meant as data

_log = structlog.get_logger("providers.s2s")


def balance(answer: wire.Balance) -> Balance:
    """Our money; ``available_balance`` counts reservations and the overdraft, so it is what can be spent."""
    return Balance(
        balance=money(answer.balance, answer.currency),
        spendable=money(answer.available_balance, answer.currency),
        reserved=money(answer.reserved_amount, answer.currency),
        credit=money(answer.overdraft_limit if answer.allow_overdraft else Decimal(0), answer.currency),
    )


def transaction(move: wire.BalanceMove) -> Transaction:
    """One line of the balance history; the amount keeps its sign."""
    kind = TRANSACTION_KINDS.get(move.type.casefold())
    if kind is None:
        _unknown_word("balance move", move.type)
        kind = TransactionKind.OTHER
    after = move.balance_after
    return Transaction(
        kind=kind,
        amount=money(move.amount, move.currency),
        at=utc(move.created_at),
        supplier_order_id=move.order_id,
        balance_after=None if after is None or not is_amount(after) else money(after, move.currency),
    )


def order(answer: wire.Order, iccid: str | None = None) -> SupplierOrder:
    """An order; ``iccid`` is the eSIM that it is a top-up of.

    ``charged`` is its total, None for one that failed or was cancelled: the balance history decides what it
    still holds. A top-up that names another eSIM is a conflict.
    """
    state = ORDER_STATES.get(answer.status.casefold())
    if state is None:
        _unknown_word("order status", answer.status)
        state = SupplierOrderState.PENDING
    items = answer.items or []
    errors = [clean_text(str(item.error_message)) for item in items if item.error_message]
    esim = delivery.esim([item.delivery_data for item in items])
    if esim is not None and iccid is not None and esim.iccid is not None and not same_iccid(esim.iccid, iccid):
        esim = msgspec.structs.replace(esim, conflict=True)
    return SupplierOrder(
        supplier_order_id=answer.id,
        reference=answer.external_id,
        state=state,
        charged=None if state in NOTHING_TAKEN else total(answer),
        delivery=esim,
        created_at=moment(answer.created_at),
        error="; ".join(errors) or None,
    )


def is_for(answer: wire.Order, sku_id: str, quantity: int = 1) -> bool:
    """Whether an order is one of so many of this SKU, as far as it says what it is."""
    lines = answer.items or []
    others = {line.sku_id.casefold() for line in lines if line.sku_id} - {sku_id.casefold()}
    return len(lines) <= 1 and all(line.quantity in (None, quantity) for line in lines) and not (sku_id and others)


def total(answer: wire.Order) -> Money | None:
    """What an order says that it cost; None when it does not say."""
    return taken(answer.total_amount, answer.currency.strip().upper()) if answer.currency else None


def money(amount: Decimal, currency: str) -> Money:
    """An amount of the supplier's. Raises ``ValueError`` for one that is none."""
    if not is_amount(amount):
        raise ValueError("no amount of money")
    return Money(amount, currency.strip().upper())


def net_charge(moves: Iterable[Transaction], order_id: str) -> Money | None:
    """What the supplier holds for an order by the balance history: charges less refunds, never below zero.

    None when no line is about the order.
    """
    lines = [move.amount for move in moves if move.supplier_order_id == order_id]
    if not lines:
        return None
    taken = -sum((line.amount for line in lines), Decimal(0))
    return Money(max(taken, Decimal(0)), lines[0].currency)


def esim_status(answer: wire.EsimStatus, observed_at: datetime) -> EsimStatus:
    """An eSIM as it stood at ``observed_at``. Its service follows from its packages, not from its status word."""
    word = (answer.status or "").casefold()
    profile = PROFILE_STATES.get(word)
    if profile is None:
        profile = ProfileState.UNKNOWN
        if word and word not in REVOKED:
            _unknown_word("eSIM status", word)
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
            EsimCoverage(row.country_code.strip().upper(), clean_text(row.network_name))
            for row in answer.coverage or ()
            if row.country_code and _COUNTRY.fullmatch(row.country_code.strip())
        ),
    )


def moment(text: str | None) -> datetime | None:
    """A time in UTC; None when there is none or it cannot be read."""
    if not text:
        return None
    try:
        return utc(msgspec.convert(text, datetime))
    except (msgspec.ValidationError, OverflowError):
        return None


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
    left = [_finite(package.data_remaining) for package in packages]
    if any(amount is not None and amount > 0 for amount in left):
        return ServiceState.ACTIVE
    return ServiceState.UNKNOWN if None in left else ServiceState.DEPLETED


def _usage(data: wire.DataBalance | None) -> DataUsage | None:
    if data is None:
        return None
    total, remaining = _mb(data.total_gb, data.unit), _mb(data.remaining_gb, data.unit)
    used = total - remaining if total is not None and remaining is not None else None
    return DataUsage(total_mb=total, used_mb=used, remaining_mb=remaining)


def same_iccid(iccid: str, other: str) -> bool:
    """Whether two numbers are one ICCID, with or without check digit and padding."""
    return iccid[:_ICCID_PROPER] == other[:_ICCID_PROPER]


def _mb(amount: Decimal | None, unit: str | None) -> int | None:
    """Whole MB, never below zero; None for an amount or a unit that says nothing."""
    factor, number = UNITS_IN_MB.get((unit or "").strip().upper()), _finite(amount)
    if number is None or factor is None or number > _MOST_DATA:
        return None
    return max(0, int((number * factor).to_integral_value(ROUND_HALF_UP)))


def _finite(amount: Decimal | None) -> Decimal | None:
    return amount if amount is not None and amount.is_finite() else None


def utc(at: datetime) -> datetime:
    """A time in UTC; one without a zone is in it already."""
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _unknown_word(what: str, word: str) -> None:
    _log.warning("supplier_term_unknown", what=what, word=clean_text(word, 60))
