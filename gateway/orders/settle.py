"""The one door through which what is known of a supplier changes an order.

Answer, poll and operator all come in here: under the order's lock the pure decisions say what changes, and attempt,
ledger, delivery, order, timeline, event and the supplier's raw answer are written in one statement and one commit.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import cast

import asyncpg
import msgspec
import structlog

from gateway.kit.pool import Connection, clock_of
from gateway.orders import attempt_rows, delivered, ledger_rows, order_state_rows, settling_rows
from gateway.orders.answered import notify_answered
from gateway.orders.answers import answer_texts, answers_in, without_answers
from gateway.orders.observations import LookupFailed, NoResponse, NotFoundAtSupplier, Observation, OperatorDecision
from gateway.orders.order_rows import AttemptRow, OrderRow
from gateway.orders.rules import verdicts
from gateway.orders.rules.changes import Change, change
from gateway.orders.rules.failures import Lesson, lesson
from gateway.orders.rules.schedule import UNSENT_AGAIN, next_poll, next_poll_in_review
from gateway.orders.rules.states import FINAL, AttemptState, OrderStatus
from gateway.orders.rules.verdicts import Verdict
from gateway.orders.settle_cancel import settle_cancel
from gateway.orders.settle_decision import settle_decision
from gateway.orders.settling_rows import AttemptWrite, Writes
from gateway.orders.transitions import deliver, status_after, transition
from gateway.pricing.price_rules import Rates
from gateway.pricing.rates import rates_now
from gateway.suppliers import selling_rows, spend_rows
from gateway.suppliers.accounts import account_of
from gateway.suppliers.deps import Deps, utc_now
from schemas.errors import GatewayError
from schemas.money import Money
from schemas.order import Delivery, GoodWanted, SupplierOrder

log = structlog.get_logger(__name__)

CLOCKS_APART = timedelta(seconds=30)
_TRIES = 3


class Source(msgspec.Struct, frozen=True):
    """Where an observation comes from.

    ``sent``: it is the answer to the very call that spends. ``answer``: that answer as it came, sealed, to be kept,
    unread without ``answer_read``.
    ``answer_id``: it was kept before and is read again. ``polled``: the order as it was read before the poll.
    """

    sent: bool = False
    answer: bytes | None = None
    answer_read: bool = True
    answer_id: str | None = None
    polled: OrderRow | None = None


class Settled(msgspec.Struct, frozen=True):
    """What settling wrote, and the order's status after it. ``changed`` is whether anything new was learnt."""

    changed: bool
    status: OrderStatus
    writes: Writes


NOTHING = Source()


async def record(deps: Deps, attempt_id: str, observation: Observation, source: Source = NOTHING) -> Settled | None:
    """``settle`` in a transaction of its own.

    The first answer is written without looking whose its order and eSIM are; where another attempt has one of them a
    unique index says so, and the second try looks.
    """
    for tried in range(_TRIES):
        try:
            async with deps.pool.acquire() as connection, connection.transaction():
                check_owners = tried > 0 or not source.sent or not deps.seal.single
                found = await settle(
                    deps, connection, attempt_id, observation, source, check_owners=check_owners, notified=True
                )
        except asyncpg.UniqueViolationError:
            if tried + 1 == _TRIES:
                raise
        else:
            if found is not None and found.writes.answered:
                notify_answered(deps, found.writes.order.id)
            return found
    raise AssertionError("the last try returned or raised")


class Known(msgspec.Struct, frozen=True):
    """An order and its attempt as this process wrote them before it sent."""

    order: OrderRow
    attempt: AttemptRow


