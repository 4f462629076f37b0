"""The one door through which supplier truth changes an order.

Answer, look, webhook and person all come in here: under the order's lock the pure decisions say what changes, and
attempt, ledger, order, timeline, next job and outgoing event are written in one transaction.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

import msgspec
import structlog

from gateway.core.orders import cancelling, verdicts
from gateway.core.orders.cancelling import CancelSeen, CancelVerdict
from gateway.core.orders.changes import Change, change
from gateway.core.orders.failures import Lesson, lesson
from gateway.core.orders.schedule import next_look
from gateway.core.orders.states import AttemptState
from gateway.core.orders.verdicts import Verdict
from gateway.flows import notify
from gateway.flows.deps import Deps
from gateway.store import attempts, esims, ledger, orders, selling, spend
from gateway.store.jobs import enqueue_advance
from gateway.store.orders import AttemptRow, OrderRow
from gateway.store.pool import Connection
from schemas.errors import GatewayError
from schemas.money import Money
from schemas.notice import NoticeType
from schemas.order import Cancellation, Delivery, SupplierOrder

log = structlog.get_logger(__name__)

_NOTICES: dict[str, NoticeType] = {
    "failed": NoticeType.ORDER_FAILED,
    "needs_review": NoticeType.ORDER_NEEDS_REVIEW,
    "cancelled": NoticeType.ORDER_CANCELLED,
}


class Absent(msgspec.Struct, frozen=True):
    """A look at the supplier that shows nothing of the attempt."""


class NotSeen(msgspec.Struct, frozen=True):
    """A look that could not be made; ``error`` says why, redacted."""

    error: str


class Lost(msgspec.Struct, frozen=True):
    """The run that was to send did not come back before the deadline."""


class Person(msgspec.Struct, frozen=True):
    """What somebody found out about an order that needs review; ``flows.resolve`` checks it."""

    outcome: Literal["fulfilled", "failed", "refunded"]
    note: str
    delivery: Delivery | None = None


Truth = SupplierOrder | GatewayError | Cancellation | CancelSeen | Absent | NotSeen | Lost | Person


async def settle(deps: Deps, connection: Connection, attempt_id: str, truth: Truth, *, sent: bool = False) -> bool:
    """Record what is now known of an attempt; True when it changed something.

    Runs in the caller's transaction: attempt, ledger, order, timeline and outgoing event together. May be
    repeated. ``sent`` says that this is the answer to the very call that bought.
    """
    order = await orders.lock_of(connection, attempt_id)
    attempt = None if order is None else await orders.attempt(connection, attempt_id)
    if order is None or attempt is None:
        return False
    now = deps.clock()
    if sent:
        await attempts.call_ended(connection, attempt_id, now)
    if attempt.kind == "cancel":
        return await _settle_cancel(deps, connection, order, attempt, truth, now)
    if isinstance(truth, Person):
        return await _resolve(deps, connection, order, attempt, truth, now)
    verdict = await _own(connection, attempt, _verdict(deps, attempt, truth, now))
    what = change(order.now, attempt.now, verdict, now)
    return await _write(deps, connection, order, attempt, verdict, what, now)


async def give_up(deps: Deps, connection: Connection, order_id: str, step: int, code: str, detail: str) -> bool:
    """Fail an order of which nothing was bought and nothing can be; False when it moved meanwhile."""
    order = await orders.lock(connection, order_id)
    if order is None or order.step != step or order.status not in {"pending", "cancel_pending"}:
        return False
    now = deps.clock()
    cancelled = order.cancel_requested_at is not None
    end = Change(
        status="cancelled" if cancelled else "failed",
        failure_code=None if cancelled else code,
        failure_detail=None if cancelled else detail,
        events=("cancelled",) if cancelled else ("failed",),
    )
    await _move(deps, connection, order, end, now)
    return True


def _verdict(deps: Deps, attempt: AttemptRow, truth: Truth, now: datetime) -> Verdict:
    seen = attempt.now
    match truth:
        case SupplierOrder():
            return verdicts.of_order(truth, seen, now)
        case GatewayError():
            return verdicts.of_error(truth)
        case Absent():
            account = deps.accounts.get(attempt.supplier)
            return verdicts.of_absence(seen, now, trust_absence=account is not None and account.settings.trust_absence)
        case NotSeen():
            return verdicts.of_no_look(seen, now, truth.error)
        case Lost():
            return verdicts.of_loss(seen)
    raise TypeError(f"{type(truth).__name__} says nothing of a purchase")


async def _own(connection: Connection, attempt: AttemptRow, verdict: Verdict) -> Verdict:
    """The verdict, unless it is about a supplier's order that belongs to another attempt: then a person looks."""
    if verdict.supplier_order_id is None or verdict.supplier_order_id == attempt.supplier_order_id:
        return verdict
    other = await attempts.owner_of(connection, attempt, verdict.supplier_order_id)
    if other is None:
        return verdict
    return Verdict(
        state=AttemptState.CHARGED_UNDELIVERABLE,
        error_code="not_ours",
        error=f"the supplier's order belongs to {other}",
        review=f"the supplier's order belongs to {other}",
    )


