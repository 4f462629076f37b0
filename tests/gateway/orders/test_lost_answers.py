"""Lost answers are found by polls that keep to the schedule, and no purchase goes through an open breaker."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from gateway.orders.admit import Admitted
from gateway.orders.process import process_order
from providers.simulator import Fault, FaultKind
from schemas.errors import CircuitOpen, GatewayError, RateLimited, RateLimiterUnavailable, ServerFault, TimedOut
from schemas.order import PurchaseRequest, SupplierOrder
from tests.kit.common_plan import common_plan
from tests.kit.counter import Counter
from tests.kit.waiting import until

BURST = 8
FIRST_POLLS = (2, 5, 15)  # seconds after the send
SLACK = timedelta(seconds=0.05)


async def _admitted(counter: Counter, plan: str, orders: int = 1) -> list[str]:
    admitted = [await counter.admit(plan) for _ in range(orders)]
    return [one.order_id for one in admitted if isinstance(one, Admitted)]


async def _open_breaker(counter: Counter, supplier: str) -> None:
    """Open it for longer than any test takes."""
    limiter = counter.deps.accounts[supplier].limiter
    for _ in range(5):
        await limiter.failed(TimedOut("no answer", supplier=supplier))
    await counter.deps.pool.execute("UPDATE supplier_breakers SET retry_at = now() + interval '10 minutes'")
    await limiter.refresh()
    assert limiter.purchase_blocked_for() > 0


def _purchases(counter: Counter, supplier: str) -> int:
    """How often the supplier was asked to sell, whatever it answered."""
    simulator = counter.simulator(supplier)
    return len(simulator.sales()) + len(simulator.records.uncharged)


@pytest.mark.parametrize("supplier", ["pikasim", "s2s"])
@pytest.mark.parametrize("breaker", ["as it is", "held open"])
async def test_a_burst_of_lost_answers_is_found_by_the_first_polls(
    counter: Counter, supplier: str, breaker: str
) -> None:
    order_ids = await _admitted(counter, await counter.real_plan(1, supplier), BURST)
    counter.trigger(supplier, "charge_then_hang", calls=BURST)
    await asyncio.gather(*(process_order(counter.deps, order_id) for order_id in order_ids))
    tries = [(await counter.attempts(order_id))[0] for order_id in order_ids]
    assert [one.state for one in tries] == ["unknown"] * BURST
    assert counter.deps.accounts[supplier].limiter.purchase_blocked_for() > 0
    if breaker == "held open":
        await _open_breaker(counter, supplier)
    last_sent = max(one.signed_at for one in tries)
    for age in FIRST_POLLS:
        counter.clock.ahead = last_sent + timedelta(seconds=age) + SLACK - datetime.now(UTC)
        await asyncio.gather(*(process_order(counter.deps, order_id) for order_id in order_ids))
    assert await counter.statuses(order_ids) == ["fulfilled"] * BURST
    assert len(counter.simulator(supplier).sales()) == BURST


@pytest.mark.parametrize(
    "error",
    [
        CircuitOpen("not called, its breaker is open"),
        RateLimited("not called: its rate leaves no room in time", retry_after=40),
        RateLimiterUnavailable("not called, its rate could not be counted"),
    ],
    ids=lambda error: error.code,
)
async def test_a_poll_that_we_held_back_ourselves_takes_no_place_in_the_schedule(
    counter: Counter, monkeypatch: pytest.MonkeyPatch, error: GatewayError
) -> None:
    counter.trigger("s2s", "charge_then_reset")
    order_id = await counter.ordered(await counter.plan(1, "s2s"))

    async def refused(_request: PurchaseRequest, _known: str | None = None) -> SupplierOrder | None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(counter.deps.accounts["s2s"].provider, "find_order", refused)
        for _ in range(10):
            await _poll_when_due(counter, order_id)
            order = await counter.order(order_id)
            assert order.next_poll_at is not None
            assert order.next_poll_at - counter.clock() <= timedelta(seconds=2)
    assert order.polls == 0
    await _poll_when_due(counter, order_id)
    assert (await counter.order(order_id)).status == "fulfilled"


async def test_a_poll_that_the_supplier_itself_refuses_counts(counter: Counter) -> None:
    counter.trigger("s2s", "charge_then_reset")
    order_id = await counter.ordered(await counter.plan(1, "s2s"))
    counter.served.world.add_fault("s2s", Fault(FaultKind.SERVER_ERROR))
    assert await _poll_ages(counter, order_id, 3) == [2, 5, 15]
    assert (await counter.order(order_id)).polls == 3


async def test_the_end_of_the_quiescence_takes_no_place_in_the_schedule(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = counter.with_("s2s", quiescence_seconds=20)
    quick.trigger("s2s", "reset")
    order_id = await quick.ordered(await quick.plan(1, "s2s"))

    async def down(_request: PurchaseRequest, _known: str | None = None) -> SupplierOrder | None:
        raise ServerFault("no answer")

    monkeypatch.setattr(quick.deps.accounts["s2s"].provider, "find_order", down)
    assert await _poll_ages(quick, order_id, 7) == [2, 5, 15, 20, 60, 300, 1200]


async def _poll_when_due(counter: Counter, order_id: str) -> float:
    """The age in seconds of the attempt when its next poll was due, which was made then."""
    order = await counter.order(order_id)
    assert order.next_poll_at is not None
    counter.clock.ahead = max(counter.clock.ahead, order.next_poll_at + SLACK - datetime.now(UTC))
    await process_order(counter.deps, order_id)
    (attempt,) = await counter.attempts(order_id)
    return (order.next_poll_at - attempt.started_at).total_seconds()


async def _poll_ages(counter: Counter, order_id: str, polls: int) -> list[int]:
    return [round(await _poll_when_due(counter, order_id)) for _ in range(polls)]


async def test_an_order_takes_the_next_offer_while_the_breaker_of_the_first_is_open(counter: Counter) -> None:
    (order_id,) = await _admitted(counter, await common_plan(counter))
    await _open_breaker(counter, "pikasim")
    await process_order(counter.deps, order_id)
    assert (await counter.followed(order_id)).status == "fulfilled"
    assert [one.supplier for one in await counter.attempts(order_id)] == ["s2s"]
    assert _purchases(counter, "pikasim") == 0


async def test_with_no_other_offer_it_waits_and_goes_on_when_the_breaker_closes(counter: Counter) -> None:
    order_ids = await _admitted(counter, await common_plan(counter, "pikasim"), 3)
    await _open_breaker(counter, "pikasim")
    for _ in range(12):
        await asyncio.gather(*(process_order(counter.deps, order_id) for order_id in order_ids))
        counter.clock.pass_(seconds=5)
    assert await counter.statuses(order_ids) == ["pending"] * 3
    assert [await counter.attempts(order_id) for order_id in order_ids] == [[], [], []]
    for order_id in order_ids:
        order = await counter.order(order_id)
        assert order.next_poll_at is not None
        assert order.next_poll_at - counter.clock() <= timedelta(seconds=2)
    counter.clock.ahead = timedelta(0)
    await counter.deps.accounts["pikasim"].limiter.succeeded()
    for order_id in order_ids:
        await process_order(counter.deps, order_id)
        await counter.followed(order_id)
    assert await counter.statuses(order_ids) == ["fulfilled"] * 3


async def test_a_read_probes_the_supplier_for_orders_that_wait(counter: Counter) -> None:
    (order_id,) = await _admitted(counter, await common_plan(counter, "pikasim"))
    await _open_breaker(counter, "pikasim")
    await counter.deps.pool.execute("UPDATE supplier_breakers SET retry_at = now()")
    limiter = counter.deps.accounts["pikasim"].limiter
    await limiter.refresh()
    await process_order(counter.deps, order_id)
    assert await counter.attempts(order_id) == []
    await until(lambda: limiter.purchase_blocked_for() <= 0)  # a probe in the background ends it
    assert _purchases(counter, "pikasim") == 0
    await process_order(counter.deps, order_id)
    assert (await counter.followed(order_id)).status == "fulfilled"


async def test_no_order_fails_because_the_purchases_of_others_were_ambiguous(counter: Counter) -> None:
    order_ids = await _admitted(counter, await common_plan(counter, "pikasim"), 12)
    counter.trigger("pikasim", "charge_then_reset", calls=6)
    for order_id in order_ids:
        await process_order(counter.deps, order_id)
    states = [[one.state for one in await counter.attempts(order_id)] for order_id in order_ids]
    assert states == [["unknown"]] * 5 + [[]] * 7, "a purchase went through the open breaker"
    for order_id in order_ids:
        await counter.followed(order_id)
    assert await counter.statuses(order_ids) == ["fulfilled"] * 12
    assert len(counter.simulator("pikasim").sales()) == 12
