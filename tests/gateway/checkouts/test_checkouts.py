"""Checkouts: one link for one payment of the held price, and an order that is placed exactly once."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from gateway.checkouts import open_checkout, payment_rows, payments
from gateway.checkouts.decisions import decide
from gateway.orders.admit import Admitted
from gateway.orders.process import process_order
from schemas.checkouts import CheckoutForPlan
from schemas.errors import TimedOut
from schemas.order_requests import Customer
from tests.kit.admitted import code_of
from tests.kit.paydesk import paydesk
from tests.kit.waiting import until
from tests.kit.working import idle


async def events_of(desk, checkout_id):
    rows = await desk.deps.pool.fetch(
        "SELECT type FROM checkout_events WHERE checkout_id = $1 ORDER BY id", checkout_id
    )
    return [row["type"] for row in rows]


async def test_a_checkout_is_paid_and_its_order_delivered(desk):
    checkout_id = await desk.open(reference="cart-1", customer=Customer(email="a@example.com"))
    opened = await desk.checkout(checkout_id)
    assert opened.status == "open"
    assert opened.payment_url
    assert opened.order_id is None
    (product,) = (await desk.truth())["products"]
    assert checkout_id in product["description"]
    assert product["quantity"] == 1
    await desk.pay(checkout_id)
    paid = await desk.delivered(checkout_id)
    assert (paid.status, paid.order_status, paid.payment_url) == ("paid", "fulfilled", None)
    order = await desk.counter.order(paid.order_id)
    assert (order.reference, order.checkout_id, order.plan) == ("cart-1", checkout_id, (await _plan(desk, checkout_id)))
    assert [one.accepted for one in paid.payments] == [True]
    assert await desk.unaccounted() == []
    assert await events_of(desk, checkout_id) == ["admitted", "link_made", "paid", "delivered"]


async def _plan(desk, checkout_id):
    return await desk.deps.pool.fetchval("SELECT plan FROM checkouts WHERE id = $1", checkout_id)


async def test_the_same_key_gives_the_same_checkout_and_one_link(desk):
    opened = await asyncio.gather(*(desk.opened(key="same") for _ in range(6)))
    assert len({one.order_id for one in opened}) == 1
    assert sum(not one.replayed for one in opened) == 1
    assert len((await desk.truth())["products"]) == 1
    assert code_of(await desk.opened(key="same", language="ru")) == "idempotency_mismatch"
    assert code_of(await desk.counter.admit(await desk.counter.plan(1, "s2s"), "same")) == "idempotency_mismatch"


async def test_a_reference_is_of_one_checkout_or_order(desk):
    await desk.open(reference="cart-2")
    assert code_of(await desk.opened(reference="cart-2")) == "duplicate_reference"
    plan = await desk.counter.plan(1, "s2s")
    assert isinstance(await desk.counter.admit(plan, reference="cart-3"), Admitted)
    assert code_of(await desk.opened(reference="cart-3")) == "duplicate_reference"


async def test_one_order_comes_of_it_however_it_is_told(desk):
    told = ("notice_repeated", "notice_forged", "notice_altered", "notice_early", "notice_without_product")
    for count, trigger in enumerate(told, 1):
        checkout_id = await desk.open()
        await desk.trigger(trigger)
        await desk.pay(checkout_id)
        paid = await desk.delivered(checkout_id)
        assert (trigger, paid.status, paid.order_status) == (trigger, "paid", "fulfilled")
        assert await desk.orders() == count
        assert await desk.unaccounted() == []
    assert desk.heard.count("forged") == 2


async def test_a_forged_notification_alone_does_nothing(desk):
    checkout_id = await desk.open()
    await desk.trigger("notice_forged")
    await desk.trigger("notice_never")
    await desk.pay(checkout_id)
    assert (await desk.checkout(checkout_id)).status == "open"
    assert await desk.orders() == 0


async def test_any_number_of_processes_may_judge_a_payment_at_once(desk):
    desk.listening = False
    checkout_id = await desk.open()
    await desk.pay(checkout_id)
    desk.listening = True
    others = [desk.again() for _ in range(6)]
    (paid,) = (await desk.truth())["payments"]
    await desk.act(paid["uid"])
    payment_id = await desk.deps.pool.fetchval("SELECT id FROM payments")
    await desk.deps.pool.execute("UPDATE payments SET settled_at = NULL")
    await asyncio.gather(*(payments.settle(one.deps, payment_id) for one in others))
    assert await desk.orders() == 1
    assert (await desk.checkout(checkout_id)).status == "paid"


async def test_paid_before_the_link_was_answered(desk):
    await desk.trigger("paid_before_answer")
    checkout_id = await desk.open()
    await desk.told()
    paid = await desk.delivered(checkout_id)
    assert (paid.status, paid.payment_url, paid.order_status) == ("paid", None, "fulfilled")
    assert paid.link_id is not None
    assert await desk.orders() == 1


async def test_a_payment_that_was_written_down_by_a_process_that_ended_is_judged_by_the_schedule(desk, monkeypatch):
    checkout_id = await desk.open()
    with monkeypatch.context() as killed:
        killed.setattr(payments, "_settle_soon", lambda *_: None)
        link = (await desk.checkout(checkout_id)).link_id
        await desk.tell(f"pay/{link}", {"outcome": "pay"})
        await until(lambda: desk.deps.pool.fetchval("SELECT count(*) FROM payments"))
    assert await desk.unaccounted() == ["not_judged"]
    desk.counter.clock.pass_(seconds=10)
    assert await payments.settle_what_is_left(desk.again().deps) == 1
    assert (await desk.delivered(checkout_id)).order_status == "fulfilled"
    assert await payments.settle_what_is_left(desk.deps) == 0


async def test_a_late_notification_of_a_payment_made_in_time_places_the_order(desk):
    checkout_id = await desk.open()
    desk.listening = False
    (paid,) = await desk.pay(checkout_id)
    desk.listening = True
    desk.counter.clock.pass_(hours=3)
    seen = await desk.looked(checkout_id, 5)
    assert seen.status == "needs_review"
    assert seen.review.reason == "payment_not_seen"
    desk.counter.clock.ahead = timedelta(0)  # the suppliers' clocks did not go on, and the order is bought at once
    await desk.act(paid["uid"])
    found = await desk.checkout(checkout_id)
    assert (found.status, found.review) == ("paid", None)
    assert await desk.orders() == 1
    assert [one.outcome for one in found.cases] == ["settled"]


async def test_without_a_notification_a_used_link_goes_to_a_person_who_has_it_placed(desk):
    checkout_id = await desk.open()
    await desk.trigger("notice_never")
    (paid,) = await desk.pay(checkout_id)
    assert (await desk.looked(checkout_id)).status == "open"  # a notification may be on its way
    assert (await desk.looked(checkout_id, 10)).review.reason == "payment_not_seen"
    assert await desk.orders() == 0
    (case,) = await decide(desk.deps, checkout_id, "placed", "the shop's account shows it", "test")
    assert case.reason == "payment_not_seen"
    placed = await desk.delivered(checkout_id)
    assert (placed.status, placed.order_status) == ("paid", "fulfilled")
    # The notification comes after all: it is this checkout's payment, and there is no second order.
    await desk.act(paid["uid"])
    found = await desk.checkout(checkout_id)
    assert (found.status, await desk.orders(), [one.accepted for one in found.payments]) == ("paid", 1, [True])
    assert await desk.unaccounted() == []


WRONG = [
    ("wrong_amount", {"factor": "0.5"}, "paid_too_little"),
    ("wrong_amount", {"factor": "1.5"}, "paid_too_much"),
    ("wrong_currency", {"currency": "EUR"}, "other_currency"),
    ("after_expiry", {}, "paid_late"),
    ("authorised_only", {}, "authorisation_only"),
    ("other_mode", {}, "live_payment"),
]


async def test_money_that_is_not_as_asked_for_goes_to_a_person(desk):
    made = {}
    for trigger, options, reason in WRONG:
        made[reason] = checkout_id = await desk.open()
        await desk.trigger(trigger, **options)
        await desk.pay(checkout_id)
        found = await desk.checkout(checkout_id)
        assert (found.status, found.review.reason, await desk.orders()) == ("needs_review", reason, 0)
        assert await desk.unaccounted() == []
    desk.counter.clock.pass_(hours=2)
    for reason, checkout_id in made.items():  # the link, used up or not, adds nothing to it
        assert [one.reason for one in (await desk.looked(checkout_id, 5)).cases] == [reason]
        if reason == "paid_late":
            continue
        await decide(desk.deps, checkout_id, "refunded", "given back", "test")
        assert (await desk.checkout(checkout_id)).status == "closed"
        assert code_of(await decide(desk.deps, checkout_id, "placed", "or not", "test")) == "conflict"
    desk.counter.clock.ahead = timedelta(0)  # the suppliers' clocks did not go on
    late = await desk.checkout(made["paid_late"])
    await decide(desk.deps, late.cases[0].id, "placed", "so late is early enough", "test")
    placed = await desk.delivered(late.id)
    assert (placed.order_status, [one.accepted for one in placed.payments]) == ("fulfilled", [True])
    assert await desk.unaccounted() == []
    assert await desk.orders() == 1


async def test_paid_twice_is_one_order_and_one_payment_for_a_person(desk):
    checkout_id = await desk.open()
    await desk.trigger("paid_twice")
    await desk.pay(checkout_id)
    found = await desk.delivered(checkout_id)
    assert (found.status, found.review.reason, found.order_status) == ("needs_review", "paid_twice", "fulfilled")
    assert sorted(one.accepted for one in found.payments) == [False, True]
    assert await desk.orders() == 1
    assert await desk.unaccounted() == []
    assert code_of(await decide(desk.deps, checkout_id, "placed", "a second eSIM", "test")) == "conflict"
    await decide(desk.deps, checkout_id, "refunded", "the second one", "test")
    assert (await desk.checkout(checkout_id)).status == "paid"
    assert await desk.unaccounted() == []


async def test_a_refund_that_nobody_here_spoke_of_is_shown_and_one_that_was_said_is_not(desk):
    first, second = await desk.open(), await desk.open()
    (taken,) = await desk.pay(first)
    assert (await desk.delivered(first)).order_status == "fulfilled"  # one that waits would be cancelled
    await desk.act(taken["uid"], "refund")
    await desk.told(payments=2)
    assert (await desk.checkout(first)).review.reason == "refund"
    await desk.trigger("wrong_amount", key=second)
    (paid,) = await desk.pay(second)
    await decide(desk.deps, second, "refunded", "given back", "test")
    await desk.act(paid["uid"], "refund")
    found = await desk.checkout(second)
    assert (found.status, len(found.cases), len(found.payments)) == ("closed", 1, 2)


async def test_a_payment_for_nobody_knows_what_stands_alone_in_the_queue(desk):
    checkout_id = await desk.open()
    await desk.trigger("notice_of_a_stranger")
    await desk.pay(checkout_id)
    (case,) = await desk.deps.pool.fetch("SELECT * FROM payment_cases WHERE closed_at IS NULL")
    assert (case["reason"], case["checkout_id"], case["mode"]) == ("unknown_checkout", None, "test")
    assert await desk.unaccounted() == []
    assert code_of(await decide(desk.deps, case["id"], "placed", "?", "test")) == "conflict"
    assert [one.id for one in await decide(desk.deps, case["id"], "closed", "from the till", "test")] == [case["id"]]
    assert await desk.unaccounted() == []


async def test_paid_and_undeliverable_goes_to_a_person(desk):
    checkout_id = await desk.open()
    # Whoever has it is sold out by the time it is paid.
    for supplier in ("beppay", "pikasim", "s2s"):
        desk.counter.trigger(supplier, "refuse_stock", calls=None)
    await desk.pay(checkout_id)
    found = await desk.delivered(checkout_id)
    assert (found.status, found.review.reason, found.order_status) == ("needs_review", "undeliverable", "failed")
    assert await desk.unaccounted() == []
    await decide(desk.deps, checkout_id, "refunded", "given back", "test")
    assert (await desk.checkout(checkout_id)).status == "paid"
    assert await desk.unaccounted() == []


async def test_what_was_undeliverable_and_came_after_all_waits_for_nobody(desk):
    checkout_id = await desk.open()
    desk.counter.trigger("s2s", "charge_then_500")
    desk.counter.trigger("s2s", "list_lag", seconds=3600)
    await desk.pay(checkout_id)
    order = (await desk.checkout(checkout_id)).order_id
    await idle(desk.deps)
    desk.counter.clock.pass_(minutes=15)
    await process_order(desk.deps, order, poll=True)
    assert (await desk.checkout(checkout_id)).review.reason == "undeliverable"
    desk.counter.show_late_orders("s2s")
    await process_order(desk.deps, order, poll=True)
    found = await desk.checkout(checkout_id)
    assert (found.order_status, found.status) == ("fulfilled", "paid")
    assert [one.outcome for one in found.cases] == ["settled"]


async def test_a_link_whose_answer_was_lost_is_found_and_given(desk):
    for count, kind in enumerate(("made_then_hang", "made_then_500", "made_then_reset", "made_then_html"), 1):
        await desk.trigger(kind)
        checkout_id = await desk.open()
        assert (await desk.checkout(checkout_id)).status == "creating"
        found = await desk.looked(checkout_id)
        assert found.status == "open"
        assert found.payment_url
        assert len((await desk.truth())["products"]) == count
    await desk.pay(checkout_id)
    assert (await desk.delivered(checkout_id)).order_status == "fulfilled"


async def test_a_link_that_was_never_made_fails_the_checkout_and_is_not_made_again(desk):
    for kind in ("hang", "500", "reset"):
        await desk.trigger(kind)
        checkout_id = await desk.open()
        assert (await desk.looked(checkout_id)).status == "creating"
        found = await desk.looked(checkout_id, 12)
        assert (found.status, found.failure.code) == ("failed", "unavailable")
    assert (await desk.truth())["products"] == []


async def test_a_refused_link_fails_at_once_and_says_why(desk):
    await desk.trigger("refuse")
    found = await desk.checkout(await desk.open())
    assert (found.status, found.failure.code, found.next_look_at) == ("failed", "refused", None)


async def test_a_process_that_ended_before_it_asked_for_the_link_never_asks_later(desk, monkeypatch):
    async def killed(*_):
        raise asyncio.CancelledError

    monkeypatch.setattr(open_checkout, "_make_link", killed)
    with pytest.raises(asyncio.CancelledError):
        await desk.opened(key="killed")
    again = await desk.opened(key="killed")
    assert isinstance(again, Admitted)
    assert again.replayed
    found = await desk.looked(again.order_id, 12)
    assert found.status == "failed"
    assert (await desk.truth())["products"] == []


async def test_a_link_that_turns_up_after_it_was_given_up_is_closed_and_never_given(desk, monkeypatch):
    """A process froze before its call, and went on when others had given its checkout up."""
    frozen = asyncio.Event()
    send = open_checkout._send

    async def late(*args):
        await frozen.wait()
        monkeypatch.setattr(open_checkout, "_left", lambda *_: 5)
        await send(*args)

    monkeypatch.setattr(open_checkout, "_send", late)
    opening = asyncio.create_task(desk.opened(key="frozen"))
    checkout_id = await until(lambda: desk.deps.pool.fetchval("SELECT id FROM checkouts"))
    assert (await desk.looked(checkout_id, 8)).status == "failed"
    frozen.set()
    await opening
    found = await desk.looked(checkout_id, 3)
    assert (found.status, found.payment_url, found.next_look_at) == ("failed", None, None)
    async with desk.http.get(f"{desk.url}/_sandbox/products") as answer:
        (product,) = (await answer.json())["products"]
    assert datetime.fromisoformat(product["expired_at"]) <= datetime.now(UTC)


async def test_an_unpaid_checkout_expires_and_its_link_is_closed(desk):
    checkout_id = await desk.open()
    desk.counter.clock.pass_(hours=1, minutes=1)
    found = await desk.looked(checkout_id, 3)
    assert (found.status, found.payment_url, found.next_look_at) == ("expired", None, None)
    async with desk.http.get(f"{desk.url}/_sandbox/products") as answer:
        (product,) = (await answer.json())["products"]
    assert datetime.fromisoformat(product["expired_at"]) <= datetime.now(UTC) + timedelta(seconds=1)


async def test_while_the_payment_supplier_is_away_a_checkout_expires_and_its_link_is_seen_later(desk, monkeypatch):
    checkout_id = await desk.open()
    await desk.trigger("notice_never")
    await desk.pay(checkout_id)
    desk.counter.clock.pass_(hours=1, minutes=1)
    with monkeypatch.context() as away:
        away.setattr(desk.deps.payments["bepaid"].provider, "link", _no_answer)
        assert (await desk.looked(checkout_id)).status == "expired"
    found = await desk.looked(checkout_id, 5)
    assert (found.status, found.review.reason) == ("needs_review", "payment_not_seen")


async def _no_answer(_):
    raise TimedOut("away")


async def test_a_declined_or_waiting_card_changes_nothing_until_it_is_settled(desk):
    checkout_id = await desk.open()
    await desk.pay(checkout_id, "decline")
    assert (await desk.checkout(checkout_id)).status == "open"
    (waits,) = await desk.pay(checkout_id, "wait")
    assert (await desk.checkout(checkout_id)).status == "open"
    assert await desk.orders() == 0
    await desk.act(waits["uid"], "settle")
    assert (await desk.delivered(checkout_id)).order_status == "fulfilled"


async def test_an_order_with_its_reference_in_between_leaves_the_paid_checkout_to_a_person(desk):
    checkout_id = await desk.open(reference="cart-9")
    assert isinstance(await desk.counter.admit(await desk.counter.plan(1, "s2s"), reference="cart-9"), Admitted)
    await desk.pay(checkout_id)
    found = await desk.checkout(checkout_id)
    assert (found.status, found.review.reason) == ("needs_review", "order_refused")
    assert await desk.unaccounted() == []
    await decide(desk.deps, checkout_id, "placed", "it is another one", "test")
    placed = await desk.delivered(checkout_id)
    assert (placed.status, placed.order_status) == ("paid", "fulfilled")
    assert (await desk.counter.order(placed.order_id)).reference is None


async def test_the_days_limit_leaves_a_paid_checkout_to_a_person(desk):
    checkout_id = await desk.open()
    await desk.deps.pool.execute("UPDATE storefronts SET daily_spend_limit = 0.01")
    assert code_of(await desk.opened()) == "spend_limit"
    await desk.pay(checkout_id)
    assert (await desk.checkout(checkout_id)).review.reason == "order_refused"
    await decide(desk.deps, checkout_id, "placed", "today it may", "test")
    assert (await desk.delivered(checkout_id)).order_status == "fulfilled"


async def test_fees_leave_the_margin(counter):
    async with paydesk(counter, fee_percent="10", fee_fixed="0.05") as desk:
        checkout_id = await desk.open()
        await desk.pay(checkout_id)
        found = await desk.delivered(checkout_id)
        price, fee = Decimal(found.price.amount), Decimal(found.fee.amount)
        assert fee == (price / 10 + Decimal("0.05")).quantize(Decimal("0.01"))
        charged = await desk.deps.pool.fetchval("SELECT sum(amount) FROM ledger WHERE order_id = $1", found.order_id)
        assert Decimal(found.margin.amount) == price - fee - charged


async def test_without_an_account_there_are_no_checkouts(counter):
    body = CheckoutForPlan(plan_id=await counter.plan(1, "pikasim"))
    assert code_of(await open_checkout.open_checkout(counter.deps, "sf_one", "test", body, "k")) == "not_supported"


async def test_a_payment_told_otherwise_after_it_was_captured_stays_captured(desk):
    checkout_id = await desk.open()
    (paid,) = await desk.pay(checkout_id)
    await desk.act(paid["uid"], "fail")
    found = await desk.checkout(checkout_id)
    assert (found.review.reason, [one.state for one in found.payments]) == ("other_movement", ["captured"])
    (row,) = await payment_rows.of_checkouts(desk.deps.pool, [checkout_id])
    assert row.accepted