async def _write(
    deps: Deps,
    connection: Connection,
    order: OrderRow,
    attempt: AttemptRow,
    verdict: Verdict,
    what: Change,
    now: datetime,
) -> bool:
    booked = await _book(deps, connection, order, attempt, verdict, what, now)
    news = verdict.supplier_order_id is not None and attempt.supplier_order_id is None
    if what.nothing and not booked and not news:
        return False
    given = verdict.delivery
    await attempts.record(
        connection,
        attempt.id,
        now=now,
        state=what.attempt,
        charged=verdict.charged,
        supplier_order_id=verdict.supplier_order_id,
        error_code=verdict.error_code if what.attempt is not AttemptState.SUCCEEDED else None,
        error=verdict.error if what.attempt is not AttemptState.SUCCEEDED else None,
        iccid=deps.seal.seal(given.iccid) if given is not None and given.iccid and attempt.iccid is None else None,
    )
    esim_id = None
    if what.attempt is AttemptState.FAILED:
        await _learn(deps, connection, attempt, verdict, now)
    elif what.attempt is AttemptState.SUCCEEDED:
        esim_id = await _deliver(deps, connection, order, attempt, given, now)
    if not what.nothing:
        ops = {"supplier": attempt.supplier, "n": attempt.n, "error": verdict.error, "why": verdict.review}
        await _move(deps, connection, order, what, now, ops=ops, esim_id=esim_id, delivery=given)
    return True


async def _book(
    deps: Deps,
    connection: Connection,
    order: OrderRow,
    attempt: AttemptRow,
    verdict: Verdict,
    what: Change,
    now: datetime,
) -> bool:
    """The ledger's rows for a verdict; True when one was written."""
    if verdict.charged is not None and verdict.state is not AttemptState.FAILED:
        if not await ledger.charge(connection, attempt, verdict.charged, now):
            return False
        await _judge_charge(deps, connection, order, attempt, verdict.charged, now)
        return True
    if what.attempt is AttemptState.FAILED:
        taken = await ledger.charged(connection, attempt.id)
        return taken is not None and verdict.gone and await ledger.refund(connection, attempt, taken, now)
    return False


async def _judge_charge(
    deps: Deps, connection: Connection, order: OrderRow, attempt: AttemptRow, charged: Money, now: datetime
) -> None:
    """Charged more than listed: recorded, shown, and the offer is stopped; the order stands (RULES 16)."""
    if not verdicts.charged_more(attempt.listed, charged, tolerance_of(deps, attempt.supplier)):
        return
    note = f"charged {charged} where {attempt.listed} was listed"
    await selling.stop_offer(connection, attempt.supplier, attempt.supplier_plan_id, charged.amount, note)
    await orders.tell(connection, order.id, now, "charged_more", supplier=attempt.supplier, n=attempt.n, note=note)
    log.warning("charged_more_than_listed", supplier=attempt.supplier, attempt=attempt.id, order=order.id)


async def _learn(deps: Deps, connection: Connection, attempt: AttemptRow, verdict: Verdict, now: datetime) -> None:
    """What a definite failure teaches, and the supplier's spend of the day given back."""
    if attempt.cost_base is not None:
        await spend.give_back(connection, "supplier", attempt.supplier, attempt.cost_base, attempt.started_at)
    match lesson(verdict.error_code):
        case Lesson.OUT_OF_STOCK:
            until = now + timedelta(seconds=deps.settings.orders.out_of_stock_seconds)
            note = f"the supplier said {verdict.error_code}"
            await selling.mark_out_of_stock(connection, attempt.supplier, attempt.supplier_plan_id, until, note)
        case Lesson.NO_BALANCE:
            until = now + timedelta(seconds=deps.settings.orders.no_balance_seconds)
            await selling.cool_down(connection, attempt.supplier, until)
            log.warning("supplier_without_balance", supplier=attempt.supplier)
        case _:
            pass


