"""A fault at any statement of settling loses no answer: the order ends as if there had been none."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import stamina
import structlog

from gateway.items import goods_rows
from gateway.orders import presenter, send
from gateway.orders.admit import admit
from gateway.orders.cancel import request_cancel
from gateway.orders.order_view_rows import StorefrontScope
from gateway.orders.process import process_order
from gateway.orders.topup import admit_topup
from schemas.order_requests import NumberChoice, OrderForGood, OrderForNumber, TopupForPlan
from tests.gateway.items.test_goods import CARD, SHELF
from tests.kit.admitted import order_of
from tests.kit.counter import STOREFRONT, Counter
from tests.kit.counter import counter as open_counter
from tests.kit.faulty_pool import FaultyStatements, StatementFault, faulty_pool

SUPPLIERS = ("beppay", "pikasim", "s2s")
MOST_STATEMENTS = 40
_keys = itertools.count(1)


@dataclass
class Ground:
    """A counter whose statements of settling can go wrong."""

    counter: Counter
    statements: FaultyStatements


@pytest.fixture
async def ground(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ground]:
    async with faulty_pool(database_url) as (pool, statements), open_counter(pool, database_url, tmp_path) as made:
        call = send.call

        async def followed_by_settling(*args: Any) -> Any:
            answered = await call(*args)
            statements.follow()
            return answered

        monkeypatch.setattr(send, "call", followed_by_settling)
        monkeypatch.setattr(send, "_PAUSE_SECONDS", 0.01)
        # Rendering the traceback of each fault takes longer than the test.
        with stamina.set_testing(True, attempts=3), structlog.testing.capture_logs():
            yield Ground(made, statements)


# -- what is sold -----------------------------------------------------------------------------------------------------

Sell = Callable[[Counter], Awaitable[str]]


async def _placed(counter: Counter, body: Any) -> str:
    return order_of(await admit(counter.deps, STOREFRONT, "test", body, f"placed-{next(_keys)}"))


def esim_at(supplier: str) -> Sell:
    async def esim(counter: Counter) -> str:
        return order_of(await counter.admit(await counter.plan(1, supplier)))

    return esim


async def _delivered(counter: Counter, supplier: str) -> str:
    order_id = await esim_at(supplier)(counter)
    await process_order(counter.deps, order_id)
    assert (await counter.followed(order_id)).status == "fulfilled"
    return order_id


def topup_at(supplier: str) -> Sell:
    async def topup(counter: Counter) -> str:
        esim = await counter.esim(await _delivered(counter, supplier))
        body = TopupForPlan(plan_id=esim.plan_id)
        return order_of(await admit_topup(counter.deps, STOREFRONT, "test", esim.id, body, f"top-{esim.id}"))

    return topup


async def number(counter: Counter) -> str:
    return await _placed(counter, OrderForNumber(number=NumberChoice("US", "7d")))


async def voucher(counter: Counter) -> str:
    (row,) = await goods_rows.of_account(counter.deps.pool, "s2s", SHELF[CARD])
    return await _placed(counter, OrderForGood(good_id=row.good_id, quantity=2))


async def cancel(counter: Counter) -> str:
    order_id = await _delivered(counter, "pikasim")
    assert await request_cancel(counter.deps, STOREFRONT, "test", order_id) is None
    return order_id


SOLD: dict[str, Sell] = {
    **{f"esim-{supplier}": esim_at(supplier) for supplier in SUPPLIERS},
    **{f"topup-{supplier}": topup_at(supplier) for supplier in ("pikasim", "s2s")},
    "number": number, "voucher": voucher, "cancel": cancel,
}  # fmt: skip


# -- how it ended -----------------------------------------------------------------------------------------------------


@dataclass
class Ending:
    """All that is left of an order, but for names that are new with each."""

    status: str
    delivered: list[Any]
    attempts: list[tuple[str, str]]
    ledger: list[tuple[str, str, str]]
    timeline: list[str]
    bought: int
    taken: Decimal
    unread: int
    next_poll: bool


async def _ended(counter: Counter, sell: Sell) -> Ending:
    order_id = await sell(counter)
    sold = {name: len(counter.simulator(name).sales()) for name in SUPPLIERS}
    await process_order(counter.deps, order_id)
    order = await counter.followed(order_id)
    sales = [sale for name in SUPPLIERS for sale in counter.simulator(name).sales()[sold[name] :]]
    pool = counter.deps.pool
    unread = "SELECT count(*) FROM supplier_answers JOIN attempts a ON a.id = attempt_id WHERE read_at IS NULL"
    return Ending(
        status=order.status,
        delivered=await _delivery(counter, order_id),
        attempts=[(one.kind, one.state.value) for one in await counter.attempts(order_id)],
        ledger=await counter.ledger(order_id),
        timeline=await counter.timeline(order_id),
        bought=len(sales),
        taken=sum((sale.charged - sale.refunded for sale in sales), Decimal(0)),
        unread=await pool.fetchval(unread + " AND a.order_id = $1", order_id),
        next_poll=order.next_poll_at is not None,
    )


async def _delivery(counter: Counter, order_id: str) -> list[Any]:
    """What the customer got, with whether it is what the supplier sold."""
    order = await presenter.order(counter.deps, order_id, StorefrontScope(STOREFRONT, "test"))
    assert order is not None
    if order.voucher is not None:
        return [code.pin is not None for code in order.voucher.codes]
    if order.number is not None:
        return [order.number.phone_number is not None]
    (row,) = await counter.deps.pool.fetch(
        "SELECT e.iccid, e.activation_code, e.supplier FROM orders o JOIN esims e ON e.order_id = o.id"
        " OR e.id = o.target_esim_id WHERE o.id = $1",
        order_id,
    ) or [None]
    if row is None:
        return []
    iccid, code = counter.deps.seal.open_text(row["iccid"]), counter.deps.seal.open_text(row["activation_code"])
    return [counter.simulator(row["supplier"]).records.esims[iccid].text_code == code]


@pytest.mark.parametrize("fault", StatementFault)
@pytest.mark.parametrize("what", SOLD)
async def test_an_order_ends_as_if_the_fault_had_not_been(ground: Ground, what: str, fault: StatementFault) -> None:
    counter, statements = ground.counter, ground.statements
    usual = await _ended(counter, SOLD[what])
    assert usual.unread == 0
    odd, fired = {}, []
    for at in range(1, MOST_STATEMENTS):
        if what in {"topup-pikasim", "topup-s2s", "cancel"}:
            # The eSIM is bought without a fault.
            sell, statements.at = SOLD[what], 0
            order_id = await sell(counter)

            async def known(_: Counter, order_id: str = order_id) -> str:
                return order_id
        else:
            known = SOLD[what]
        statements.arm(at, fault)
        ended = await _ended(counter, known)
        if not statements.reached:
            break
        if statements.fired is not None:
            fired.append(statements.fired)
            if ended != usual:
                odd[at, statements.fired[:60]] = ended
    else:
        pytest.fail("settling takes more statements than anybody would believe")
    assert fired
    assert not odd, usual
