"""One step after another for an order: choose, commit the attempt, send once, record; or poll what became of it.

Nothing here remembers anything: each step is decided from the rows as they stand, and every write names the step
that it was decided on, so any number of processes may run this for one order at once, and be killed at any point.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from gateway.inventory import esim_rows
from gateway.kit import tracing
from gateway.kit.pool import DATABASE_DOWN
from gateway.orders import attempt_rows, order_state_rows
from gateway.orders.attempt_rows import new_cancel
from gateway.orders.buy import Going, buy, sending_is_off, wait_for_limiter
from gateway.orders.observations import NoResponse
from gateway.orders.order_rows import AttemptRow, OrderRow
from gateway.orders.poll import poll_cancel, poll_purchase
from gateway.orders.read_again import read_again
from gateway.orders.restored_orders import ask_operator
from gateway.orders.rules import steps
from gateway.orders.rules.states import ANSWERED, FINAL, AttemptState
from gateway.orders.send import send
from gateway.orders.send_checks import may_be_sent, refuse
from gateway.orders.settle import Settled, Source, record
from gateway.orders.transitions import fail
from gateway.suppliers.accounts import account_of
from gateway.suppliers.deps import Deps
from providers.kit.supplier_rate import faults_apart

log = structlog.get_logger(__name__)

MOST_STEPS = 40
AFTER_A_FAULT = timedelta(seconds=60)
CANCEL_AGAIN = timedelta(seconds=10)
_DRAIN_TICK_SECONDS = 0.1


async def process_order(deps: Deps, order_id: str, *, poll: bool = False) -> None:
    """Bring an order as far as it comes now. Idempotent, and safe from any number of processes at once.

    ``poll`` asks the supplier now, though the schedule would wait: the order was claimed because it is due, a
    webhook came, an operator asked.
    """
    done, still_unread = 0, False
    while done < MOST_STEPS:
        found = await order_state_rows.load_with_attempts(deps.pool, order_id)
        if found is None:
            return
        order, tries = found
        states = [attempt.now for attempt in tries]
        unread = None if still_unread else steps.unread_answer(order.now, states, deps.clock(), poll=poll)
        if unread is not None:
            # Read or not, the order has another time to be looked at now: it goes on from there.
            still_unread = not (await read_again(deps, order, _of(tries, unread.attempt.id))).read
            poll = poll and still_unread
            done += 1
            continue
        step = steps.next_step(order.now, states, deps.clock(), poll=poll)
        if isinstance(step, steps.Rest) and poll:
            await _rest(deps, order, tries)
        going = await _do(deps, order, tries, step)
        if going == "rest":
            return
        poll = False
        done += going == "on"
    log.error("order_settle_stuck", order=order_id, steps=MOST_STEPS)


async def poll_failed_attempt(deps: Deps, attempt_id: str) -> None:
    """Poll an attempt that had failed, after late news of it: a charge that shows is recorded and reported."""
    attempt = await order_state_rows.attempt(deps.pool, attempt_id)
    if attempt is None or attempt.kind == "cancel" or attempt.state is not AttemptState.FAILED:
        return
    order = await order_state_rows.load(deps.pool, attempt.order_id)
    if order is not None:
        await record(deps, attempt.id, await poll_purchase(deps, order, attempt))


def start(deps: Deps, order_id: str, *, poll: bool = False) -> asyncio.Task[None]:
    """``process_order`` in a task of its own, which no disconnect cancels; await it through ``asyncio.shield``."""
    task = asyncio.create_task(_quietly(deps, order_id, poll=poll), name=f"process {order_id}")
    deps.running.add(task)
    task.add_done_callback(deps.running.discard)
    return task


def follow(deps: Deps, order_id: str, sending: asyncio.Task[Settled | None]) -> None:
    """Go on with an order whose first attempt is on its way, where that one fails; in a task of its own."""

    def go_on(sent: asyncio.Task[Settled | None]) -> None:
        if sent.cancelled():
            return
        if (error := sent.exception()) is not None:
            log.error("order_not_processed", order=order_id, exc_info=error)
            return
        settled = sent.result()
        attempt = None if settled is None else settled.writes.attempt
        if attempt is not None and attempt.state is AttemptState.FAILED:
            start(deps, order_id)

    sending.add_done_callback(go_on)


async def wait_for_answer(deps: Deps, order_id: str, seconds: float, *, admitted_here: bool = False) -> None:
    """Wait until an order is answered, for ``seconds`` at most. It is woken, and looks by itself only now and then.

    ``admitted_here``: this process is about to process it, so that there is nothing to be read yet.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    with deps.watch.waiting(order_id) as waiter:
        read_status = not admitted_here
        while not waiter.answered:
            if read_status:
                status = await order_state_rows.status_of(deps.pool, order_id)
                if status is None or status[0] in ANSWERED:
                    return
            left = end - loop.time()
            if left <= 0:
                return
            try:
                async with asyncio.timeout(min(left, deps.watch.pause)):
                    await waiter.woken.wait()
            except TimeoutError:
                read_status = True
            else:
                waiter.woken.clear()
                read_status = True


