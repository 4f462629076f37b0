"""The audit finds what is wrong with payments."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.chaos.audit import audit
from tests.chaos.audit_payments import Paid, audit_payments
from tests.chaos.test_audit import GOOD, order

CHECKOUT = f"co_{'c' * 24}"
END = datetime(2026, 11, 20, 13, tzinfo=UTC)


def product(name="prd_1", checkout=CHECKOUT):
    return {"id": name, "description": f"eSIM: Japan [{checkout}]", "quantity": 0, "triggers": []}


def theirs(uid="uid-1", **more):
    """A payment at its supplier."""
    return {
        "uid": uid,
        "product_id": "prd_1",
        "status": "successful",
        "type": "payment",
        "captured": True,
        "test": True,
        "told": True,
        "paid": {"amount": "5.50", "currency": "USD"},
        "paid_at": "2026-11-20T12:30:00.000Z",
        "triggers": [],
        **more,
    }


def ours(payment_id="uid-1", **more):
    """The same as we have it."""
    return {
        "id": f"pay_{payment_id}",
        "payment_id": payment_id,
        "checkout_id": CHECKOUT,
        "state": "captured",
        "amount": Decimal("5.50"),
        "currency": "USD",
        "accepted": True,
        **more,
    }


def checkout(**more):
    return {
        "id": CHECKOUT,
        "status": "paid",
        "mode": "test",
        "price": Decimal("5.50"),
        "currency": "USD",
        "link_id": "prd_1",
        "expires_at": END,
        **more,
    }


def case(reason, payment=None, **more):
    return {"id": "pc_1", "checkout_id": CHECKOUT, "payment_id": payment, "reason": reason, "closed_at": None, **more}


def placed(name="ord_1", **more):
    return order(id=name, **{"checkout_id": CHECKOUT, **more})


PAID = Paid(products=[product()], theirs=[theirs()], checkouts=[checkout()], ours=[ours()])
TWICE = {
    "theirs": [theirs(triggers=["paid_twice"]), theirs("uid-2", triggers=["paid_twice"])],
    "ours": [ours(), ours("uid-2", accepted=False)],
}
UNTOLD = {"theirs": [theirs(told=False, triggers=["notice_never"])], "ours": []}
PART = [theirs(), theirs("uid-2", type="refund", captured=False, paid={"amount": "5.49", "currency": "USD"})]
MORE = [theirs(), theirs("uid-2", type="refund", captured=False)]


def found(orders=(), **change):
    return audit_payments(replace(PAID, **change), orders)


def test_a_payment_that_became_a_fulfilled_order_is_well():
    report = found([placed()])
    assert (report.faults, report.doubles, report.waiting, report.delivered) == ([], [], [], 1)


def test_an_order_that_its_whole_refund_cancelled_needs_nobody():
    report = found([placed(status="cancelled")], theirs=MORE, ours=[ours(), ours("uid-2", accepted=False)])
    assert (report.faults, report.doubles, report.waiting, report.delivered) == ([], [], [], 0)


@pytest.mark.parametrize(
    ("orders", "change"),
    [
        ([placed()], {**TWICE, "cases": [case("paid_twice", "pay_uid-2")]}),
        ([], {**UNTOLD, "cases": [case("payment_not_seen")]}),
        ([], {"ours": [ours(state="pending", accepted=False)], "cases": [case("payment_not_seen")]}),
        ([placed(status="failed")], {"cases": [case("undeliverable")]}),
        (
            [placed()],
            {
                "theirs": [theirs(), theirs("uid-2", type="refund", captured=False, triggers=["refunded"])],
                "ours": [ours(), ours("uid-2", accepted=False)],
                "cases": [case("refund", "pay_uid-2")],
            },
        ),
        (
            [],
            {
                "theirs": [theirs(type="authorization", captured=False, told=False)],
                "ours": [],
                "cases": [case("payment_not_seen")],
            },
        ),
        (
            [],
            {
                "theirs": [theirs(paid_at="2026-11-20T13:00:01.000Z")],
                "ours": [ours(accepted=False)],
                "cases": [case("paid_late", "pay_uid-1")],
            },
        ),
    ],
)
def test_money_that_a_person_is_asked_about_is_well_and_named(orders, change):
    report = found(orders, **change)
    assert (report.faults, report.doubles) == ([], [])
    assert any("uid-" in line for line in report.waiting)


@pytest.mark.parametrize(
    ("orders", "change", "words"),
    [
        ([placed()], {"products": [product(), product("prd_2")]}, "has 2 links"),
        ([placed()], {"products": [product(), product("prd_2", f"co_{'d' * 24}")]}, "prd_2 belongs to no checkout"),
        ([placed()], {"checkouts": [checkout(status="open")]}, "is still open"),
        ([placed()], {"checkouts": [checkout(link_id="prd_2")]}, "has another's link"),
        ([placed(), placed("ord_2")], {}, "placed 2 orders"),
        (
            [placed()],
            {"ours": [ours(), ours("uid-2")], "theirs": [theirs(), theirs("uid-2")]},
            "2 payments were accepted",
        ),
        ([placed()], {"ours": []}, "which nobody paid"),
        ([placed()], {"theirs": []}, "which nobody paid"),
        ([placed()], {"theirs": [theirs(captured=False, status="failed")]}, "which nobody paid"),
        ([placed()], {"theirs": [theirs(paid={"amount": "5.49", "currency": "USD"})]}, "which nobody paid"),
        ([placed()], {"theirs": [theirs(paid={"amount": "5.50", "currency": "EUR"})]}, "which nobody paid"),
        ([placed()], {"theirs": [theirs(test=False)]}, "which nobody paid"),
        ([placed()], {"theirs": [theirs(product_id="prd_9")]}, "which nobody paid"),
        ([], {"ours": []}, "was told and is lost"),
        ([], UNTOLD, "waits for nobody"),
        ([], {"ours": [ours(accepted=False)]}, "waits for nobody"),
        ([], {"ours": [ours(accepted=False)], "cases": [case("paid_late", "pay_other")]}, "waits for nobody"),
        ([], {}, "waits for nobody"),
        ([placed(status="failed")], {}, "waits for nobody"),
        ([placed(status="failed")], {"cases": [case("undeliverable", closed_at=END)]}, "waits for nobody"),
        ([placed()], TWICE, "uid-2 of 5.50 USD"),
        ([placed()], {"ours": [ours(amount=Decimal("5.60"))]}, "stands with us as 5.60"),
        ([placed()], {"ours": [ours(checkout_id=f"co_{'d' * 24}")]}, "stands with us as co_d"),
        ([placed()], {"theirs": MORE, "ours": [ours(), ours("uid-2", accepted=False)]}, "refund uid-2"),
        ([placed()], {"theirs": MORE}, "refund uid-2"),
        ([placed(status="cancelled")], {}, "waits for nobody"),
        ([placed(status="cancelled")], {"theirs": MORE}, "payment uid-1"),
        (
            [placed(status="cancelled")],
            {"theirs": PART, "ours": [ours(), ours("uid-2", accepted=False)]},
            "refund uid-2",
        ),
        (
            [],
            {"theirs": [theirs(type="authorization", captured=False, told=False)], "ours": []},
            "authorization uid-1",
        ),
        ([placed()], {"cases": [case("paid_twice", "pay_uid-1")]}, "no such thing happened"),
        ([placed()], {"unaccounted": ["uid-1"]}, "unaccounted for"),
        ([placed()], {"unpaid": ["ord_1"]}, "was not paid"),
    ],
)
def test_each_thing_that_is_wrong_is_named(orders, change, words):
    report = found(orders, **change)
    lines = [*report.faults, *report.doubles]
    assert any(words in line for line in lines), lines


def test_two_orders_of_one_checkout_are_doubles_of_the_whole_audit():
    orders = [placed(), placed("ord_2", status="failed")]
    report = audit(replace(GOOD, orders=orders, paid=PAID, keys={"k": "ord_1", "m": CHECKOUT}))
    assert any("placed 2 orders" in line for line in report.doubles)
    assert report.doubles[0] in report.faults


def test_a_checkout_that_was_promised_is_there_under_its_key():
    seen = replace(GOOD, orders=[placed()], paid=PAID, keys={"m": CHECKOUT}, promised={"m": CHECKOUT})
    assert audit(seen).faults == []
    assert audit(seen).paid_for == 1
    lost = replace(seen, promised={"m": f"co_{'d' * 24}"})
    assert any("checkout" in line and "is lost" in line for line in audit(lost).faults)
    other = replace(seen, keys={"m": "ord_1"})
    assert any("key m was answered with" in line for line in audit(other).faults)
