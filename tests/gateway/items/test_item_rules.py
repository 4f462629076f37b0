"""What makes a number or a voucher delivered: all of it, usable, and nothing guessed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from gateway.items import item_rules
from gateway.items.item_rules import NumberItem, VoucherCodes, VoucherItem
from gateway.orders.rules import verdicts
from gateway.orders.rules.states import AttemptNow, AttemptState
from gateway.pricing.price_rules import PriceRule
from gateway.pricing.pricing_rules import Conditions, Rule, Subject, sets_at
from schemas.money import Money
from schemas.order import (
    GoodWanted,
    NumberDelivery,
    NumberWanted,
    OrderKind,
    SupplierOrder,
    SupplierOrderState,
    VoucherCode,
)

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def attempt(item: OrderKind, units: int = 1) -> AttemptNow:
    return AttemptNow(
        id="att_1", kind="purchase", n=1, supplier="s", supplier_plan_id="p", state=AttemptState.UNKNOWN,
        started_at=NOW, deadline=NOW, quiescent_at=NOW + timedelta(minutes=10), item=item, units=units,
        provision_by=NOW + timedelta(minutes=30),
    )  # fmt: skip


def completed(**more: Any) -> SupplierOrder:
    return SupplierOrder("o-1", None, SupplierOrderState.COMPLETED, charged=Money(Decimal(5), "USD"), **more)


@pytest.mark.parametrize(
    ("number", "state"),
    [
        ("+12025550123", AttemptState.SUCCEEDED),
        ("+1 (202) 555-0123", AttemptState.SUCCEEDED),
        ("soon", AttemptState.CHARGED_UNDELIVERABLE),
        ("<b>1</b>", AttemptState.CHARGED_UNDELIVERABLE),
        ("+" + "1" * 40, AttemptState.CHARGED_UNDELIVERABLE),
        (None, AttemptState.ACCEPTED),
    ],
)
def test_a_number_is_delivered_with_a_number_that_can_be_called(number: str | None, state: AttemptState) -> None:
    told = completed(number=None if number is None else NumberDelivery(number))
    verdict = verdicts.of_order(told, attempt(OrderKind.NUMBER), NOW)
    assert (verdict.state, verdict.review is not None) == (state, state is AttemptState.CHARGED_UNDELIVERABLE)
    assert verdict.charged == Money(Decimal(5), "USD")


@pytest.mark.parametrize(
    ("codes", "state"),
    [
        ([VoucherCode("1"), VoucherCode("2")], AttemptState.SUCCEEDED),
        ([VoucherCode("1", "s"), VoucherCode(told="recharged")], AttemptState.SUCCEEDED),
        ([VoucherCode("1")], AttemptState.CHARGED_UNDELIVERABLE),
        ([VoucherCode("1"), VoucherCode("2"), VoucherCode("3")], AttemptState.CHARGED_UNDELIVERABLE),
        ([VoucherCode("1"), VoucherCode("1")], AttemptState.CHARGED_UNDELIVERABLE),
        ([VoucherCode("1"), VoucherCode()], AttemptState.CHARGED_UNDELIVERABLE),
        ([VoucherCode(serial="s"), VoucherCode(serial="s")], AttemptState.CHARGED_UNDELIVERABLE),
        ([VoucherCode(told="recharged"), VoucherCode(told="recharged")], AttemptState.SUCCEEDED),
        ([VoucherCode("1"), VoucherCode("2" * 600)], AttemptState.CHARGED_UNDELIVERABLE),
        ([], AttemptState.ACCEPTED),
    ],
)
def test_a_voucher_is_delivered_with_one_code_for_each_unit(codes: list[VoucherCode], state: AttemptState) -> None:
    verdict = verdicts.of_order(completed(codes=tuple(codes)), attempt(OrderKind.VOUCHER, 2), NOW)
    assert (verdict.state, verdict.review is not None) == (state, state is AttemptState.CHARGED_UNDELIVERABLE)
    if state is AttemptState.SUCCEEDED:
        assert verdict.delivery == VoucherCodes(tuple(codes))


def test_an_esim_beside_a_number_delivers_no_number() -> None:
    assert verdicts.of_order(completed(codes=(VoucherCode("1"),)), attempt(OrderKind.NUMBER), NOW).delivery is None


@pytest.mark.parametrize(
    "wanted",
    [
        NumberWanted("US", "United States", "7d"),
        GoodWanted("sku-1", 2, Money(Decimal("12.50"), "EUR")),
        GoodWanted("sku-1"),
        None,
    ],
)
def test_what_was_asked_for_comes_back_as_it_was(wanted: NumberWanted | GoodWanted | None) -> None:
    kept = item_rules.stored(wanted)
    assert item_rules.wanted_of(msgspec.json.decode(msgspec.json.encode(kept))) == wanted


def test_the_answers_to_a_products_fields_are_not_kept_with_an_attempt() -> None:
    kept = item_rules.stored(GoodWanted("sku-1", fields={"phone": "+971500000000"}))
    assert "971500000000" not in str(kept)
    back = item_rules.wanted_of(kept)
    assert isinstance(back, GoodWanted)
    assert back.fields == {}


@pytest.mark.parametrize(
    "item",
    [
        NumberItem("number-us-7d", "a number", "US", "United States", "7d", "7 Days", 7),
        VoucherItem("good_1", "a card", "Cards", "voucher", 3, Decimal("12.5"), "EUR", ("phone",)),
    ],
)
def test_what_was_sold_comes_back_as_it_was(item: item_rules.Item) -> None:
    assert item_rules.item_of(msgspec.json.decode(msgspec.json.encode(item))) == item
    assert item.units == (3 if isinstance(item, VoucherItem) else 1)


def test_codes_are_read_as_people_write_them() -> None:
    assert item_rules.codes_in("1111\n\n 2222 ; S-2\n;;topped up; twice\n") == (
        VoucherCode("1111"),
        VoucherCode("2222", "S-2"),
        VoucherCode(told="topped up; twice"),
    )


@pytest.mark.parametrize(
    ("when", "countries", "prices"),
    [
        (Conditions(), (), True),
        (Conditions(countries=("US",)), ("US",), True),
        (Conditions(countries=("JP",)), ("US",), False),
        (Conditions(countries=("US",)), (), False),
        (Conditions(unlimited=True), ("US",), False),
        (Conditions(min_data_mb=1), ("US",), False),
        (Conditions(max_data_mb=10**6), ("US",), False),
        (Conditions(supplier="s"), ("US",), True),
        (Conditions(plan_ids=("number-us-7d",)), ("US",), True),
        (Conditions(plan_ids=("jp-1gb",)), ("US",), False),
    ],
)
def test_rules_about_data_or_scope_price_nothing_but_plans(
    when: Conditions, countries: tuple[str, ...], prices: bool
) -> None:
    rule = Rule("pr_1", 1, "one", when, PriceRule(percent=Decimal(50)))
    found = sets_at([rule], PriceRule(), NOW, {}).of(None)
    subject = Subject("s", "number-us-7d", countries, None, is_plan=False)
    assert (found.find(subject) == 0) is prices