async def record_sent(  # noqa: PLR0911 - one for each way in which that does not do
    deps: Deps, known: Known, observation: Observation, source: Source
) -> Settled | None:
    """Settle the answer to a purchase that this process sent, in one statement; None where that does not do.

    It reads nothing: the statement itself sees that the order is still as this process wrote it. Whatever needs
    more than that (a failure, an operator, a checkout, another's eSIM) is settled by ``record``.
    """
    order, attempt = known.order, known.attempt
    if order.kind != "esim" or order.checkout_id is not None or order.fields is not None or not deps.seal.single:
        return None
    if not isinstance(observation, SupplierOrder | GatewayError):
        return None
    now = deps.clock()
    verdict = _verdict(deps, order, attempt, observation, now)
    what = change(order.now, attempt.now, verdict, now)
    if what.attempt in {None, AttemptState.FAILED} or what.status not in {None, "fulfilled"}:
        return None
    if verdict.charged is not None and verdict.charged.currency != attempt.currency:
        return None  # judged by the exchange rates
    if _over_charged(deps, attempt, verdict):
        return None
    writes = Writes(order, now, answer=source.answer, answer_read=source.answer_read)
    try:
        # What is left after the tests above asks the database nothing.
        await _fill(deps, cast("Connection", deps.pool), writes, attempt, verdict, what)
        if writes.attempt is None:
            return None
        writes.attempt.call_ended = True
        if not await settling_rows.write(deps.group_commit, writes, expected_step=order.step, notified=True):
            return None
    except asyncpg.UniqueViolationError:
        return None
    if writes.answered:
        notify_answered(deps, order.id)
    return Settled(changed=True, status=status_after(writes), writes=writes)


def _over_charged(deps: Deps, attempt: AttemptRow, verdict: Verdict) -> bool:
    listed = None if attempt.listed is None or attempt.currency is None else Money(attempt.listed, attempt.currency)
    rates = Rates(deps.settings.base_currency, {})
    return verdicts.charged_more(listed, verdict.charged, deps.tolerance(attempt.supplier), rates)


async def settle(
    deps: Deps,
    connection: Connection,
    attempt_id: str,
    observation: Observation,
    source: Source = NOTHING,
    *,
    check_owners: bool = True,
    notified: bool = False,
) -> Settled | None:
    """Record what is now known of an attempt, in the caller's transaction; None when it is nobody's.

    ``announced``: the caller announces the order's answer after the commit. May be repeated. Raises
    ``asyncpg.UniqueViolationError`` when, without ``check_owners``, the supplier's order or
    the eSIM turns out to be another's.
    """
    found = await order_state_rows.lock_attempt(connection, attempt_id)
    if found is None:
        return None
    order, attempt = found
    now = deps.clock()
    writes = Writes(order, now, answer=source.answer, answer_read=source.answer_read, answer_id=source.answer_id)
    if attempt.kind == "cancel":
        changed = await settle_cancel(deps, connection, writes, attempt, observation)
    elif isinstance(observation, OperatorDecision):
        changed = await settle_decision(deps, connection, writes, attempt, observation)
    else:
        verdict = await _verdict_on(deps, connection, order, attempt, observation, check_owners=check_owners)
        what = change(order.now, attempt.now, verdict, now)
        changed = await _fill(deps, connection, writes, attempt, verdict, what)
    if source.sent:
        writes.attempt = writes.attempt or AttemptWrite(attempt.id, attempt.supplier, attempt.kind)
        writes.attempt.call_ended = True
    if source.polled is not None:
        await _reschedule(connection, writes, attempt, observation, source.polled)
    if not writes.empty:
        await settling_rows.write(connection, writes, notified=notified)
    return Settled(changed, status_after(writes), writes)


async def _reschedule(
    connection: Connection, writes: Writes, attempt: AttemptRow, observation: Observation, polled: OrderRow
) -> None:
    """Plan the next poll, where the change itself plans none."""
    if status_after(writes) in FINAL or (writes.move is not None and not writes.move.keep_schedule):
        return
    sent = not (isinstance(observation, LookupFailed) and not observation.sent)
    if not sent:
        later = writes.now + UNSENT_AGAIN
    elif status_after(writes) == "needs_review":
        later = next_poll_in_review(writes.now, attempt.started_at)
    else:
        later = next_poll(writes.now, attempt.started_at, (attempt.quiescent_at, attempt.provision_by))
    if writes.move is not None:
        writes.move.keep_schedule, writes.move.next_poll_at = False, later
    else:
        await order_state_rows.polled(connection, polled, later, sent=sent)


async def _verdict_on(
    deps: Deps,
    connection: Connection,
    order: OrderRow,
    attempt: AttemptRow,
    observation: Observation,
    *,
    check_owners: bool,
) -> Verdict:
    """What the observation says, as far as it can be believed, without the customer's own words."""
    now = deps.clock()
    believed = _verdict(deps, order, attempt, observation, now)
    if believed.error_code == "absent" and not await _clocks_agree(connection):
        believed = verdicts.of_absence(attempt.now, now, trust_absence=False)
    believed = without_answers(believed, answer_texts(answers_in(deps, order.fields)))
    # Numbers and codes have no unique index that could say it later.
    if check_owners or not (believed.delivery is None or isinstance(believed.delivery, Delivery)):
        return await _own(deps, connection, order, attempt, believed)
    return believed


