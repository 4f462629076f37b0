"""A supplier's answer is kept, sealed, and can be read again: by the worker, by a command, late and repeatedly."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest
import stamina
import structlog

from gateway.orders import send
from gateway.orders.process import process_order
from gateway.orders.read_again import AnswersRead, read_order_again
from gateway.orders.resolve import resolve
from providers.beppay import numbers
from providers.beppay import orders as beppay
from providers.contract import Provider
from providers.kit.recording import Recorded, playing_back
from providers.pikasim import orders as pikasim
from providers.s2s import orders as s2s
from schemas.errors import UnreadableAnswer
from tests.gateway.orders.test_settling_faults import SOLD, esim_at
from tests.kit.counter import Counter

TABLES = ("orders", "attempts", "ledger", "order_events", "esims", "numbers", "voucher_codes", "spend", "offer_marks",
          "suppliers", "webhook_events", "checkouts")  # fmt: skip
READERS: dict[str, tuple[Any, str]] = {
    "esim-beppay": (beppay, "purchase_answer"), "number": (numbers, "purchase_answer"),
    "esim-pikasim": (pikasim, "order"), "esim-s2s": (s2s, "order"), "topup-s2s": (s2s, "order"),
    "cancel": (pikasim, "cancellation"),
}  # fmt: skip


def break_reader(monkeypatch: pytest.MonkeyPatch, what: str, times: int) -> None:
    """Have the plugin's reading of an answer fail for a fault of its own, so many times."""
    module, name = READERS[what]
    read, left = getattr(module, name), times

    def broken(*args: Any, **more: Any) -> Any:
        nonlocal left
        left -= 1
        if left >= 0:
            raise KeyError("a fault of the plugin")
        return read(*args, **more)

    monkeypatch.setattr(module, name, broken)


async def answers(counter: Counter, order_id: str) -> list[tuple[bool, int]]:
    """The kept answers of an order: whether each was read, and how often reading it failed."""
    rows = await counter.deps.pool.fetch(
        "SELECT s.read_at IS NOT NULL AS read, failures FROM supplier_answers s JOIN attempts a ON a.id = attempt_id"
        " WHERE order_id = $1 ORDER BY s.at",
        order_id,
    )
    return [(row["read"], row["failures"]) for row in rows]


async def everything(counter: Counter) -> dict[str, list[str]]:
    """All rows that an order may change."""
    pool = counter.deps.pool
    return {
        table: [row["row"] for row in await pool.fetch(f"SELECT t::text AS row FROM {table} t ORDER BY 1")]
        for table in TABLES
    }


