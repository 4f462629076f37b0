"""Buying: an offer chosen, its supplier's turn waited for, the attempt committed, one send, the answer recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

import msgspec
import structlog

from gateway.catalog import wanted_rules
from gateway.catalog.offer_lines import Limits, OfferLine, OfferSource, with_states
from gateway.inventory import esim_rows
from gateway.items import item_rules, item_source
from gateway.kit.pool import DATABASE_DOWN, Connection, Pool
from gateway.orders import attempt_rows, order_state_rows
from gateway.orders.answers import answers_in
from gateway.orders.attempt_rows import NewAttempt, new_attempt
from gateway.orders.order_rows import AttemptRow, OrderRow
from gateway.orders.rules.failures import detail_of
from gateway.orders.rules.states import AttemptState
from gateway.orders.send import record_answer, send
from gateway.orders.send_checks import may_be_sent, refuse
from gateway.orders.settle import Known
from gateway.orders.transitions import fail
from gateway.pricing.price_rules import Rates
from gateway.pricing.pricing_rules import Subject
from gateway.pricing.rates import rates_now
from gateway.selling import choosing_rules, engine
from gateway.selling.choosing_rules import Candidate, Chosen, NoneLeft, Waits
from gateway.selling.plan_source import PlanSource, TopupSource
from gateway.suppliers import fund_rows, selling_rows, spend_rows
from gateway.suppliers.accounts import Account, account_of
from gateway.suppliers.deps import Deps
from gateway.suppliers.spendable_rules import available_funds, insufficient
from providers.contract import NUMBER_CLOCKS_APART
from providers.kit.supplier_rate import faults_apart
from schemas.errors import DeadlinePassed, GatewayError
from schemas.money import Money
from schemas.order import NumberWanted
from schemas.orders import FailureCode

log = structlog.get_logger(__name__)

BUSY = timedelta(seconds=0.4)
STOPPED = timedelta(seconds=10)
BLOCKED = timedelta(seconds=2)
# Who waited this long for a token has the time to send from then on; a lease of tokens takes a round trip.
WORTH_A_CLOCK_SECONDS = 1.0
# While an order waits in this process for a supplier's rate no worker takes it up.
TURN_SECONDS = 10.0
TURN_LEASE = timedelta(seconds=TURN_SECONDS + 5)
# Who takes any offer asks each supplier for a token that is not leased yet: that takes a round trip.
LEASE_SECONDS = 1.0
PROBE_SECONDS = 10.0
# With less money at a supplier than so many purchases like this one take, those who buy there are counted one by one.
LAST_MONEY = 100
Going = Literal["on", "waited", "rest"]
Outcome = Literal["begun", "moved", "busy", "alike", "limit", "stopped", "refused"]


async def buy(  # noqa: PLR0911 - one for each way to go on
    deps: Deps, order: OrderRow, tries: list[AttemptRow]
) -> Going:
    """One try at the next offer, or the end of an order for which none is left. "on" when there is more to do."""
    # The time to send runs from here: what is chosen now is not bought by a process that froze over it.
    chosen_at = deps.clock()
    found = await _choose(deps, order, tries)
    if isinstance(found, Waits):
        return await _later(deps, order, STOPPED)
    if isinstance(found, NoneLeft):
        if await sending_is_off(deps, order):
            return "rest"
        await fail(deps, order.id, order.step, found.code, found.detail, left=left_out(found.left))
        return "on"
    turn = await _turn(deps, order, tries, found, chosen_at)
    if not isinstance(turn, Turn):
        return turn
    outcome = await _try(deps, order, turn, len(tries) + 1)
    match outcome:
        case "busy":
            return await _later(deps, order, BUSY)
        case "alike" | "stopped":
            return await _later(deps, order, STOPPED)
    return "on"  # what kept this one from being begun is seen by the next choice


@dataclass(frozen=True, slots=True)
class Turn:
    """The offer to buy now, whose supplier's token is held; its time to send runs from ``at``."""

    chosen: Chosen
    account: Account
    at: datetime


