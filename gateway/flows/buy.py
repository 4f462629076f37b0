"""Buying: an offer chosen, the attempt committed, one send in a task that nothing cancels, the answer recorded."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal
from uuid import uuid4

import msgspec
import structlog

from gateway.core.orders import choosing, items
from gateway.core.orders.choosing import Candidate, Chosen, NoneLeft
from gateway.core.orders.states import AttemptState
from gateway.core.pricing import NoRate, Rates
from gateway.core.spendable import room, too_little
from gateway.flows import offers, shelves
from gateway.flows.accounts import Account, follow_keys
from gateway.flows.answers import answers_in, words_of
from gateway.flows.deps import Deps
from gateway.flows.exchanges import noting
from gateway.flows.moving import give_up
from gateway.flows.patience import IN_THE_WAY, patiently
from gateway.flows.send_checks import may_be_sent, refuse
from gateway.flows.settle import settle, tolerance_of
from gateway.flows.truth import Truth
from gateway.store import attempts, candidates, orders, purses, selling, spend
from gateway.store.attempts import NewAttempt
from gateway.store.jobs import enqueue_advance
from gateway.store.order_rows import AttemptRow, OrderRow
from gateway.store.pool import DATABASE_DOWN, Connection, Pool
from providers.contract import NUMBER_CLOCKS_APART, Provider
from schemas.errors import DeadlinePassed, GatewayError, NotAuthorised, SupplierError
from schemas.money import Money
from schemas.order import GoodWanted, NumberWanted, OrderKind, PurchaseRequest, SupplierOrder
from schemas.plan import WhyNot

log = structlog.get_logger(__name__)

SEND_SECONDS = 15.0  # from the committed attempt to the first byte; S2S's signature holds for 300
BUSY_SECONDS = 0.4
STOPPED_SECONDS = 10.0
ASK_SECONDS = 5.0
ANSWER_KEPT_SECONDS = 3600.0
# With less money at a supplier than so many purchases like this one take, those who buy there are counted one by one.
LAST_MONEY = 100
Going = Literal["on", "rest"]


async def buy(deps: Deps, order: OrderRow, tries: list[AttemptRow]) -> Going:
    """One try at the next offer, or the end of an order for which none is left. "on" when there is more to do."""
    # The time to send runs from here: what is chosen now is not bought by a process that froze over it.
    now = deps.clock()
    chosen = await _choose(deps, order, tries)
    if isinstance(chosen, NoneLeft):
        return await _none_left(deps, order, chosen)
    one = chosen.candidate
    account = deps.accounts[one.supplier]
    kind: Literal["topup", "purchase"] = "topup" if order.kind == "topup" else "purchase"
    iccid = await _target(deps, order) if kind == "topup" else None
    fields = answers_in(deps, order.fields)
    new = _new_attempt(deps, order, account, kind, one, chosen.why, iccid, now)
    left = [{"supplier": s, "plan": p, "why": why} for s, p, why in chosen.left[:20]]
    ops: dict[str, object] = {"supplier": one.supplier, "why": chosen.why, "left": left}
    try:
        outcome = await _commit(deps, order, account, new, ops, one)
    except DATABASE_DOWN as error:
        # The row may be there although its commit was not confirmed. This run alone may send it, and does not.
        await recorded(deps, new.id, DeadlinePassed(f"not sent: {type(error).__name__} at the commit"))
        raise
    match outcome:
        case "busy" | "alike" | "stopped" as why:
            await _later(deps, order, BUSY_SECONDS if why == "busy" else STOPPED_SECONDS)
            return "rest"
        case "moved" | "limit" | "refused":  # what kept this one from being begun is seen by the next choice
            return "on"
    await send(deps, account, new, iccid, fields)
    return "on"


async def send(
    deps: Deps, account: Account, new: NewAttempt, iccid: str | None, fields: Mapping[str, str] | None = None
) -> None:
    """Send what was committed, once, and record the answer; neither a disconnect nor a shutdown cancels it.

    ``fields`` are the answers to what a product asks, which no attempt keeps. Only for the run that
    ``attempts.begin`` told to.
    """
    task = asyncio.create_task(_send(deps, account, new, iccid, fields or {}), name=f"send {new.id}")
    deps.running.add(task)
    task.add_done_callback(deps.running.discard)
    await asyncio.shield(task)


async def _send(deps: Deps, account: Account, new: NewAttempt, iccid: str | None, fields: Mapping[str, str]) -> None:
    with noting(deps, new.id, words_of(dict(fields))):
        truth = await _call(account, new, iccid, fields)
    if await recorded(deps, new.id, truth) and isinstance(truth, NotAuthorised):
        await _ask_again(deps, account, truth)


async def _call(account: Account, new: NewAttempt, iccid: str | None, fields: Mapping[str, str]) -> Truth:
    provider = account.provider
    request = _request(new, iccid, fields)
    try:
        if new.kind == "cancel":
            return await provider.cancel(iccid or "", deadline=new.deadline)
        return await _sale(provider, request)
    except GatewayError as error:
        return error
    except Exception as error:
        log.exception("send_fault", supplier=account.name, attempt=new.id)
        return SupplierError(f"a fault of ours: {type(error).__name__}", supplier=account.name)


async def _sale(provider: Provider, request: PurchaseRequest) -> SupplierOrder:
    match request.kind:
        case OrderKind.TOPUP:
            return await provider.topup(request)
        case OrderKind.NUMBER:
            return await provider.purchase_number(request)
        case OrderKind.VOUCHER:
            return await provider.purchase_good(request)
        case _:
            return await provider.purchase(request)


async def recorded(deps: Deps, attempt_id: str, truth: Truth) -> bool:
    """Write down what came of a send, however long the database is away: an answer comes once only."""
    return await patiently(_record, seconds=ANSWER_KEPT_SECONDS, on=IN_THE_WAY)(deps, attempt_id, truth)


async def _record(deps: Deps, attempt_id: str, truth: Truth) -> bool:
    async with deps.pool.acquire() as connection, connection.transaction():
        return await settle(deps, connection, attempt_id, truth, sent=True)


async def _ask_again(deps: Deps, account: Account, refusal: NotAuthorised) -> None:
    """After 401 or 403: a read decides whether it is the account that is refused; then it is stopped.

    The key may have been turned over since: the read goes with the one that is in force now.
    """
    try:
        with suppress(*DATABASE_DOWN):
            await follow_keys(deps.accounts, deps.pool, deps.seal)
        async with asyncio.timeout(ASK_SECONDS):
            await deps.accounts[account.name].provider.balance()
    except NotAuthorised:
        await selling.stop(deps.pool, account.name, "account", refusal.detail[:200])
        log.warning("supplier_stopped", supplier=account.name, why="our account is refused")
    except (GatewayError, TimeoutError):
        return


async def _choose(deps: Deps, order: OrderRow, tries: list[AttemptRow]) -> Chosen | NoneLeft:
    failed = [one.now for one in tries if one.kind != "cancel" and one.state is AttemptState.FAILED]
    if order.bound is not None:
        found = [await _bound(deps, order)]
    elif order.kind in items.ITEM_KINDS:
        limits = shelves.limits_of(order.only_suppliers, order.ignore_suppliers)
        prices, item = await offers.prices(deps, order.storefront_id), items.item_of(order.plan)
        found = await shelves.candidates(deps, order.mode, order.kind, item, prices, limits)
    else:
        stored = await candidates.of_plan(deps.pool, order.mode, order.plan_id)
        found = offers.judged(deps, stored, await offers.prices(deps, order.storefront_id), offers.Limits.of(order))
    return choosing.choose(found, order.max_cost, failed, await offers.over_limit(deps, found))


async def _bound(deps: Deps, order: OrderRow) -> Candidate:
    assert order.bound is not None  # noqa: S101 - as the caller saw
    cost = Money(order.bound.cost, order.bound.currency)
    rates: Rates = await offers.rates(deps)
    try:
        base: Decimal | None = rates.to_base(cost).amount
    except NoRate:
        base = None
    account = deps.accounts.get(order.bound.supplier)
    tolerance = tolerance_of(deps, order.bound.supplier)
    left = await _left(deps, deps.pool, order.bound.supplier, rates)
    return Candidate(
        supplier=order.bound.supplier,
        supplier_plan_id=order.bound.supplier_plan_id,
        cost=cost,
        cost_base=base,
        tolerance=tolerance,
        why_not=(WhyNot.NO_BALANCE,) if too_little(left, base, tolerance) else (),
        unfit=None if account is not None else "the supplier is not configured",
        room=left,
    )


async def _left(deps: Deps, connection: Connection | Pool, supplier: str, rates: Rates) -> Decimal | None:
    """What can still be spent at a supplier, in base currency; None when that is not known."""
    purse = (await purses.of(connection, [supplier])).get(supplier)
    return None if purse is None else room(purse, rates, tolerance_of(deps, supplier))


async def _none_left(deps: Deps, order: OrderRow, none: NoneLeft) -> Going:
    if await books_first(deps, order):
        return "rest"
    async with deps.pool.acquire() as connection, connection.transaction():
        if await give_up(deps, connection, order.id, order.step, none.code, none.detail):
            left = [{"supplier": s, "plan": p, "why": why} for s, p, why in none.left[:20]]
            await orders.tell(connection, order.id, deps.clock(), "offers_left", left=left)
    return "on"


async def books_first(deps: Deps, order: OrderRow) -> bool:
    """Whether the database was put back and the books are not compared yet: the order may have been bought."""
    if "restored" not in (await selling.stops(deps.pool)).get(selling.ALL, []):
        return False
    await _later(deps, order, STOPPED_SECONDS)
    return True


async def _commit(
    deps: Deps, order: OrderRow, account: Account, new: NewAttempt, ops: dict[str, object], one: Candidate
) -> Literal["begun", "moved", "busy", "alike", "limit", "stopped", "refused"]:
    """The attempt's row, with the supplier's spend of the day counted in the same transaction.

    Where our money there comes to its end those who would spend it go one after the other, each seeing the last one's
    attempt: so nobody is sent to be refused.
    """
    limit = account.settings.daily_spend_limit
    last = one.room is not None and one.most is not None and one.room < one.most * LAST_MONEY
    alone = timedelta(seconds=account.settings.timeout_seconds) if account.manifest.one_purchase_at_a_time else None
    apart = None
    if isinstance(new.item, NumberWanted):
        apart = timedelta(seconds=account.settings.timeout_seconds) + 2 * NUMBER_CLOCKS_APART
    outcome: Literal["begun", "moved", "busy", "alike", "limit", "refused"] = "limit"
    async with deps.pool.acquire() as connection:
        if limit is None and alone is None and apart is None and not last and new.kind != "topup":
            outcome = await attempts.begin(connection, order, new, ops, alone_for=None)
        else:
            transaction = connection.transaction()
            await transaction.start()
            try:
                if (refusal := await may_be_sent(connection, order)) is not None:
                    await refuse(deps, connection, order, refusal)
                    outcome = "refused"
                elif not last or await _still_enough(deps, connection, one):
                    outcome = await _under_limit(connection, order, new, ops, limit, alone, apart)
            finally:
                await (transaction.commit() if outcome in {"begun", "refused"} else transaction.rollback())
        if outcome == "moved" and not await attempts.may_sell(connection, account.name):
            return "stopped"
        return outcome


async def _still_enough(deps: Deps, connection: Connection, one: Candidate) -> bool:
    rates = Rates(deps.settings.base_currency, await candidates.rates(connection, deps.settings.base_currency))
    await purses.alone(connection, one.supplier)
    return not too_little(await _left(deps, connection, one.supplier, rates), one.cost_base, one.tolerance)


async def _under_limit(
    connection: Connection,
    order: OrderRow,
    new: NewAttempt,
    ops: dict[str, object],
    limit: Decimal | None,
    alone: timedelta | None,
    apart: timedelta | None,
) -> Literal["begun", "moved", "busy", "alike", "limit"]:
    outcome = await attempts.begin(connection, order, new, ops, alone_for=alone, apart=apart)
    if outcome != "begun" or limit is None or new.cost_base is None:
        return outcome
    counted = await spend.spend(connection, "supplier", new.supplier, new.cost_base, limit, new.signed_at, new.id)
    return "begun" if counted else "limit"


def _new_attempt(
    deps: Deps,
    order: OrderRow,
    account: Account,
    kind: Literal["purchase", "topup"],
    one: Candidate,
    why: str,
    iccid: str | None,
    now: datetime,
) -> NewAttempt:
    deadline = now + timedelta(seconds=SEND_SECONDS)
    over = deadline + timedelta(seconds=account.settings.timeout_seconds)
    return NewAttempt(
        id=f"att_{secrets.token_hex(12)}",
        order_id=order.id,
        kind=kind,
        supplier=account.name,
        supplier_plan_id=one.supplier_plan_id,
        run_id=uuid4(),
        signed_at=now,
        deadline=deadline,
        quiescent_at=max(over, now + timedelta(seconds=account.settings.quiescence_seconds)),
        provision_by=now + timedelta(seconds=account.settings.provisioning_seconds),
        listed=one.cost.amount,
        currency=one.cost.currency,
        cost_base=one.cost_base,
        iccid=None if iccid is None else deps.seal.seal(iccid),
        why=why,
        item=one.item,
    )


def new_cancel(deps: Deps, order: OrderRow, account: Account, purchase: AttemptRow, iccid: str) -> NewAttempt:
    """The one request to take an eSIM back."""
    now = deps.clock()
    deadline = now + timedelta(seconds=SEND_SECONDS)
    over = deadline + timedelta(seconds=account.settings.timeout_seconds)
    return NewAttempt(
        id=f"att_{secrets.token_hex(12)}",
        order_id=order.id,
        kind="cancel",
        supplier=account.name,
        supplier_plan_id=purchase.supplier_plan_id,
        run_id=uuid4(),
        signed_at=now,
        deadline=deadline,
        quiescent_at=max(over, now + timedelta(seconds=account.settings.quiescence_seconds)),
        provision_by=None,
        iccid=deps.seal.seal(iccid),
        why="the storefront cancelled",
    )


async def _target(deps: Deps, order: OrderRow) -> str:
    sealed = await deps.pool.fetchval("SELECT iccid FROM esims WHERE id = $1", order.target_esim_id)
    return deps.seal.open_text(sealed)


def _request(new: NewAttempt, iccid: str | None, fields: Mapping[str, str]) -> PurchaseRequest:
    good = new.item if isinstance(new.item, GoodWanted) else None
    return PurchaseRequest(
        reference=new.id,
        supplier_plan_id=new.supplier_plan_id,
        signed_at=new.signed_at,
        deadline=new.deadline,
        email=new.email,
        iccid=iccid,
        kind=items.kind_of(new.item, topup=new.kind == "topup"),
        number=new.item if isinstance(new.item, NumberWanted) else None,
        good=None if good is None else msgspec.structs.replace(good, fields=dict(fields)),
    )


async def _later(deps: Deps, order: OrderRow, seconds: float) -> None:
    until = deps.clock() + timedelta(seconds=seconds)
    async with deps.pool.acquire() as connection, connection.transaction():
        await orders.put_off(connection, order, until)
        version = f"{order.step}:{secrets.token_hex(3)}" if seconds > 1 else f"{order.step}:busy"
        await enqueue_advance(connection, order.id, version, after=timedelta(seconds=seconds))
