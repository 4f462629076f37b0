"""Orders, eSIMs and money beyond the page's examples: other words, other keys, missing parts."""

from datetime import UTC, datetime

import msgspec
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from providers.s2s import orders, wire
from schemas.account import Transaction, TransactionKind
from schemas.esim import ProfileState, ServiceState
from schemas.money import Money
from schemas.order import SupplierOrderState
from tests.providers.s2s.examples import example

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LPA = "LPA:1$rsp.example.com$K2-ABC-123"


def changed(name, kind, at=(), **changes):
    """An example with some fields of its ``data`` (or of what ``at`` leads to) changed, decoded."""
    body = msgspec.json.decode(example(name))
    place = body["data"]
    for step in at:
        place = place[step]
    place |= changes
    return msgspec.convert(body, kind, strict=False).data


def order(**changes):
    return orders.order(changed("order", wire.OrderAnswer, **changes))


def delivered(*pieces):
    return orders.order(changed("order", wire.OrderAnswer, ("items", 0), delivery_data=list(pieces))).delivery


def esim(**changes):
    return orders.esim_status(changed("esim_status", wire.EsimStatusAnswer, **changes), NOW)


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("created", SupplierOrderState.PENDING),
        ("processing", SupplierOrderState.PENDING),
        ("completed", SupplierOrderState.COMPLETED),
        ("cancelled", SupplierOrderState.CANCELLED),
        ("failed", SupplierOrderState.FAILED),
        ("partially_completed", SupplierOrderState.PARTIAL),
    ],
)
def test_every_status_of_the_page_has_its_state(word, state):
    assert order(status=word).state is state


def test_a_status_that_the_page_does_not_name_is_pending_and_one_log_line():
    with structlog.testing.capture_logs() as lines:
        assert order(status="teleported").state is SupplierOrderState.PENDING
    assert [(line["event"], line["word"]) for line in lines] == [("supplier_term_unknown", "teleported")]


@pytest.mark.parametrize("word", ["failed", "cancelled"])
def test_the_total_of_an_order_that_failed_is_no_charge(word):
    assert order(status=word).charged is None


def test_an_order_s_errors_are_those_of_its_items():
    failed = changed("order", wire.OrderAnswer, ("items", 0), error_message="No <b>stock</b> left")
    assert orders.order(failed).error == "No stock left"


@pytest.mark.parametrize("nothing", [None, []])
def test_an_order_that_still_runs_has_no_delivery(nothing):
    running = changed("order", wire.OrderAnswer, ("items", 0), delivery_data=nothing)
    assert orders.order(running).delivery is None


@pytest.mark.parametrize(
    "piece",
    [
        {"lpa": LPA},
        {"activation_code": LPA},
        {"qr_code": LPA},
        {"activation_code": LPA.removeprefix("LPA:")},
        {"smdp_address": "rsp.example.com", "matching_id": "K2-ABC-123"},
        {"activation_code": "pending", "qr_code": LPA},
    ],
)
def test_an_activation_code_is_found_under_any_of_its_keys(piece):
    delivery = delivered({"iccid": "8944422711108338982"} | piece)
    assert (delivery.iccid, delivery.activation_code) == ("8944422711108338982", LPA)
    assert (delivery.smdp_address, delivery.matching_id) == ("rsp.example.com", "K2-ABC-123")


def test_delivery_data_may_be_one_object_instead_of_a_list():
    one = changed("order", wire.OrderAnswer, ("items", 0), delivery_data={"lpa": LPA})
    assert orders.order(one).delivery.activation_code == LPA


@pytest.mark.parametrize(("word", "kind"), [("refund", TransactionKind.REFUND), ("bonus", TransactionKind.OTHER)])
def test_other_movements_of_the_balance(word, kind):
    (raw, *_) = msgspec.json.decode(example("balance_history"), type=wire.Page).data
    move = msgspec.structs.replace(msgspec.json.decode(raw, type=wire.BalanceMove), type=word)
    assert orders.transaction(move).kind is kind
    assert orders.transaction(move).amount == Money.of("-29.09", "USD")


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("Released", ProfileState.RELEASED),
        ("Downloaded", ProfileState.DOWNLOADED),
        ("Installed", ProfileState.INSTALLED),
        ("ENABLED", ProfileState.ENABLED),
        ("disabled", ProfileState.DISABLED),
        ("deleted", ProfileState.DELETED),
        ("Sleeping", ProfileState.UNKNOWN),
    ],
)
def test_the_status_word_is_the_profile_s_state(word, state):
    assert esim(status=word).profile_state is state


