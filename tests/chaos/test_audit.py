"""The audit finds what it is there to find."""

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.chaos.audit import Seen, audit

ATTEMPT, OTHER = f"att_{'a' * 24}", f"att_{'b' * 24}"


def charge(attempt=ATTEMPT, **more):
    return {
        "order_id": "theirs",
        "kind": "esim",
        "reference": attempt,
        "details": {},
        "charged": "5.00",
        "refunded": "0",
        "state": "completed",
        "delivered": True,
        "iccid": "8901",
        "given": [],
        "knowable": True,
        "triggers": [],
        **more,
    }


def attempt(name=ATTEMPT, **more):
    return {
        "id": name,
        "order_id": "ord_1",
        "kind": "purchase",
        "supplier": "s2s",
        "state": "succeeded",
        "error_code": None,
        "supplier_order_id": "theirs",
        "item": None,
        **more,
    }


def order(**more):
    return {"id": "ord_1", "kind": "esim", "status": "fulfilled", "checkout_id": None, "units": 1, **more}


def entry(kind="charge", amount="5.00", of=ATTEMPT):
    return {"attempt_id": of, "kind": kind, "amount": Decimal(amount)}


GOOD = Seen(
    charges={"s2s": [charge()]},
    orders=[order()],
    attempts=[attempt()],
    ledger=[entry()],
    esims=[{"order_id": "ord_1", "supplier": "s2s", "iccid": "8901"}],
    keys={"k": "ord_1"},
    promised={"k": "ord_1"},
)


def test_what_is_well_has_no_fault():
    report = audit(GOOD)
    assert report.faults == []
    assert report.named == []
    assert report.share == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"charges": {"s2s": [charge(), charge()]}}, "was charged 2 times"),
        (
            {"charges": {"s2s": [charge(), charge(OTHER)]}, "attempts": [attempt(), attempt(OTHER, state="failed")]},
            "was bought 2 times",
        ),
        ({"charges": {"s2s": [charge(), charge(OTHER)]}}, "belongs to no attempt"),
        ({"charges": {"s2s": [], "pikasim": [charge()]}}, "belongs to no attempt"),
        ({"charges": {"s2s": []}}, "fulfilled without a charge"),
        ({"charges": {"s2s": [charge(charged="6.00")]}}, "they took 6.00, our ledger has 5.00"),
        ({"ledger": []}, "our ledger has 0"),
        ({"ledger": [entry(), entry("refund")]}, "our ledger has 0"),
        ({"promised": {"k": "ord_9"}}, "is lost"),
        ({"keys": {}}, "has no key"),
        ({"keys": {"k": "ord_1", "l": "ord_1"}, "promised": {"m": "ord_1"}}, "key m"),
        ({"orders": [order(status="pending")]}, "is still pending"),
        ({"esims": []}, "has no eSIM"),
        ({"esims": [*GOOD.esims, *GOOD.esims]}, "another order too"),
        ({"esims": [{"order_id": "ord_1", "supplier": "s2s", "iccid": "8902"}]}, "was not charged for it"),
        (
            {"orders": [order(status="needs_review")], "attempts": [attempt(state="unknown")], "esims": []},
            "waits for a person",
        ),
        (
            {"orders": [order(status="needs_review")], "attempts": [attempt(state="unknown")], "esims": []},
            "only 0.0%",
        ),
    ],
)
def test_each_thing_that_is_wrong_is_named(change, words):
    faults = audit(replace(GOOD, **change)).faults
    assert any(words in line for line in faults), faults


def test_a_charge_that_nobody_can_find_out_is_named_with_its_one_attempt():
    report = audit(
        replace(
            GOOD,
            charges={"s2s": [charge(knowable=False)]},
            orders=[order(status="needs_review")],
            attempts=[attempt(state="unknown")],
            ledger=[],
            esims=[],
        )
    )
    assert report.faults == []
    (line,) = report.named
    assert ATTEMPT in line


def test_a_purchase_that_was_given_back_may_be_followed_by_another():
    report = audit(
        replace(
            GOOD,
            charges={"s2s": [charge(), charge(OTHER, refunded="5.00", state="failed", delivered=False)]},
            attempts=[attempt(), attempt(OTHER, state="failed")],
        )
    )
    assert report.faults == []


def test_the_refund_of_a_cancel_is_its_purchase_s():
    report = audit(
        replace(
            GOOD,
            charges={"s2s": [charge(refunded="4.80", state="cancelled")]},
            orders=[order(status="cancelled")],
            attempts=[attempt(), attempt(OTHER, kind="cancel")],
            ledger=[entry(), entry("refund", "4.80", OTHER)],
        )
    )
    assert report.faults == []
