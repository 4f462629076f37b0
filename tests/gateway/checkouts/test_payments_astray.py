"""Money that comes about in an order, or in a way, that nobody wished for: it is never lost and never spent twice."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import asyncpg
import pytest

from gateway.checkouts import open_checkout, payments
from gateway.checkouts.decisions import decide
from gateway.kit.problem import Problem
from gateway.orders.process import process_order
from schemas.errors import InvalidRequest, NotFound
from schemas.money import Money
from schemas.payment import PaymentKind, PaymentNotice, PaymentState
from tests.kit.working import idle


async def heard(desk, payment_id, *, body=None, **told):
    """A verified notification, in words of the test's own, judged like any other."""
    notice = PaymentNotice(payment_id, **{"state": PaymentState.CAPTURED, "test": True, **told})
    ours = await payments._write_down(
        desk.deps, desk.deps.payments["bepaid"], notice, (body or repr(notice)).encode(), desk.deps.clock()
    )
    await payments.settle(desk.deps, ours)
    return ours


async def price_of(desk, checkout_id):
    found = await desk.checkout(checkout_id)
    return Money(Decimal(found.price.amount), found.price.currency)


async def cases_of_strangers(desk):
    return await desk.deps.pool.fetch("SELECT * FROM payment_cases WHERE checkout_id IS NULL")


async def test_a_payment_told_by_its_link_before_the_link_was_told_pays_for_its_checkout(desk, monkeypatch):
    record, kept = open_checkout.record_link, []

    async def held_back(*args):
        kept.append(args)

    monkeypatch.setattr(open_checkout, "record_link", held_back)
    checkout_id = await desk.open()
    link = kept[0][2]
    await heard(desk, "uid-1", paid=await price_of(desk, checkout_id), link_id=link.id)
    assert [case["reason"] for case in await cases_of_strangers(desk)] == ["unknown_checkout"]
    await record(*kept[0])
    desk.counter.clock.pass_(seconds=10)
    await payments.settle_what_is_left(desk.deps)
    paid = await desk.delivered(checkout_id)
    assert (paid.status, paid.order_status, paid.payment_url) == ("paid", "fulfilled", None)
    assert [case["outcome"] for case in await cases_of_strangers(desk)] == ["settled"]
    assert await desk.unaccounted() == []


async def test_a_payment_that_says_later_what_it_is_for_pays_for_it(desk):
    checkout_id = await desk.open()
    price = await price_of(desk, checkout_id)
    await heard(desk, "uid-1", paid=price)
    await heard(desk, "uid-1", paid=price, checkout_id=checkout_id)
    assert (await desk.delivered(checkout_id)).order_status == "fulfilled"
    assert [case["outcome"] for case in await cases_of_strangers(desk)] == ["settled"]
    assert await desk.orders() == 1


async def test_a_payment_that_a_person_gave_back_buys_nothing_when_it_says_what_it_was_for(desk):
    checkout_id = await desk.open()
    price = await price_of(desk, checkout_id)
    await heard(desk, "uid-1", paid=price)
    (case,) = await cases_of_strangers(desk)
    await decide(desk.deps, case["id"], "refunded", "given back", "test")
    await heard(desk, "uid-1", paid=price, checkout_id=checkout_id)
    assert (await desk.checkout(checkout_id)).order_id is None
    assert await desk.orders() == 0
    assert await desk.unaccounted() == []


async def test_a_payment_whose_refund_was_told_before_it_buys_nothing_by_itself(desk):
    checkout_id = await desk.open()
    price = await price_of(desk, checkout_id)
    await heard(desk, "uid-2", paid=price, checkout_id=checkout_id, kind=PaymentKind.REFUND)
    await heard(desk, "uid-1", paid=price, checkout_id=checkout_id)
    found = await desk.checkout(checkout_id)
    assert (found.status, found.order_id, await desk.orders()) == ("needs_review", None, 0)
    assert sorted(case.reason for case in found.cases) == ["order_refused", "refund"]
    assert await desk.unaccounted() == []
    (case,) = [one for one in found.cases if one.reason == "order_refused"]
    await decide(desk.deps, case.id, "placed", "the refund was of something else", "test")
    assert (await desk.delivered(checkout_id)).order_status == "fulfilled"


