"""Polling a supplier: what became of a purchase, a top-up or a cancel whose end is not known yet."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import msgspec
import structlog

from gateway.inventory import number_rows
from gateway.kit.pool import DATABASE_DOWN
from gateway.orders.answers import texts_of_attempt
from gateway.orders.observations import LookupFailed, NotFoundAtSupplier, Observation
from gateway.orders.order_rows import AttemptRow, OrderRow
from gateway.orders.rules.cancelling import CancelSeen
from gateway.suppliers.accounts import Account, account_of
from gateway.suppliers.call_log import record_calls
from gateway.suppliers.deps import Deps
from providers.contract import Capability
from schemas.account import TransactionKind
from schemas.errors import CircuitOpen, GatewayError, NotSupported, RateLimited, RateLimiterUnavailable
from schemas.esim import ServiceState
from schemas.money import Money
from schemas.order import OrderKind, PurchaseRequest, SupplierOrder, SupplierOrderState

log = structlog.get_logger(__name__)

OTHERS_BEFORE = timedelta(days=2)  # a number that was bought earlier is nobody's who asks now
NOT_CONFIGURED = "the supplier is not configured in the mode of this order any more"
_BEFORE_THE_SEND = timedelta(minutes=15)


async def poll_purchase(deps: Deps, order: OrderRow, attempt: AttemptRow) -> Observation:
    """What the supplier shows of a purchase or top-up now. Raises what the database raises."""
    account = account_of(deps.accounts, attempt.supplier, order.mode)
    if account is None:
        return LookupFailed(NOT_CONFIGURED)
    iccid = deps.seal.open_text(attempt.iccid) if attempt.kind == "topup" and attempt.iccid is not None else None
    begun_at = deps.clock()
    try:
        with record_calls(deps, attempt.id, await texts_of_attempt(deps, attempt)):
            found = await _found(deps, account, attempt, attempt.request(iccid))
        if found is None:
            return NotFoundAtSupplier(begun_at)
        late = attempt.provision_by is not None and deps.clock() >= attempt.provision_by
        if late and found.state is SupplierOrderState.PENDING and await _given_back(account, attempt, found):
            nothing = Money(Decimal(0), attempt.currency or deps.settings.base_currency)
            word = "given back while it was processed"
            return msgspec.structs.replace(found, state=SupplierOrderState.FAILED, charged=nothing, error=word)
    except GatewayError as error:
        return failed_lookup(error)
    except DATABASE_DOWN:
        raise
    except Exception as error:  # noqa: BLE001 - an answer that nobody foresaw
        return _fault(attempt, error)
    return found


async def poll_cancel(deps: Deps, order: OrderRow, cancel: AttemptRow, tries: list[AttemptRow]) -> Observation:
    """Whether the eSIM is revoked, and what came back for the order that bought it."""
    account = account_of(deps.accounts, cancel.supplier, order.mode)
    bought = next((attempt for attempt in tries if attempt.kind == "purchase" and attempt.now.live), None)
    if account is None or bought is None or cancel.iccid is None:
        return LookupFailed(NOT_CONFIGURED)
    begun_at = deps.clock()
    revoked: bool | None = None
    refunded: Money | None = None
    try:
        with record_calls(deps, cancel.id):
            status = await account.provider.esim_status(deps.seal.open_text(cancel.iccid))
        if status.service_state is not ServiceState.UNKNOWN:
            revoked = status.service_state is ServiceState.REVOKED
        async for moved in account.provider.transactions(cancel.signed_at - _BEFORE_THE_SEND):
            # A purchase whose number the supplier did not report has no refund that can be recognised.
            ours = bought.supplier_order_id is not None and moved.supplier_order_id == bought.supplier_order_id
            if ours and moved.kind is TransactionKind.REFUND:
                refunded = moved.amount
    except NotSupported:
        pass
    except GatewayError as error:
        return failed_lookup(error)
    except DATABASE_DOWN:
        raise
    except Exception as error:  # noqa: BLE001 - as above
        return _fault(cancel, error)
    return CancelSeen(revoked, refunded, begun_at)


def failed_lookup(error: GatewayError) -> LookupFailed:
    """A poll that failed; one that our own limiter or breaker held back was never sent and does not count."""
    ours = isinstance(error, CircuitOpen | RateLimiterUnavailable)
    held_back = isinstance(error, RateLimited) and error.status is None
    return LookupFailed(str(error), sent=not (ours or held_back))


def _fault(attempt: AttemptRow, error: Exception) -> LookupFailed:
    """A plugin's fault, or an answer that nobody foresaw: as much as a poll without an answer."""
    log.error("order_poll_failed", attempt=attempt.id, supplier=attempt.supplier, exc_info=error)
    return LookupFailed(f"a fault of ours: {type(error).__name__}")


async def _found(deps: Deps, account: Account, attempt: AttemptRow, request: PurchaseRequest) -> SupplierOrder | None:
    if request.kind is not OrderKind.NUMBER:
        return await account.provider.find_order(request, attempt.supplier_order_id)
    since = attempt.signed_at - OTHERS_BEFORE
    taken = await number_rows.of_others(deps.pool, deps.seal, attempt.supplier, attempt.id, since)
    return await account.provider.find_number(request, attempt.supplier_order_id, taken)


async def _given_back(account: Account, attempt: AttemptRow, found: SupplierOrder) -> bool:
    """Whether the supplier's transactions show the whole charge of an order given back."""
    if Capability.TRANSACTIONS not in account.manifest.capabilities or found.supplier_order_id is None:
        return False
    taken = back = Decimal(0)
    async for moved in account.provider.transactions(attempt.signed_at - _BEFORE_THE_SEND):
        if moved.supplier_order_id == found.supplier_order_id:
            taken += abs(moved.amount.amount) if moved.kind is TransactionKind.CHARGE else 0
            back += abs(moved.amount.amount) if moved.kind is TransactionKind.REFUND else 0
    return 0 < taken <= back
