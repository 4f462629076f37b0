"""Mandates of keys: set, shown and removed by operators, shown to the key itself, and kept to at the API."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.access import audit_rows
from tests.kit.answers import problem

BOUNDS = {"per_order": "20", "per_day": "20.00", "per_month": "100"}


def mandate(days: float = 1) -> dict[str, str]:
    return BOUNDS | {"ends_at": (datetime.now(UTC) + timedelta(days=days)).isoformat()}


async def test_a_key_is_bounded_shown_its_bounds_and_freed_again(shop):
    api, ops = shop.api, shop.ops
    key_id, plan = (await api.read("/v1/me"))["id"], await shop.plan()
    await problem(await api.get("/v1/me/mandate"), 404, "not_found")
    made = await ops.ask("PUT", f"/v1/ops/keys/{key_id}/mandate", json=mandate())
    assert made.status == 200, await made.text()
    assert (await shop.order({"plan_id": plan["id"]}, "first")).status == 201
    shown = await api.read("/v1/me/mandate")
    assert shown["spent_today"] == shown["spent_this_month"] == plan["price"]
    assert shown["per_day"] == {"amount": "20.00", "currency": "USD"}
    assert await ops.read(f"/v1/ops/keys/{key_id}/mandate") == shown
    refused = await problem(await shop.order({"plan_id": plan["id"]}, "second"), 409, "mandate_exceeded")
    assert "20.00 USD" in refused["detail"]
    assert (await shop.order({"plan_id": plan["id"]}, "first")).headers["Idempotent-Replayed"] == "true"
    assert (await ops.ask("DELETE", f"/v1/ops/keys/{key_id}/mandate")).status == 200
    assert (await shop.order({"plan_id": plan["id"]}, "second")).status == 201
    await problem(await ops.ask("DELETE", f"/v1/ops/keys/{key_id}/mandate"), 404, "not_found")
    noted = (await audit_rows.newest(ops.pool, what=f"key:{key_id}")).data
    assert [entry.action for entry in noted] == ["key.mandate_removed", "key.mandate_set"]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"ends_at": "2999-01-01T00:00:00"}, "/ends_at"),
        ({"per_order": "-1"}, "/per_order"),
        ({"per_month": "1e3"}, "/per_month"),
    ],
)
async def test_a_mandate_that_says_no_bound_is_refused(ops, changes, pointer):
    key_id = (await ops.read("/v1/me"))["id"]
    answer = await ops.ask("PUT", f"/v1/ops/keys/{key_id}/mandate", json=mandate() | changes)
    assert (await problem(answer, 422, "invalid"))["errors"][0]["pointer"] == pointer