async def _deliver(
    deps: Deps,
    connection: Connection,
    order: OrderRow,
    attempt: AttemptRow,
    delivery: Delivery | None,
    now: datetime,
) -> str | None:
    if order.kind != "esim":
        if order.target_esim_id is not None:
            await esims.look_at(connection, order.target_esim_id, now)
        return order.target_esim_id
    if delivery is None or delivery.iccid is None:
        raise ValueError("a delivered eSIM has an ICCID")
    new = esims.NewEsim(
        order_id=order.id,
        storefront_id=order.storefront_id,
        mode=order.mode,
        supplier=attempt.supplier,
        supplier_plan_id=attempt.supplier_plan_id,
        iccid=delivery.iccid,
        activation_code=delivery.activation_code,
        confirmation_code_required=delivery.confirmation_code_required,
    )
    return await esims.add(connection, deps.seal, new, now)


async def _move(
    deps: Deps,
    connection: Connection,
    order: OrderRow,
    what: Change,
    now: datetime,
    *,
    ops: dict[str, Any] | None = None,
    esim_id: str | None = None,
    delivery: Delivery | None = None,
    refund: bool = False,
    uncancel: bool = False,
) -> None:
    """Move the order, tell it in the timeline and outside, and have a worker come back when it is time."""
    ended = what.status in {"failed", "cancelled"}
    await orders.move(
        connection,
        order.id,
        now=now,
        status=what.status,
        next_look_at=what.next_look_at,
        keep_schedule=what.keep_schedule,
        failure_code=what.failure_code,
        failure_detail=what.failure_detail,
        refund=refund or what.status == "cancelled",
        uncancel=uncancel,
    )
    if ended:
        await spend.give_back(connection, "storefront", order.storefront_id, order.price_base, order.created_at)
    for event in what.events:
        text = what.failure_detail or "" if event == "failed" else ""
        await orders.tell(connection, order.id, now, event, text, **(ops or {}))
    told = _notice(order, what)
    if told is not None:
        await notify.announce(
            connection,
            deps.seal,
            storefront_id=order.storefront_id,
            mode=order.mode,
            type=told,
            data=_data(order, what, esim_id, delivery),
            order_id=order.id,
        )
    if what.status == "needs_review":
        log.warning("order_needs_review", order=order.id, supplier=(ops or {}).get("supplier"))
    if what.next_look_at is not None and what.status not in {"failed", "cancelled", "fulfilled"}:
        after = max(timedelta(0), what.next_look_at - now)
        await enqueue_advance(connection, order.id, f"{order.step + 1}:0", after=after or None)


def _notice(order: OrderRow, what: Change) -> NoticeType | None:
    if "fulfilled" in what.events:
        return NoticeType.TOPUP_COMPLETED if order.kind == "topup" else NoticeType.ORDER_FULFILLED
    return _NOTICES.get(what.status or "")


def _data(order: OrderRow, what: Change, esim_id: str | None, delivery: Delivery | None) -> dict[str, Any]:
    """An event's ``data``: no activation code; the storefront fetches the order."""
    price = {"amount": f"{Money(order.price, order.currency).padded().amount:f}", "currency": order.currency}
    told: dict[str, Any] = {
        "order_id": order.id,
        "kind": order.kind,
        "status": what.status or order.status,
        "reference": order.reference,
        "plan_id": order.plan_id,
        "price": price,
    }
    if what.failure_code is not None:
        told["failure"] = {"code": what.failure_code, "detail": what.failure_detail}
    if what.status == "cancelled":
        told["refund"] = price
    if esim_id is not None:
        told["esim_id"] = esim_id
    if delivery is not None and delivery.iccid is not None and "fulfilled" in what.events:
        told["iccid"] = delivery.iccid
    return told


def tolerance_of(deps: Deps, supplier: str) -> Decimal:
    """The share by which a supplier may charge more than it lists."""
    account = deps.accounts.get(supplier)
    if account is None:
        return Decimal(0)
    own = account.settings.charge_tolerance
    return own if own is not None else account.manifest.charge_tolerance


# -- cancelling ----------------------------------------------------------------------------------------------------


