"""A plan whose id changed answers 410 with what took its place."""

from datetime import UTC, datetime

import pytest

from tests.kit.made_up_market import Item, offer

OLD, NEW = offer("x", mb=1024), offer("x", mb=2048)


@pytest.fixture
async def replaced(make_api):
    """An API whose only plan was another before."""
    api = await make_api([Item("a", NEW)], published=True, scopes=["storefront", "ops:read"])
    await api.pool.execute(
        "INSERT INTO plan_successors SELECT $1, id, plan_id, now() FROM offers WHERE plan_id = $2",
        OLD.plan_id, NEW.plan_id,
    )  # fmt: skip
    return api


async def told(answer):
    body = await answer.json()
    return answer.status, body["code"], body.get("successors")


async def test_orders_and_their_validation_name_the_successors(replaced):
    body = {"plan_id": OLD.plan_id}
    for path in ("/v1/orders", "/v1/orders/validate"):
        answer = await replaced.post(path, json=body, headers={"Idempotency-Key": "k"})
        assert await told(answer) == (410, "plan_replaced", [NEW.plan_id])


async def test_pages_of_a_plan_and_quotes_name_the_successors(api):
    market, old = api.catalog.markets["test"], "jp-500mb-7d-000000000000"
    new = market.items[0].offer.plan_id
    market.gone, market.successors = {old: datetime.now(UTC)}, {old: (new,)}
    api.catalog.rebuild()
    assert await told(await api.get(f"/v1/plans/{old}")) == (410, "plan_replaced", [new])
    assert await told(await api.post("/v1/quotes", json={"plan_id": old})) == (410, "plan_replaced", [new])
    market.successors = {}
    api.catalog.rebuild()
    assert await told(await api.get(f"/v1/plans/{old}")) == (410, "gone", None)
