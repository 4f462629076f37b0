"""The stop-selling switch over HTTP."""

import pytest

from gateway.suppliers import selling_rows
from tests.gateway.api.test_two_storefronts import PLAN
from tests.kit.answers import read

PATH = "/v1/ops/selling-stops"


@pytest.fixture
async def shop(make_api, suppliers):
    """A storefront's API, and the same with a key of the operator's."""
    api = await make_api(synced=True, suppliers=suppliers.accounts())
    return api.with_key(await api.make_key()), api.with_key(await api.make_key("storefront", "ops"))


async def in_force(ops):
    return [(stop["supplier"], stop["reason"]) for stop in (await ops.read(PATH))["data"]]


async def test_selling_is_stopped_and_resumed(shop):
    api, ops = shop
    made = await read(await ops.post(PATH, json={"note": "prices look wrong"}), status=201)
    assert (made["supplier"], made["reason"], made["note"]) == (None, "person", "prices look wrong")
    assert made["since"]
    answer = await api.post("/v1/orders", json={"plan_id": PLAN}, headers={"Idempotency-Key": "a"})
    assert (await read(answer, status=503))["code"] == "selling_stopped"
    assert int(answer.headers["Retry-After"]) > 0
    assert (await read(await ops.ask("DELETE", PATH)))["data"] == []
    headers = {"Idempotency-Key": "a", "Prefer": "wait=30"}
    order = await read(await api.post("/v1/orders", json={"plan_id": PLAN}, headers=headers), status=201)
    assert order["status"] == "fulfilled"


async def test_a_stop_is_seen_in_the_catalogue_of_the_process_that_was_told_at_once(shop):
    api, ops = shop

    async def in_stock():
        plans = await api.read("/v1/plans?in_stock=any&limit=200")
        return sum(plan["in_stock"] for plan in plans["data"])

    before = await in_stock()
    await read(await ops.post(PATH), status=201)
    assert (before > 0, await in_stock()) == (True, 0)
    await read(await ops.ask("DELETE", PATH))
    assert await in_stock() == before


async def test_each_stop_is_lifted_for_itself(shop):
    _, ops = shop
    await read(await ops.post(PATH, json={"supplier": "s2s", "note": "one"}), status=201)
    await read(await ops.post(PATH, json={"supplier": None}), status=201)
    again = await read(await ops.post(PATH, json={"supplier": "s2s", "note": "two"}), status=201)
    assert again["note"] == "two"
    await selling_rows.stop(ops.pool, "pikasim", "account", "401")
    assert await in_force(ops) == [(None, "person"), ("pikasim", "account"), ("s2s", "person")]
    first = await ops.read(f"{PATH}?limit=1")
    rest = await ops.read(f"{PATH}?limit=5&cursor={first['next_cursor']}")
    assert [stop["supplier"] for stop in first["data"] + rest["data"]] == [None, "pikasim", "s2s"]
    left = await read(await ops.ask("DELETE", PATH))
    assert [stop["supplier"] for stop in left["data"]] == ["pikasim", "s2s"]
    await read(await ops.ask("DELETE", f"{PATH}?supplier=pikasim"))
    assert await in_force(ops) == [("s2s", "person")]


async def test_a_restore_keeps_selling_off_whatever_a_person_asks(shop):
    _, ops = shop
    await selling_rows.stop(ops.pool, selling_rows.ALL, "restored", "nightly")
    assert (await read(await ops.ask("DELETE", PATH), status=409))["code"] == "conflict"
    assert await in_force(ops) == [(None, "restored")]


@pytest.mark.parametrize(
    ("method", "query", "body", "status"),
    [
        ("POST", "", {"supplier": "nobody"}, 404), ("DELETE", "?supplier=nobody", None, 404), ("DELETE", "", None, 404),
        ("POST", "", {"supplier": ""}, 422), ("POST", "", {"all": True}, 422), ("DELETE", "?name=s2s", None, 422),
        ("POST", "", {"note": "x" * 1001}, 422), ("GET", "?supplier=s2s", None, 422),
    ],
)  # fmt: skip
async def test_what_cannot_be_stopped_or_resumed_is_said_so(shop, method, query, body, status):
    _, ops = shop
    await read(await ops.ask(method, PATH + query, **({} if body is None else {"json": body})), status=status)
    assert await in_force(ops) == []