@pytest.mark.parametrize("what", READERS)
async def test_an_answer_that_its_plugin_could_not_read_is_read_by_the_worker(
    counter: Counter, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    order_id = await SOLD[what](counter)
    break_reader(monkeypatch, what, 1)
    with structlog.testing.capture_logs():
        await process_order(counter.deps, order_id)
        status = (await counter.order(order_id)).status
        assert status in {"pending", "cancel_pending"}
        assert (False, 0) in await answers(counter, order_id)
        calls = len(sold(counter))
        order = await counter.followed(order_id)
    assert order.status == ("cancelled" if what == "cancel" else "fulfilled")
    assert all(read for read, _ in await answers(counter, order_id))
    assert len(sold(counter)) == calls


def sold(counter: Counter) -> list[Any]:
    return [sale for name in ("beppay", "pikasim", "s2s") for sale in counter.simulator(name).sales()]


async def test_a_plugin_that_is_corrected_later_reads_the_answer_by_command(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken, structlog.testing.capture_logs():
        break_reader(broken, "esim-beppay", 100)
        order_id = await esim_at("beppay")(counter)
        await process_order(counter.deps, order_id)
        assert (await counter.followed(order_id)).status == "needs_review"
        for _ in range(8):
            await process_order(counter.deps, order_id, poll=True)
        assert await answers(counter, order_id) == [(False, 5)]
        assert await read_order_again(counter.deps, order_id) == AnswersRead(kept=1, read=0, changed=0)
    assert await read_order_again(counter.deps, order_id) == AnswersRead(kept=1, read=1, changed=1)
    assert (await counter.order(order_id)).status == "fulfilled"
    assert (await counter.esim(order_id)).activation_code is not None
    assert await read_order_again(counter.deps, order_id) == AnswersRead(kept=1, read=1, changed=0)
    assert await read_order_again(counter.deps, "ord_nobody") == AnswersRead()


async def test_polls_beside_an_answer_that_nobody_can_read_count_and_follow_the_schedule(counter: Counter) -> None:
    counter.simulator("s2s").delivery_seconds = None
    counter.trigger("s2s", "charge_then_html")
    order_id = await counter.ordered(await counter.plan(1, "s2s"))
    sent_at = (await counter.attempts(order_id))[0].started_at
    await counter.worked(order_id, claims=1)  # the supplier shows it as accepted
    for polls, age in ((0, 5), (1, 15), (2, 60)):
        order = await counter.order(order_id)
        assert order.next_poll_at is not None
        assert (order.polls, round((order.next_poll_at - sent_at).total_seconds())) == (polls, age)
        await counter.worked(order_id, claims=1)


async def test_an_answer_that_can_neither_be_settled_nor_kept_is_tried_until_it_can(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = 4

    def failing(call: Callable[..., Any]) -> Callable[..., Any]:
        async def fails(*args: Any, **more: Any) -> Any:
            nonlocal left
            left -= 1
            if left >= 0:
                raise KeyError("a fault of ours")
            return await call(*args, **more)

        return fails

    monkeypatch.setattr(send, "_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(send, "_recorded", failing(send._recorded))
    monkeypatch.setattr(send, "_kept", failing(send._kept))
    with stamina.set_testing(True, attempts=3), structlog.testing.capture_logs():
        order_id = await counter.ordered(await counter.plan(1, "beppay"))
    assert (await counter.order(order_id)).status == "fulfilled"
    assert await answers(counter, order_id) == [(True, 0)]


# -- late and repeated ------------------------------------------------------------------------------------------------

SPOILED = ("refuse_stock", "failed_after_processing", "charged_more", "never_provisioned", "partially_completed",
           "silent_refund", "duplicate_reference")  # fmt: skip


@pytest.mark.parametrize("what", SOLD)
async def test_answers_that_were_settled_change_nothing_when_they_are_read_again(counter: Counter, what: str) -> None:
    order_id = await SOLD[what](counter)
    await process_order(counter.deps, order_id)
    await counter.followed(order_id)
    before = await everything(counter)
    found = await read_order_again(counter.deps, order_id)
    assert (found.kept, found.read, found.changed) == (found.kept, found.kept, 0)
    assert found.kept > 0
    assert await everything(counter) == before


@pytest.mark.parametrize("kind", SPOILED)
@pytest.mark.parametrize("supplier", ["pikasim", "s2s"])
async def test_nor_do_those_of_orders_that_went_wrong(counter: Counter, supplier: str, kind: str) -> None:
    plan = await counter.plan(1, supplier)
    counter.trigger(supplier, kind, act="order", factor=Decimal("1.5"))
    order_id = await counter.ordered(plan)
    await counter.followed(order_id, looks=20)
    before = await everything(counter)
    found = await read_order_again(counter.deps, order_id)
    assert found.read == found.kept > 0
    assert await everything(counter) == before


async def test_an_older_answer_does_not_take_the_place_of_a_later_word_on_the_charge(counter: Counter) -> None:
    order_id = await counter.ordered(await counter.plan(1, "s2s"))
    await counter.followed(order_id)
    await counter.deps.pool.execute("UPDATE attempts SET charged = charged + 1")
    await counter.deps.pool.execute("UPDATE ledger SET amount = amount + 1")
    before = await everything(counter)
    assert (await read_order_again(counter.deps, order_id)).changed == 0
    assert await everything(counter) == before


async def test_an_answer_read_after_an_operator_called_the_order_failed_is_recorded_once(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter.trigger("beppay", "list_lag", act="order", seconds=3600)
    with monkeypatch.context() as broken, structlog.testing.capture_logs():
        break_reader(broken, "esim-beppay", 100)
        order_id = await esim_at("beppay")(counter)
        await process_order(counter.deps, order_id)
        await counter.followed(order_id, looks=25)
    assert await resolve(counter.deps, order_id, "failed", "their support says so") is None
    assert await counter.ledger(order_id) == []
    assert (await read_order_again(counter.deps, order_id)).changed == 1
    assert (await counter.order(order_id)).status == "failed"
    assert await counter.ledger(order_id) == [("beppay", "charge", "10")]
    assert (await counter.timeline(order_id)).count("charged_after_failure") == 1
    before = await everything(counter)
    await read_order_again(counter.deps, order_id)
    assert await everything(counter) == before


# -- sealed, and never sent again -------------------------------------------------------------------------------------


async def test_a_kept_answer_is_sealed(counter: Counter) -> None:
    order_id = await counter.ordered(await counter.plan(1, "beppay"))
    esim = await counter.esim(order_id)
    (row,) = await counter.deps.pool.fetch("SELECT body FROM supplier_answers")
    opened = counter.deps.seal.open(row["body"])
    (answer,) = msgspec.json.decode(opened, type=Recorded).answers
    for secret in (esim.iccid.encode(), (esim.activation_code or "").rpartition("$")[2].encode(), answer.body[:20]):
        assert secret
        assert secret in answer.body
        assert secret not in row["body"]
    assert b"application/json" not in row["body"]


PURCHASES = {"purchase": "esim-s2s", "topup": "topup-s2s", "purchase_number": "number", "purchase_good": "voucher"}


@pytest.mark.parametrize("call", [*PURCHASES, "cancel"])
async def test_nothing_is_sent_while_an_answer_is_played_back(
    counter: Counter, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Not even where the recording lacks the answer."""
    order_id = await SOLD[PURCHASES.get(call, call)](counter)
    seen: list[tuple[Provider, Any]] = []
    for provider in (one.provider for one in counter.deps.accounts.values()):
        real = getattr(provider, call)

        async def noted(request: Any, *, _real: Any = real, **more: Any) -> Any:
            seen.append((_real, (request, more)))
            return await _real(request, **more)

        monkeypatch.setattr(provider, call, noted)
    await process_order(counter.deps, order_id)
    ((real, (request, more)),) = seen
    calls = {name: counter.calls(name) for name in ("beppay", "pikasim", "s2s")}
    with playing_back(Recorded(())), pytest.raises(UnreadableAnswer, match="nothing was sent"):
        await real(request, **more)
    assert {name: counter.calls(name) for name in calls} == calls
