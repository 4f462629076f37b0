"""Which failed orders count as failed although an offer was left, on made-up rows."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.chaos.offers_left import failed_with_offer_left

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def order(**more):
    made = {
        "id": "ord_1", "kind": "esim", "status": "failed", "mode": "test", "plan_id": "plan", "max_cost": Decimal(5),
        "only_suppliers": [], "ignore_suppliers": [], "failure_code": "supplier_unavailable", "updated_at": NOW,
    }  # fmt: skip
    return made | more


def offer(supplier="s2s", plan="one", cost="4"):
    return {"supplier": supplier, "supplier_plan_id": plan, "plan_id": "plan", "mode": "test", "cost": Decimal(cost)}


def attempt(order_id="ord_1", supplier="s2s", plan="one", error="out_of_stock", ago=1.0):
    return {
        "order_id": order_id, "supplier": supplier, "supplier_plan_id": plan, "state": "failed", "error_code": error,
        "ended_at": NOW - timedelta(seconds=ago),
    }  # fmt: skip


def left(orders, attempts, offers):
    rests = {"offer_rests": timedelta(seconds=3), "supplier_rests": timedelta(seconds=2)}
    return failed_with_offer_left(orders, attempts, offers, tolerances={"pikasim": Decimal("0.05")}, **rests)


def test_an_offer_that_was_never_tried_is_named():
    assert left([order()], [], [offer(), offer("beppay", "two")]) == {"ord_1": ["s2s one", "beppay two"]}


@pytest.mark.parametrize("error", ["circuit_open", "deadline_passed"])
def test_our_own_breaker_and_clock_are_no_refusal_of_the_supplier(error):
    tried = attempt(error=error)
    assert left([order()], [tried], [offer(), offer(plan="two")]) == {"ord_1": ["s2s two"]}


@pytest.mark.parametrize(
    ("orders", "attempts", "offers"),
    [
        ([order(status="fulfilled")], [], [offer()]),
        ([order()], [attempt()], [offer()]),
        ([order()], [attempt(plan="other", error="insufficient_balance")], [offer()]),
        ([order()], [attempt("ord_2")], [offer()]),
        ([order()], [attempt("ord_2", plan="other", error="insufficient_balance")], [offer()]),
        ([order()], [], [offer(cost="5.01")]),
        ([order()], [], [offer("pikasim", cost="4.9")]),
        ([order(only_suppliers=["beppay"])], [], [offer()]),
        ([order(ignore_suppliers=["s2s"])], [], [offer()]),
    ],
    ids=["fulfilled", "tried", "no balance", "sold out for another", "no balance for another", "too dear",
         "too dear with its tolerance", "another supplier asked for", "supplier ignored"],
)  # fmt: skip
def test_what_could_not_be_sold_is_no_offer_left(orders, attempts, offers):
    assert left(orders, attempts, offers) == {}


def test_a_refusal_longer_ago_than_the_offer_is_left_alone_for_counts_no_more():
    assert left([order()], [attempt("ord_2", ago=4.0)], [offer()]) == {"ord_1": ["s2s one"]}
