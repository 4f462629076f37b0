"""How BepPay's purchases, history and pictures are read."""

from __future__ import annotations

import base64
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from providers.beppay import orders, wire
from schemas.money import Money
from schemas.order import SupplierOrderState

IMAGE = orders.PNG + b"picture"
URI = "data:image/png;base64," + base64.b64encode(IMAGE).decode()


def purchased(**esim: Any) -> Any:
    return orders.purchased(wire.Charged(data=wire.Purchased(esim=wire.Esim(**esim))))


def row(**fields: Any) -> wire.HistoryOrder:
    return msgspec.convert({"id": 7, "status": "completed"} | fields, wire.HistoryOrder, strict=False)


def test_an_installable_code_is_taken_apart_and_the_picture_goes_along() -> None:
    delivery = purchased(iccid="8944", activation_code="1$smdp.example.com$ABC-1", qr_code=URI).delivery
    assert delivery.activation_code == "LPA:1$smdp.example.com$ABC-1"
    assert (delivery.smdp_address, delivery.matching_id) == ("smdp.example.com", "ABC-1")
    assert delivery.qr_image == IMAGE


def test_a_code_without_a_matching_id_has_no_parts() -> None:
    delivery = purchased(iccid="8944", activation_code="LPA:1$8944501234567890123", qr_code=URI).delivery
    assert delivery.activation_code == "LPA:1$8944501234567890123"
    assert (delivery.smdp_address, delivery.matching_id, delivery.qr_image) == (None, None, IMAGE)


@pytest.mark.parametrize(
    "uri",
    [
        None,
        "",
        "data:image/png;base64,...",
        "data:image/png;base64,bm90IGEgcG5n",
        "data:text/html;base64,PGI+",
        "x" * 10**6,
    ],
)
def test_what_is_no_picture_is_none(uri: str | None) -> None:
    assert orders.png(uri) is None


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