async def _try(deps: Deps, order: OrderRow, turn: Turn, n: int) -> Outcome:
    """Commit the ``n``-th attempt and send it; the token of one that is not begun is given back."""
    chosen, account = turn.chosen, turn.account
    new: NewAttempt | None = None
    outcome: Outcome | None = None
    try:
        iccid = await _target(deps, order) if order.kind == "topup" else None
        new = new_attempt(
            order.id,
            "topup" if order.kind == "topup" else "purchase",
            chosen.candidate,
            account.settings,
            why=chosen.why,
            iccid=None if iccid is None else deps.seal.seal(iccid),
            now=turn.at,
        )
        fields = answers_in(deps, order.fields)
        ops: dict[str, object] = {"supplier": account.name, "why": chosen.why, "left": left_out(chosen.left)}
        outcome = await _commit(deps, order, account, new, ops, chosen.candidate)
    except DATABASE_DOWN as error:
        if new is not None:
            # The row may be there although its commit was not confirmed. This run alone may send it, and does not.
            unsent = DeadlinePassed(f"not sent: {type(error).__name__} at the commit")
            await record_answer(deps, new.id, unsent, None)
        raise
    finally:
        if outcome != "begun":
            account.limiter.release()
    if outcome == "begun":
        begun = msgspec.structs.replace(order, step=order.step + 1, polls=0, next_poll_at=new.deadline)
        with faults_apart(order.is_trigger):
            await send(deps, account, new, iccid, fields, Known(begun, new.row(n)))
    return outcome


# -- whose turn it is -------------------------------------------------------------------------------------------------


async def _turn(
    deps: Deps, order: OrderRow, tries: list[AttemptRow], found: list[Chosen], chosen_at: datetime
) -> Turn | Going:
    """The offer whose supplier has a token for this order, which is held then; otherwise how to go on.

    Waiting for our own rate is no failure. A supplier that cannot be asked now (its breaker is open) is passed over
    while another offer is left; after a minute of waiting any other offer is taken, after a quarter of an hour the
    order fails, for nothing was sent.
    """
    since = waiting_since(order, tries)
    wait_since = turn_wait_since(order, tries, deps.clock())
    any_offer, timed_out = choosing_rules.waited_too_long(wait_since, deps.clock())
    busy: list[tuple[Chosen, Account]] = []
    for chosen, account in _open_suppliers(deps, order, found):
        if account.limiter.try_acquire(order.storefront_id):
            return Turn(chosen, account, chosen_at)
        busy.append((chosen, account))
        if not any_offer:
            break
    if not busy and not timed_out:
        return await _later(deps, order, BLOCKED, wait_since)
    await order_state_rows.put_off(deps.pool, order, deps.clock() + TURN_LEASE, turn_wait_since=wait_since)
    began = asyncio.get_running_loop().time()
    for chosen, account in busy:
        if not await _acquired(deps, order, account, since, LEASE_SECONDS if any_offer else TURN_SECONDS):
            continue
        if account.limiter.purchase_blocked_for() > 0:  # its breaker opened meanwhile
            account.limiter.release()
            continue
        waited = asyncio.get_running_loop().time() - began >= WORTH_A_CLOCK_SECONDS
        return Turn(chosen, account, deps.clock() if waited else chosen_at)
    if not timed_out:
        return "waited"
    code: FailureCode = "supplier_unavailable"
    await fail(deps, order.id, order.step, code, detail_of(code), left=left_out(found[0].left))
    return "on"


def _open_suppliers(deps: Deps, order: OrderRow, found: list[Chosen]) -> Iterator[tuple[Chosen, Account]]:
    """The offers whose supplier can be asked now, as they are asked for; a closed one is tried by a read, when due."""
    for chosen in found:
        account = account_of(deps.accounts, chosen.candidate.supplier, order.mode)
        if account is None:
            continue
        if account.limiter.purchase_blocked_for() > 0:
            _probe_if_due(deps, account)
            continue
        yield chosen, account


