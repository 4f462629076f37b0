"""A payment supplier's notification: verified, written down, answered, and then judged.

What was written down is judged by whoever comes to it: the task that follows the answer, or the schedule. The payment
is taken and its order placed in one transaction under the checkout's lock, so however often, early or late it is told,
one order comes of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

import structlog

from gateway.access.key_rows import Mode
from gateway.checkouts import checkout_rows, payment_rows
from gateway.checkouts.cases import review
from gateway.checkouts.checkout_rows import CheckoutRow
from gateway.checkouts.checkout_rules import Accept, Judgement, Nothing, Review, contradiction, judge
from gateway.checkouts.links import poll
from gateway.checkouts.payment_rows import PaymentRow
from gateway.checkouts.place_order import take
from gateway.checkouts.refunds import cancel_refunded, lock_order
from gateway.kit.pool import DATABASE_DOWN, Connection
from gateway.orders.order_rows import OrderRow
from gateway.orders.process import start
from gateway.suppliers.deps import Deps
from gateway.suppliers.payment_accounts import PaymentAccount
from schemas.payment import PaymentNotice

log = structlog.get_logger(__name__)

Outcome = Literal["taken", "forged", "unreadable"]

LEFT_ALONE = timedelta(seconds=3)  # what the task behind the answer gets before the schedule takes it up
SETTLE_TIMEOUT = timedelta(minutes=5)  # a payment whose judging fails is tried for so long, and then an operator's
MOST_UNSETTLED = 200
MOST_POLLS = 40
POLLS_AT_ONCE = 8
_LONGEST_ID = 255


async def receive(
    deps: Deps, account: PaymentAccount, headers: Mapping[str, str], body: bytes, now: datetime
) -> Outcome:
    """Verify over the raw bytes and write notification and payment down, once; committed when this returns.

    Raises what the database raises: it is then sent again.
    """
    provider = account.provider
    if not provider.verify_notice(headers, body):
        return "forged"
    try:
        notice = provider.parse_notice(body)
    except ValueError as error:  # msgspec's errors are ValueErrors too
        # Its money is missed all the same: the link is looked at until somebody paid it or its time is over.
        log.warning("payment_notice_unreadable", account=account.name, error=type(error).__name__)
        return "unreadable"
    payment_id = await _write_down(deps, account, notice, body, now)
    log.info("payment_notice_received", account=account.name, kind=notice.kind.value, state=notice.state.value)
    _settle_soon(deps, payment_id)
    return "taken"


async def _write_down(deps: Deps, account: PaymentAccount, notice: PaymentNotice, body: bytes, now: datetime) -> str:
    async with deps.pool.acquire() as connection, connection.transaction():
        sealed = deps.seal.seal(body)
        new = await payment_rows.keep_notice(connection, account.name, body, sealed, notice.payment_id, now)
        ours, link_id = _plain(notice.checkout_id), _plain(notice.link_id)
        named = await checkout_rows.named(connection, account.name, ours, link_id)
        before = await payment_rows.named(connection, account.name, notice.payment_id) if new else None
        against = None if before is None else contradiction(before.now, notice)
        row = None
        if against is not None and before is not None and before.checkout_id is not None:
            row = await checkout_rows.lock(connection, before.checkout_id)  # always before its payments
        outcome = await payment_rows.record_notice(connection, account.name, notice, named, now)
        if against is not None and before is not None:
            await _review(deps, connection, row, before, against, now)
        return outcome


def _settle_soon(deps: Deps, payment_id: str) -> None:
    """Judge it in a task of its own. Should that end early, the schedule does."""

    def ended(task: asyncio.Task[None]) -> None:
        deps.running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("payment_settle_failed", payment=payment_id, error=type(error).__name__)

    task = asyncio.create_task(settle(deps, payment_id), name=f"payment {payment_id}")
    deps.running.add(task)
    task.add_done_callback(ended)


async def settle(deps: Deps, payment_id: str) -> None:
    """Judge a payment as it stands, and place the order that it pays for. Idempotent, from any number of processes."""
    async with deps.pool.acquire() as connection, connection.transaction():
        known = await payment_rows.payment(connection, payment_id)
        row = order = None
        if known is not None and known.checkout_id is not None:
            if known.kind == "refund":
                order = await lock_order(connection, known.checkout_id)
            row = await checkout_rows.lock(connection, known.checkout_id)
        payment = await payment_rows.lock(connection, payment_id)
        if payment is None or payment.settled_at is not None:
            return
        if payment.checkout_id is not None and row is None:
            return  # it was told just now what it is for: whoever comes next begins with the checkout
        if payment.kind == "refund" and row is not None and row.order_id != (None if order is None else order.id):
            return  # its order was placed just now: whoever comes next locks that first
        order_id = await _settle(deps, connection, row, payment, order)
    if order_id is not None and deps.inline:
        start(deps, order_id)


async def _settle(
    deps: Deps, connection: Connection, row: CheckoutRow | None, payment: PaymentRow, order: OrderRow | None
) -> str | None:
    now = deps.clock()
    alone = [] if row is None else await payment_rows.cases_about(connection, payment.id)
    if any(case.outcome in {"refunded", "closed"} for case in alone):
        judgement: Judgement = Nothing()  # an operator decided about it before it said what it was for
    else:
        judgement = await _judged(connection, row, payment)
    if waiting := [case for case in alone if case.closed_at is None]:
        await payment_rows.close_cases(connection, waiting, "settled", None, now)
    if isinstance(judgement, Accept) and row is not None:
        taken = await take(deps, connection, row, payment, now)
        if isinstance(taken, str):
            return taken
        judgement = taken
    if await _ends_its_order(deps, connection, order, payment):
        judgement = Nothing()  # the order has ended with its payment, and nobody has to look at either
    if isinstance(judgement, Review):
        await _review(deps, connection, row, payment, judgement, now)
    elif row is not None:
        await checkout_rows.add_event(
            connection,
            row.id,
            now,
            "payment_notice_received",
            payment=payment.payment_id,
            kind=payment.kind,
            state=payment.state,
        )
    await payment_rows.settle(connection, payment.id, now, accepted=False)
    return None


async def _ends_its_order(deps: Deps, connection: Connection, order: OrderRow | None, payment: PaymentRow) -> bool:
    """Whether a refund cancels the order of its checkout now. One that may have been sent is cancelled once known."""
    if order is None or order.checkout_id is None or payment.state != "captured":
        return False
    return await payment_rows.given_back(connection, order.checkout_id) and await cancel_refunded(
        deps, connection, order
    )


async def _judged(connection: Connection, row: CheckoutRow | None, payment: PaymentRow) -> Judgement:
    if row is None:
        return judge(None, payment.now)
    if row.link_id is None and payment.link_id is not None:
        owner = await checkout_rows.named(connection, row.account, None, payment.link_id)
        if owner not in {None, row.id}:
            return judge(None, payment.now)
    expected = await payment_rows.refunds_expected(connection, row.id)
    given_back = await payment_rows.refund_told(connection, row.id)
    return judge(row.now, payment.now, refunds_expected=expected, given_back=given_back)


async def _review(
    deps: Deps, connection: Connection, row: CheckoutRow | None, payment: PaymentRow, what: Review, now: datetime
) -> None:
    if row is not None:
        await review(deps, connection, row, what, now, payment)
        return
    account = deps.payments.get(payment.account)
    test = payment.test if account is None else account.settings.mode == "test"
    mode: Mode = "test" if test else "live"
    await payment_rows.open_case(
        connection, checkout_id=None, payment_id=payment.id, reason=what.reason, detail=what.detail, mode=mode, now=now
    )
    log.warning("payment_needs_review", payment=payment.id, reason=what.reason)


# -- the schedule -----------------------------------------------------------------------------------------------------


async def settle_what_is_left(deps: Deps) -> int:
    """Judge what was written down by processes that ended before they came to it; how many there were."""
    left = await payment_rows.unsettled(deps.pool, deps.clock() - LEFT_ALONE, MOST_UNSETTLED)
    for payment_id in left:
        try:
            await _settle_or_give_up(deps, payment_id)
        except DATABASE_DOWN:
            raise
        except Exception:
            log.exception("payment_settle_failed", payment=payment_id)
    return len(left)


async def _settle_or_give_up(deps: Deps, payment_id: str) -> None:
    try:
        await settle(deps, payment_id)
    except DATABASE_DOWN:
        raise
    except Exception as error:
        await _give_up(deps, payment_id, error)
        raise


async def _give_up(deps: Deps, payment_id: str, error: Exception) -> None:
    """Have an operator look at a payment that cannot be judged, so that it neither is lost nor holds up others."""
    async with deps.pool.acquire() as connection, connection.transaction():
        known = await payment_rows.payment(connection, payment_id)
        row = None
        if known is not None and known.checkout_id is not None:
            row = await checkout_rows.lock(connection, known.checkout_id)
        payment = await payment_rows.lock(connection, payment_id)
        now = deps.clock()
        if payment is None or payment.settled_at is not None or now - payment.received_at < SETTLE_TIMEOUT:
            return
        why = Review("order_refused" if row is not None else "unknown_checkout", f"a fault: {type(error).__name__}")
        await _review(deps, connection, row, payment, why, now)
        await payment_rows.settle(connection, payment.id, now, accepted=False)


async def poll_links(deps: Deps) -> int:
    """Look at every payment link whose time has come; how many were due."""
    due = await checkout_rows.due(deps.pool, deps.clock(), MOST_POLLS)
    slots = asyncio.Semaphore(POLLS_AT_ONCE)

    async def poll_link(checkout_id: str) -> None:
        async with slots:
            try:
                await poll(deps, checkout_id)
            except DATABASE_DOWN as error:
                log.warning("payment_link_poll_postponed", checkout=checkout_id, error=type(error).__name__)
            except Exception:
                log.exception("payment_link_poll_failed", checkout=checkout_id)

    await asyncio.gather(*(poll_link(checkout_id) for checkout_id in due))
    return len(due)


def _plain(text: str | None) -> str | None:
    """An id that a row can hold, None for anything else."""
    return text if text and len(text) <= _LONGEST_ID and text.isprintable() else None
