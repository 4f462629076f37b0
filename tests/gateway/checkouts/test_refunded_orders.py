"""A customer who has the money back: the waiting order is cancelled, and what is delivered all the same is a case."""

from dataclasses import replace
from decimal import Decimal

import pytest

from gateway.checkouts import payments
from gateway.checkouts.decisions import decide
from gateway.orders.process import process_order
from schemas.money import Money
from schemas.payment import PaymentKind, PaymentNotice, PaymentState


@pytest.fixture
def desk(desk):
    """Nothing is bought before a test says so."""
    desk.deps = replace(desk.deps, inline=False)
    return desk


async def told(desk, checkout_id, payment_id, *, share="1", **more):
    """A verified notification of a payment, or of the refund of a share of it, judged like any other."""
    price = (await desk.checkout(checkout_id)).price
    paid = Money(Decimal(price.amount) * Decimal(share), price.currency)
    notice = PaymentNotice(
        payment_id, PaymentState.CAPTURED, paid, **{"test": True, "checkout_id": checkout_id, **more}
    )
    account, body = desk.deps.payments["bepaid"], repr(notice).encode()
    ours = await payments._write_down(desk.deps, account, notice, body, desk.deps.clock())
    await payments.settle(desk.deps, ours)
    return ours


async def refunded(desk, checkout_id, payment_id="refund-1", share="1", **more):
    return await told(desk, checkout_id, payment_id, share=share, kind=PaymentKind.REFUND, **more)


async def paid(desk, supplier="pikasim", gigabytes=1):
    """A paid checkout whose order waits."""
    checkout_id = await desk.open(await desk.counter.plan(gigabytes, supplier))
    await told(desk, checkout_id, "payment-1")
    found = await desk.checkout(checkout_id)
    assert (found.status, found.order_status) == ("paid", "pending")
    return checkout_id, found.order_id


async def cases(desk, checkout_id):
    return [(case.reason, case.outcome) for case in (await desk.checkout(checkout_id)).cases]


@pytest.mark.parametrize("supplier", ["pikasim", "s2s"], ids=["takes_back", "takes_nothing_back"])
async def test_a_full_refund_cancels_an_order_that_was_not_sent(desk, supplier):
    checkout_id, order_id = await paid(desk, supplier)
    await refunded(desk, checkout_id)
    assert (await desk.checkout(checkout_id)).order_status == "cancelled"
    await process_order(desk.deps, order_id)
    assert await desk.counter.attempts(order_id) == []
    assert not desk.counter.simulator(supplier).sales()
    found = await desk.checkout(checkout_id)
    assert (found.status, await cases(desk, checkout_id)) == ("paid", [("order_cancelled", "refunded")])
    assert await desk.unaccounted() == []
    # The refund was told already: another one would be news.
    await refunded(desk, checkout_id, "refund-2")
    assert (await cases(desk, checkout_id))[-1] == ("refund", None)


async def test_two_partial_refunds_of_the_whole_price_cancel_it(desk):
    checkout_id, _ = await paid(desk)
    await refunded(desk, checkout_id, "refund-1", "0.4")
    assert (await desk.checkout(checkout_id)).order_status == "pending"
    await refunded(desk, checkout_id, "refund-2", "0.6")
    assert (await desk.checkout(checkout_id)).order_status == "cancelled"


async def test_a_partial_refund_is_a_case_and_cancels_nothing(desk):
    checkout_id, order_id = await paid(desk)
    await refunded(desk, checkout_id, share="0.5")
    found = await desk.checkout(checkout_id)
    assert (found.order_status, found.review.reason) == ("pending", "refund")
    await decide(desk.deps, checkout_id, "refunded", "half of it, as agreed", "test")
    assert (await desk.checkout(checkout_id)).order_status == "pending"
    await process_order(desk.deps, order_id)
    assert (await desk.counter.followed(order_id)).status == "fulfilled"
    assert (await desk.checkout(checkout_id)).status == "paid"


async def test_the_refund_of_a_second_payment_cancels_nothing(desk):
    checkout_id, _ = await paid(desk)
    await told(desk, checkout_id, "payment-2")
    await refunded(desk, checkout_id)
    assert (await desk.checkout(checkout_id)).order_status == "pending"
    await decide(desk.deps, checkout_id, "refunded", "the second one", "test")
    assert (await desk.checkout(checkout_id)).order_status == "pending"


async def test_a_refund_of_test_money_cancels_no_live_order(desk):
    checkout_id, order_id = await paid(desk)
    await desk.deps.pool.execute("UPDATE checkouts SET mode = 'live'")
    await desk.deps.pool.execute("UPDATE payments SET test = false")
    await refunded(desk, checkout_id)
    assert (await desk.counter.order(order_id)).status == "pending"


