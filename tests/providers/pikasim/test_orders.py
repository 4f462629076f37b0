"""How PikaSim's orders, eSIMs, money and webhooks are read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.kit.signing import hmac_sha256
from providers.pikasim import orders, webhook, wire
from schemas.account import Transaction, TransactionKind
from schemas.esim import ProfileState, ServiceState
from schemas.event import SupplierEventType
from schemas.money import Money
from schemas.order import SupplierOrderState
from tests.providers.pikasim.examples import example

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
SECRET = "whsec"


def order(**fields: Any) -> Any:
    answer = {"orderId": "o1", "status": "completed"} | fields
    return orders.order(msgspec.convert(answer, wire.Order, strict=False))


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("pending", SupplierOrderState.PENDING),
        ("processing", SupplierOrderState.PENDING),
        ("completed", SupplierOrderState.COMPLETED),
        ("COMPLETED", SupplierOrderState.COMPLETED),
        ("failed", SupplierOrderState.FAILED),
        ("on hold", SupplierOrderState.PENDING),
        ("", SupplierOrderState.PENDING),
    ],
)
def test_an_order_s_status_is_pending_unless_the_page_says_more(status: str, state: SupplierOrderState) -> None:
    assert order(status=status).state is state


def test_a_completed_order_carries_what_is_installed() -> None:
    esim = {"iccid": "8901", "activationCode": "LPA:1$smdp.example.com$ABC", "qrCodeUrl": "https://…"}
    found = order(esim=esim, price=518, createdAt="2026-11-20T10:00:00Z")
    assert found.delivery.matching_id == "ABC"
    assert found.charged == Money(Decimal("5.18"), "USD")
    assert found.created_at == NOW
    assert order(esim={}).delivery is None


def test_only_a_failed_order_has_an_error() -> None:
    assert order(status="failed", message="<b>No</b> stock").error == "No stock"
    assert order(status="failed").error == "failed"
    assert order(status="processing", message="Order created.").error is None


def test_why_an_order_failed_names_no_esim() -> None:
    said = "eSIM 8944500102030405060 (LPA:1$smdp.example.com$ABC-1) is not known to me@example.com"
    told = order(status="failed", reason=said).error
    assert told.startswith("eSIM [redacted]")
    assert not [secret for secret in ("89445", "ABC-1", "me@") if secret in told]


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("GOT_RESOURCE", ServiceState.NOT_ACTIVE),
        ("ENABLED", ServiceState.NOT_ACTIVE),
        ("IN_USE", ServiceState.ACTIVE),
        ("SUSPENDED", ServiceState.SUSPENDED),
        ("USED_UP", ServiceState.DEPLETED),
        ("REVOKED", ServiceState.REVOKED),
        ("CANCEL", ServiceState.REVOKED),
        ("USED_EXPIRED", ServiceState.EXPIRED),
        ("SOMETHING_NEW", ServiceState.UNKNOWN),
        (None, ServiceState.UNKNOWN),
    ],
)
def test_a_service_word_that_nobody_stated_is_unknown(word: str | None, state: ServiceState) -> None:
    assert orders.esim_status(wire.Esim("8901", status=word), NOW).service_state is state
    assert orders.esim_status(wire.Usage("8901", esim_status=word), NOW).service_state is state


def test_installed_and_not_used_are_two_states() -> None:
    found = orders.esim_status(wire.Esim("8901", status="GOT_RESOURCE", smdp_status="ENABLED"), NOW)
    assert (found.profile_state, found.service_state) == (ProfileState.ENABLED, ServiceState.NOT_ACTIVE)
    odd = orders.esim_status(wire.Esim("8901", smdp_status="FLYING"), NOW)
    assert odd.profile_state is ProfileState.UNKNOWN


def test_bytes_are_whole_megabytes_and_unsaid_ones_unknown() -> None:
    assert [orders.megabytes(n) for n in (None, 0, 2**20, 2**30, 2**19, 2**19 - 1)] == [None, 0, 1, 1024, 1, 0]


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("deposit", TransactionKind.DEPOSIT),
        ("order", TransactionKind.CHARGE),
        ("topup", TransactionKind.CHARGE),
        ("refund", TransactionKind.REFUND),
        ("adjustment", TransactionKind.ADJUSTMENT),
        ("bonus", TransactionKind.OTHER),
    ],
)
def test_a_transaction_keeps_its_sign_and_its_kind(word: str, kind: TransactionKind) -> None:
    entry = wire.LedgerEntry(id=7, type=word, amount=Decimal(-518), created_at=NOW, order_id="o1")
    assert orders.transaction(entry) == Transaction(kind, Money(Decimal("-5.18"), "USD"), NOW, "o1", "7")


def test_credit_can_be_spent_besides_the_balance() -> None:
    found = orders.wallet_balance(wire.Wallet(Decimal(1000), available_credit=Decimal(250)))
    assert (found.balance, found.spendable) == (Money(Decimal("10.00"), "USD"), Money(Decimal("12.50"), "USD"))


def test_a_cancel_that_names_no_amount_refunds_an_unknown_one() -> None:
    assert orders.cancellation(wire.Cancelled("8901")).refunded is None
    assert orders.cents(Decimal("1e999999")) is None


# --- webhooks ---------------------------------------------------------------------------------------


def body(**changes: Any) -> bytes:
    notice = json.loads(example("webhook")) | {"timestamp": "2026-11-20T09:59:00Z"} | changes
    return json.dumps(notice, separators=(",", ":"), ensure_ascii=False).encode()


def signed(raw: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"X-Webhook-Signature": hmac_sha256(secret, raw)}


def test_a_webhook_that_was_signed_as_it_came_is_believed() -> None:
    assert webhook.verify(signed(body()), body(), SECRET, NOW)


def test_a_webhook_that_was_laid_out_anew_on_the_way_is_believed() -> None:
    pretty = json.dumps(json.loads(body()), indent=2).encode()
    assert pretty != body()
    assert webhook.verify(signed(body()), pretty, SECRET, NOW)


def test_letters_beyond_ascii_are_signed_as_they_are() -> None:
    raw = body(data={"orderId": "Zürich 東京"})
    assert webhook.verify(signed(raw), json.dumps(json.loads(raw)).encode(), SECRET, NOW)


@pytest.mark.parametrize(
    ("headers", "raw", "secret"),
    [
        (signed(body(), "another secret"), body(), SECRET),
        (signed(body()), body(event="order.failed"), SECRET),
        ({}, body(), SECRET),
        ({"X-Webhook-Signature": ""}, body(), SECRET),
        ({"X-Webhook-Signature": "é" * 64}, body(), SECRET),
        (signed(body(), ""), body(), ""),
        (signed(b"no json"), b"no json", SECRET),
        (signed(b"\xff"), b"\xff", SECRET),
        (signed(b" " * 70_000), b" " * 70_000, SECRET),
    ],
)
def test_a_forged_or_broken_webhook_is_not_believed(headers: dict[str, str], raw: bytes, secret: str) -> None:
    assert not webhook.verify(headers, raw, secret, NOW)


@pytest.mark.parametrize(("age", "believed"), [(timedelta(hours=23), True), (timedelta(hours=25), False)])
def test_a_webhook_is_believed_for_a_day(age: timedelta, believed: bool) -> None:
    raw = body(timestamp=(NOW - age).isoformat())
    assert webhook.verify(signed(raw), raw, SECRET, NOW) is believed


def test_a_webhook_that_does_not_say_when_is_not_believed() -> None:
    raw = body(timestamp=None)
    assert not webhook.verify(signed(raw), raw, SECRET, NOW)


def test_the_same_event_delivered_again_has_the_same_key() -> None:
    first, again = webhook.parse(body())[0], webhook.parse(body(timestamp="2026-11-20T11:00:00Z"))[0]
    other = webhook.parse(body(event="order.failed"))[0]
    assert first.dedupe_key == again.dedupe_key != other.dedupe_key
    assert first.iccid is not None
    assert first.iccid not in first.dedupe_key


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("esim.provisioned", SupplierEventType.ESIM_PROVISIONED),
        ("esim.topup.completed", SupplierEventType.TOPUP_COMPLETED),
        ("order.failed", SupplierEventType.ORDER_FAILED),
        ("esim.sold", SupplierEventType.UNKNOWN),
    ],
)
def test_an_event_that_the_page_does_not_name_is_unknown(event: str, kind: SupplierEventType) -> None:
    assert webhook.parse(body(event=event, data=None))[0].type is kind


@settings(deadline=None)  # the machine may be busy
@given(st.binary(max_size=300))
def test_no_body_breaks_the_check(raw: bytes) -> None:
    assert not webhook.verify({"x-webhook-signature": "0" * 64}, raw, SECRET, NOW)
    assert not webhook.verify(signed(raw), raw, SECRET, NOW)
