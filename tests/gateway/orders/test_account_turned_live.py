"""Orders of test money whose supplier's account turned live under the same name: nothing is asked of it for them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from gateway.kit.problem import Problem
from gateway.orders.cancel import request_cancel
from gateway.orders.link_supplier_order import link_supplier_order
from gateway.orders.process import poll_failed_attempt, process_order
from gateway.orders.read_again import read_order_again
from gateway.orders.topup import admit_topup
from schemas.order_requests import TopupForPlan
from tests.kit.admitted import order_of
from tests.kit.counter import STOREFRONT, Counter

Pending = Callable[[Counter], Awaitable[str]]


async def _unknown(counter: Counter) -> str:
    """An order of which no answer came; the supplier has it."""
    counter.trigger("pikasim", "charge_then_reset", act="order")
    return await counter.ordered(await counter.plan(1, "pikasim"))


async def _unread(counter: Counter) -> str:
    """An order whose answer is kept and was not read yet."""
    order_id = await counter.delivered()
    await counter.deps.pool.execute("DELETE FROM esims")
    await counter.deps.pool.execute("UPDATE orders SET status = 'pending', next_poll_at = now()")
    await counter.deps.pool.execute("UPDATE attempts SET state = 'unknown', ended_at = NULL")
    await counter.deps.pool.execute("UPDATE supplier_answers SET read_at = NULL")
    return order_id


async def _topup(counter: Counter) -> str:
    """A top-up that was not sent yet."""
    esim = await counter.esim(await counter.delivered())
    return order_of(
        await admit_topup(counter.deps, STOREFRONT, "test", esim.id, TopupForPlan(plan_id=esim.plan_id), "top")
    )


async def _cancel(counter: Counter) -> str:
    """A cancel that was not sent yet."""
    order_id = await counter.delivered()
    assert await request_cancel(counter.deps, STOREFRONT, "test", order_id) is None
    return order_id


async def _cancel_unknown(counter: Counter) -> str:
    """A cancel of which no answer came."""
    order_id = await _cancel(counter)
    counter.trigger("pikasim", "charge_then_reset", act="cancel")
    await process_order(counter.deps, order_id)
    return order_id


@pytest.mark.parametrize("pending", [_unknown, _unread, _topup, _cancel, _cancel_unknown])
async def test_a_pending_order_asks_nothing_of_it_and_ends_once_the_account_is_back(
    counter: Counter, pending: Pending
) -> None:
    order_id = await pending(counter)
    calls, tries = counter.calls("pikasim"), await counter.attempts(order_id)
    live = counter.with_("pikasim", mode="live", trust_absence=True)
    await process_order(live.deps, order_id, poll=True)
    await read_order_again(live.deps, order_id)
    assert counter.calls("pikasim") == calls
    assert [(one.n, one.state) for one in await counter.attempts(order_id)] == [(one.n, one.state) for one in tries]
    kept = pending is not _topup  # nothing was sent for it: it ends as one whose supplier is configured no more
    assert ((await counter.order(order_id)).status in {"pending", "cancel_pending"}) is kept
    if kept:
        ended = await counter.followed(order_id)
        assert ended.status in {"fulfilled", "cancelled"}


async def test_an_attempt_that_failed_is_not_polled_there(counter: Counter) -> None:
    counter.trigger("pikasim", "refuse_stock", act="order")
    order_id = await counter.ordered(await counter.plan(1, "pikasim"))
    (attempt,) = await counter.attempts(order_id)
    calls = counter.calls("pikasim")
    await poll_failed_attempt(counter.with_("pikasim", mode="live").deps, attempt.id)
    assert counter.calls("pikasim") == calls
    await poll_failed_attempt(counter.deps, attempt.id)
    assert counter.calls("pikasim") > calls


async def test_an_order_adopts_no_attempt_of_it(counter: Counter) -> None:
    admitted = await counter.admit(await counter.plan(1, "pikasim"))
    assert not isinstance(admitted, Problem)
    refused = await link_supplier_order(
        counter.with_("pikasim", mode="live").deps, admitted.order_id, "pikasim", "att_lost"
    )
    assert isinstance(refused, Problem)
    assert (refused.code, "test" in refused.detail) == ("conflict", True)
    assert await counter.attempts(admitted.order_id) == []
    assert await link_supplier_order(counter.deps, admitted.order_id, "pikasim", "att_lost") is None
