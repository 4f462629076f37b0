"""A top-up and a cancel of the same eSIM: one of them happens, whatever comes when."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.access import audit_rows
from gateway.kit.problem import Problem
from gateway.orders import order_presenter, topup
from gateway.orders.admit import Admitted
from gateway.orders.cancel import request_cancel
from gateway.orders.process import process_order
from gateway.orders.resolve import resolve
from gateway.orders.topup import admit_topup
from schemas.order_requests import TopupForPlan
from tests.kit.admitted import order_of
from tests.kit.counter import STOREFRONT, Counter


async def _topup(counter: Counter, order_id: str, key: str = "top") -> Admitted | Problem:
    esim = await counter.esim(order_id)
    return await admit_topup(counter.deps, STOREFRONT, "test", esim.id, TopupForPlan(plan_id=esim.plan_id), key)


async def _admitted(counter: Counter, order_id: str, key: str = "top") -> str:
    """A top-up that was not sent yet."""
    return order_of(await _topup(counter, order_id, key))


async def _topped_up(counter: Counter, order_id: str) -> str:
    ordered = await _admitted(counter, order_id)
    await counter.followed(ordered)
    return ordered


async def _cancel(counter: Counter, order_id: str) -> Problem | None:
    return await request_cancel(counter.deps, STOREFRONT, "test", order_id)


async def _forced(counter: Counter, order_id: str) -> Problem | None:
    from gateway.orders.cancel import cancel_by_operator

    return await cancel_by_operator(counter.deps, order_id, "command line", force=True, note="agreed")


async def _cancel_was_asked_for(counter: Counter, order_id: str) -> None:
    """As an older version left it, which looked for no top-ups."""
    await counter.deps.pool.execute(
        "UPDATE orders SET status = 'cancel_pending', cancel_requested_at = now(), next_poll_at = now() WHERE id = $1",
        order_id,
    )


def _code(answer: Any) -> str | None:
    return answer.code if isinstance(answer, Problem) else None


async def _failure(counter: Counter, order_id: str) -> str | None:
    code: str | None = await counter.deps.pool.fetchval("SELECT failure_code FROM orders WHERE id = $1", order_id)
    return code


@pytest.mark.parametrize("bought", [False, True], ids=["admitted", "fulfilled"])
async def test_an_esim_with_a_topup_is_not_cancelled_by_its_storefront(counter: Counter, bought: bool) -> None:
    order_id = await counter.delivered()
    await (_topped_up if bought else _admitted)(counter, order_id)
    assert _code(await _cancel(counter, order_id)) == "has_topups"
    await process_order(counter.deps, order_id)
    assert (await counter.order(order_id)).status == "fulfilled"
    assert [one.kind for one in await counter.attempts(order_id)] == ["purchase"]


async def test_a_topup_that_failed_does_not_keep_an_esim_from_being_cancelled(counter: Counter) -> None:
    order_id = await counter.delivered()
    counter.trigger("pikasim", "refuse_balance", act="topup")
    assert (await counter.order(await _topped_up(counter, order_id))).status == "failed"
    assert await _cancel(counter, order_id) is None


@pytest.mark.parametrize("done", [False, True], ids=["asked_for", "done"])
async def test_an_esim_whose_cancel_is_asked_for_or_done_is_not_topped_up(counter: Counter, done: bool) -> None:
    order_id = await counter.delivered()
    assert await _cancel(counter, order_id) is None
    if done:
        await process_order(counter.deps, order_id)
        assert (await counter.order(order_id)).status == "cancelled"
    assert _code(await _topup(counter, order_id)) == "not_topupable"


@pytest.mark.parametrize("state", ["revoked", "expired"])
async def test_an_esim_that_is_revoked_or_expired_is_not_topped_up(counter: Counter, state: str) -> None:
    order_id = await counter.delivered()
    await counter.deps.pool.execute("UPDATE esims SET state_notified = 'enabled/' || $1::text", state)
    assert _code(await _topup(counter, order_id)) == "not_topupable"


async def test_a_refused_cancel_lets_the_esim_be_topped_up_again(counter: Counter) -> None:
    order_id = await counter.delivered()
    counter.trigger("pikasim", "refuse_balance", act="cancel")
    assert await _cancel(counter, order_id) is None
    await process_order(counter.deps, order_id)
    assert (await counter.order(order_id)).status == "fulfilled"
    assert isinstance(await _topup(counter, order_id), Admitted)


async def test_a_key_that_has_its_topup_answers_it_after_the_esim_was_cancelled(counter: Counter) -> None:
    order_id = await counter.delivered()
    ordered = await _topped_up(counter, order_id)
    assert await _forced(counter, order_id) is None
    assert await _topup(counter, order_id) == Admitted(ordered, replayed=True)


async def test_a_cancel_that_comes_while_a_topup_is_admitted_is_seen_before_it_is_written(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = await counter.delivered()
    priced = topup._new_order

    async def slowly(*args: Any) -> Any:
        new = await priced(*args)
        assert await _cancel(counter, order_id) is None
        return new

    monkeypatch.setattr(topup, "_new_order", slowly)
    assert _code(await _topup(counter, order_id)) == "not_topupable"
    assert await counter.deps.pool.fetchval("SELECT count(*) FROM orders WHERE kind = 'topup'") == 0


async def test_of_a_topup_and_a_cancel_at_once_one_is_accepted(counter: Counter) -> None:
    delivered = [await counter.delivered() for _ in range(6)]
    calls = [
        call for n, one in enumerate(delivered) for call in (_topup(counter, one, f"top-{n}"), _cancel(counter, one))
    ]
    answers = await asyncio.gather(*calls)
    for topped, cancelled in zip(answers[::2], answers[1::2], strict=True):
        assert (_code(topped), _code(cancelled)) in {("not_topupable", None), (None, "has_topups")}


async def test_a_topup_is_not_sent_to_an_esim_whose_cancel_was_asked_for_meanwhile(counter: Counter) -> None:
    order_id = await counter.delivered()
    ordered = await _admitted(counter, order_id)
    await _cancel_was_asked_for(counter, order_id)
    await process_order(counter.deps, ordered)
    assert (await counter.order(ordered)).status == "failed"
    assert await _failure(counter, ordered) == "cancelled"
    assert await counter.attempts(ordered) == []
    assert len(counter.simulator("pikasim").sales()) == 1


async def test_a_topup_is_not_sent_to_an_esim_that_expired_meanwhile(counter: Counter) -> None:
    order_id = await counter.delivered()
    ordered = await _admitted(counter, order_id)
    await counter.deps.pool.execute("UPDATE esims SET state_notified = 'enabled/expired'")
    await process_order(counter.deps, ordered)
    assert await _failure(counter, ordered) == "not_supported"
    assert len(counter.simulator("pikasim").sales()) == 1


async def test_a_cancel_is_not_sent_for_an_esim_that_was_topped_up_meanwhile(counter: Counter) -> None:
    order_id = await counter.delivered()
    await _topped_up(counter, order_id)
    await _cancel_was_asked_for(counter, order_id)
    await process_order(counter.deps, order_id)
    order = await counter.order(order_id)
    assert (order.status, order.cancel_requested_at) == ("fulfilled", None)
    assert [one.kind for one in await counter.attempts(order_id)] == ["purchase"]
    assert (await counter.timeline(order_id))[-1] == "cancel_refused"


async def test_an_operator_forces_the_cancel_and_the_topup_becomes_a_case(counter: Counter) -> None:
    order_id = await counter.delivered()
    ordered = await _topped_up(counter, order_id)
    assert await _forced(counter, order_id) is None
    await process_order(counter.deps, order_id)
    assert (await counter.order(order_id)).status == "cancelled"
    assert (await counter.order(ordered)).status == "needs_review"
    waiting = (await order_presenter.waiting(counter.deps, "test")).page
    (shown,) = waiting.data
    assert (shown.what.order_id, shown.what.resolvable) == (ordered, True)
    assert "its eSIM was cancelled" in shown.what.why
    (entry,) = (await audit_rows.newest(counter.deps.pool, action="order.cancel_requested")).data
    assert entry.detail == {"forced": True, "note": "agreed"}
    assert await resolve(counter.deps, ordered, "refunded", "their support gave it back") is None
    assert (await counter.order(ordered)).status == "cancelled"
    assert [kind for _, kind, _ in await counter.ledger(ordered)] == ["charge", "refund"]


async def test_a_topup_that_was_not_sent_is_cancelled_with_its_esim(counter: Counter) -> None:
    order_id = await counter.delivered()
    ordered = await _admitted(counter, order_id)
    assert await _forced(counter, order_id) is None
    assert (await counter.order(ordered)).status == "cancelled"
    await process_order(counter.deps, order_id)
    assert (await counter.order(order_id)).status == "cancelled"
    assert len(counter.simulator("pikasim").sales()) == 1


async def test_a_topup_of_unknown_outcome_stays_a_case_when_it_is_found(counter: Counter) -> None:
    order_id = await counter.delivered()
    counter.trigger("pikasim", "charge_then_reset", act="topup")
    ordered = await _admitted(counter, order_id)
    await process_order(counter.deps, ordered)
    assert [one.state for one in await counter.attempts(ordered)] == ["unknown"]
    assert await _forced(counter, order_id) is None
    await process_order(counter.deps, ordered, poll=True)
    order = await counter.order(ordered)
    assert (order.status, order.review_reason) == ("needs_review", "esim_cancelled")
    assert [one.state for one in await counter.attempts(ordered)] == ["succeeded"]
    assert await resolve(counter.deps, ordered, "fulfilled", "the customer keeps the data") is None
    assert (await counter.order(ordered)).review_reason is None