async def test_a_refund_while_the_outcome_is_unknown_cancels_the_order_once_it_is_known(desk):
    checkout_id, order_id = await paid(desk, gigabytes=10)
    await process_order(desk.deps, order_id)
    assert [one.state for one in await desk.counter.attempts(order_id)] == ["unknown"]
    await refunded(desk, checkout_id)
    assert (await desk.checkout(checkout_id)).order_status == "cancel_pending"
    assert (await desk.counter.followed(order_id)).status == "cancelled"
    assert [one.kind for one in await desk.counter.attempts(order_id)] == ["purchase", "cancel"]
    found = await desk.checkout(checkout_id)
    assert (found.status, found.review) == ("paid", None)
    assert await desk.unaccounted() == []


async def test_no_other_supplier_is_asked_after_a_refund(desk):
    """The one that was asked takes nothing back, and it turns out that nothing was bought there."""
    checkout_id, order_id = await paid(desk, "s2s", 2)  # another supplier has this plan, too
    desk.counter.trigger("s2s", "hang")
    await process_order(desk.deps, order_id)
    assert [one.state for one in await desk.counter.attempts(order_id)] == ["unknown"]
    await refunded(desk, checkout_id)
    counter = desk.counter.with_("s2s", trust_absence=True)
    assert (await counter.followed(order_id, looks=20)).status == "cancelled"
    assert [one.state for one in await counter.attempts(order_id)] == ["failed"]
    assert not [sale for supplier in ("beppay", "pikasim", "s2s") for sale in counter.simulator(supplier).sales()]


async def test_what_is_delivered_after_a_refund_is_a_case_that_names_the_order(desk):
    checkout_id, order_id = await paid(desk, "s2s")
    desk.counter.trigger("s2s", "charge_then_reset")
    await process_order(desk.deps, order_id)
    assert [one.state for one in await desk.counter.attempts(order_id)] == ["unknown"]
    await refunded(desk, checkout_id)
    assert (await desk.counter.followed(order_id)).status == "fulfilled"  # this supplier takes nothing back
    found = await desk.checkout(checkout_id)
    assert found.status == "needs_review"
    late = next(case for case in found.cases if case.reason == "other_movement")
    assert (order_id in late.detail, late.outcome) == (True, None)
    assert "delivered_after_refund" in await desk.counter.timeline(order_id)


async def test_a_case_about_its_payment_that_is_closed_as_refunded_cancels_the_order(desk):
    """The payment itself is told otherwise after it was captured, and the bank confirms that the money is gone."""
    checkout_id, order_id = await paid(desk)
    await told(desk, checkout_id, "payment-1", share="0.5")
    assert (await desk.checkout(checkout_id)).review.reason == "other_movement"
    await decide(desk.deps, checkout_id, "refunded", "all of it went back", "test")
    found = await desk.checkout(checkout_id)
    assert (found.order_status, found.status) == ("cancelled", "paid")
    assert await desk.counter.attempts(order_id) == []
    assert await desk.unaccounted() == []


async def test_a_case_that_is_closed_and_not_refunded_lets_the_order_go_on(desk):
    checkout_id, _ = await paid(desk)
    await told(desk, checkout_id, "payment-1", share="0.5")
    await decide(desk.deps, checkout_id, "closed", "the bank was asked", "test")
    assert (await desk.checkout(checkout_id)).order_status == "pending"


async def test_an_order_in_review_that_is_refunded_by_hand_is_given_back_when_it_turns_up(desk):
    checkout_id, order_id = await paid(desk, gigabytes=10)
    await process_order(desk.deps, order_id)
    await desk.deps.pool.execute("UPDATE orders SET status = 'needs_review'")
    await desk.deps.pool.execute(
        "INSERT INTO payment_cases (id, checkout_id, reason, mode, opened_at)"
        " VALUES ('pc_1', $1, 'undeliverable', 'test', now())",
        checkout_id,
    )
    await decide(desk.deps, "pc_1", "refunded", "given back", "test")
    await process_order(desk.deps, order_id, poll=True)
    assert (await desk.counter.followed(order_id)).status == "cancelled"
    assert (await desk.checkout(checkout_id)).review is None
    assert await desk.unaccounted() == []


async def test_a_refund_of_a_delivered_order_is_a_case_as_before(desk):
    checkout_id, order_id = await paid(desk)
    await process_order(desk.deps, order_id)
    assert (await desk.counter.followed(order_id)).status == "fulfilled"
    await refunded(desk, checkout_id)
    found = await desk.checkout(checkout_id)
    assert (found.order_status, found.review.reason) == ("fulfilled", "refund")