def _verdict(deps: Deps, order: OrderRow, attempt: AttemptRow, observation: Observation, now: datetime) -> Verdict:
    seen = attempt.now
    match observation:
        case SupplierOrder():
            return verdicts.of_order(observation, seen, now)
        case GatewayError():
            return verdicts.of_error(observation)
        case NotFoundAtSupplier():
            account = account_of(deps.accounts, attempt.supplier, order.mode)
            trusted = account is not None and account.settings.trust_absence
            return verdicts.of_absence(seen, min(observation.at, now), trust_absence=trusted)
        case LookupFailed():
            return verdicts.of_failed_poll(seen, now, observation.error)
        case NoResponse():
            return verdicts.of_loss(seen)
    raise TypeError(f"{type(observation).__name__} says nothing of a purchase")


async def _clocks_agree(connection: Connection) -> bool:
    """Whether our clock is the database's: a time that is over here but nowhere else proves nothing."""
    apart = abs(utc_now() - await clock_of(connection))
    if apart > CLOCKS_APART:
        log.error("clocks_apart", seconds=round(apart.total_seconds()))
    return apart <= CLOCKS_APART


async def _own(deps: Deps, connection: Connection, order: OrderRow, attempt: AttemptRow, verdict: Verdict) -> Verdict:
    """The verdict, unless it is about what belongs to another attempt, an order or an eSIM: an operator looks then."""
    number = verdict.supplier_order_id
    if number is not None and number != attempt.supplier_order_id:
        other = await attempt_rows.owner_of(connection, attempt, number)
        if other is not None:
            return _not_ours(f"the supplier's order belongs to {other}", None)
    if verdict.state is AttemptState.SUCCEEDED and attempt.kind == "purchase" and verdict.delivery is not None:
        holding_order = await delivered.holder_of(deps, connection, order, attempt, verdict.delivery)
        if holding_order is not None:
            return _not_ours(f"{delivered.label_of(verdict.delivery)} was delivered to {holding_order} before", verdict)
    return verdict


def _not_ours(why: str, verdict: Verdict | None) -> Verdict:
    """Another's goods. A charge that was reported of our own order stands."""
    return Verdict(
        state=AttemptState.CHARGED_UNDELIVERABLE,
        charged=None if verdict is None else verdict.charged,
        supplier_order_id=None if verdict is None else verdict.supplier_order_id,
        error_code="not_ours",
        error=why,
        review=why,
    )


async def _fill(
    deps: Deps, connection: Connection, writes: Writes, attempt: AttemptRow, verdict: Verdict, what: Change
) -> bool:
    """Fill in what a verdict on a purchase or top-up writes; False when it says nothing new."""
    order = writes.order
    booked = await _book(deps, connection, writes, attempt, verdict, what)
    news = verdict.supplier_order_id is not None and attempt.supplier_order_id is None
    known = what.nothing or (what.contradiction and await _is_old_news(connection, writes, attempt))
    if known and not booked and not news:
        return False
    delivery = verdict.delivery
    iccid = delivery.iccid if isinstance(delivery, Delivery) and attempt.iccid is None else None
    succeeded = what.attempt is AttemptState.SUCCEEDED
    writes.attempt = AttemptWrite(
        attempt.id,
        attempt.supplier,
        attempt.kind,
        state=what.attempt,
        charged=None if _is_older(writes, attempt) else verdict.charged,
        supplier_order_id=verdict.supplier_order_id,
        error_code=None if succeeded else verdict.error_code,
        error=None if succeeded else verdict.error,
        iccid=deps.seal.seal(iccid) if iccid else None,
    )
    goods_id = None
    if what.attempt is AttemptState.FAILED:
        await _learn(deps, connection, order, attempt, verdict)
    elif succeeded:
        goods_id = await deliver(deps, connection, writes, attempt, delivery)
        if verdict.charged is None and attempt.charged is None:
            # A charge that was not reported has no ledger row; reconcile finds it by the supplier's statements.
            writes.add_event("charge_not_told", supplier=attempt.supplier, n=attempt.n)
            log.warning("charge_not_told", supplier=attempt.supplier, attempt=attempt.id, order=order.id)
    if not what.nothing:
        ops = {"supplier": attempt.supplier, "n": attempt.n, "error": verdict.error, "why": verdict.review}
        await transition(deps, connection, writes, what, ops=ops, goods_id=goods_id, delivery=delivery)
    return True


