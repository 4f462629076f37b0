"""Plans on which a sandbox goes wrong, over the API: found by id, and in lists that ask for them."""

import pytest

TRIGGER = "bv-2gb-3d-88b723a64374"


async def test_a_storefront_meets_them_by_id_or_when_it_asks_for_them(shop):
    assert (await shop.api.read("/v1/plans?country=BV&in_stock=any"))["data"] == []
    listed = (await shop.api.read("/v1/plans?country=BV&triggers=true&limit=200"))["data"]
    assert TRIGGER in {plan["id"] for plan in listed}
    assert (await shop.api.read(f"/v1/plans/{TRIGGER}"))["countries"] == ["BV"]
    assert "BV" not in {row["code"] for row in (await shop.api.read("/v1/countries"))["data"]}
    refused = await shop.api.post("/v1/quotes", json={"countries": ["BV"]})
    assert (refused.status, (await refused.json())["code"]) == (404, "no_plan")
    for body in ({"countries": ["BV"], "triggers": True}, {"plan_id": TRIGGER}):
        quoted = await shop.api.post("/v1/quotes", json=body)
        assert quoted.status == 201, await quoted.text()
    assert (await shop.api.get("/v1/plans?triggers=perhaps")).status == 422


@pytest.mark.parametrize(
    ("path", "rows"),
    [
        ("/v1/ops/prices?country=BV", lambda page: page["data"][0]["cells"]),
        ("/v1/ops/prices/BV/offers?limit=200", lambda page: page["data"]),
        ("/v1/ops/margins?country=BV&limit=200", lambda page: page["data"]),
        ("/v1/ops/offers?limit=200", lambda page: [row for row in page["data"] if row["plan_id"].startswith("bv-")]),
    ],
)
async def test_operators_lists_leave_them_out_unless_they_are_asked_for(shop, path, rows):
    assert rows(await shop.ops.read(path)) == []
    assert rows(await shop.ops.read(f"{path}&triggers=true"))
