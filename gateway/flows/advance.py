"""One step after another for an order: choose, commit the attempt, send once, record; or look what became of it.

Nothing here remembers anything: each step is decided from the rows as they stand, and every write names the step
that it was decided on, so any number of processes may run this for one order at once, and be killed at any point.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal

import msgspec
import structlog

from gateway.core.orders import steps
from gateway.core.orders.cancelling import CancelSeen
from gateway.core.orders.schedule import REVIEWED_FOR, next_look
from gateway.core.orders.states import AT_REST, AttemptState
from gateway.flows.accounts import Account
from gateway.flows.answers import words_of_attempt
from gateway.flows.buy import books_first, buy, new_cancel, send
from gateway.flows.deps import Deps
from gateway.flows.exchanges import noting
from gateway.flows.moving import give_up
from gateway.flows.restored_orders import ask_operator
from gateway.flows.send_checks import may_be_sent, refuse
from gateway.flows.settle import settle
from gateway.flows.truth import Absent, Lost, NotSeen, Truth
from gateway.store import attempts, numbers, orders
from gateway.store.jobs import enqueue_advance
from gateway.store.order_rows import AttemptRow, OrderRow
from gateway.store.pool import DATABASE_DOWN
from providers.contract import Capability
from schemas.account import TransactionKind
from schemas.errors import GatewayError, NotSupported
from schemas.esim import ServiceState
from schemas.money import Money
from schemas.order import OrderKind, PurchaseRequest, SupplierOrder, SupplierOrderState

log = structlog.get_logger(__name__)

MOST_STEPS = 40
AFTER_A_FAULT_SECONDS = 60.0
OTHERS_BEFORE = timedelta(days=2)  # a number that was bought earlier is nobody's who asks now
_TICK_SECONDS = 0.2
_RUN_SECONDS = 0.5  # a look whether another process was quicker than the run of this one


async def advance(deps: Deps, order_id: str, *, look: bool = False) -> None:
    """Bring an order as far as it comes now. Idempotent, and safe from any number of processes at once.

    ``look`` asks the supplier now, though the schedule would wait (a webhook came, a person asked).
    """
    for _ in range(MOST_STEPS):
        order = await orders.load(deps.pool, order_id)
        if order is None:
            return
        tries = await orders.attempts_of(deps.pool, order_id)
        step = steps.next_step(order.now, [one.now for one in tries], deps.clock(), look=look)
        if not await _do(deps, order, tries, step):
            return
        look = False
    log.error("order_does_not_come_to_rest", order=order_id)


async def look_at_failed(deps: Deps, attempt_id: str) -> None:
    """Look at an attempt that had failed, after a late word on it: a charge that it shows is recorded and told."""
    attempt = await orders.attempt(deps.pool, attempt_id)
    if attempt is not None and attempt.kind != "cancel" and attempt.state is AttemptState.FAILED:
        await _settled(deps, attempt.id, await _seen_of_purchase(deps, attempt))


def begin(deps: Deps, order_id: str, *, look: bool = False) -> asyncio.Task[None]:
    """``advance`` in a task of its own, which no disconnect cancels; await it through ``asyncio.shield``."""
    task = asyncio.create_task(_quietly(deps, order_id, look=look), name=f"advance {order_id}")
    deps.running.add(task)
    task.add_done_callback(deps.running.discard)
    return task


async def wait(deps: Deps, order_id: str, seconds: float) -> None:
    """Advance and follow an order until it has come to rest, or for ``seconds``."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    # One that is under way is followed: a second one beside it would only find the order taken.
    running: asyncio.Task[None] | None = _under_way(deps, order_id) or begin(deps, order_id)
    while (left := end - loop.time()) > 0:
        if running is not None:
            await asyncio.wait({running}, timeout=min(left, _RUN_SECONDS))
            if running.done():
                running = None
        status = await orders.status_of(deps.pool, order_id)
        if status is None or status[0] in AT_REST:
            return
        if running is None:
            due = (status[1] - deps.clock()).total_seconds() if status[1] is not None else _TICK_SECONDS
            if due <= 0:
                running = begin(deps, order_id)
            else:
                await asyncio.sleep(max(0.0, min(due, _TICK_SECONDS, end - loop.time())))


