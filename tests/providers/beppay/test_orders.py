"""How BepPay's purchases, history and pictures are read."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from providers.beppay import orders, wire
from providers.simulator import qr_data_uri
from schemas.money import Money
from schemas.order import Delivery, PurchaseRequest, SupplierOrderState

CODE = "LPA:1$smdp.example.com$ABC-1"
OTHER = "LPA:1$smdp.example.com$XYZ-9"
BEGINNING = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + b"\0\0\0\x40" * 2  # of a picture of 64 by 64, and nothing more


def purchased(**esim: Any) -> Any:
    return orders.purchased(wire.Charged(data=wire.Purchased(esim=wire.Esim(**esim))))


def row(**fields: Any) -> wire.HistoryOrder:
    return msgspec.convert({"id": 7, "status": "completed"} | fields, wire.HistoryOrder, strict=False)


def seen(text: str | None, picture: str | None) -> Delivery:
    """What becomes of a delivery with this text and a picture of that one."""
    uri = None if picture is None else qr_data_uri(picture)
    return orders.with_picture(orders.delivery(wire.Esim("8944", uri, text)))


def test_an_installable_text_is_taken_apart_and_gets_its_prefix() -> None:
    delivery = seen("1$smdp.example.com$ABC-1", None)
    assert delivery.activation_code == CODE
    assert (delivery.smdp_address, delivery.matching_id) == ("smdp.example.com", "ABC-1")


@pytest.mark.parametrize("text", [None, "", "LPA:1$8944501234567890123", "https://example.com/e/1", "x" * 5000])
def test_the_picture_gives_the_code_that_the_text_does_not(text: str | None) -> None:
    for picture in (CODE, "1$smdp.example.com$ABC-1", "lpa:1$smdp.example.com$ABC-1"):
        delivery = seen(text, picture)
        assert (delivery.activation_code, delivery.iccid) == (CODE, "8944")
        assert (delivery.smdp_address, delivery.matching_id, delivery.conflict) == ("smdp.example.com", "ABC-1", False)


def test_a_picture_that_has_told_its_code_is_dropped() -> None:
    assert seen(CODE, CODE).qr_image is None
    assert seen("", CODE).qr_image is None


def test_text_and_picture_that_say_the_same_are_no_conflict() -> None:
    for text in (CODE, "LPA:1$SMDP.example.com$ABC-1", f"{CODE}$"):
        assert not seen(text, CODE).conflict
    assert seen(CODE, f"{CODE}$$1").confirmation_code_required
    assert seen(f"{CODE}$$1", CODE).confirmation_code_required


@pytest.mark.parametrize("other", [OTHER, "LPA:1$rsp.example.com$ABC-1", "LPA:1$smdp.example.com$abc-1"])
def test_two_complete_codes_that_differ_are_a_conflict_that_nothing_installs(other: str) -> None:
    delivery = seen(CODE, other)
    assert delivery.conflict
    assert (delivery.smdp_address, delivery.matching_id) == (None, None)
    assert delivery.activation_code == CODE
    assert delivery.qr_image is not None


def test_a_picture_of_something_else_changes_nothing() -> None:
    assert seen(CODE, "https://example.com").activation_code == CODE
    left = seen("LPA:1$8944501234567890123", "https://example.com")
    assert (left.activation_code, left.matching_id, left.conflict) == ("LPA:1$8944501234567890123", None, False)
    assert left.qr_image is not None


def test_a_fault_in_the_figures_does_not_lose_the_esim() -> None:
    esim = {"iccid": "8944", "activation_code": CODE}
    for beside in (
        {"meta": {"amount_charged": "25,00", "currency": "USDT_TRC20"}},
        {"meta": []},
        {"meta": {"currency": "USDT_TRC20"}},
    ):
        order = orders.purchase_answer(msgspec.json.encode({"success": True, "data": {"esim": esim}, **beside}))
        assert (order.state, order.charged) == (SupplierOrderState.COMPLETED, None)
        assert order.delivery is not None
        assert order.delivery.activation_code == CODE
    order = orders.purchase_answer(msgspec.json.encode({"success": True, "data": {"esim": esim, "plan": "x"}}))
    assert order.delivery is not None


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"data": {"esim": {"iccid": "89', b'{"data": []}', b"[" * 100_000])
def test_an_answer_without_an_esim_that_can_be_read_is_a_fault(body: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        orders.purchase_answer(body)


@pytest.mark.parametrize(
    "uri",
    [
        None,
        "",
        "data:image/png;base64,...",
        "data:image/png;base64,bm90IGEgcG5n",
        "data:text/html;base64,PGI+",
        "x" * 10**6,
        "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n").decode(),
        "data:image/png;base64," + base64.b64encode(BEGINNING[:16] + b"\0\xff\xff\xff" * 2).decode(),
    ],
)
def test_what_is_no_picture_is_none(uri: str | None) -> None:
    assert orders.png(uri) is None


def test_a_picture_is_taken_out_of_its_uri() -> None:
    assert orders.png("data:image/png;base64," + base64.b64encode(BEGINNING).decode()) == BEGINNING


def test_a_purchase_without_an_esim_is_pending() -> None:
    assert orders.purchased(wire.Charged(data=wire.Purchased())).state is SupplierOrderState.PENDING
    assert purchased().state is SupplierOrderState.PENDING
    assert purchased().delivery is None
    assert purchased(iccid="8944").state is SupplierOrderState.COMPLETED


def test_a_purchase_that_does_not_say_what_it_took_has_no_charge() -> None:
    assert purchased(iccid="8944").charged is None


@pytest.mark.parametrize("status", ["refunded", "processing", "", "Completed?"])
def test_a_status_that_no_page_names_is_pending(status: str) -> None:
    assert orders.from_history(row(status=status)).state is SupplierOrderState.PENDING


def test_the_reference_is_the_tag_of_the_address_that_bought() -> None:
    assert orders.from_history(row(email="orders+att_123@shop.example")).reference == "att_123"
    assert orders.from_history(row(email="customer@example.com")).reference is None
    assert orders.from_history(row(email=None)).reference is None


def test_a_charge_keeps_the_wallet_s_currency_without_its_chain() -> None:
    assert orders.money(Decimal("25.00"), "USDT_TRC20") == Money(Decimal("25.00"), "USDT")
    assert orders.money(Decimal(1), "eur") == Money(Decimal(1), "EUR")
    assert orders.money(Decimal(1), None) == Money(Decimal(1), "USD")
    assert orders.money(Decimal("NaN"), "USD") is None
    assert orders.money(None, "USD") is None


# --- the history ------------------------------------------------------------------------------------

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
EMAIL = "orders+att_7@shop.example"
REQUEST = PurchaseRequest("att_7", "p1", signed_at=NOW, deadline=NOW, email=EMAIL)


def own(*rows: wire.HistoryOrder) -> list[wire.HistoryOrder]:
    return orders.attempt_s_own(rows, REQUEST, EMAIL)


@pytest.mark.parametrize("email", [EMAIL, EMAIL.upper(), f" {EMAIL}", "orders+att_7@former.example"])
def test_an_attempt_s_row_is_known_by_its_address(email: str) -> None:
    assert own(row(email=email, created_at=NOW.isoformat()))


@pytest.mark.parametrize(
    "email",
    [None, "", "orders@shop.example", "orders+att_77@shop.example", "orders+att_@shop.example", "att_7@shop.example"],
)
def test_another_address_is_another_attempt_s(email: str | None) -> None:
    assert not own(row(email=email))


def test_a_row_from_long_before_the_attempt_is_not_its_own() -> None:
    assert own(row(email=EMAIL, created_at=(NOW - timedelta(hours=20)).isoformat()))
    assert not own(row(email=EMAIL, created_at=(NOW - timedelta(hours=30)).isoformat()))
    assert own(row(email=EMAIL, created_at="2026-11-20T10:00:00"))  # a time without a zone is UTC


def test_a_row_found_has_its_charge_and_no_activation_code() -> None:
    found = orders.found(
        [row(email=EMAIL, plan_id="p1", iccid="8944", cost_usd="25.00", currency="USDT_TRC20")], REQUEST
    )
    assert (found.state, found.charged) == (SupplierOrderState.COMPLETED, Money(Decimal("25.00"), "USDT"))
    assert found.delivery == Delivery(iccid="8944", activation_code=None)


def test_two_rows_of_one_attempt_are_for_a_person_with_the_sum_of_their_charges() -> None:
    rows = [row(id=n, email=EMAIL, plan_id="p1", cost_usd="25.00", currency="USDT_TRC20") for n in (1, 2)]
    found = orders.found(rows, REQUEST)
    assert (found.state, found.charged) == (SupplierOrderState.PARTIAL, Money(Decimal("50.00"), "USDT"))
    assert orders.found([rows[0], row(id=2, email=EMAIL)], REQUEST).charged is None


def test_a_row_for_another_plan_is_for_a_person() -> None:
    found = orders.found([row(email=EMAIL, plan_id="p2", cost_usd="25.00")], REQUEST)
    assert found.state is SupplierOrderState.PARTIAL
    assert found.error is not None


def test_a_history_that_shows_a_part_says_nothing_of_what_is_older() -> None:
    newer = [row(created_at=(NOW + timedelta(minutes=n)).isoformat()) for n in (2, 1)]
    older = row(created_at=(NOW - timedelta(days=2)).isoformat())
    assert orders.reaches_back(newer, None, NOW)
    assert orders.reaches_back(newer, 2, NOW)
    assert not orders.reaches_back(newer, 3, NOW)
    assert orders.reaches_back([*newer, older], 1520, NOW)
    assert not orders.reaches_back([row()], 2, NOW)


def test_a_broken_row_spoils_only_itself_unless_it_is_the_attempt_s() -> None:
    good = b'{"id": 1, "status": "completed"}'
    broken = b'{"id": 2, "status": "completed", "created_at": "yesterday", "email": "%s"}'
    assert len(orders.history([Raw(good), Raw(broken % b"x@shop.example")], "att_7")) == 1
    with pytest.raises(ValueError, match="cannot be read"):
        orders.history([Raw(good), Raw(broken % b"orders+ATT_7@shop.example")], "att_7")


@pytest.mark.parametrize("reference", ["", "a b", "a@b", "x" * 58, "é", "a+b"])
def test_a_reference_that_cannot_stand_in_an_address_makes_none(reference: str) -> None:
    assert orders.email_for(reference, "shop.example") is None
    assert orders.email_for("att_7", "shop.example") == EMAIL


@pytest.mark.parametrize("total", ["NaN", "Infinity", "-Infinity"])
def test_a_balance_that_is_no_amount_is_a_fault(total: str) -> None:
    with pytest.raises(ValueError, match="no amount"):
        orders.balance(wire.Wallets(Decimal(total)))