async def _book(
    deps: Deps, connection: Connection, writes: Writes, attempt: AttemptRow, verdict: Verdict, what: Change
) -> bool:
    """The ledger's rows for a verdict; True when there is one to write."""
    if verdict.charged is not None and verdict.state is not AttemptState.FAILED:
        if attempt.charged is None:
            # An attempt's row names its charge from the first one on, so the ledger has none yet.
            if verdict.charged.amount <= 0:
                return False
            writes.charge = verdict.charged
        else:
            # What a failed order still holds is what refunds have left of its charge, not another word on the charge.
            correct = verdict.kept_charge is None and not _is_older(writes, attempt)
            written = await ledger_rows.charge(connection, attempt, verdict.charged, writes.now, correct=correct)
            if written == "same":
                return False
            if written == "changed":
                note = str(verdict.charged)
                writes.add_event("charge_changed", supplier=attempt.supplier, n=attempt.n, note=note)
                log.warning("charge_changed", supplier=attempt.supplier, attempt=attempt.id, order=attempt.order_id)
        await _judge_charge(deps, connection, writes, attempt, verdict.charged)
        return True
    if what.attempt is AttemptState.FAILED:
        # Less what statements showed to be refunded already.
        net = await ledger_rows.net_charge(connection, attempt.id)
        return net is not None and verdict.gone and await ledger_rows.refund(connection, attempt, net, writes.now)
    return False


def _is_older(writes: Writes, attempt: AttemptRow) -> bool:
    """Whether a kept answer is read of which later answers told the charge."""
    return writes.answer_id is not None and attempt.charged is not None


async def _is_old_news(connection: Connection, writes: Writes, attempt: AttemptRow) -> bool:
    """Whether a kept answer shows a charge that was given back, or reported, since the answer came."""
    return writes.answer_id is not None and not await ledger_rows.stands_unreported(connection, attempt)


async def _judge_charge(
    deps: Deps, connection: Connection, writes: Writes, attempt: AttemptRow, charged: Money
) -> None:
    """Charged more than listed: recorded, shown, and the offer is stopped; the order stands."""
    if attempt.listed is None or attempt.currency is None:
        return
    listed = Money(attempt.listed, attempt.currency)
    same = charged.currency == listed.currency
    rates = Rates(deps.settings.base_currency) if same else await rates_now(connection, deps.settings)
    if not verdicts.charged_more(listed, charged, deps.tolerance(attempt.supplier), rates):
        return
    note = f"charged {charged} where {listed} was listed"
    item = attempt.item
    single_unit = not isinstance(item, GoodWanted) or (item.quantity == 1 and item.amount is None)
    comparable = charged.amount if same and single_unit else None
    if not writes.order.is_trigger:
        await selling_rows.stop_offer(connection, attempt.supplier, attempt.supplier_plan_id, comparable, note)
    writes.add_event("charged_more", supplier=attempt.supplier, n=attempt.n, note=note)
    log.warning("charged_more_than_listed", supplier=attempt.supplier, attempt=attempt.id, order=attempt.order_id)


async def _learn(deps: Deps, connection: Connection, order: OrderRow, attempt: AttemptRow, verdict: Verdict) -> None:
    """What a definite failure teaches, and the supplier's spend of the day given back. A trigger teaches nothing."""
    if attempt.cost_base is not None:
        await spend_rows.give_back(connection, "supplier", attempt.supplier, attempt.cost_base, attempt.started_at)
    if order.is_trigger:
        return
    now = deps.clock()
    match lesson(verdict.error_code):
        case Lesson.OUT_OF_STOCK:
            until = now + timedelta(seconds=deps.settings.orders.out_of_stock_seconds)
            note = f"the supplier said {verdict.error_code}"
            await selling_rows.mark_out_of_stock(connection, attempt.supplier, attempt.supplier_plan_id, until, note)
        case Lesson.NO_BALANCE:
            until = now + timedelta(seconds=deps.settings.orders.no_balance_seconds)
            await selling_rows.cool_down(connection, attempt.supplier, until)
            log.warning("supplier_without_balance", supplier=attempt.supplier)
        case _:
            pass
