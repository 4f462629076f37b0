"""The audit finds what is wrong with numbers and vouchers."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.chaos.audit import Seen, audit
from tests.chaos.test_audit import ATTEMPT, OTHER, attempt, charge, entry, order

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
US = {"kind": "number", "country": "US", "country_name": "United States", "tier_id": "7d"}


def sold(**more):
    """A charge for a number, which carries no word of ours."""
    return charge(
        None,
        kind="number",
        order_id="17",
        iccid=None,
        given=["+12025550117"],
        details={"country": "US", "tier": "7d"},
        at=NOON,
        **more,
    )


def asked(name=ATTEMPT, at=NOON, **more):
    """An attempt at a number."""
    values = {"supplier": "beppay", "supplier_order_id": None, "item": US, "signed_at": at, **more}
    return attempt(name, deadline=at + timedelta(seconds=15), **values)


def number(order_id="ord_1", secret="12025550117"):
    return {"order_id": order_id, "supplier": "beppay", "kind": "number", "secret": secret}


def code(secret, order_id="ord_1"):
    return {"order_id": order_id, "supplier": "s2s", "kind": "voucher", "secret": secret}


NUMBER = Seen(
    charges={"beppay": [sold()]},
    orders=[order(kind="number")],
    attempts=[asked()],
    ledger=[entry()],
    esims=[],
    keys={"k": "ord_1"},
    promised={"k": "ord_1"},
    goods=[number()],
)
VOUCHER = replace(
    NUMBER,
    charges={"s2s": [charge(kind="voucher", iccid=None, given=["pin-1", "pin-2"])]},
    orders=[order(kind="voucher", units=2)],
    attempts=[attempt()],
    goods=[code("pin-1"), code("pin-2")],
)
TWO_ORDERS = {
    "orders": [order(kind="number"), order(id="ord_2", kind="number", status="needs_review")],
    "keys": {"k": "ord_1", "l": "ord_2"},
}


@pytest.mark.parametrize("seen", [NUMBER, VOUCHER])
def test_what_is_well_has_no_fault(seen):
    report = audit(seen)
    assert (report.faults, report.named) == ([], [])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        # Known by the supplier's order, and known by nothing at all.
        ({"charges": {"beppay": [sold(), {**sold(), "order_id": "18", "given": ["+12025550118"]}]}}, "charged 2 times"),
        ({"attempts": [asked(state="failed")], "goods": []}, "fulfilled without a charge"),
        ({"attempts": [asked(item={**US, "tier_id": "1y"})], "goods": []}, "belongs to no attempt"),
        ({"attempts": [asked(at=NOON + timedelta(minutes=1))], "goods": []}, "belongs to no attempt"),
        (
            {"attempts": [asked(item={**US, "country": "GB"}, supplier_order_id="number-17")]},
            "asked for another country or tier",
        ),
        (
            {"attempts": [asked(at=NOON + timedelta(minutes=1), supplier_order_id="number-17")]},
            "did not ask when it was sold",
        ),
        ({"attempts": [asked(at=NOON - timedelta(minutes=1))]}, "did not ask when it was sold"),
        ({"goods": [number(secret="12025550199")]}, "has a number that was not charged for it"),
        ({"goods": []}, "has 0 of 1 numbers"),
        ({"goods": [number(), number("ord_2")], **TWO_ORDERS}, "was delivered to ord_1 too"),
        ({"ledger": []}, "our ledger has 0"),
        ({"orders": [order(kind="number", status="pending")]}, "still pending"),
        (
            {
                "orders": [order(kind="number", status="needs_review")],
                "attempts": [asked(state="unknown")],
                "goods": [],
            },
            "waits for a person",
        ),
    ],
)
def test_each_thing_that_is_wrong_with_a_number_is_named(change, words):
    faults = audit(replace(NUMBER, **change)).faults
    assert any(words in line for line in faults), faults


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"charges": {"s2s": [charge(kind="voucher", given=["pin-1"])]}}, "has a code that was not charged for it"),
        ({"goods": [code("pin-1")]}, "has 1 of 2 codes"),
        ({"goods": [code("pin-1"), code("pin-1")]}, "was delivered to ord_1 too"),
        ({"goods": [code("pin-1"), code("pin-2"), code("pin-2", "ord_2")]}, "was delivered to ord_1 too"),
    ],
)
def test_each_thing_that_is_wrong_with_a_voucher_is_named(change, words):
    faults = audit(replace(VOUCHER, **change)).faults
    assert any(words in line for line in faults), faults


def test_a_number_bought_twice_is_a_double_although_its_charges_name_nobody():
    again = {**sold(), "order_id": "18", "given": ["+12025550118"], "at": NOON + timedelta(seconds=5)}
    report = audit(
        replace(
            NUMBER,
            charges={"beppay": [sold(), again]},
            attempts=[asked(OTHER, state="failed"), asked(at=NOON + timedelta(seconds=4))],
            goods=[number(secret="12025550118")],
        )
    )
    assert any("was bought 2 times" in line for line in report.doubles), report


def test_a_number_that_nobody_can_tell_is_named_with_the_attempt_that_asked_last():
    report = audit(
        replace(
            NUMBER,
            charges={"beppay": [sold(knowable=False)]},
            orders=[order(kind="number", status="needs_review")],
            attempts=[asked(state="unknown"), asked(OTHER, at=NOON - timedelta(minutes=5), state="failed")],
            ledger=[],
            goods=[],
        )
    )
    assert report.faults == []
    (line,) = report.named
    assert ATTEMPT in line


def test_a_recharge_is_delivered_without_a_code():
    seen = replace(
        VOUCHER,
        charges={"s2s": [charge(kind="voucher", iccid=None, given=[])]},
        orders=[order(kind="voucher")],
        goods=[code(None)],
    )
    assert audit(seen).faults == []
