"""Signatures against vectors made with ``printf %s MESSAGE | openssl dgst -sha256 -hmac SECRET``."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.s2s import signatures, webhook
from schemas.event import SupplierEventType
from tests.providers.s2s.examples import example

SECRET = "partner-secret-of-the-tests"
AT = datetime.fromtimestamp(1768478058, UTC)
WEBHOOK_SIGNATURE = "10b6fb9e87fc096e19e00183d6364b2c5b8f46aacb4737523d52def99720bbd0"
SIGNED = {"X-Timestamp": "1768478058", "X-Signature": WEBHOOK_SIGNATURE}


def test_an_order_is_signed_over_timestamp_sku_and_reference():
    assert signatures.order_headers(SECRET, AT, "019bc0dd-8562-7173-afd9-a5cc534fafb7", "ORD-12345") == {
        "X-Timestamp": "1768478058",
        "X-Signature": "c63dfeb646ce1412f9186b46ac1288363e73abeebef634b33656d2b2031f588b",
    }


def test_a_top_up_is_signed_over_timestamp_iccid_and_reference():
    assert signatures.topup_headers(SECRET, AT, "8944422711108338982", "topup-12345") == {
        "X-Timestamp": "1768478058",
        "X-Signature": "7ba51950c4a18313a0350c71e7c9d0cf3bdd7eaf7a57fe42f4216379aca14537",
    }


def test_the_timestamp_on_the_wire_is_the_attempt_s_own_second():
    headers = signatures.order_headers(SECRET, AT + timedelta(milliseconds=999), "sku", "ref")
    assert headers["X-Timestamp"] == "1768478058"


def test_the_page_s_webhook_verifies_under_its_signature():
    assert webhook.verify(SIGNED, example("webhook"), SECRET, AT)


def test_header_names_are_read_in_any_case_and_the_hex_too():
    headers = {"x-timestamp": "1768478058", "X-SIGNATURE": WEBHOOK_SIGNATURE.upper()}
    assert webhook.verify(headers, example("webhook"), SECRET, AT)


@pytest.mark.parametrize("late", [timedelta(seconds=300), timedelta(seconds=-300)])
def test_a_webhook_holds_for_five_minutes_either_way(late):
    assert webhook.verify(SIGNED, example("webhook"), SECRET, AT + late)


@pytest.mark.parametrize("late", [timedelta(seconds=301), timedelta(seconds=-301), timedelta(days=365)])
def test_a_webhook_beyond_five_minutes_is_refused(late):
    assert not webhook.verify(SIGNED, example("webhook"), SECRET, AT + late)


def test_a_moved_timestamp_breaks_the_signature():
    moved = SIGNED | {"X-Timestamp": "1768478059"}
    assert not webhook.verify(moved, example("webhook"), SECRET, AT)


@pytest.mark.parametrize("field", ["event", "idempotency_key"])
def test_a_changed_envelope_breaks_the_signature(field):
    body = msgspec.json.decode(example("webhook")) | {field: "something-else"}
    assert not webhook.verify(SIGNED, msgspec.json.encode(body), SECRET, AT)


def test_the_order_is_not_covered_by_the_signature_and_so_is_only_a_hint():
    body = msgspec.json.decode(example("webhook"))
    body["data"]["order"]["total_amount"] = 0.01
    assert webhook.verify(SIGNED, msgspec.json.encode(body), SECRET, AT)


@pytest.mark.parametrize("headers", [{}, {"X-Timestamp": "1768478058"}, {"X-Signature": WEBHOOK_SIGNATURE}])
def test_without_both_headers_nothing_verifies(headers):
    assert not webhook.verify(headers, example("webhook"), SECRET, AT)


@pytest.mark.parametrize(
    "timestamp", ["", "soon", "1768478058.0", " 1768478058", "+1768478058", "١٧٦٨٤٧٨٠٥٨", "9" * 400]
)
def test_a_timestamp_that_is_no_whole_unix_second_is_refused(timestamp):
    assert not webhook.verify(SIGNED | {"X-Timestamp": timestamp}, example("webhook"), SECRET, AT)


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{}", b"\xff", b'{"event": 1, "idempotency_key": "x"}', b"[" * 5000]
)
def test_a_body_without_a_readable_envelope_is_refused(body):
    assert not webhook.verify(SIGNED, body, SECRET, AT)


def test_without_a_secret_nothing_verifies():
    forged = signatures.order_headers("", AT, "order.status_changed", "550e8400-e29b-41d4-a716-446655440000")
    assert not webhook.verify(forged, example("webhook"), "", AT)


@given(st.binary(max_size=200), st.dictionaries(st.text(max_size=20), st.text(max_size=80), max_size=4))
def test_no_bytes_and_no_headers_make_verifying_fail(body, headers):
    assert webhook.verify(headers, body, SECRET, AT) is False


def test_an_event_that_the_page_does_not_describe_is_unknown_and_still_deduplicated():
    (event,) = webhook.parse(b'{"event": "order.teleported", "idempotency_key": "k-1", "data": 7}')
    assert (event.type, event.dedupe_key) == (SupplierEventType.UNKNOWN, "k-1")


def test_a_signed_event_whose_order_cannot_be_read_is_still_an_event():
    (event,) = webhook.parse(b'{"event": "order.status_changed", "idempotency_key": "k-2", "data": null}')
    assert (event.type, event.supplier_order_id) == (SupplierEventType.ORDER_CHANGED, None)


@pytest.mark.parametrize("wrong", ["", "x" * 256, "a\nb", None])
def test_an_id_that_nobody_would_give_points_at_nothing(wrong):
    body = msgspec.json.decode(example("webhook"))
    body["data"]["order"] |= {"id": wrong, "external_id": wrong}
    (event,) = webhook.parse(msgspec.json.encode(body))
    assert (event.supplier_order_id, event.reference) == (None, None)
    assert event.dedupe_key == body["idempotency_key"]


def test_what_else_a_webhook_says_of_its_order_is_not_read():
    body = msgspec.json.decode(example("webhook"))
    body["data"]["order"] = {"id": "o-1", "external_id": "r-1", "status": 7, "items": "none"}
    (event,) = webhook.parse(msgspec.json.encode(body))
    assert (event.supplier_order_id, event.reference) == ("o-1", "r-1")


@pytest.mark.parametrize("key", ["", "k" * 256, "k\0"])
def test_a_webhook_without_a_key_that_could_be_kept_is_refused(key):
    headers = signatures.order_headers(SECRET, AT, "order.status_changed", key)
    body = msgspec.json.encode({"event": "order.status_changed", "idempotency_key": key})
    assert not webhook.verify(headers, body, SECRET, AT)
