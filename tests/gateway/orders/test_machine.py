"""The order machine against a model: whatever is done to one order in whatever order, by any number of processes.

``machine_model`` knows what the suppliers sold, and says what must hold after each step.
"""

from __future__ import annotations

import asyncio
import itertools
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import structlog
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

from gateway.kit.pool import open_pool
from gateway.kit.problem import Problem
from gateway.orders import buy, send
from gateway.orders.admit import Admitted
from gateway.orders.cancel import cancel_by_operator, request_cancel
from gateway.orders.process import process_order
from gateway.orders.read_again import read_order_again
from gateway.orders.resolve import resolve
from gateway.orders.topup import admit_topup, topup_options
from gateway.suppliers import selling_rows, supplier_list_rows
from providers.kit.breaker import BREAKER_FAILURES
from schemas.errors import ServerFault, SupplierError
from schemas.order import OrderKind
from schemas.order_requests import TopupForOption
from tests.gateway.checkouts.test_refunded_orders import refunded, told
from tests.kit.counter import STOREFRONT, Counter
from tests.kit.counter import counter as open_counter
from tests.kit.machine_model import SELLERS, Followed, Model
from tests.kit.paydesk import PayDesk, paydesk
from tests.patient_loop import PatientLoop

KINDS = (
    None, "refuse_stock", "refuse_balance", "hang", "500", "reset", "charge_then_500", "charge_then_reset",
    "charge_then_html", "charge_then_truncated", "duplicate_reference", "never_provisioned",
    "failed_after_processing", "charged_more",
)  # fmt: skip
STARTS = ("ordered", "paid", "delivered", "topped_up")
DELIVERED = frozenset({"delivered", "topped_up"})
KEEPERS = ("stop", "pause", "breaker")
TOPUP_KINDS = (None, "refuse_balance", "500", "charge_then_reset", "charge_then_html")
FAULTS = ("settling", "reading")
MOST_TOPUPS = 2
LATE = timedelta(seconds=20)
_numbers = itertools.count(1)
Kinds = tuple[str | None, ...]