async def _acquired(deps: Deps, order: OrderRow, account: Account, since: datetime, seconds: float) -> bool:
    """Wait for a token; a process that ends may break the waiting off, because nothing is sent in this task."""
    task = asyncio.current_task()
    if task is not None:
        deps.waiting.add(task)
    try:
        return await account.limiter.acquire(order.storefront_id, since, seconds)
    finally:
        if task is not None:
            deps.waiting.discard(task)


def waiting_since(order: OrderRow, tries: list[AttemptRow]) -> datetime:
    """Since when an order waits: its admission, or the end of its last attempt. The oldest goes first."""
    return max([order.created_at, *_ends(tries)])


def turn_wait_since(order: OrderRow, tries: list[AttemptRow], now: datetime) -> datetime:
    """Since when an order waits for its turn at a supplier, and for nothing else: ``now`` where it begins to."""
    return now if order.turn_wait_since is None else max([order.turn_wait_since, *_ends(tries)])


def _ends(tries: list[AttemptRow]) -> list[datetime]:
    return [attempt.ended_at for attempt in tries if attempt.kind != "cancel" and attempt.ended_at is not None]


async def wait_for_limiter(deps: Deps, order: OrderRow, account: Account) -> bool:
    """Put an order off whose supplier cannot be asked now; whether it was."""
    if account.limiter.purchase_blocked_for() <= 0:
        return False
    _probe_if_due(deps, account)
    await _later(deps, order, BLOCKED)
    return True


def _probe_if_due(deps: Deps, account: Account) -> None:
    """Have a read try a supplier whose breaker is open: a purchase never does."""
    if not account.limiter.probe_due():
        return
    task = asyncio.create_task(_probe(account), name=f"probe {account.name}")
    deps.running.add(task)
    task.add_done_callback(deps.running.discard)


async def _probe(account: Account) -> None:
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            await account.provider.balance()
    except (GatewayError, TimeoutError) as error:
        log.info("supplier_probe_failed", supplier=account.name, error=type(error).__name__)


# -- what is bought ---------------------------------------------------------------------------------------------------


async def _choose(deps: Deps, order: OrderRow, tries: list[AttemptRow]) -> list[Chosen] | Waits | NoneLeft:
    failed = [attempt.now for attempt in tries if attempt.kind != "cancel" and attempt.state is AttemptState.FAILED]
    prices = await engine.prices(deps, order.storefront_id)
    source = await source_of(deps, order)
    limits = Limits(wanted_rules.stored(order.wanted), tuple(order.only_suppliers), tuple(order.ignore_suppliers))
    found: list[Candidate] = []
    if source is not None:
        lines = await source.lines(deps)
        found = engine.judged(deps, lines, prices, limits, source.capability, admitted=True)
    return choosing_rules.choices(found, order.max_cost, failed, await engine.over_limit(deps, found))


async def source_of(deps: Deps, order: OrderRow) -> OfferSource | None:
    """Where an order's offers stand: a top-up has one, as it stood at admission. None: its kind is not sold."""
    if order.bound is not None:
        bound = order.bound
        if account_of(deps.accounts, bound.supplier, order.mode) is None:
            return TopupSource(())
        line = OfferLine(
            supplier=bound.supplier,
            key=bound.supplier_plan_id,
            subject=Subject(bound.supplier, order.plan_id, (), None),
            cost=Money(bound.cost, bound.currency),
        )
        return TopupSource(tuple(await with_states(deps, [line])))
    if order.kind in item_rules.ITEM_KINDS:
        return item_source.source_of(order.mode, item_rules.item_of(order.plan))
    return PlanSource(order.mode, order.plan_id, order_id=order.id)


