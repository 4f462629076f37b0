"""One delivered eSIM belongs to one order of a mode: the second one that is told of it needs review."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import asyncpg
import msgspec
import pytest

from gateway.orders.admit import Admitted
from gateway.orders.order_rows import AttemptRow
from gateway.orders.process import process_order
from gateway.orders.settle import Source, record, settle
from gateway.orders.topup import admit_topup
from schemas.money import Money
from schemas.order import Delivery, PurchaseRequest, SupplierOrder, SupplierOrderState
from schemas.order_requests import TopupForPlan
from tests.kit.admitted import order_of
from tests.kit.counter import STOREFRONT, Counter
from tests.kit.waiting import until

ICCID, OTHER_ICCID = "8944500000000000001", "8944500000000000019"
CODE = "LPA:1$smdp.example.com$K2-1"
_BLOCKED = "SELECT true FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def _unknown(counter: Counter, supplier: str) -> AttemptRow:
    """The attempt of an order whose answer was lost, so that it can be settled by what a test makes up."""
    counter.trigger(supplier, "reset")
    order_id = await counter.ordered(await counter.plan(1, supplier))
    (attempt,) = await counter.attempts(order_id)
    assert attempt.state == "unknown"
    return attempt


def _told(attempt: AttemptRow, iccid: str) -> SupplierOrder:
    given = Delivery(iccid, CODE, "smdp.example.com", "K2-1")
    charged = Money(Decimal(10), "USD")
    return SupplierOrder(f"no-{attempt.id}", attempt.id, SupplierOrderState.COMPLETED, charged, given)


async def _assert_not_ours(counter: Counter, attempt: AttemptRow) -> None:
    """The order needs review, what it was charged stands in the ledger, and it delivered nothing."""
    assert (await counter.order(attempt.order_id)).status == "needs_review"
    (after,) = await counter.attempts(attempt.order_id)
    assert (after.state, after.error_code) == ("charged_undeliverable", "not_ours")
    assert await counter.ledger(attempt.order_id) == [(attempt.supplier, "charge", "10")]
    assert not await counter.deps.pool.fetchval("SELECT true FROM esims WHERE order_id = $1", attempt.order_id)


async def _until_blocked(counter: Counter, task: asyncio.Task[object]) -> None:
    """Wait until the task's statement waits for another transaction's, or the task has ended."""
    await until(lambda: task.done() or counter.deps.pool.fetchval(_BLOCKED))


@pytest.mark.parametrize("suppliers", [("beppay", "beppay"), ("pikasim", "s2s")], ids=["one_supplier", "two_suppliers"])
async def test_the_same_esim_settled_at_the_same_instant_goes_to_one_order(
    counter: Counter, suppliers: tuple[str, str]
) -> None:
    first, second = [await _unknown(counter, supplier) for supplier in suppliers]
    async with counter.deps.pool.acquire() as connection, connection.transaction():
        await settle(counter.deps, connection, first.id, _told(first, ICCID), Source(sent=True), check_owners=False)
        # What the second one looks up while the first one is not committed shows nothing: the index decides.
        late = asyncio.create_task(record(counter.deps, second.id, _told(second, ICCID), Source(sent=True)))
        await _until_blocked(counter, late)
    await late
    assert (await counter.order(first.order_id)).status == "fulfilled"
    assert (await counter.esim(first.order_id)).activation_code == CODE
    await _assert_not_ours(counter, second)


@pytest.mark.parametrize(
    ("seller", "iccid"),
    [("beppay", ICCID), ("beppay", OTHER_ICCID), ("pikasim", ICCID), ("s2s", OTHER_ICCID)],
    ids=["the_same_again", "another_iccid", "another_supplier", "another_supplier_and_iccid"],
)
async def test_a_code_that_was_delivered_before_is_delivered_to_nobody_else(
    counter: Counter, seller: str, iccid: str
) -> None:
    first, second = await _unknown(counter, "beppay"), await _unknown(counter, seller)
    await record(counter.deps, first.id, _told(first, ICCID))
    await record(counter.deps, second.id, _told(second, iccid))
    assert (await counter.order(first.order_id)).status == "fulfilled"
    await _assert_not_ours(counter, second)


async def test_a_topup_is_fulfilled_on_the_very_esim_that_was_delivered_before(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    esim = await counter.esim((await counter.followed(await counter.ordered(await counter.plan(1, "s2s")))).id)
    provider = counter.deps.accounts["s2s"].provider
    find_order = provider.find_order

    async def told(request: PurchaseRequest, known: str | None = None) -> SupplierOrder | None:
        found = await find_order(request, known)
        given = Delivery(esim.iccid, esim.activation_code, "smdp.example.com", "M")
        return None if found is None else msgspec.structs.replace(found, delivery=given)

    # Its answer is lost, so that a poll tells of it: then it is looked up whose the eSIM is.
    counter.trigger("s2s", "charge_then_reset", act="topup")
    monkeypatch.setattr(provider, "find_order", told)
    body = TopupForPlan(plan_id=esim.plan_id)
    order_id = order_of(await admit_topup(counter.deps, STOREFRONT, "test", esim.id, body, "top"))
    await process_order(counter.deps, order_id)
    assert (await counter.followed(order_id)).status == "fulfilled"
    assert await counter.deps.pool.fetchval("SELECT count(*) FROM esims") == 1


async def test_the_database_keeps_no_second_esim_with_the_code_of_another(counter: Counter) -> None:
    pool = counter.deps.pool
    first = await counter.followed(await counter.ordered(await counter.plan(1, "s2s")))
    second = await counter.admit(await counter.plan(1, "beppay"))
    assert isinstance(second, Admitted)
    copied = """INSERT INTO esims (id, order_id, storefront_id, mode, supplier, supplier_plan_id, iccid, iccid_digest,
                                   activation_code, code_digest, created_at)
                SELECT 'esim_copy', $2, storefront_id, mode, 'beppay', 'other', iccid, decode(md5('other'), 'hex'),
                       activation_code, code_digest, now() FROM esims WHERE order_id = $1"""
    with pytest.raises(asyncpg.UniqueViolationError, match="esims_one_code"):
        await pool.execute(copied, first.id, second.order_id)
    # The code is what the index holds apart: the same row with another one is kept.
    other = copied.replace("code_digest, now()", "decode(md5('another code'), 'hex'), now()")
    assert await pool.execute(other, first.id, second.order_id) == "INSERT 0 1"
