"""``esim-gateway mcp``: agents search, quote, buy under a mandate and look after eSIMs, by the SDK's own client."""

from __future__ import annotations

import asyncio
import base64
import sys
from contextlib import asynccontextmanager, nullcontext
from datetime import UTC, datetime, timedelta

import httpx2
import jsonschema
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from gateway.cli.agent_tools import TOOLS, input_schema
from gateway.cli.mcp import http_app, server_with
from gateway.cli.operation_client import gateway_at
from providers.kit import qr
from tests.gateway.api.conftest import make_api, shop
from tests.gateway.api.test_two_storefronts import PLAN
from tests.kit.command_line import command_with, environment_with

__all__ = ["make_api", "shop"]

BOUNDS = {"per_order": "100", "per_day": "200", "per_month": "300"}
SEARCHES = {"search_plans", "quote"}


def url_of(shop) -> str:
    return str(shop.api.client.make_url("/"))


@asynccontextmanager
async def agent(shop):
    """An agent with the shop's key, in the process of the test."""
    async with (
        gateway_at(url_of(shop), shop.api.key) as gateway,
        Client(server_with(lambda _: nullcontext(gateway))) as client,
    ):
        yield client


async def bound(shop) -> None:
    """Give the shop's key a mandate."""
    key_id = (await shop.api.read("/v1/me"))["id"]
    ends_at = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    sent = BOUNDS | {"ends_at": ends_at}
    answer = await shop.ops.ask("PUT", f"/v1/ops/keys/{key_id}/mandate", json=sent)
    assert answer.status == 200, await answer.text()


async def use(client, tool, **arguments):
    """What a tool answers."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.structured_content
    return result.structured_content


async def refused(client, tool, **arguments):
    """The code that a tool refuses with. It says what causes it, and what to do."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error, result.structured_content
    assert result.structured_content.keys() == {"code", "detail", "cause", "cure"}
    return result.structured_content["code"]


async def quoted(client, **need):
    quote = await use(client, "quote", **(need or {"countries": ["JP"], "data_mb": 1024}))
    return {"quote_id": quote["id"], "price": quote["price"]}


async def test_an_agent_finds_a_plan_quotes_it_confirms_and_shows_its_code(shop):
    await bound(shop)
    async with agent(shop) as client:
        found = await use(client, "search_plans", country=["JP"], min_data_mb=1024, limit=3)
        plan = found["data"][0]
        quote = await use(client, "quote", plan_id=plan["id"])
        order = await use(client, "confirm_order", quote_id=quote["id"], price=quote["price"], reference="TRIP-1")
        assert (order["status"], order["reference"], order["price"]) == ("fulfilled", "TRIP-1", plan["price"])
        assert await use(client, "get_order", order_id=order["id"]) == order
        shown = await client.call_tool("get_qr_code", {"esim_id": order["esim"]["id"]})
        (picture,) = shown.content
        assert picture.mime_type == "image/png"
        assert qr.texts(base64.b64decode(picture.data)) == (order["esim"]["activation_code"],)
        assert (await use(client, "get_esim", esim_id=order["esim"]["id"]))["order_id"] == order["id"]
        mandate = await use(client, "get_mandate")
        assert mandate["spent_today"] == order["price"]


async def test_a_confirmation_that_is_repeated_buys_once(shop):
    await bound(shop)
    async with agent(shop) as client:
        sent = await quoted(client)
        orders = await asyncio.gather(*(use(client, "confirm_order", **sent) for _ in range(4)))
        amount = sent["price"]["amount"]
        same = sent | {"price": {"amount": f"{amount}0", "currency": sent["price"]["currency"].lower()}}
        orders.append(await use(client, "confirm_order", **same))
    assert len({order["id"] for order in orders}) == 1
    assert len(await shop.town.charges()) == 1


@pytest.mark.parametrize(
    ("change", "price", "code"),
    [
        ("per_order = 0.01", None, "mandate_exceeded"),
        ("per_month = 0.01", None, "mandate_exceeded"),
        ("ends_at = now() - interval '1 minute'", None, "mandate_ended"),
        ("per_order = 50", "0.01", "price_changed"),
        ("per_order = 50", "99.00", "price_changed"),
        ("per_order = 50", "none", "invalid"),
    ],
)
async def test_a_confirmation_beyond_the_mandate_after_its_end_or_at_another_price_is_refused(
    shop, change, price, code
):
    await bound(shop)
    await shop.api.pool.execute(f"UPDATE mandates SET {change}")
    async with agent(shop) as client:
        sent = await quoted(client)
        if price is not None:
            sent["price"] = {"amount": price, "currency": sent["price"]["currency"]}
        assert await refused(client, "confirm_order", **sent) == code
    assert await shop.api.rows("/v1/orders") == []