async def _settle_cancel(
    deps: Deps, connection: Connection, order: OrderRow, attempt: AttemptRow, truth: Truth, now: datetime
) -> bool:
    if attempt.state in {AttemptState.SUCCEEDED, AttemptState.FAILED}:
        return False
    verdict = _cancel_verdict(deps, attempt, truth, now)
    if verdict.state is None and verdict.end is None:
        return False
    if verdict.state is AttemptState.FAILED and verdict.end is None:
        return False
    if order.status not in {"cancel_pending", "needs_review"}:
        return False
    await attempts.record(
        connection,
        attempt.id,
        now=now,
        state=verdict.state,
        charged=None,
        supplier_order_id=None,
        error_code=verdict.error_code,
        error=verdict.error,
    )
    ops = {"supplier": attempt.supplier, "n": attempt.n, "error": verdict.error}
    match verdict.end:
        case "cancelled":
            await _cancelled(deps, connection, order, attempt, verdict.refunded, now)
        case "refused":
            back = Change(status="fulfilled", events=("cancel_refused",))
            await _move(deps, connection, order, back, now, ops=ops, uncancel=True)
        case "review" if order.status == "cancel_pending":
            review = Change(status="needs_review", next_look_at=now + timedelta(minutes=15), events=("needs_review",))
            await _move(deps, connection, order, review, now, ops=ops)
        case None:
            later = next_look(now, 0, (attempt.quiescent_at,))
            await _move(deps, connection, order, Change(next_look_at=later, events=("cancel_unknown",)), now, ops=ops)
        case _:
            return False
    return True


def _cancel_verdict(  # noqa: PLR0911 - one for each kind of truth
    deps: Deps, attempt: AttemptRow, truth: Truth, now: datetime
) -> CancelVerdict:
    match truth:
        case Cancellation() | GatewayError():
            verdict = cancelling.of_answer(truth)
            late = verdict.state is AttemptState.UNKNOWN and attempt.state is not AttemptState.SENDING
            return CancelVerdict(state=None) if late else verdict
        case CancelSeen():
            account = deps.accounts.get(attempt.supplier)
            trusted = account is not None and account.settings.trust_absence
            return cancelling.of_look(truth, attempt.now, now, trust_absence=trusted)
        case Lost() if attempt.state is AttemptState.SENDING:
            return CancelVerdict(state=AttemptState.UNKNOWN, error_code="lost", error="the run that sent was lost")
        case NotSeen() if now >= attempt.quiescent_at + verdicts.UNSEEN_FOR:
            return CancelVerdict(state=None, end="review", error=truth.error)
        case Person(outcome="refunded"):
            return CancelVerdict(state=AttemptState.SUCCEEDED, end="cancelled")
        case Person():
            return CancelVerdict(state=AttemptState.FAILED, end="refused", error_code="person", error=truth.note)
    return CancelVerdict(state=None)


async def _cancelled(
    deps: Deps, connection: Connection, order: OrderRow, cancel: AttemptRow, refunded: Money | None, now: datetime
) -> None:
    """The supplier took it back: its refund belongs to the attempt that bought, the storefront gets its price."""
    bought = next(
        (one for one in await orders.attempts_of(connection, order.id) if one.kind == "purchase" and one.now.live), None
    )
    if bought is not None and refunded is not None:
        await ledger.refund(connection, bought, refunded, now)
    esim = await connection.fetchval("SELECT id FROM esims WHERE order_id = $1", order.id)
    if esim is not None:
        await esims.look_at(connection, esim, None)
    ops = {"supplier": cancel.supplier, "refunded": None if refunded is None else str(refunded)}
    done = Change(status="cancelled", events=("cancelled",))
    await _move(deps, connection, order, done, now, ops=ops, esim_id=esim)


# -- a person ------------------------------------------------------------------------------------------------------


async def _resolve(
    deps: Deps, connection: Connection, order: OrderRow, attempt: AttemptRow, said: Person, now: datetime
) -> bool:
    if order.status != "needs_review" or not attempt.now.live:
        return False
    fulfilled = said.outcome == "fulfilled"
    await attempts.record(
        connection,
        attempt.id,
        now=now,
        state=AttemptState.SUCCEEDED if fulfilled else AttemptState.FAILED,
        charged=None,
        supplier_order_id=None,
        error_code=None if fulfilled else "person",
        error=None if fulfilled else said.note[:500],
    )
    esim_id = None
    if fulfilled:
        esim_id = await _deliver(deps, connection, order, attempt, said.delivery, now)
        what = Change(status="fulfilled", events=("resolved", "fulfilled"))
    elif said.outcome == "refunded":
        taken = await ledger.charged(connection, attempt.id)
        if taken is not None:
            await ledger.refund(connection, attempt, taken, now)
        what = Change(status="cancelled", events=("resolved", "cancelled"))
    else:
        detail = "the purchase did not come about"
        what = Change(
            status="failed", failure_code="supplier_refused", failure_detail=detail, events=("resolved", "failed")
        )
    ops = {"supplier": attempt.supplier, "n": attempt.n, "as": said.outcome, "note": said.note}
    await _move(deps, connection, order, what, now, ops=ops, esim_id=esim_id, delivery=said.delivery)
    return True