@pytest.mark.parametrize("told", [{"state": PaymentState.FAILED}, {"kind": PaymentKind.REFUND}, {"paid": "half"}])
async def test_a_captured_payment_that_is_told_otherwise_later_is_shown_to_a_person_once(desk, told):
    checkout_id = await desk.open()
    price = await price_of(desk, checkout_id)
    paid = await heard(desk, "uid-1", paid=price, checkout_id=checkout_id)
    other = {**told, "paid": price * Decimal("0.5") if "paid" in told else price}
    for _ in range(2):
        await heard(desk, "uid-1", checkout_id=checkout_id, **other)
    found = await desk.checkout(checkout_id)
    assert [(case.reason, case.payment.id) for case in found.cases] == [("other_movement", paid)]
    await decide(desk.deps, checkout_id, "closed", "the bank was asked", "test")
    await heard(desk, "uid-1", checkout_id=checkout_id, **other)  # the very same once more
    found = await desk.checkout(checkout_id)
    assert (found.status, len(found.cases), [one.accepted for one in found.payments]) == ("paid", 1, [True])
    await heard(desk, "uid-1", checkout_id=checkout_id, paid=price, state=PaymentState.PENDING)  # only late
    assert (await desk.checkout(checkout_id)).status == "paid"


async def test_a_payment_that_cannot_be_judged_goes_to_a_person_and_holds_up_no_other(desk, monkeypatch):
    checkout_id = await desk.open()

    async def broken(*_):
        raise asyncpg.CheckViolationError("never")

    with monkeypatch.context() as fault:
        fault.setattr(payments, "take", broken)
        await desk.tell(f"pay/{(await desk.checkout(checkout_id)).link_id}", {"outcome": "pay"})
        while not await desk.deps.pool.fetchval("SELECT count(*) FROM payments"):  # noqa: ASYNC110 - another writes it
            await asyncio.sleep(0.02)
        desk.counter.clock.pass_(seconds=10)
        await payments.settle_what_is_left(desk.deps)
        assert (await desk.checkout(checkout_id)).status == "open"  # it may pass
        desk.counter.clock.pass_(minutes=10)
        await payments.settle_what_is_left(desk.deps)
        found = await desk.checkout(checkout_id)
        assert (found.status, found.review.reason) == ("needs_review", "order_refused")
        assert await payments.settle_what_is_left(desk.deps) == 0
    desk.counter.clock.ahead = timedelta(0)
    await decide(desk.deps, checkout_id, "placed", "it is mended", "test")
    assert (await desk.delivered(checkout_id)).order_status == "fulfilled"


async def test_a_payment_that_was_under_way_at_the_end_of_its_link_is_seen_after_it_was_closed(desk):
    checkout_id = await desk.open()
    desk.counter.clock.pass_(hours=1, minutes=1)
    closed = await desk.looked(checkout_id)
    assert closed.status == "expired"
    await desk.trigger("notice_never")
    await desk.trigger("after_expiry")
    await desk.pay(checkout_id)
    found = await desk.looked(checkout_id, 5)
    assert (found.status, found.review.reason) == ("needs_review", "payment_not_seen")


async def test_a_link_that_vanished_while_it_could_be_paid_goes_to_a_person(desk, monkeypatch):
    async def gone(_):
        raise NotFound("no such product")

    checkout_id = await desk.open()
    with monkeypatch.context() as away:
        away.setattr(desk.deps.payments["bepaid"].provider, "link", gone)
        assert (await desk.looked(checkout_id)).status == "open"  # a notification may be on its way
        assert (await desk.looked(checkout_id, 3)).review.reason == "payment_not_seen"
    late = await desk.open()
    monkeypatch.setattr(desk.deps.payments["bepaid"].provider, "link", gone)
    desk.counter.clock.pass_(hours=2)  # what is not there any more when its time is over has done no harm
    found = await desk.looked(late, 3)
    assert (found.status, found.next_look_at) == ("expired", None)


async def test_a_link_that_was_away_for_a_moment_is_looked_at_as_before(desk, monkeypatch):
    async def gone(_):
        raise NotFound("no such product")

    checkout_id = await desk.open()
    with monkeypatch.context() as away:
        away.setattr(desk.deps.payments["bepaid"].provider, "link", gone)
        await desk.looked(checkout_id)
    assert (await desk.looked(checkout_id, 2)).status == "open"
    desk.listening = False
    await desk.pay(checkout_id)
    assert (await desk.looked(checkout_id)).status == "open"  # its three minutes begin now


