"""Orders that were pending in a backup: polled where something was sent, and bought only when they are released."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest

from gateway.access import audit_rows
from gateway.orders import order_presenter
from gateway.orders.admit import Admitted
from gateway.orders.cancel import request_cancel
from gateway.orders.link_supplier_order import link_supplier_order
from gateway.orders.process import process_order
from gateway.orders.resolve import resolve
from gateway.orders.restore import poll_restored, release, restored
from gateway.suppliers import selling_rows
from gateway.worker import jobs
from tests.kit.admitted import code_of, order_of
from tests.kit.counter import STOREFRONT, Counter
from tests.kit.rescheduled import NEVER, reschedule


async def _waiting(counter: Counter, supplier: str = "s2s") -> str:
    return order_of(await counter.admit(await counter.plan(1, supplier)))


async def _sent(counter: Counter, kind: str, supplier: str = "s2s") -> str:
    """An order whose attempt the backup has as unknown."""
    order_id = await _waiting(counter, supplier)
    counter.trigger(supplier, kind, calls=1)
    await process_order(counter.deps, order_id)
    assert [one.state for one in await counter.attempts(order_id)] == ["unknown"]
    return order_id


async def _books_are_clean(counter: Counter) -> None:
    assert await selling_rows.go_on(counter.deps.pool, selling_rows.ALL, "restored")


async def _polled(counter: Counter) -> None:
    await poll_restored(counter.deps, asyncio.Event())


async def _state(counter: Counter, order_id: str) -> tuple[str, str | None]:
    order = await counter.order(order_id)
    return order.status, order.review_reason


async def test_one_of_which_nothing_was_sent_needs_review_and_is_not_bought_when_the_books_are_clean(
    counter: Counter,
) -> None:
    order_id = await _waiting(counter)
    done = await restored(counter.deps, "nightly")
    assert (done.needs_review, done.polled_first) == ((order_id,), ())
    await _books_are_clean(counter)
    await _polled(counter)
    await process_order(counter.deps, order_id, poll=True)
    assert await _state(counter, order_id) == ("needs_review", "restored")
    assert not counter.simulator("s2s").sales()
    (shown,) = (await order_presenter.waiting(counter.deps, "test")).page.data
    assert (shown.what.order_id, shown.what.resolvable) == (order_id, True)
    assert "pending in the backup" in shown.what.why


async def test_it_goes_on_when_it_is_released_and_not_before_the_books_are_clean(counter: Counter) -> None:
    order_id, other = await _waiting(counter), await _waiting(counter)
    await restored(counter.deps)
    assert code_of(await release(counter.deps, order_id, "test")) == "conflict"
    assert code_of(await resolve(counter.deps, order_id, "released", "not bought")) == "conflict"
    await _books_are_clean(counter)
    assert await release(counter.deps, order_id, "test", "not bought since") == [order_id]
    assert (await counter.followed(order_id)).status == "fulfilled"
    assert await _state(counter, other) == ("needs_review", "restored")
    assert code_of(await release(counter.deps, order_id, "test")) == "conflict"
    assert code_of(await release(counter.deps, "ord_nobody", "test")) == "not_found"
    (entry,) = (await audit_rows.newest(counter.deps.pool, action="order.released")).data
    assert (entry.object, entry.detail) == (f"order:{order_id}", {"note": "not bought since"})
    assert await resolve(counter.deps, other, "released", "nor this one") is None
    assert (await counter.followed(other)).status == "fulfilled"


async def test_all_are_released_together(counter: Counter) -> None:
    orders = [await _waiting(counter) for _ in range(3)]
    await restored(counter.deps)
    await _books_are_clean(counter)
    assert await release(counter.deps, None, "test") == orders
    for order_id in orders:
        assert (await counter.followed(order_id)).status == "fulfilled"
    assert await release(counter.deps, None, "test") == []


@pytest.mark.parametrize(("outcome", "status"), [("failed", "failed"), ("refunded", "cancelled")])
async def test_one_that_has_ended_since_is_resolved_so(counter: Counter, outcome: Any, status: str) -> None:
    order_id = await _waiting(counter)
    await restored(counter.deps)
    assert code_of(await resolve(counter.deps, order_id, "fulfilled", "it was bought")) == "conflict"
    assert await resolve(counter.deps, order_id, outcome, "seen in the shop's mail") is None
    assert await _state(counter, order_id) == (status, None)
    await _books_are_clean(counter)
    await process_order(counter.deps, order_id)
    assert not counter.simulator("s2s").sales()


async def test_one_that_was_bought_since_is_given_back_its_attempt_and_settled(counter: Counter) -> None:
    order_id = await _waiting(counter)
    await process_order(counter.deps, order_id)
    (sale,) = counter.simulator("s2s").sales()
    # As a backup from before the purchase has it.
    await counter.deps.pool.execute("TRUNCATE attempts, ledger, esims CASCADE")
    await counter.deps.pool.execute(
        "UPDATE orders SET status = 'pending', fulfilled_at = NULL, next_poll_at = now() WHERE id = $1", order_id
    )
    await restored(counter.deps)
    assert await link_supplier_order(counter.deps, order_id, "s2s", sale.reference) is None
    await process_order(counter.deps, order_id, poll=True)
    assert await _state(counter, order_id) == ("fulfilled", None)
    assert len(counter.simulator("s2s").sales()) == 1


async def test_one_that_was_sent_is_polled_at_the_workers_start_and_settles(counter: Counter) -> None:
    order_id = await _sent(counter, "charge_then_reset")
    done = await restored(counter.deps)
    assert (done.needs_review, done.polled_first) == ((), (order_id,))
    assert await _state(counter, order_id) == ("pending", "restored")
    await _polled(counter)
    assert await _state(counter, order_id) == ("fulfilled", None)


async def test_a_worker_polls_it_when_it_starts(
    counter: Counter, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = await _sent(counter, "500")
    await restored(counter.deps)
    reschedule(monkeypatch, sync_if_due=NEVER)
    figures = counter.deps.settings.metrics.model_copy(update={"worker_port": 0})
    settings = counter.deps.settings.model_copy(update={"metrics": figures})
    stop = asyncio.Event()
    worker = asyncio.create_task(jobs.work(settings, database_url, stop, (sys.executable, "-c", "pass")))
    try:
        async with asyncio.timeout(60):
            while (await counter.order(order_id)).status == "pending":  # noqa: ASYNC110 - the worker writes it
                await asyncio.sleep(0.05)
    finally:
        stop.set()
        await worker
    assert await _state(counter, order_id) == ("needs_review", "restored")


async def test_one_that_was_sent_and_is_not_found_needs_review_at_once(counter: Counter) -> None:
    order_id = await _sent(counter, "500")
    await restored(counter.deps)
    await _polled(counter)
    assert await _state(counter, order_id) == ("needs_review", "restored")
    assert [one.state for one in await counter.attempts(order_id)] == ["unknown"]
    await _books_are_clean(counter)
    assert await release(counter.deps, order_id, "test") == [order_id]
    assert await _state(counter, order_id) == ("pending", None)


async def test_one_that_the_supplier_knows_is_followed_as_usual(counter: Counter) -> None:
    order_id = await _waiting(counter, "pikasim")
    counter.trigger("pikasim", "never_provisioned")
    await process_order(counter.deps, order_id)
    assert [one.state for one in await counter.attempts(order_id)] == ["accepted"]
    await restored(counter.deps)
    await _polled(counter)
    assert await _state(counter, order_id) == ("pending", None)


async def test_the_next_supplier_is_not_asked_when_the_attempt_of_the_backup_failed(counter: Counter) -> None:
    """The one after it may have been bought after the backup."""
    admitted = await counter.admit(await counter.plan(2, "s2s"))
    assert isinstance(admitted, Admitted)
    counter.trigger("s2s", "hang")
    order_id = admitted.order_id
    await process_order(counter.deps, order_id)
    await restored(counter.deps)
    await _books_are_clean(counter)  # even where the stop is lifted before a worker has started
    await counter.with_("s2s", trust_absence=True).followed(order_id, looks=20)
    assert await _state(counter, order_id) == ("needs_review", "restored")
    assert not counter.simulator("beppay").sales()
    assert [one.state for one in await counter.attempts(order_id)] == ["failed"]


async def test_a_cancel_that_may_have_been_sent_since_is_not_sent_again(counter: Counter) -> None:
    order_id = await _waiting(counter, "pikasim")
    await counter.followed(order_id)
    assert await request_cancel(counter.deps, STOREFRONT, "test", order_id) is None
    await restored(counter.deps)
    await _books_are_clean(counter)
    await process_order(counter.deps, order_id, poll=True)
    assert await _state(counter, order_id) == ("needs_review", "restored")
    assert [one.kind for one in await counter.attempts(order_id)] == ["purchase"]
    assert await release(counter.deps, order_id, "test") == [order_id]
    assert (await counter.followed(order_id)).status == "cancelled"


async def test_what_was_admitted_after_the_restore_only_waits(counter: Counter) -> None:
    await restored(counter.deps)
    await _books_are_clean(counter)
    order_id = await _waiting(counter)
    await restored(counter.deps)  # another backup; this order is in it
    assert await _state(counter, order_id) == ("needs_review", "restored")
    assert (await restored(counter.deps)).needs_review == ()
