"""What a storefront does with the client: find, quote, buy, look after the eSIM, page through its orders."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from esim_gateway_client import AsyncGateway, Gateway, problems
from tests.clients.conftest import PLAN

README = Path(__file__).parents[3] / "clients/python/README.md"
PNG = b"\x89PNG\r\n"


async def test_an_esim_is_found_quoted_bought_and_looked_after(gateway, shop):
    def buy():
        plan = next(iter(gateway.plans.list(country=["JP"], min_data_mb=1024)))
        quote = gateway.quotes.create(plan_id=plan.id)
        order = gateway.orders.create(
            quote_id=quote.id,
            reference="S-1",
            customer={"email": "traveller@example.com"},
            metadata={"cart": "1"},
            wait=30,
        )
        return plan, quote, order, gateway.esims.get(order.esim.id), gateway.esims.get_qr_png(order.esim.id)

    plan, quote, order, esim, picture = await asyncio.to_thread(buy)
    assert "JP" in plan.countries
    assert (order.status, order.kind, order.reference, order.metadata) == ("fulfilled", "esim", "S-1", {"cart": "1"})
    assert order.plan.id == quote.plan.id == plan.id
    assert isinstance(order.price.amount, Decimal)
    assert order.price == quote.price
    assert order.esim.activation_code.startswith("LPA:1$")
    assert (esim.iccid, esim.order_id) == (order.esim.iccid, order.id)
    assert picture.startswith(PNG)
    assert len(await shop.town.charges()) == 1


async def test_an_esim_is_bought_and_topped_up_with_asyncio(async_gateway, shop):
    order = await async_gateway.orders.create(plan_id=PLAN, wait=30)
    added = await async_gateway.esims.top_up(order.esim.id, plan_id=PLAN, wait=30)
    usage = await async_gateway.esims.get_usage(order.esim.id)
    assert (order.status, added.status, added.kind) == ("fulfilled", "fulfilled", "topup")
    assert usage.data is not None
    assert [row.name async for row in async_gateway.esims.list_topup_plans(order.esim.id)]
    assert b"<svg" in await async_gateway.esims.get_qr_svg(order.esim.id)
    assert len(await shop.town.charges()) == 2


async def test_the_readme_s_first_esim_is_bought(shop, url, tmp_path, monkeypatch):
    monkeypatch.setenv("ESIM_GATEWAY_URL", url)
    monkeypatch.setenv("ESIM_GATEWAY_KEY", shop.api.key)
    monkeypatch.chdir(tmp_path)
    program = re.search(r"```python\n(.+?)```", README.read_text("utf-8"), re.DOTALL)[1]
    await asyncio.to_thread(exec, program, {})
    assert (tmp_path / "esim.png").read_bytes().startswith(PNG)
    assert len(await shop.town.charges()) == 1


async def test_numbers_and_goods_are_sold_alike(shop, url):
    async with AsyncGateway(url, await shop.api.make_key("storefront", "goods")) as gateway:
        number = await gateway.orders.create(number={"country": "US", "tier_id": "7d"}, wait=30)
        good = await anext(aiter(gateway.goods.list(q="apple")))
        voucher = await gateway.orders.create(good_id=good.id, wait=30)
    assert (number.kind, number.number.country) == ("number", "US")
    assert (voucher.kind, voucher.voucher.good_id) == ("voucher", good.id)


async def test_a_list_is_iterated_over_all_its_pages(gateway, async_gateway):
    placed = [(await async_gateway.orders.create(plan_id=PLAN, wait=30)).id for _ in range(3)]
    assert sorted([order.id async for order in async_gateway.orders.list(limit=1)]) == sorted(placed)

    def pages():
        return list(gateway.orders.list(limit=2)), list(gateway.orders.list(limit=2).pages())

    rows, found = await asyncio.to_thread(pages)
    assert sorted(order.id for order in rows) == sorted(placed)
    assert [(len(page.data), page.has_more) for page in found] == [(2, True), (1, False)]


async def test_times_and_texts_of_a_query_are_sent_as_the_api_reads_them(async_gateway):
    began = datetime.now(UTC) - timedelta(minutes=1)
    order = await async_gateway.orders.create(plan_id=PLAN, metadata={"cart": "8 & 12"}, wait=30)
    listed = async_gateway.orders.list(created_from=began, metadata=["cart:8 & 12"])
    assert [found.id async for found in listed] == [order.id]
    assert [found async for found in async_gateway.orders.list(created_to=began)] == []


async def test_a_list_that_is_never_cut_is_iterated_over_too(async_gateway):
    countries = {country.code: country async for country in async_gateway.countries.list()}
    assert countries["JP"].from_price.amount > 0
    assert "JP" in {code async for region in async_gateway.regions.list() for code in region.countries}


async def test_what_is_left_out_is_not_sent(async_gateway):
    everywhere = [plan.id async for plan in async_gateway.plans.list(country=["JP"], limit=200)]
    cheap = [plan async for plan in async_gateway.plans.list(country=["JP"], max_price="5", topup=True, limit=200)]
    assert 0 < len(cheap) < len(everywhere)
    assert all(plan.price.amount <= 5 and plan.features.topup for plan in cheap)


async def test_a_problem_is_raised_with_what_the_answer_says_of_it(async_gateway):
    with pytest.raises(problems.InvalidError) as found:
        await async_gateway.quotes.create(countries=["ZZ"])
    error = found.value
    assert (error.code, error.status, error.retry_after) == ("invalid", 422, None)
    assert "ZZ" in error.detail
    assert error.errors[0].pointer.startswith("/countries")
    assert error.request_id
    with pytest.raises(problems.NoPlanError) as found:
        await async_gateway.quotes.create(countries=["JP"], data_mb=900_000_000, days=1)
    assert found.value.nearest == [] or found.value.nearest[0].plan.id
    with pytest.raises(problems.NotFoundError):
        await async_gateway.orders.get("ord_7f3a9c20e1b84d65")


async def test_a_body_that_was_sent_under_the_same_key_is_refused_when_it_differs(async_gateway):
    await async_gateway.orders.create(plan_id=PLAN, idempotency_key="k", wait=30)
    with pytest.raises(problems.IdempotencyMismatchError) as found:
        await async_gateway.orders.create(plan_id=PLAN, reference="other", idempotency_key="k")
    assert found.value.idempotency_key == "k"


async def test_who_the_key_is_of(async_gateway):
    me = await async_gateway.me.get()
    assert (me.storefront, me.mode, "storefront" in me.scopes) == ("shop", "test", True)


@pytest.mark.parametrize("name", ["ESIM_GATEWAY_URL", "ESIM_GATEWAY_KEY"])
def test_url_and_key_are_needed(monkeypatch, name):
    monkeypatch.setenv("ESIM_GATEWAY_URL", "https://gateway.example.com")
    monkeypatch.setenv("ESIM_GATEWAY_KEY", "gw_test_x")
    monkeypatch.delenv(name)
    with pytest.raises(ValueError, match=name):
        Gateway()


@pytest.mark.parametrize("order_id", ["", "..", "."])
async def test_an_id_cannot_be_another_path(async_gateway, order_id):
    with pytest.raises(ValueError, match="id"):
        await async_gateway.orders.get(order_id)