async def test_a_link_that_cannot_be_closed_is_asked_about_ever_less_and_then_no_more(desk, monkeypatch):
    asked = []

    async def refused(link_id):
        asked.append(link_id)
        raise InvalidRequest("expired_at: is in the past")

    monkeypatch.setattr(desk.deps.payments["bepaid"].provider, "close_link", refused)
    checkout_id = await desk.open()
    desk.counter.clock.pass_(hours=1, minutes=1)
    found = await desk.looked(checkout_id, 40)
    assert (found.status, found.next_look_at) == ("expired", None)
    assert 2 <= len(asked) < 10
    placed = await desk.open()
    await heard(desk, "uid-1", paid=await price_of(desk, placed), checkout_id=placed)
    asked.clear()
    found = await desk.looked(placed, 400)
    assert (found.order_id is not None, found.next_look_at) == (True, None)
    assert 2 <= len(asked) < 220  # for two days, each quarter of an hour


async def test_a_link_that_was_never_told_is_not_looked_for_without_end(desk, monkeypatch):
    await desk.trigger("hang")
    checkout_id = await desk.open()
    assert (await desk.looked(checkout_id, 12)).status == "failed"
    gone = dict(desk.deps.payments)
    desk.deps.payments.clear()
    try:
        found = await desk.looked(checkout_id, 400)
    finally:
        desk.deps.payments.update(gone)
    assert (found.status, found.next_look_at) == ("failed", None)


async def test_orphans_of_another_link_stay_alone(desk):
    checkout_id = await desk.open()
    await heard(desk, "uid-1", paid=await price_of(desk, checkout_id), link_id="prd_ofanothershop")
    other = await desk.open()
    assert (await desk.checkout(other)).payments == []
    assert await desk.orders() == 0
    assert [case["closed_at"] for case in await cases_of_strangers(desk)] == [None]


async def test_of_two_payments_a_person_names_the_one_that_pays(desk):
    """The first is no money: an order for it would leave the customer's own payment without one."""
    checkout_id = await desk.open()
    price = await price_of(desk, checkout_id)
    await heard(desk, "uid-1", paid=price, checkout_id=checkout_id, test=False)
    half = await heard(desk, "uid-2", paid=price * Decimal("0.5"), checkout_id=checkout_id)
    refused = await decide(desk.deps, checkout_id, "placed", "it is paid", "test")
    assert isinstance(refused, Problem)
    assert refused.code == "conflict"
    (case,) = [one for one in (await desk.checkout(checkout_id)).cases if one.payment.id == half]
    assert case.id in refused.detail
    await decide(desk.deps, case.id, "placed", "this one", "test")
    found = await desk.checkout(checkout_id)
    assert [one.accepted for one in found.payments] == [False, True]
    assert await desk.orders() == 1


async def test_an_order_that_is_delivered_after_its_money_was_given_back_is_shown_to_a_person(desk):
    checkout_id = await desk.open()
    desk.counter.trigger("s2s", "charge_then_500")
    desk.counter.trigger("s2s", "list_lag", seconds=3600)
    await desk.pay(checkout_id)
    order = (await desk.checkout(checkout_id)).order_id
    await idle(desk.deps)
    desk.counter.clock.pass_(minutes=15)
    await process_order(desk.deps, order, poll=True)
    await decide(desk.deps, checkout_id, "refunded", "given back", "test")
    assert (await desk.checkout(checkout_id)).status == "paid"
    desk.counter.show_late_orders("s2s")
    await process_order(desk.deps, order, poll=True)
    found = await desk.checkout(checkout_id)
    assert (found.order_status, found.review.reason) == ("fulfilled", "other_movement")


async def test_a_decision_about_something_else_does_not_account_for_money_whose_order_failed(desk):
    checkout_id = await desk.open()
    price = await price_of(desk, checkout_id)
    await heard(desk, "uid-1", paid=price, checkout_id=checkout_id)
    await heard(desk, "uid-1", paid=price, checkout_id=checkout_id, state=PaymentState.FAILED)
    await decide(desk.deps, checkout_id, "closed", "the bank was asked", "test")
    await desk.delivered(checkout_id)
    assert await desk.unaccounted() == []
    await desk.deps.pool.execute("UPDATE orders SET status = 'failed', failure_code = 'refused'")
    assert await desk.unaccounted() == ["not_delivered"]