class Machine(RuleBasedStateMachine):
    """One order at a time, with the top-ups of its eSIM; what all examples share is set by the test."""

    loop: asyncio.AbstractEventLoop
    counter: Counter
    desk: PayDesk
    faults: set[str]
    plans: dict[str, str]  # of each supplier: what the plan that all sell is called there

    def run(self, work: Any) -> Any:
        """Do it, and what it left to tasks of its own."""
        return self.loop.run_until_complete(self._whole(work))

    async def _whole(self, work: Any) -> Any:
        done = await work
        while self.counter.deps.running:
            await asyncio.wait(self.counter.deps.running)
        return done

    # -- an order -----------------------------------------------------------------------------------------------------

    @initialize(
        kinds=st.tuples(*[st.one_of(st.none(), st.sampled_from(KINDS))] * 3),
        cancel_kind=st.sampled_from([None, "hang", "500"]),
        topup_kind=st.sampled_from(TOPUP_KINDS),
        start=st.sampled_from(STARTS),
        kept=st.sampled_from([None, *KEEPERS]),
        fault=st.sampled_from([None, *FAULTS]),
    )
    def place(
        self, kinds: Kinds, cancel_kind: str | None, topup_kind: str | None, start: str, kept: str | None,
        fault: str | None,
    ) -> None:  # fmt: skip
        self.run(self._place(kinds, cancel_kind, topup_kind, start))
        if kept is not None:
            self.something_keeps_it_waiting(kept, selling_rows.ALL)
        if fault is not None:
            self.faults.add(fault)

    async def _place(self, kinds: Kinds, cancel_kind: str | None, topup_kind: str | None, start: str) -> None:
        counter, pool = self.counter, self.counter.deps.pool
        counter.clock.ahead = timedelta(0)
        self.faults.clear()
        await self._all_sell()
        await pool.execute("DELETE FROM offer_marks")
        await pool.execute("UPDATE suppliers SET no_balance_until = NULL")
        for name, kind in zip(SELLERS, kinds, strict=True):
            counter.simulator(name).triggers.clear()
            if kind is not None and start not in DELIVERED and (name, kind) != ("beppay", "duplicate_reference"):
                counter.trigger(name, kind, act="order", seconds=0.05)
            if topup_kind is not None and name != "beppay":
                counter.trigger(name, topup_kind, act="topup", seconds=0.05)
        if cancel_kind is not None:
            counter.trigger("pikasim", cancel_kind, act="cancel")
        before = {name: len(counter.simulator(name).sales()) for name in SELLERS}
        self.payment = f"payment-{next(_numbers)}" if start == "paid" else None
        if self.payment is not None:
            self.checkout = await self.desk.open("plan-of-all")
            await told(self.desk, self.checkout, self.payment)
            order_id = (await self.desk.checkout(self.checkout)).order_id
            assert order_id is not None
        else:
            admitted = await counter.admit("plan-of-all")
            assert isinstance(admitted, Admitted)
            order_id = admitted.order_id
        self.model = Model(counter, Followed(order_id, OrderKind.ESIM, before))
        if start in DELIVERED:
            await counter.worked(order_id)
            self.model.order.seen.append((await counter.order(order_id)).status)
        if start == "topped_up":
            await self._top_up()

    @property
    def order_id(self) -> str:
        return self.model.order.id

    @property
    def status(self) -> str:
        """As it was checked last."""
        return self.model.order.seen[-1]

    # -- what processes do --------------------------------------------------------------------------------------------

    @rule(runs=st.integers(1, 3), poll=st.booleans())
    def processes_advance_it(self, runs: int, poll: bool) -> None:
        self.run(self._advance(runs, poll))

    async def _advance(self, runs: int, poll: bool) -> None:
        deps = self.counter.deps
        await asyncio.gather(*(process_order(deps, one.id, poll=poll) for one in self.model.all for _ in range(runs)))

    @precondition(lambda self: self.counter.clock.ahead < LATE)
    @rule()
    def a_worker_goes_on(self) -> None:
        self.run(self.counter.worked(*(one.id for one in self.model.all), claims=4))

    @rule()
    def a_process_is_killed_before_it_sends(self) -> None:
        self.run(self._killed())

    async def _killed(self) -> None:
        async def gone(*_: object) -> None:
            raise RuntimeError("killed")

        real, buy.send = buy.send, gone  # type: ignore[assignment]
        try:
            with suppress(RuntimeError):
                await process_order(self.counter.deps, self.order_id)
        finally:
            buy.send = real

    @rule(fault=st.sampled_from(FAULTS))
    def the_next_answer_meets_a_fault_of_ours(self, fault: str) -> None:
        self.faults.add(fault)

    @rule()
    def kept_answers_are_read_again(self) -> None:
        self.run(self._read_again())

    async def _read_again(self) -> None:
        for one in self.model.all:
            await read_order_again(self.counter.deps, one.id)

    @rule(seconds=st.sampled_from([1, 10, 60, 250]))
    def time_passes(self, seconds: int) -> None:
        # Not beyond the five minutes of a signature: what is not sent by then never is.
        if self.counter.clock.ahead < LATE:
            self.counter.clock.pass_(seconds=min(seconds, 250))

    # -- what keeps it from going on ----------------------------------------------------------------------------------

    @rule(how=st.sampled_from(KEEPERS), supplier=st.sampled_from([selling_rows.ALL, *SELLERS]))
    def something_keeps_it_waiting(self, how: str, supplier: str) -> None:
        if how == "stop":
            self.run(selling_rows.stop(self.counter.deps.pool, supplier, "person", "looking into it"))
        for name in SELLERS if supplier == selling_rows.ALL else (supplier,):
            if how == "pause":
                self.run(supplier_list_rows.set_supplier_state(self.counter.deps.pool, name, "paused"))
            elif how == "breaker":
                self.run(self._fails(name))

    async def _fails(self, supplier: str) -> None:
        for _ in range(BREAKER_FAILURES):
            fault = ServerFault("the supplier reported a fault", supplier=supplier, status=503)
            await self.counter.deps.accounts[supplier].limiter.failed(fault, write=False)

    @rule()
    def all_sell_again(self) -> None:
        self.run(self._all_sell())

    async def _all_sell(self) -> None:
        pool = self.counter.deps.pool
        await pool.execute("DELETE FROM selling_stops")
        await pool.execute("UPDATE suppliers SET state = 'active'")
        await pool.execute("DELETE FROM supplier_breakers")
        for account in self.counter.deps.accounts.values():
            await account.limiter.refresh()

    # -- what people do -----------------------------------------------------------------------------------------------

    @rule(forced=st.booleans())
    def a_cancel_is_asked_for(self, forced: bool) -> None:
        self.run(self._cancel(forced))

    async def _cancel(self, forced: bool) -> None:
        if forced:
            await cancel_by_operator(self.counter.deps, self.order_id, "command line", force=True, note="agreed")
        else:
            await request_cancel(self.counter.deps, STOREFRONT, "test", self.order_id)

    @precondition(lambda self: self.payment is not None and not self.model.refunded)
    @rule()
    def the_payment_is_refunded(self) -> None:
        self.run(refunded(self.desk, self.checkout, f"refund-{next(_numbers)}"))
        self.model.refunded = True

    @precondition(lambda self: self.status in {"fulfilled", "cancel_pending", "cancelled"})
    @precondition(lambda self: len(self.model.topups) < MOST_TOPUPS)
    @rule(against_a_cancel=st.booleans())
    def data_is_added(self, against_a_cancel: bool) -> None:
        self.run(self._top_up_and_cancel() if against_a_cancel else self._top_up())

    async def _top_up_and_cancel(self) -> None:
        await asyncio.gather(self._top_up(), self._cancel(forced=False), self._advance(1, poll=False))

    async def _top_up(self) -> None:
        counter = self.counter
        if not await counter.deps.pool.fetchval("SELECT count(*) FROM esims WHERE order_id = $1", self.order_id):
            return
        esim = await counter.esim(self.order_id)
        before = {name: len(counter.simulator(name).sales()) for name in SELLERS}
        options = await topup_options(counter.deps, STOREFRONT, "test", esim.id)
        if isinstance(options, Problem):
            return
        # Each other plan of the sandbox goes wrong in its own way.
        own = [one for one in options if one.offer.plan_id == self.plans[esim.supplier]]
        if not own:
            return
        body = TopupForOption(topup_plan_id=own[0].id)
        admitted = await admit_topup(counter.deps, STOREFRONT, "test", esim.id, body, f"top-{next(_numbers)}")
        if isinstance(admitted, Admitted):
            self.model.topups.append(Followed(admitted.order_id, OrderKind.TOPUP, before))

    @precondition(lambda self: self.status == "needs_review")
    @rule(outcome=st.sampled_from(["failed", "refunded"]))
    def an_operator_decides(self, outcome: Any) -> None:
        self.run(resolve(self.counter.deps, self.order_id, outcome, "looked"))

    # -- the model ----------------------------------------------------------------------------------------------------

    @invariant()
    def it_is_as_the_model_says(self) -> None:
        if hasattr(self, "model"):
            self.run(self.model.check())

    def teardown(self) -> None:
        """Whatever kept the orders from going on is gone, and their schedules have their way."""
        if hasattr(self, "model"):
            self.run(self._to_the_end())

    async def _to_the_end(self) -> None:
        self.faults.clear()
        await self._all_sell()
        await self.counter.worked(*(one.id for one in self.model.all))
        await self.model.check()
        await self.model.ended()
        if self.model.refunded and self.status == "fulfilled" and not self.model.order.resolved:
            assert (await self.desk.checkout(self.checkout)).cases, "refunded and delivered"