def _under_way(deps: Deps, order_id: str) -> asyncio.Task[None] | None:
    name = f"advance {order_id}"
    return next((task for task in deps.running if task.get_name() == name), None)


async def drain(deps: Deps, seconds: float) -> None:
    """Wait for what is in flight, at the end of a process."""
    if deps.running:
        await asyncio.wait(set(deps.running), timeout=seconds)


async def _quietly(deps: Deps, order_id: str, *, look: bool) -> None:
    try:
        await advance(deps, order_id, look=look)
    except DATABASE_DOWN as error:
        log.warning("advance_waits", order=order_id, error=type(error).__name__)
    except Exception:
        log.exception("advance_failed", order=order_id)
        await _out_of_the_way(deps, order_id)


async def _out_of_the_way(deps: Deps, order_id: str) -> None:
    """An order that a fault of ours stops is looked at later: the schedule begins with those that are due longest."""
    try:
        order = await orders.load(deps.pool, order_id)
        if order is not None and (order.next_look_at is None or order.next_look_at <= deps.clock()):
            await orders.put_off(deps.pool, order, deps.clock() + timedelta(seconds=AFTER_A_FAULT_SECONDS))
    except Exception:
        log.exception("order_not_put_off", order=order_id)


async def _do(  # noqa: PLR0911 - one for each step
    deps: Deps, order: OrderRow, tries: list[AttemptRow], step: steps.Step
) -> bool:
    """One step; False when the order rests for now."""
    by_id = {one.id: one for one in tries}
    match step:
        case steps.Choose():
            return await buy(deps, order, tries) == "on"
        case steps.MarkLost():
            return await _settled(deps, step.attempt.id, Lost())
        case steps.Look():
            return await _look(deps, order, by_id[step.attempt.id], tries)
        case steps.SendCancel():
            return await _send_cancel(deps, order, by_id[step.purchase.id])
        case steps.CloseCancelled():
            return await _close_cancelled(deps, order)
        case steps.AskOperator():
            return await ask_operator(deps, order.id)
    return False


async def _close_cancelled(deps: Deps, order: OrderRow) -> bool:
    if await books_first(deps, order):
        return False
    async with deps.pool.acquire() as connection, connection.transaction():
        return await give_up(deps, connection, order.id, order.step, "cancelled", "the order was cancelled")


async def _settled(deps: Deps, attempt_id: str, truth: Truth) -> bool:
    async with deps.pool.acquire() as connection, connection.transaction():
        return await settle(deps, connection, attempt_id, truth)


async def _look(deps: Deps, order: OrderRow, attempt: AttemptRow, tries: list[AttemptRow]) -> bool:
    """Ask the supplier what became of an attempt, unless another process is just doing so."""
    now = deps.clock()
    bounds = (attempt.quiescent_at, attempt.provision_by)
    later = next_look(now, order.looks + 1, bounds)
    if order.status == "needs_review":
        later = now + timedelta(minutes=15)
        if now - attempt.started_at > REVIEWED_FOR:
            later = now + timedelta(days=1)
    if not await orders.claim_look(deps.pool, order, later):
        return False
    async with deps.pool.acquire() as connection:
        await enqueue_advance(connection, order.id, f"{order.step}:{order.looks + 1}", after=later - now)
    seen = _seen_of_cancel(deps, attempt, tries) if attempt.kind == "cancel" else _seen_of_purchase(deps, attempt)
    try:
        return await _settled(deps, attempt.id, await seen)
    except DATABASE_DOWN:
        raise
    except Exception as error:
        # A plugin's fault, or an answer that nobody foresaw: as much as a look that could not be made.
        log.exception("look_fault", order=order.id, supplier=attempt.supplier)
        return await _settled(deps, attempt.id, NotSeen(f"a fault of ours: {type(error).__name__}"))


