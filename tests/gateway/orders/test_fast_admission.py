"""Fast admission: chosen from memory, written with its first attempt, and sent by the process that wrote it."""

from __future__ import annotations

import asyncio
from collections import Counter as Counted
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from gateway.access import mandate_rows
from gateway.access.key_rows import create_key
from gateway.kit.pool import Pool
from gateway.kit.problem import Problem
from gateway.orders import admission_rows, admit_fast, presenter, send
from gateway.orders.admission_rows import Admission
from gateway.orders.admit import Admitted, admit
from gateway.orders.order_view_rows import StorefrontScope
from gateway.orders.process import follow, process_order
from gateway.pricing import edit_rates, edit_rules
from gateway.selling import candidate_rows
from gateway.suppliers import selling_rows, spend_rows
from schemas.api_pricing import RuleBody
from schemas.api_rates import RateEntry
from schemas.money import Money
from schemas.order_requests import OrderForPlan
from schemas.orders import Order
from tests.kit.admitted import code_of
from tests.kit.common_plan import PLAN_ID, common_plan
from tests.kit.counter import STOREFRONT, Counter
from tests.kit.counter import counter as open_counter
from tests.kit.counting_pool import CountingPool
from tests.kit.held_quote import held_quote

Change = Callable[[Counter], Awaitable[object]]


@pytest.fixture
async def counter(pool: Pool, database_url: str, tmp_path: Path) -> AsyncIterator[Counter]:
    """The order counter with fast admission, as shops run it."""
    orders = {"fast_admission": True, "max_open": 0}
    async with open_counter(pool, database_url, tmp_path, orders=orders) as opened:
        yield opened


