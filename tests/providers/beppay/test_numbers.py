"""Virtual numbers: bought without a word of ours, looked up by country, tier and time, and never chosen out of two."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import msgspec
import pytest

from providers.beppay import numbers, wire
from providers.simulator.triggers import Trigger, TriggerKind
from schemas.account import NumberCountry, NumberTier
from schemas.errors import InsufficientBalance, Outcome, OutOfStock, SupplierError, UnreadableAnswer
from schemas.money import Money
from schemas.order import NumberWanted, OrderKind, PurchaseRequest, SupplierOrderState
from tests.providers.account import Account, failure

US = NumberWanted("US", "United States", "7d")
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def asked(here: Account, reference: str = "att_01", wanted: NumberWanted = US) -> PurchaseRequest:
    return msgspec.structs.replace(here.request(reference), kind=OrderKind.NUMBER, number=wanted)


def told(here: Account, change: Any) -> None:
    here.shop.rewrite("/virtual-numbers/orders", change)


async def test_countries_and_tiers_are_read_without_the_key(here: Account) -> None:
    assert await here.provider.number_countries() == [
        NumberCountry("US", "United States"),
        NumberCountry("GB", "United Kingdom"),
    ]
    seven, year = await here.provider.number_tiers()
    assert (seven, year.days) == (NumberTier("7d", "7 Days", 7, Money(Decimal(10), "USD")), 365)


async def test_a_purchase_answers_with_the_number_and_what_it_took(here: Account) -> None:
    order = await here.provider.purchase_number(asked(here))
    (sale,) = here.simulator.sales()
    assert order.state is SupplierOrderState.COMPLETED
    assert order.charged == Money(Decimal("10.00"), "USDT")
    assert order.number is not None
    assert order.number.phone_number.startswith("+1202")
    assert order.number.expires_at is not None
    assert (sale.key, sale.details["country"]) == ("US/7d", "US")


@pytest.mark.parametrize(
    ("kind", "error"), [(TriggerKind.REFUSE_STOCK, OutOfStock), (TriggerKind.REFUSE_BALANCE, InsufficientBalance)]
)
async def test_a_refusal_is_definite(here: Account, kind: TriggerKind, error: type[SupplierError]) -> None:
    here.simulator.triggers.add(Trigger(kind, key="US/7d"))
    refused = await failure(here.provider.purchase_number(asked(here)))
    assert isinstance(refused, error)
    assert refused.outcome is Outcome.DID_NOT_HAPPEN


async def test_a_lost_answer_is_found_by_country_tier_and_time(here: Account) -> None:
    here.simulator.triggers.add(Trigger(TriggerKind.CHARGE_THEN_500))
    request = asked(here)
    assert (await failure(here.provider.purchase_number(request))).outcome is Outcome.UNKNOWN
    found = await here.provider.find_number(request, None, ())
    (sale,) = here.simulator.sales()
    assert found is not None
    assert (found.supplier_order_id, found.charged) == (f"number-{sale.number}", Money(Decimal("10.00"), "USDT"))
    assert found.number is not None
    assert (
        await here.provider.find_number(asked(here, wanted=msgspec.structs.replace(US, tier_id="1y")), None, ()) is None
    )


async def test_what_belongs_to_another_attempt_is_not_found_by_its_order_or_its_number(here: Account) -> None:
    first = await here.provider.purchase_number(asked(here))
    (sale,) = here.simulator.sales()
    assert first.number is not None
    assert await here.provider.find_number(asked(here, "att_02"), None, {f"number-{sale.number}"}) is None
    digits = first.number.phone_number.removeprefix("+")
    assert await here.provider.find_number(asked(here, "att_02"), None, {digits}) is None


async def test_a_number_of_another_s_is_his_with_and_without_its_country_s_code(here: Account) -> None:
    bought = await here.provider.purchase_number(asked(here))
    assert bought.number is not None
    national = bought.number.phone_number.removeprefix("+1")
    assert await here.provider.find_number(asked(here), None, {national}) is None


async def test_one_of_two_is_never_chosen(here: Account) -> None:
    request = asked(here)
    for _ in range(2):
        await here.provider.purchase_number(request)
    error = await failure(here.provider.find_number(request, None, ()))
    assert isinstance(error, UnreadableAnswer)
    assert "2 orders" in error.detail


@pytest.mark.parametrize("moved", [timedelta(hours=-1), timedelta(hours=2), None])
async def test_an_order_that_is_dated_otherwise_proves_nothing(here: Account, moved: timedelta | None) -> None:
    request = asked(here)
    await here.provider.purchase_number(request)

    def change(whole: dict[str, Any]) -> None:
        for row in whole["data"]:
            row["created_at"] = None if moved is None else (request.signed_at + moved).isoformat()

    told(here, change)
    assert isinstance(await failure(here.provider.find_number(request, None, ())), UnreadableAnswer)


async def test_an_order_of_last_week_is_none_of_ours(here: Account) -> None:
    request = asked(here)
    await here.provider.purchase_number(request)
    told(here, lambda whole: whole["data"][0].update(created_at=(request.signed_at - timedelta(days=7)).isoformat()))
    assert await here.provider.find_number(request, None, ()) is None


async def test_a_row_that_could_be_ours_and_cannot_be_read_is_no_absence(here: Account) -> None:
    request = asked(here)
    await here.provider.purchase_number(request)
    told(here, lambda whole: whole["data"][0].update(cost_usd="ten"))
    assert isinstance(await failure(here.provider.find_number(request, None, ())), UnreadableAnswer)
    other = msgspec.structs.replace(request, number=msgspec.structs.replace(US, tier_id="1y"))
    assert await here.provider.find_number(other, None, ()) is None


async def test_a_history_that_begins_too_late_is_no_absence(here: Account) -> None:
    told(here, lambda whole: whole.update(total=500))
    assert isinstance(await failure(here.provider.find_number(asked(here), None, ())), UnreadableAnswer)


async def test_the_history_tells_expiry_and_autorenew_as_they_stand(here: Account) -> None:
    await here.provider.purchase_number(asked(here))
    (sale,) = here.simulator.sales()
    base = str(here.provider.settings.base_url)
    async with aiohttp.ClientSession() as http:
        change = {"autorenew": True, "expires_at": "2027-01-01T00:00:00Z", "status": "renewed"}
        async with http.post(f"{base}/_sandbox/numbers/{sale.id}", json=change) as answer:
            assert answer.status == 200
    (order,) = [one async for one in here.provider.number_orders(NOW - timedelta(days=400))]
    assert order.number is not None
    assert (order.number.autorenew, order.number.expires_at) == (True, datetime(2027, 1, 1, tzinfo=UTC))
    assert order.number.status == "renewed"


async def test_the_histories_of_esims_and_numbers_are_apart(here: Account) -> None:
    await here.provider.purchase(here.request())
    await here.provider.purchase_number(asked(here))
    assert len([one async for one in here.provider.order_history(NOW - timedelta(days=400))]) == 1
    assert len([one async for one in here.provider.number_orders(NOW - timedelta(days=400))]) == 1


def test_another_country_than_was_bought_is_for_a_person() -> None:
    answer = wire.Charged(data=wire.PurchasedNumber(phone_number="+442025550123", country_code="GB"))
    assert numbers.purchased(answer, US).state is SupplierOrderState.PARTIAL


def test_a_fault_beside_the_number_does_not_lose_the_number() -> None:
    body = b'{"success": true, "data": {"phone_number": "+12025550123", "expires_at": "soon"}, "meta": {}}'
    order = numbers.purchase_answer(body, US)
    assert order.number is not None
    assert (order.number.phone_number, order.charged) == ("+12025550123", None)


def test_rows_that_cannot_be_sold_are_left_out() -> None:
    rows = [
        {"id": "7d", "name": "7 Days", "days": 7, "price_usd": 10},
        {"id": "7d", "name": "7 Days", "days": 7, "price_usd": 12},
        {"id": "0d", "name": "Nothing", "days": 0, "price_usd": 10},
        {"id": "free", "name": "Free", "days": 7, "price_usd": 0},
        {"id": "30d", "name": "<b>30</b> Days", "days": 30, "price_usd": 20.5},
        "nonsense",
    ]
    (one,) = numbers.tiers(msgspec.Raw(json.dumps(row).encode()) for row in rows)
    assert (one.id, one.name, one.cost) == ("30d", "30 Days", Money(Decimal("20.5"), "USD"))
    places = [{"code": "US", "name": "United States"}, {"code": "EU", "name": "Europe"}, {"code": "gb", "name": "UK"}]
    assert [c.code for c in numbers.countries(msgspec.Raw(json.dumps(row).encode()) for row in places)] == ["US", "GB"]
