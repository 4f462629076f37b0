"""The one door through which supplier truth changes an order.

Answer, look, webhook and person all come in here: under the order's lock the pure decisions say what changes, and
attempt, ledger, order, timeline, next job and outgoing event are written in one transaction.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import structlog

from gateway.core.orders import verdicts
from gateway.core.orders.changes import Change, change
from gateway.core.orders.failures import Lesson, lesson
from gateway.core.orders.states import AttemptState
from gateway.core.orders.verdicts import Verdict
from gateway.core.pricing import Rates
from gateway.flows import delivered
from gateway.flows.answers import answers_in, without_answers, words_of
from gateway.flows.deps import Deps, utc_now
from gateway.flows.moving import deliver, move
from gateway.flows.settle_cancel import settle_cancel
from gateway.flows.settle_person import settle_person
from gateway.flows.truth import Absent, Lost, NotSeen, Person, Truth
from gateway.store import attempts, candidates, ledger, orders, selling, spend
from gateway.store.order_rows import AttemptRow, OrderRow
from gateway.store.pool import Connection
from schemas.errors import GatewayError
from schemas.money import Money
from schemas.order import Delivery, GoodWanted, SupplierOrder

log = structlog.get_logger(__name__)

CLOCKS_APART = timedelta(seconds=30)


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
        return await settle_cancel(deps, connection, order, attempt, truth, now)
    if isinstance(truth, Person):
        return await settle_person(deps, connection, order, attempt, truth, now)
    believed = _verdict(deps, attempt, truth, now)
    if believed.error_code == "absent" and not await _clocks_agree(connection):
        believed = verdicts.of_absence(attempt.now, now, trust_absence=False)
    believed = without_answers(believed, words_of(answers_in(deps, order.fields)))
    verdict = await _own(deps, connection, attempt, believed)
    what = change(order.now, attempt.now, verdict, now)
    return await _write(deps, connection, order, attempt, verdict, what, now)


def _verdict(deps: Deps, attempt: AttemptRow, truth: Truth, now: datetime) -> Verdict:
    seen = attempt.now
    match truth:
        case SupplierOrder():
            return verdicts.of_order(truth, seen, now)
        case GatewayError():
            return verdicts.of_error(truth)
        case Absent():
            account = deps.accounts.get(attempt.supplier)
            trusted = account is not None and account.settings.trust_absence
            return verdicts.of_absence(seen, min(truth.at, now), trust_absence=trusted)
        case NotSeen():
            return verdicts.of_no_look(seen, now, truth.error)
        case Lost():
            return verdicts.of_loss(seen)
    raise TypeError(f"{type(truth).__name__} says nothing of a purchase")


async def _clocks_agree(connection: Connection) -> bool:
    """Whether our clock is the database's: a time that is over here but nowhere else proves nothing."""
    theirs: datetime = await connection.fetchval("SELECT clock_timestamp()")
    apart = abs(utc_now() - theirs)
    if apart > CLOCKS_APART:
        log.error("clocks_apart", seconds=round(apart.total_seconds()))
    return apart <= CLOCKS_APART


async def _own(deps: Deps, connection: Connection, attempt: AttemptRow, verdict: Verdict) -> Verdict:
    """The verdict, unless it is about what belongs to another attempt, an order or an eSIM: then a person looks."""
    number = verdict.supplier_order_id
    if number is not None and number != attempt.supplier_order_id:
        other = await attempts.owner_of(connection, attempt, number)
        if other is not None:
            return _not_ours(f"the supplier's order belongs to {other}", None)
    if verdict.state is AttemptState.SUCCEEDED and attempt.kind == "purchase" and verdict.delivery is not None:
        holder = await delivered.holder_of(deps, connection, attempt, verdict.delivery)
        if holder is not None:
            return _not_ours(f"{delivered.word_of(verdict.delivery)} was delivered to {holder} before", verdict)
    return verdict