async def drain(deps: Deps, seconds: float) -> None:
    """Wait for what is in flight, at the end of a process. Who waits for a supplier's rate is sent home at once."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while deps.running and (left := end - loop.time()) > 0:
        for task in tuple(deps.waiting):
            task.cancel()
        await asyncio.wait(set(deps.running), timeout=min(left, _DRAIN_TICK_SECONDS))


async def _quietly(deps: Deps, order_id: str, *, poll: bool) -> None:
    try:
        if tracing.active is None:
            await process_order(deps, order_id, poll=poll)
        else:
            await _process_traced(tracing.active, deps, order_id, poll=poll)
    except DATABASE_DOWN as error:
        log.warning("order_waits_for_database", order=order_id, error=type(error).__name__)
    except Exception:
        log.exception("order_processing_failed", order=order_id)
        await _put_off_after_fault(deps, order_id)


async def _process_traced(traces: tracing.Tracing, deps: Deps, order_id: str, *, poll: bool) -> None:
    """``process_order`` as a span of the trace that the order's request began, in whatever process that was."""
    parent = await order_state_rows.trace_of(deps.pool, order_id) if traces.traceparent() is None else None
    with traces.span("process order", parent, {"esim.order_id": order_id}):
        await process_order(deps, order_id, poll=poll)


async def _put_off_after_fault(deps: Deps, order_id: str) -> None:
    """An order that a fault of ours stops is processed later: workers begin with those that are due longest."""
    try:
        order = await order_state_rows.load(deps.pool, order_id)
        if order is not None:
            await order_state_rows.put_off(deps.pool, order, deps.clock() + AFTER_A_FAULT)
    except Exception:
        log.exception("order_postpone_failed", order=order_id)


def _of(tries: Sequence[AttemptRow], attempt_id: str) -> AttemptRow:
    return next(attempt for attempt in tries if attempt.id == attempt_id)


async def _do(  # noqa: PLR0911 - one for each step
    deps: Deps, order: OrderRow, tries: list[AttemptRow], step: steps.Step
) -> Going:
    """One step; "rest" when the order rests for now."""
    match step:
        case steps.Choose():
            return await buy(deps, order, tries)
        case steps.MarkLost():
            settled = await record(deps, step.attempt.id, NoResponse())
            return "on" if settled is not None and settled.changed else "rest"
        case steps.Poll():
            return await _poll(deps, order, _of(tries, step.attempt.id), tries)
        case steps.SendCancel():
            return await _send_cancel(deps, order, _of(tries, step.purchase.id))
        case steps.CloseCancelled():
            return await _close_cancelled(deps, order)
        case steps.AskOperator():
            return "on" if await ask_operator(deps, order.id) else "rest"
    return "rest"


async def _rest(deps: Deps, order: OrderRow, tries: list[AttemptRow]) -> None:
    """Leave alone an order that was claimed, or woken, before there is anything to do for it.

    One that is being sent right now is looked at when its time to be sent is over; an order that waits for an
    operator, and of which no supplier can tell any more, never by itself.
    """
    if order.status in FINAL:
        return
    sending = next((attempt for attempt in tries if attempt.state is AttemptState.SENDING), None)
    if sending is not None:
        later: datetime | None = sending.deadline
    else:
        later = None if order.status == "needs_review" else deps.clock() + AFTER_A_FAULT
    await order_state_rows.polled(deps.pool, order, later, sent=False)


async def _close_cancelled(deps: Deps, order: OrderRow) -> Going:
    if await sending_is_off(deps, order):
        return "rest"
    ended = await fail(deps, order.id, order.step, "cancelled", "the order was cancelled")
    return "on" if ended else "rest"


async def _poll(deps: Deps, order: OrderRow, attempt: AttemptRow, tries: list[AttemptRow]) -> Going:
    """Ask the supplier what became of an attempt, record what it says, and plan the next poll."""
    if attempt.kind == "cancel":
        observation = await poll_cancel(deps, order, attempt, tries)
    else:
        observation = await poll_purchase(deps, order, attempt)
    settled = await record(deps, attempt.id, observation, Source(polled=order))
    return "on" if settled is not None and settled.changed else "rest"


async def _send_cancel(deps: Deps, order: OrderRow, purchase: AttemptRow) -> Going:
    account = account_of(deps.accounts, purchase.supplier, order.mode)
    sealed = await esim_rows.sealed_iccid_of(deps.pool, order.id)
    if account is None or sealed is None:
        log.error("cancel_not_possible", order=order.id, supplier=purchase.supplier)
        await order_state_rows.put_off(deps.pool, order, deps.clock() + AFTER_A_FAULT)
        return "rest"
    if await wait_for_limiter(deps, order, account):
        return "rest"
    iccid = deps.seal.open_text(sealed)
    new = new_cancel(deps.seal, order, purchase, account.settings, iccid, deps.clock())
    async with deps.pool.acquire() as connection, connection.transaction():
        if (refusal := await may_be_sent(connection, order)) is not None:
            await refuse(deps, connection, order, refusal)
            return "on"
        outcome = await attempt_rows.begin(connection, order, new, {"supplier": account.name}, alone_for=None)
    if outcome != "begun":
        await order_state_rows.put_off(deps.pool, order, deps.clock() + CANCEL_AGAIN)
        return "rest"
    with faults_apart(order.is_trigger):
        await send(deps, account, new, iccid)
    return "on"