def package(remaining, unit="GB", expires="2026-02-15T10:00:00Z"):
    return {"name": "p", "data_total": 10, "data_remaining": remaining, "data_unit": unit, "expires_at": expires}


@pytest.mark.parametrize(
    ("packages", "state"),
    [
        ([], ServiceState.NOT_ACTIVE),
        (None, ServiceState.NOT_ACTIVE),
        ([package(0)], ServiceState.DEPLETED),
        ([package(0), package(0.5)], ServiceState.ACTIVE),
        ([package(-0.2)], ServiceState.DEPLETED),
        ([package(None)], ServiceState.UNKNOWN),
        ([package(3, unit="apples")], ServiceState.ACTIVE),
    ],
)
def test_the_service_follows_from_the_packages(packages, state):
    assert esim(active_packages=packages).service_state is state


def test_an_enabled_profile_without_a_package_is_not_active():
    status = esim(status="ENABLED", active_packages=[])
    assert (status.profile_state, status.service_state) == (ProfileState.ENABLED, ServiceState.NOT_ACTIVE)


@pytest.mark.parametrize("word", ["CANCEL", "revoked", "Revoke"])
def test_an_esim_that_was_taken_back_is_revoked_whatever_its_packages(word):
    assert esim(status=word).service_state is ServiceState.REVOKED


def test_an_esim_lasts_as_long_as_its_last_package():
    packages = [package(1, expires="2026-03-01T00:00:00+02:00"), package(1, expires="soon"), package(1, expires=None)]
    assert esim(active_packages=packages).expires_at == datetime(2026, 2, 28, 22, 0, tzinfo=UTC)


@pytest.mark.parametrize(("unit", "total"), [("GB", 10240), ("MB", 10), ("gb", 10240), ("TiB", None), (None, None)])
def test_amounts_are_counted_in_their_unit(unit, total):
    data = {"total_gb": 10, "remaining_gb": 8, "unit": unit}
    assert esim(data_balance=data).data.total_mb == total


def test_a_small_rest_is_not_rounded_away():
    assert esim(active_packages=[package(0.0001)]).service_state is ServiceState.ACTIVE


@given(st.text(max_size=40))
def test_no_text_makes_reading_a_time_fail(text):
    moment = orders.moment(text)
    assert moment is None or moment.tzinfo is UTC


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", -1, None])
def test_a_total_that_is_no_amount_is_no_charge_that_is_known(word):
    assert order(total_amount=word).charged is None


@pytest.mark.parametrize("word", ["NaN", "Infinity", 10**30, None])
def test_data_that_is_no_amount_is_unknown(word):
    status = esim(active_packages=[package(word)], data_balance={"total_gb": word, "remaining_gb": 1, "unit": "GB"})
    assert (status.packages[0].remaining_mb, status.data.total_mb, status.data.used_mb) == (None, None, None)


def test_less_than_no_data_left_is_none_left():
    assert esim(active_packages=[package(-0.2)]).packages[0].remaining_mb == 0


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"])
def test_a_time_at_the_end_of_all_days_cannot_be_read(text):
    assert orders.moment(text) is None


def line(amount, order_id="o-1"):
    return Transaction(TransactionKind.OTHER, Money.of(amount, "USD"), NOW, order_id)


@pytest.mark.parametrize(
    ("amounts", "held"),
    [(["-5"], "5"), (["-5", "5"], "0"), (["-5", "4.99"], "0.01"), (["-5", "6"], "0"), (["3"], "0")],
)
def test_what_is_held_is_charges_less_refunds_and_never_below_zero(amounts, held):
    lines = [line("-99", "another"), *map(line, amounts), line("7", None)]
    assert orders.net_charge(lines, "o-1") == Money.of(held, "USD")


def test_without_a_line_of_the_order_nothing_is_known_of_its_money():
    assert orders.net_charge([line("-5", "another"), line("-5", None)], "o-1") is None