def _not_ours(why: str, told: Verdict | None) -> Verdict:
    """Another's goods. What was told of the charge stands where it was told of our own order."""
    return Verdict(
        state=AttemptState.CHARGED_UNDELIVERABLE,
        charged=None if told is None else told.charged,
        supplier_order_id=None if told is None else told.supplier_order_id,
        error_code="not_ours",
        error=why,
        review=why,
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
    iccid = given.iccid if isinstance(given, Delivery) and attempt.iccid is None else None
    await attempts.record(
        connection,
        attempt.id,
        now=now,
        state=what.attempt,
        charged=verdict.charged,
        supplier_order_id=verdict.supplier_order_id,
        error_code=verdict.error_code if what.attempt is not AttemptState.SUCCEEDED else None,
        error=verdict.error if what.attempt is not AttemptState.SUCCEEDED else None,
        iccid=deps.seal.seal(iccid) if iccid else None,
    )
    goods_id = None
    if what.attempt is AttemptState.FAILED:
        await _learn(deps, connection, attempt, verdict, now)
    elif what.attempt is AttemptState.SUCCEEDED:
        goods_id = await deliver(deps, connection, order, attempt, given, now)
        if verdict.charged is None and await ledger.charged(connection, attempt.id) is None:
            # The ledger has no row for what nobody told; reconcile names it by the supplier's books.
            await orders.tell(connection, order.id, now, "charge_not_told", supplier=attempt.supplier, n=attempt.n)
            log.warning("charge_not_told", supplier=attempt.supplier, attempt=attempt.id, order=order.id)
    if not what.nothing:
        ops = {"supplier": attempt.supplier, "n": attempt.n, "error": verdict.error, "why": verdict.review}
        await move(deps, connection, order, what, now, ops=ops, goods_id=goods_id, delivery=given)
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
        # What a failed order still holds is what refunds have left of its charge, not another word on the charge.
        written = await ledger.charge(connection, attempt, verdict.charged, now, correct=verdict.held is None)
        if written == "same":
            return False
        if written == "changed":
            told = str(verdict.charged)
            await orders.tell(
                connection, order.id, now, "charge_changed", supplier=attempt.supplier, n=attempt.n, note=told
            )
            log.warning("charge_changed", supplier=attempt.supplier, attempt=attempt.id, order=order.id)
        await _judge_charge(deps, connection, order, attempt, verdict.charged, now)
        return True
    if what.attempt is AttemptState.FAILED:
        held = await ledger.held(connection, attempt.id)  # less what statements showed to be refunded already
        return held is not None and verdict.gone and await ledger.refund(connection, attempt, held, now)
    return False


async def _judge_charge(
    deps: Deps, connection: Connection, order: OrderRow, attempt: AttemptRow, charged: Money, now: datetime
) -> None:
    """Charged more than listed: recorded, shown, and the offer is stopped; the order stands."""
    if attempt.listed is None or attempt.currency is None:
        return
    listed = Money(attempt.listed, attempt.currency)
    base, same = deps.settings.base_currency, charged.currency == listed.currency
    rates = Rates(base, {} if same else await candidates.rates(connection, base))
    if not verdicts.charged_more(listed, charged, tolerance_of(deps, attempt.supplier), rates):
        return
    note = f"charged {charged} where {listed} was listed"
    one = not isinstance(attempt.item, GoodWanted) or (attempt.item.quantity == 1 and attempt.item.amount is None)
    comparable = charged.amount if same and one else None
    await selling.stop_offer(connection, attempt.supplier, attempt.supplier_plan_id, comparable, note)
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


def tolerance_of(deps: Deps, supplier: str) -> Decimal:
    """The share by which a supplier may charge more than it lists."""
    account = deps.accounts.get(supplier)
    if account is None:
        return Decimal(0)
    own = account.settings.charge_tolerance
    return own if own is not None else account.manifest.charge_tolerance