@pytest.fixture
def outcomes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the database said to each admission that came with its attempt."""
    said: list[str] = []
    admit = admission_rows.admit

    async def noted(*args: object, **more: object) -> Admission:
        found = await admit(*args, **more)  # type: ignore[arg-type]
        if more.get("attempt") is not None:
            said.append(found.outcome)
        return found

    monkeypatch.setattr(admission_rows, "admit", noted)
    return said


async def _fast(counter: Counter, plan: str, **more: str) -> Admitted:
    admitted = await counter.admit(plan, **more)
    assert isinstance(admitted, Admitted), admitted
    assert admitted.sending is not None, "it took the ordinary way"
    return admitted


async def _ended(counter: Counter, admitted: Admitted) -> str:
    assert admitted.sending is not None
    follow(counter.deps, admitted.order_id, admitted.sending)
    await admitted.sending
    return (await counter.followed(admitted.order_id)).status


async def test_an_order_is_written_with_its_attempt_and_sent_once(counter: Counter, outcomes: list[str]) -> None:
    admitted = await _fast(counter, await common_plan(counter))
    (attempt,) = await counter.attempts(admitted.order_id)
    assert (attempt.supplier, attempt.n) == ("pikasim", 1)
    assert (await counter.timeline(admitted.order_id))[:2] == ["admitted", "attempt_started"]
    assert await _ended(counter, admitted) == "fulfilled"
    assert len(counter.simulator("pikasim").sales()) == 1
    assert len(await counter.attempts(admitted.order_id)) == 1
    assert outcomes == ["admitted"]


async def test_those_who_come_at_once_read_what_they_choose_from_once(counter: Counter) -> None:
    counted = CountingPool(counter.deps.pool)
    many = replace(counter, deps=replace(counter.deps, pool=cast("Any", counted)))
    plan = await common_plan(counter)
    admitted = await asyncio.gather(*(_fast(many, plan) for _ in range(8)))
    written = [one for one in counted.statements if "INSERT INTO orders" in one]
    assert 1 <= len(written) < 8, "orders of one moment share a transaction"
    read = Counted(one for one in counted.statements if one not in written and "INSERT" not in one)
    assert set(read.values()) == {1}, read
    assert [await _ended(counter, one) for one in admitted] == ["fulfilled"] * 8


async def test_an_order_that_somebody_holds_holds_up_none_that_is_settled_with_it(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    call, answers = send.call, asyncio.Event()

    async def answered(*args: Any) -> Any:
        said = await call(*args)
        await answers.wait()
        return said

    monkeypatch.setattr(send, "call", answered)
    plan = await common_plan(counter)
    held, *others = [await _fast(counter, plan) for _ in range(4)]
    assert held.sending is not None
    async with counter.deps.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT FROM orders WHERE id = $1 FOR UPDATE", held.order_id)
        answers.set()
        assert [await _ended(counter, one) for one in others] == ["fulfilled"] * 3
        assert not held.sending.done()
    assert await _ended(counter, held) == "fulfilled"


async def test_offers_are_remembered_until_a_mark_of_one_ends_by_the_clock(counter: Counter) -> None:
    plan = await common_plan(counter)
    memory, now = counter.deps.memory, asyncio.get_running_loop().time

    def remembered(seconds: float) -> bool:
        return memory.offers_of("test", plan, now() + seconds) is not None

    await _ended(counter, await _fast(counter, plan))
    assert remembered(200)
    await counter.deps.pool.execute(
        "INSERT INTO offer_marks (supplier, supplier_plan_id, why, until)"
        " SELECT supplier, supplier_plan_id, 'out_of_stock', now() + interval '60 seconds'"
        " FROM offers WHERE plan_id = $1 AND supplier = 'pikasim'", plan,
    )  # fmt: skip
    memory.forget()
    await _ended(counter, await _fast(counter, plan))
    assert remembered(30)
    assert not remembered(61)


async def test_a_supplier_that_was_read_again_is_believed_again_at_once(counter: Counter) -> None:
    plan = await counter.plan(1, "s2s")
    read = "UPDATE suppliers SET last_good_at = now() - $1 * interval '1 minute'"
    await counter.deps.pool.execute(read, 10)
    admitted = await counter.admit(plan)
    assert isinstance(admitted, Admitted)
    assert admitted.sending is None, "its price was to be asked for"
    await counter.deps.pool.execute(read, 0)
    await _ended(counter, await _fast(counter, plan))


async def test_prices_are_remembered_until_a_rule_begins_by_the_clock(counter: Counter) -> None:
    begins = counter.clock() + timedelta(seconds=20)
    body = RuleBody(name="Dearer", percent="50", valid_from=begins)
    made = await edit_rules.create(counter.deps.pool, counter.deps.settings, "a test", body)
    assert not isinstance(made, Problem)
    await _ended(counter, await _fast(counter, await common_plan(counter)))
    remembered = counter.deps.memory.prices[STOREFRONT]
    assert remembered.until - asyncio.get_running_loop().time() <= 20


async def test_the_order_and_its_attempt_are_of_one_commit(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admit_fast, "start_send", _not_sent)
    await _fast(counter, await common_plan(counter))
    rows = await counter.deps.pool.fetch(
        "SELECT xmin::text FROM orders UNION ALL SELECT xmin::text FROM attempts"
        " UNION ALL SELECT xmin::text FROM idempotency_keys UNION ALL SELECT xmin::text FROM order_events"
    )
    assert len(rows) == 5
    assert len({row["xmin"] for row in rows}) == 1


def _not_sent(*_: object, **__: object) -> asyncio.Task[None]:
    return asyncio.create_task(asyncio.sleep(0))


async def _mark(counter: Counter) -> None:
    key = await counter.deps.pool.fetchval(
        "SELECT supplier_plan_id FROM offers WHERE plan_id = $1 AND supplier = 'pikasim'", PLAN_ID
    )
    async with counter.deps.pool.acquire() as connection:
        await selling_rows.stop_offer(connection, "pikasim", key, None, "charged too much")


async def _stop(counter: Counter) -> None:
    await selling_rows.stop(counter.deps.pool, "pikasim", "person")


async def _pause(counter: Counter) -> None:
    await counter.deps.pool.execute("UPDATE suppliers SET state = 'paused' WHERE name = 'pikasim'")


async def _empty(counter: Counter) -> None:
    async with counter.deps.pool.acquire() as connection:
        await selling_rows.cool_down(connection, "pikasim", datetime(2100, 1, 1, tzinfo=UTC))


async def _price(counter: Counter) -> None:
    now = counter.clock()
    async with counter.deps.pool.acquire() as connection:
        rows = await connection.fetch("SELECT supplier_plan_id FROM offers WHERE supplier = 'pikasim'")
        for row in rows:
            await candidate_rows.observe_cost(
                connection, "pikasim", row["supplier_plan_id"], Money(Decimal(50), "USD"), now
            )


async def _rule(counter: Counter) -> None:
    body = RuleBody(name="Dearer", percent="50")
    made = await edit_rules.create(counter.deps.pool, counter.deps.settings, "a test", body)
    assert not isinstance(made, Problem)


async def _rate(counter: Counter) -> None:
    made = await edit_rates.set_rate(counter.deps.pool, counter.deps.settings, "a test", RateEntry("EUR", "USD", "2"))
    assert not isinstance(made, Problem)


CHANGES: dict[str, tuple[Change, str, str]] = {
    # What changes, who sells then, and for how much.
    "a mark": (_mark, "s2s", "11.11"),
    "a stop": (_stop, "s2s", "11.11"),
    "a pause": (_pause, "s2s", "11.11"),
    "no balance": (_empty, "s2s", "11.11"),
    "a price": (_price, "s2s", "11.11"),
    "a rule": (_rule, "pikasim", "15.00"),
    "a rate": (_rate, "pikasim", "11.00"),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_what_changes_after_it_was_remembered_is_seen_by_the_write(
    counter: Counter, outcomes: list[str], change: str
) -> None:
    plan = await common_plan(counter)
    await _ended(counter, await _fast(counter, plan))
    assert outcomes == ["admitted"]
    apply, supplier, price = CHANGES[change]
    # Nobody listens for notifications here, so that memory still has what stood before.
    await apply(counter)
    admitted = await counter.admit(plan)
    assert isinstance(admitted, Admitted), admitted
    assert outcomes == ["admitted", "changed"]
    assert admitted.sending is None, "what was remembered was sold"
    assert (await counter.order(admitted.order_id)).price == Decimal(price)
    await process_order(counter.deps, admitted.order_id)
    assert (await counter.followed(admitted.order_id)).status == "fulfilled"
    assert [one.supplier for one in await counter.attempts(admitted.order_id)] == [supplier]
    # The next one is chosen from what stands now, and fast again.
    again = await _fast(counter, plan)
    assert await _ended(counter, again) == "fulfilled"
    assert [one.supplier for one in await counter.attempts(again.order_id)] == [supplier]


async def test_a_stop_of_all_refuses_what_memory_would_sell(counter: Counter, outcomes: list[str]) -> None:
    plan = await common_plan(counter)
    await _ended(counter, await _fast(counter, plan))
    await selling_rows.stop(counter.deps.pool, selling_rows.ALL, "person")
    assert code_of(await counter.admit(plan)) == "selling_stopped"
    assert outcomes == ["admitted", "changed"]
    assert await counter.deps.pool.fetchval("SELECT count(*) FROM orders") == 1


async def test_a_key_is_replayed_or_mismatched_and_a_reference_is_used_once(
    counter: Counter, outcomes: list[str]
) -> None:
    plan = await common_plan(counter)
    first = await _fast(counter, plan, key="one", reference="MINE")
    assert await counter.admit(plan, "one", reference="MINE") == Admitted(first.order_id, replayed=True)
    mismatch, duplicate = await counter.admit(plan, "one"), await counter.admit(plan, "two", reference="MINE")
    assert isinstance(mismatch, Problem)
    assert isinstance(duplicate, Problem)
    assert (mismatch.code, duplicate.code) == ("idempotency_mismatch", "duplicate_reference")
    assert outcomes == ["admitted", "known", "known"]
    assert await _ended(counter, first) == "fulfilled"
    assert await counter.deps.pool.fetchval("SELECT count(*) FROM orders") == 1
    assert sum(len(counter.simulator(name).sales()) for name in ("beppay", "pikasim", "s2s")) == 1


async def test_one_key_that_many_send_at_once_is_one_order_and_one_purchase(counter: Counter) -> None:
    plan = await common_plan(counter)
    answers = await asyncio.gather(*(counter.admit(plan, "one") for _ in range(20)))
    admitted = [one for one in answers if isinstance(one, Admitted)]
    assert len({one.order_id for one in admitted}) == 1
    assert sum(one.sending is not None for one in admitted) == 1
    first = next(one for one in admitted if one.sending is not None)
    assert await _ended(counter, first) == "fulfilled"
    assert len(counter.simulator("pikasim").sales()) == 1


async def test_a_quote_is_admitted_fast_at_its_price(counter: Counter) -> None:
    admitted = await counter.admit_quote(held_quote(counter, await common_plan(counter), "11.50"))
    assert isinstance(admitted, Admitted)
    assert admitted.sending is not None
    assert await _ended(counter, admitted) == "fulfilled"
    assert (await counter.order(admitted.order_id)).price == Decimal("11.50")


async def test_a_refusal_goes_on_to_the_next_offer(counter: Counter) -> None:
    counter.trigger("pikasim", "refuse_stock")
    admitted = await _fast(counter, await common_plan(counter))
    assert await _ended(counter, admitted) == "fulfilled"
    assert [one.supplier for one in await counter.attempts(admitted.order_id)] == ["pikasim", "s2s"]


@pytest.mark.parametrize(
    ("trigger", "status"), [(None, "fulfilled"), ("two_codes", "needs_review"), ("refuse_stock", "failed")]
)
async def test_the_answer_from_memory_is_what_is_read_afterwards(
    counter: Counter, trigger: str | None, status: str
) -> None:
    plan = await common_plan(counter, "beppay")
    if trigger is not None:
        counter.trigger("beppay", trigger)
    admitted = await _fast(counter, plan, reference="MINE")
    pending = presenter.placed(counter.deps, admitted, waited=False)
    assert pending is not None
    assert _fields(pending)["status"] == "pending"
    assert admitted.sending is not None
    assert not admitted.sending.done(), "the answer was not built before the supplier's"
    await admitted.sending
    if status == "failed":  # what follows a refusal is decided anew, so that it is read
        assert presenter.placed(counter.deps, admitted, waited=True) is None
        follow(counter.deps, admitted.order_id, admitted.sending)
        await asyncio.sleep(0)
        await asyncio.gather(*counter.deps.running)
    else:
        built = presenter.placed(counter.deps, admitted, waited=True)
        assert built is not None
        assert _fields(built) == _fields(await _read(counter, admitted))
    assert (await _read(counter, admitted)).status == status


async def test_the_answer_of_a_pending_order_from_memory_is_what_is_read(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = await common_plan(counter)
    held = asyncio.Event()
    purchase = counter.deps.accounts["pikasim"].provider.purchase

    async def slow(request: object) -> object:
        await held.wait()
        return await purchase(request)  # type: ignore[arg-type]

    monkeypatch.setattr(counter.deps.accounts["pikasim"].provider, "purchase", slow)
    admitted = await _fast(counter, plan, reference="MINE")
    built = presenter.placed(counter.deps, admitted, waited=False)
    assert built is not None
    assert _fields(built) == _fields(await _read(counter, admitted))
    held.set()
    assert await _ended(counter, admitted) == "fulfilled"


async def _read(counter: Counter, admitted: Admitted) -> Order:
    found = await presenter.order(counter.deps, admitted.order_id, StorefrontScope(STOREFRONT, "test"))
    assert found is not None
    return found


def _fields(order: Order) -> dict[str, object]:
    """What an API answer says, field by field."""
    return dict(msgspec.json.decode(msgspec.json.encode(order)))


async def test_an_order_of_a_key_with_a_mandate_takes_the_ordinary_way_and_is_counted(
    counter: Counter, outcomes: list[str]
) -> None:
    plan, pool = await common_plan(counter), counter.deps.pool
    made = await create_key(pool, storefront="One", mode="test", scopes=["storefront"])
    async with pool.acquire() as connection:
        await mandate_rows.put(
            connection, made.id, per_order=Decimal(50), per_day=Decimal(50), per_month=Decimal(50), currency="USD",
            ends_at=counter.clock() + timedelta(days=1),
        )  # fmt: skip
    admitted = await admit(counter.deps, STOREFRONT, "test", OrderForPlan(plan_id=plan), "cart", key_id=made.id)
    assert isinstance(admitted, Admitted), admitted
    assert (outcomes, admitted.sending) == (["limited"], None)
    price = await pool.fetchval("SELECT price_base FROM orders WHERE id = $1", admitted.order_id)
    assert (await spend_rows.spent_under_mandate(pool, made.id, counter.clock())).month == price