async def _left(deps: Deps, connection: Connection | Pool, supplier: str, rates: Rates) -> Decimal | None:
    """What can still be spent at a supplier, in base currency; None when that is not known."""
    known = (await fund_rows.load(connection, [supplier])).get(supplier)
    return None if known is None else available_funds(known, rates, deps.tolerance(supplier))


async def sending_is_off(deps: Deps, order: OrderRow) -> bool:
    """Whether the database was restored and statements are not compared yet: the order may have been bought."""
    if "restored" not in (await selling_rows.stops(deps.pool)).get(selling_rows.ALL, []):
        return False
    await _later(deps, order, STOPPED)
    return True


async def _commit(
    deps: Deps, order: OrderRow, account: Account, new: NewAttempt, ops: dict[str, object], candidate: Candidate
) -> Outcome:
    """The attempt's row, with the supplier's spend of the day counted in the same transaction.

    Where our money there comes to its end those who would spend it go one after the other, each seeing the last one's
    attempt: so nobody is sent to be refused.
    """
    limit = account.settings.daily_spend_limit
    last = (
        candidate.available_funds is not None
        and candidate.most is not None
        and candidate.available_funds < candidate.most * LAST_MONEY
    )
    numbers_queue = isinstance(new.item, NumberWanted) and account.manifest.one_number_at_a_time
    alone = timedelta(seconds=account.settings.timeout_seconds) if numbers_queue else None
    apart = None
    if isinstance(new.item, NumberWanted):
        apart = timedelta(seconds=account.settings.timeout_seconds) + 2 * NUMBER_CLOCKS_APART
    outcome: Outcome = "limit"
    async with deps.pool.acquire() as connection:
        if limit is None and alone is None and apart is None and not last and new.kind != "topup":
            outcome = await attempt_rows.begin(connection, order, new, ops, alone_for=None)
        else:
            transaction = connection.transaction()
            await transaction.start()
            try:
                if (refusal := await may_be_sent(connection, order)) is not None:
                    await refuse(deps, connection, order, refusal)
                    outcome = "refused"
                elif not last or await _still_enough(deps, connection, candidate):
                    outcome = await _under_limit(connection, order, new, ops, limit, alone, apart)
            finally:
                await (transaction.commit() if outcome in {"begun", "refused"} else transaction.rollback())
        if outcome == "moved" and not await attempt_rows.may_sell(connection, account.name):
            return "stopped"
        return outcome


async def _still_enough(deps: Deps, connection: Connection, candidate: Candidate) -> bool:
    rates = await rates_now(connection, deps.settings)
    await fund_rows.lock(connection, candidate.supplier)
    return not insufficient(
        await _left(deps, connection, candidate.supplier, rates), candidate.cost_base, candidate.tolerance
    )


async def _under_limit(
    connection: Connection,
    order: OrderRow,
    new: NewAttempt,
    ops: dict[str, object],
    limit: Decimal | None,
    alone: timedelta | None,
    apart: timedelta | None,
) -> Outcome:
    outcome = await attempt_rows.begin(connection, order, new, ops, alone_for=alone, apart=apart)
    if outcome != "begun" or limit is None or new.cost_base is None:
        return outcome
    counted = await spend_rows.spend(connection, "supplier", new.supplier, new.cost_base, limit, new.signed_at, new.id)
    return "begun" if counted else "limit"


async def _target(deps: Deps, order: OrderRow) -> str:
    sealed = await esim_rows.sealed_iccid(deps.pool, order.target_esim_id)
    return deps.seal.open_text(sealed)


def left_out(left: tuple[tuple[str, str, str], ...]) -> list[dict[str, str]]:
    return [{"supplier": supplier, "plan": plan, "why": why} for supplier, plan, why in left[:20]]


async def _later(deps: Deps, order: OrderRow, wait: timedelta, turn_wait_since: datetime | None = None) -> Going:
    await order_state_rows.put_off(deps.pool, order, deps.clock() + wait, turn_wait_since=turn_wait_since)
    return "rest"