async def test_with_a_key_that_has_no_mandate_an_agent_may_only_search_and_quote(shop):
    order = await (await shop.order({"plan_id": PLAN})).json()
    arguments = {
        "order_id": order["id"], "esim_id": order["esim"]["id"], "topup_plan_id": "top_1", "request_id": "1",
        "price": order["price"],
    }  # fmt: skip
    async with agent(shop) as client:
        arguments["quote_id"] = (await quoted(client))["quote_id"]
        assert (await use(client, "search_plans", country=["JP"], limit=1))["data"]
        for name in TOOLS.keys() - SEARCHES:
            sent = {word: arguments[word] for word in TOOLS[name].required}
            assert (name, await refused(client, name, **sent)) == (name, "mandate_required")
    assert len(await shop.api.rows("/v1/orders")) == 1


async def test_a_topup_is_bought_once_for_its_request_and_for_no_more_than_was_listed(shop):
    await bound(shop)
    async with agent(shop) as client:
        order = await use(client, "confirm_order", **await quoted(client, countries=["JP"], features={"topup": True}))
        esim_id = order["esim"]["id"]
        (plan, *_) = (await use(client, "list_topup_plans", esim_id=esim_id))["data"]
        sent = {"esim_id": esim_id, "topup_plan_id": plan["id"], "request_id": "more", "price": plan["price"]}
        cheaper = {"amount": "0.01", "currency": "USD"}
        assert await refused(client, "top_up_esim", **sent | {"price": cheaper}) == "price_changed"
        first = await use(client, "top_up_esim", **sent)
        assert (first["kind"], first["status"]) == ("topup", "fulfilled")
        assert (await use(client, "top_up_esim", **sent))["id"] == first["id"]
    assert len(await shop.town.charges()) == 2


async def test_each_tool_says_what_it_takes_in_the_words_of_its_operation(shop):
    async with agent(shop) as client:
        listed = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert await refused(client, "quote", countrys=["JP"]) == "invalid"
        assert await refused(client, "quote") == "invalid"
        assert await refused(client, "buy_everything") == "not_found"
    assert listed.keys() == TOOLS.keys()
    for name, tool in listed.items():
        schema = tool.input_schema
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["properties"].keys() == TOOLS[name].takes.keys() | TOOLS[name].added.keys()
        assert all(described["description"] for described in schema["properties"].values()), name
        assert tool.annotations.read_only_hint is not TOOLS[name].spends
    need = {"countries": ["JP"], "data_mb": 1024, "features": {"topup": True}}
    jsonschema.validate(need, input_schema(TOOLS["quote"]))


async def test_over_http_each_request_is_made_with_the_key_that_it_carries(shop):
    await bound(shop)
    app = http_app(url_of(shop), "127.0.0.1", ["agents.example.com"])
    async with app.router.lifespan_context(app):
        for key, code in ((shop.api.key, None), (shop.ops.key, "mandate_required"), ("", "unauthorized")):
            headers = {"Authorization": f"Bearer {key}"} if key else {}
            transport = httpx2.ASGITransport(app)
            async with httpx2.AsyncClient(transport=transport, headers=headers) as http:
                reached = streamable_http_client("http://agents.example.com/mcp", http_client=http)
                async with Client(reached) as client:
                    result = await client.call_tool("get_mandate", {})
            assert result.structured_content.get("code") == code
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app)) as http:
            elsewhere = await http.post("http://rebound.example.com/mcp", json={})
            assert elsewhere.status_code == 421


async def test_on_standard_input_and_output_it_takes_its_key_from_the_environment(shop):
    env = environment_with(GATEWAY_URL=url_of(shop), GATEWAY_KEY=shop.api.key)
    started = StdioServerParameters(command=sys.executable, args=["-m", "gateway", "mcp"], env=env)
    async with Client(started) as client:
        assert (await use(client, "search_plans", country=["JP"], limit=1))["data"]
        assert await refused(client, "get_mandate") == "mandate_required"


async def test_without_a_gateway_or_a_key_it_says_what_to_set():
    code, _, err = await command_with(environment_with())("mcp")
    assert (code, "GATEWAY_URL" in err) == (2, True)
    code, _, err = await command_with(environment_with(GATEWAY_URL="http://127.0.0.1:9"))("mcp")
    assert (code, "GATEWAY_KEY" in err) == (2, True)