async def _seen_of_purchase(deps: Deps, attempt: AttemptRow) -> Truth:
    account = deps.accounts.get(attempt.supplier)
    if account is None:
        return NotSeen("the supplier is not configured any more")
    iccid = deps.seal.open_text(attempt.iccid) if attempt.kind == "topup" and attempt.iccid is not None else None
    begun_at = deps.clock()
    try:
        with noting(deps, attempt.id, await words_of_attempt(deps, attempt)):
            found = await _found(deps, account, attempt, attempt.request(iccid))
        if found is None:
            return Absent(begun_at)
        late = attempt.provision_by is not None and deps.clock() >= attempt.provision_by
        if late and found.state is SupplierOrderState.PENDING and await _given_back(account, attempt, found):
            nothing = Money(Decimal(0), attempt.currency or deps.settings.base_currency)
            word = "given back while it was processed"
            return msgspec.structs.replace(found, state=SupplierOrderState.FAILED, charged=nothing, error=word)
    except GatewayError as error:
        return NotSeen(str(error))
    return found


async def _found(deps: Deps, account: Account, attempt: AttemptRow, request: PurchaseRequest) -> SupplierOrder | None:
    if request.kind is not OrderKind.NUMBER:
        return await account.provider.find_order(request, attempt.supplier_order_id)
    since = attempt.signed_at - OTHERS_BEFORE
    taken = await numbers.of_others(deps.pool, deps.seal, attempt.supplier, attempt.id, since)
    return await account.provider.find_number(request, attempt.supplier_order_id, taken)


async def _given_back(account: Account, attempt: AttemptRow, found: SupplierOrder) -> bool:
    """Whether the supplier's transactions show the whole charge of an order given back."""
    if Capability.TRANSACTIONS not in account.manifest.capabilities or found.supplier_order_id is None:
        return False
    taken = back = Decimal(0)
    async for moved in account.provider.transactions(attempt.signed_at - timedelta(minutes=15)):
        if moved.supplier_order_id == found.supplier_order_id:
            taken += abs(moved.amount.amount) if moved.kind is TransactionKind.CHARGE else 0
            back += abs(moved.amount.amount) if moved.kind is TransactionKind.REFUND else 0
    return 0 < taken <= back


async def _seen_of_cancel(deps: Deps, cancel: AttemptRow, tries: list[AttemptRow]) -> Truth:
    """Whether the eSIM is revoked, and what came back for the order that bought it."""
    account = deps.accounts.get(cancel.supplier)
    bought = next((one for one in tries if one.kind == "purchase" and one.now.live), None)
    if account is None or bought is None or cancel.iccid is None:
        return NotSeen("the supplier is not configured any more")
    begun_at = deps.clock()
    revoked: bool | None = None
    refunded: Money | None = None
    try:
        with noting(deps, cancel.id):
            status = await account.provider.esim_status(deps.seal.open_text(cancel.iccid))
        if status.service_state is not ServiceState.UNKNOWN:
            revoked = status.service_state is ServiceState.REVOKED
        async for moved in account.provider.transactions(cancel.signed_at - timedelta(minutes=15)):
            # A purchase whose number nobody told has no refund that can be recognised.
            ours = bought.supplier_order_id is not None and moved.supplier_order_id == bought.supplier_order_id
            if ours and moved.kind is TransactionKind.REFUND:
                refunded = moved.amount
    except NotSupported:
        pass
    except GatewayError as error:
        return NotSeen(str(error))
    return CancelSeen(revoked, refunded, begun_at)


async def _send_cancel(deps: Deps, order: OrderRow, purchase: AttemptRow) -> bool:
    account = deps.accounts.get(purchase.supplier)
    sealed = await deps.pool.fetchval("SELECT iccid FROM esims WHERE order_id = $1", order.id)
    if account is None or sealed is None:
        log.error("cancel_not_possible", order=order.id, supplier=purchase.supplier)
        await orders.put_off(deps.pool, order, deps.clock() + timedelta(seconds=AFTER_A_FAULT_SECONDS))
        return False
    iccid = deps.seal.open_text(sealed)
    new = new_cancel(deps, order, account, purchase, iccid)
    async with deps.pool.acquire() as connection, connection.transaction():
        if (refusal := await may_be_sent(connection, order)) is not None:
            await refuse(deps, connection, order, refusal)
            return True
        outcome = await attempts.begin(connection, order, new, {"supplier": account.name}, alone_for=None)
    if outcome != "begun":
        await orders.put_off(deps.pool, order, deps.clock() + timedelta(seconds=10))
        return False
    await send(deps, account, new, iccid)
    return True
