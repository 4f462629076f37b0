"""The order machine against a model: whatever is done to one order in whatever order, by any number of processes.

The model knows the supplier's till. At every point: never more than one charge stands, nothing is delivered that was
not charged, state moves one way, the ledger is what the till took unless an attempt is still open, and an order that
is not at rest is looked at again by itself.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from gateway.flows import buy
from gateway.flows.admit import Admitted
from gateway.flows.cancel import request_cancel
from gateway.flows.process import process_order
from gateway.flows.resolve import resolve
from gateway.store.pool import open_pool
from tests.gateway.flows.counter import STOREFRONT, Counter
from tests.gateway.flows.counter import counter as open_counter

KINDS = (
    None, "refuse_stock", "refuse_balance", "hang", "500", "reset", "charge_then_500", "charge_then_reset",
    "charge_then_html", "charge_then_truncated", "duplicate_reference", "never_provisioned",
    "failed_after_processing", "charged_more",
)  # fmt: skip
SELLERS = ("pikasim", "s2s", "beppay")
OPEN = ("sending", "unknown", "accepted", "charged_undeliverable")
# Where a status may go. Back go only a refused cancel, and what a person or a late delivery settles.
STEPS = {
    "pending": {"fulfilled", "failed", "needs_review", "cancel_pending", "cancelled"},
    "needs_review": {"fulfilled", "failed", "cancel_pending", "cancelled"},
    "cancel_pending": {"fulfilled", "cancelled", "needs_review"},
    "fulfilled": {"cancel_pending", "cancelled", "needs_review"},  # several steps may lie between two looks
    "failed": set(),
    "cancelled": set(),
}


class Machine(RuleBasedStateMachine):
    """One order at a time; ``loop`` and ``counter`` are set by the test."""

    loop: asyncio.AbstractEventLoop
    counter: Counter

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    @initialize(kinds=st.tuples(*[st.sampled_from(KINDS)] * 3), cancel_kind=st.sampled_from([None, "hang", "500"]))
    def place(self, kinds: tuple[str | None, ...], cancel_kind: str | None) -> None:
        self.run(self._place(kinds, cancel_kind))

    async def _place(self, kinds: tuple[str | None, ...], cancel_kind: str | None) -> None:
        counter, pool = self.counter, self.counter.deps.pool
        counter.clock.ahead = timedelta(0)
        await pool.execute("DELETE FROM supplier_breakers")
        for account in counter.deps.accounts.values():
            await account.limiter.refresh()
        await pool.execute("DELETE FROM offer_marks")
        await pool.execute("UPDATE suppliers SET no_balance_until = NULL")
        for name, kind in zip(SELLERS, kinds, strict=True):
            till = counter.till(name)
            till.triggers.clear()
            if kind is not None and (name, kind) != ("beppay", "duplicate_reference"):
                counter.trigger(name, kind, act="order", seconds=0.05)
        if cancel_kind is not None:
            counter.trigger("pikasim", cancel_kind, act="cancel")
        self.before = {name: len(counter.till(name).sales()) for name in SELLERS}
        admitted = await counter.admit("plan-of-all")
        assert isinstance(admitted, Admitted)
        self.order_id = admitted.order_id
        self.seen = ["pending"]

    @rule(runs=st.integers(1, 3), look=st.booleans())
    def processes_advance_it(self, runs: int, look: bool) -> None:
        self.run(self._advance(runs, look))

    async def _advance(self, runs: int, look: bool) -> None:
        await asyncio.gather(*(process_order(self.counter.deps, self.order_id, poll=look) for _ in range(runs)))

    @rule()
    def a_process_is_killed_before_it_sends(self) -> None:
        self.run(self._killed())

    async def _killed(self) -> None:
        async def gone(*_: object) -> None:
            raise RuntimeError("killed")

        real, buy.send = buy.send, gone  # type: ignore[assignment]
        try:
            with pytest.raises(RuntimeError) if await self._would_send() else _nothing():
                await process_order(self.counter.deps, self.order_id)
        finally:
            buy.send = real

    async def _would_send(self) -> bool:
        order, tries = await self.counter.order(self.order_id), await self.counter.attempts(self.order_id)
        return order.status == "pending" and not any(one.now.live for one in tries) and await self._something_left()

    async def _something_left(self) -> bool:
        order = await self.counter.order(self.order_id)
        return isinstance(await buy._choose(self.counter.deps, order, await self.counter.attempts(order.id)), list)

    @rule(seconds=st.sampled_from([1, 10, 60, 250]))
    def time_passes(self, seconds: int) -> None:
        # Not beyond the five minutes of a signature: what is not sent by then never is.
        if self.counter.clock.ahead < timedelta(seconds=20):
            self.counter.clock.pass_(seconds=min(seconds, 250))

    @rule()
    def the_storefront_cancels(self) -> None:
        self.run(request_cancel(self.counter.deps, STOREFRONT, "test", self.order_id))

    @precondition(lambda self: self.seen[-1] == "needs_review")
    @rule(word=st.sampled_from(["failed", "refunded"]))
    def a_person_says(self, word: Any) -> None:
        self.run(resolve(self.counter.deps, self.order_id, word, "looked"))

    @invariant()
    def it_is_as_the_model_says(self) -> None:
        if hasattr(self, "order_id"):
            self.run(self._check())

    async def _check(self) -> None:
        counter = self.counter
        order, tries = await counter.order(self.order_id), await counter.attempts(self.order_id)
        live = [one for one in tries if one.kind != "cancel" and one.state != "failed"]
        assert len(live) <= 1
        sales = [sale for name in SELLERS for sale in counter.till(name).sales()[self.before[name] :]]
        standing = [sale for sale in sales if sale.refunded == 0]
        resolved = "resolved" in await counter.timeline(order.id)
        assert len(standing) <= 1, "bought twice"
        assert len({sale.reference for sale in sales if sale.reference}) == len([s for s in sales if s.reference])
        esims = await counter.deps.pool.fetchval("SELECT count(*) FROM esims WHERE order_id = $1", order.id)
        assert esims <= len(sales)
        if order.status == "fulfilled":
            assert esims == 1
        if order.status != self.seen[-1]:
            assert order.status in STEPS[self.seen[-1]], (self.seen, order.status)
            self.seen.append(order.status)
        if order.status in {"pending", "cancel_pending"}:
            assert order.next_poll_at is not None
            assert order.next_poll_at <= datetime.now(UTC) + counter.clock.ahead + timedelta(minutes=16)
        elif order.status in {"fulfilled", "failed", "cancelled"}:
            assert order.next_poll_at is None
        if not any(one.state in OPEN for one in tries) and not resolved:
            booked = await counter.deps.pool.fetchval(
                "SELECT coalesce(sum(CASE kind WHEN 'charge' THEN amount ELSE -amount END), 0) FROM ledger"
                " WHERE order_id = $1", order.id,
            )  # fmt: skip
            assert booked == sum(sale.charged - sale.refunded for sale in sales)


class _nothing:  # noqa: N801 - reads as a context
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


def test_one_order_under_everything_that_can_happen_is_what_the_model_says(database_url: str, tmp_path: Path) -> None:
    loop = asyncio.new_event_loop()

    async def opened() -> tuple[Any, Any, Counter]:
        pool = await open_pool(database_url)
        context = open_counter(pool, database_url, tmp_path)
        made = await context.__aenter__()
        # One plan that all three sell, PikaSim's the cheapest.
        for name, cost in zip(SELLERS, ("10.00", "10.10", "10.20"), strict=True):
            await pool.execute(
                "UPDATE offers SET plan_id = 'plan-of-all', cost = $2, good_cost = $2 WHERE supplier = $1"
                " AND coverage = '{BV}' AND (data->>'mb')::int = 1024 AND cost = 10",
                name, Decimal(cost),
            )  # fmt: skip
        return pool, context, made

    pool, context, made = loop.run_until_complete(opened())
    Machine.loop, Machine.counter = loop, made
    try:
        run_state_machine_as_test(
            Machine,
            settings=settings(
                max_examples=25, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
            ),
        )
    finally:
        loop.run_until_complete(context.__aexit__(None, None, None))
        loop.run_until_complete(pool.close())
        loop.close()