def _with_faults(patch: pytest.MonkeyPatch, faults: set[str]) -> None:
    """Have the next answer that comes meet what is in ``faults``, once."""
    recorded, call = send._recorded, send.call

    async def settling(*args: Any, **more: Any) -> Any:
        if "settling" in faults:
            faults.discard("settling")
            raise KeyError("a fault of ours")
        return await recorded(*args, **more)

    async def reading(*args: Any) -> Any:
        answered = await call(*args)
        if "reading" in faults:
            faults.discard("reading")
            return SupplierError("a fault of ours: KeyError"), False
        return answered

    patch.setattr(send, "_recorded", settling)
    patch.setattr(send, "call", reading)


def test_one_order_under_everything_that_can_happen_is_what_the_model_says(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = PatientLoop()

    async def opened() -> tuple[Any, ...]:
        pool = await open_pool(database_url)
        context = open_counter(pool, database_url, tmp_path)
        made = await context.__aenter__()
        plans = {name: await made.plan(1, name) for name in SELLERS}
        # One plan that all three sell, PikaSim's the cheapest.
        for name, cost in zip(SELLERS, ("10.00", "10.10", "10.20"), strict=True):
            await pool.execute(
                "UPDATE offers SET plan_id = 'plan-of-all', cost = $2, good_cost = $2, coverage = '{AQ}'"
                " WHERE supplier = $1 AND coverage = '{BV}' AND (data->>'mb')::int = 1000 AND cost = 10",
                name, Decimal(cost),
            )  # fmt: skip
        made.deps = replace(made.deps, inline=False)
        desk_context = paydesk(made)
        return pool, context, made, desk_context, await desk_context.__aenter__(), plans

    pool, context, made, desk_context, desk, Machine.plans = loop.run_until_complete(opened())
    Machine.loop, Machine.counter, Machine.desk, Machine.faults = loop, made, desk, set()
    _with_faults(monkeypatch, Machine.faults)
    try:
        with structlog.testing.capture_logs():
            run_state_machine_as_test(
                Machine,
                settings=settings(
                    max_examples=40,
                    stateful_step_count=14,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
    finally:
        loop.run_until_complete(desk_context.__aexit__(None, None, None))
        loop.run_until_complete(context.__aexit__(None, None, None))
        loop.run_until_complete(pool.close())
        loop.close()
