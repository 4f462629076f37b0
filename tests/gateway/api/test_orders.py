"""Orders over the API, at the suppliers' sandboxes: what goes well, what is answered twice, what is cancelled."""

import pytest

from gateway.access.key_rows import create_key
from gateway.api.ordering import seconds_to_wait

GOOD = {"beppay": "bv-1gb-1d-be1f6882a426", "pikasim": "bv-1gb-2d-06d3e3e4ddb9", "s2s": "bv-1gb-3d-06e8ea6afa94"}
OUT_OF_STOCK_AT = "bv-2gb-3d-88b723a64374"
NEVER_PROVISIONED = "bv-16gb-2d-d218e806e6da"
PARTLY = "bv-20gb-3d-8efeafa9e372"


@pytest.mark.parametrize("supplier", sorted(GOOD))
async def test_an_order_is_fulfilled_charged_once_and_answered_again_under_its_key(shop, supplier):
    body = {"plan_id": GOOD[supplier], "reference": f"mine-{supplier}", "metadata": {"cart": "7"}}
    answer = await shop.order(body, "one key")
    order = await answer.json()
    assert answer.status == 201, order
    assert answer.headers["Location"] == f"/v1/orders/{order['id']}"
    assert answer.headers["Preference-Applied"] == "wait=30"
    assert (order["kind"], order["status"], order["reference"]) == ("esim", "fulfilled", f"mine-{supplier}")
    assert order["plan"]["id"] == GOOD[supplier]
    assert order["price"] == {"amount": "11.00", "currency": "USD"}
    assert (order["failure"], order["refund"], order["metadata"]) == (None, None, {"cart": "7"})
    assert order["esim"]["activation_code"].startswith("LPA:1$")
    assert order["esim"]["activation_code"].split("$")[1:3] == [
        order["esim"]["smdp_address"],
        order["esim"]["matching_id"],
    ]
    assert order["created_at"] <= order["fulfilled_at"]
    assert not {"attempts", "supplier", "cost_charged", "cost_quoted"} & order.keys()

    again = await shop.order(body, "one key")
    assert (again.status, again.headers["Idempotent-Replayed"]) == (200, "true")
    assert await again.json() == order
    assert await (await shop.api.get(f"/v1/orders/{order['id']}")).json() == order
    assert (await (await shop.api.get("/v1/orders")).json())["data"] == [order]
    assert len(await shop.town.charges()) == 1

    other = await shop.order({**body, "reference": "another"}, "one key")
    assert (other.status, (await other.json())["code"]) == (422, "idempotency_mismatch")
    topup = await shop.api.post(
        f"/v1/esims/{order['esim']['id']}/topups",
        json={"plan_id": GOOD[supplier]},
        headers={"Idempotency-Key": "one key"},
    )
    assert (topup.status, (await topup.json())["code"]) in {(422, "idempotency_mismatch"), (501, "not_supported")}
    assert len(await shop.town.charges()) == 1


async def test_the_timeline_shows_operators_more_than_storefronts(shop):
    order = await (await shop.order({"plan_id": GOOD["s2s"]}, api=shop.ops)).json()
    assert (order["supplier"], order["cost_charged"]) == ("s2s", {"amount": "10.00", "currency": "USD"})
    (attempt,) = order["attempts"]
    assert (attempt["n"], attempt["supplier"], attempt["state"]) == (1, "s2s", "succeeded")
    assert attempt["cost"] == attempt["listed"] == order["cost_quoted"]
    assert attempt["supplier_order_id"]
    path = f"/v1/orders/{order['id']}/events"
    mine = (await (await shop.api.get(path)).json())["data"]
    theirs = (await (await shop.ops.get(path)).json())["data"]
    assert [event["type"] for event in mine] == [event["type"] for event in theirs]
    assert mine[0]["type"] == "admitted"
    assert all(event.keys() == {"at", "type", "detail"} for event in mine)
    assert all("ops" in event for event in theirs)
    assert "s2s" not in str(mine)


async def test_an_order_that_is_not_at_rest_is_202_and_200_when_it_is_looked_at(shop):
    answer = await shop.order({"plan_id": NEVER_PROVISIONED}, "slow", wait=1)
    order = await answer.json()
    assert (answer.status, order["status"], order["esim"]) == (202, "pending", None)
    again = await shop.order({"plan_id": NEVER_PROVISIONED}, "slow", wait=0)
    assert (again.status, again.headers["Idempotent-Replayed"]) == (202, "true")
    assert (await shop.api.get(f"/v1/orders/{order['id']}")).status == 200
    assert (await (await shop.api.get("/v1/orders?status=pending")).json())["data"][0]["id"] == order["id"]
    assert (await (await shop.api.get("/v1/orders?status=fulfilled")).json())["data"] == []


async def test_an_order_that_nobody_can_fill_fails_with_the_reason_of_the_last_supplier(shop):
    await shop.town.trigger("pikasim", "refuse_stock", act="order", calls=None)
    answer = await shop.order({"plan_id": GOOD["pikasim"]})
    order = await answer.json()
    assert (answer.status, order["status"], order["failure"]["code"]) == (201, "failed", "no_stock")
    assert await shop.town.charges() == []


async def test_after_a_refusal_the_next_supplier_sells_it_and_operators_see_both(shop):
    order = await (await shop.order({"plan_id": OUT_OF_STOCK_AT}, api=shop.ops)).json()
    assert order["status"] == "fulfilled"
    first, second = order["attempts"]
    assert (first["supplier"], first["state"], first["cost"]) == ("s2s", "failed", None)
    assert second["state"] == "succeeded"
    assert order["supplier"] == second["supplier"] != "s2s"
    assert first["error"]
    assert len(await shop.town.charges()) == 1


async def test_an_order_for_a_quote_takes_its_price_and_chosen_suppliers_need_routing(shop):
    quote = await (await shop.api.post("/v1/quotes", json={"plan_id": GOOD["s2s"]})).json()
    valid = await shop.api.post("/v1/orders/validate", json={"quote_id": quote["id"]})
    assert (valid.status, await valid.json()) == (200, {"valid": True, "price": quote["price"]})
    order = await (await shop.order({"quote_id": quote["id"]})).json()
    assert (order["status"], order["price"]) == ("fulfilled", quote["price"])
    body = {"plan_id": OUT_OF_STOCK_AT, "suppliers": {"ignore": ["s2s"]}}
    refused = await shop.order(body)
    assert (refused.status, (await refused.json())["code"]) == (403, "forbidden")
    routed = await (await shop.order(body, api=shop.ops)).json()
    assert [attempt["supplier"] for attempt in routed["attempts"]] != ["s2s"]
    assert len(routed["attempts"]) == 1


async def test_an_unused_esim_is_cancelled_once_and_its_price_given_back(shop):
    order = await (await shop.order({"plan_id": GOOD["pikasim"]})).json()
    path = f"/v1/orders/{order['id']}/cancel"
    answer = await shop.api.post(path, headers={"Prefer": "wait=30"})
    cancelled = await answer.json()
    assert (answer.status, cancelled["status"], cancelled["refund"]) == (200, "cancelled", order["price"])
    assert (await shop.api.post(path)).status == 200
    (charge,) = await shop.town.charges()
    assert float(charge["refunded"]) > 0
    ledger = (await (await shop.ops.get("/v1/ops/ledger")).json())["data"]
    assert [(row["kind"], row["order_id"]) for row in ledger] == [("refund", order["id"]), ("charge", order["id"])]


async def test_what_no_supplier_takes_back_is_501_and_what_came_to_nothing_409(shop):
    order = await (await shop.order({"plan_id": GOOD["beppay"]})).json()
    answer = await shop.api.post(f"/v1/orders/{order['id']}/cancel")
    problem = await answer.json()
    assert (answer.status, problem["code"]) == (501, "not_supported")
    assert "cancel" in problem["detail"]
    await shop.town.trigger("pikasim", "refuse_stock", act="order", calls=None)
    failed = await (await shop.order({"plan_id": GOOD["pikasim"]})).json()
    answer = await shop.api.post(f"/v1/orders/{failed['id']}/cancel")
    assert (answer.status, (await answer.json())["code"]) == (409, "not_cancellable")


async def test_an_operator_settles_what_waits_for_a_person(shop):
    order = await (await shop.order({"plan_id": PARTLY})).json()
    assert order["status"] == "needs_review"
    listed = (await (await shop.ops.get("/v1/ops/orders?status=needs_review")).json())["data"]
    assert [(row["id"], row["storefront"], row["mode"]) for row in listed] == [(order["id"], "shop", "test")]
    path = f"/v1/ops/orders/{order['id']}"
    assert (await (await shop.ops.post(f"{path}/look-up")).json())["status"] == "needs_review"
    for nothing in ("", "  ", "\n"):
        unexplained = await shop.ops.post(f"{path}/resolve", json={"as": "failed", "note": nothing})
        assert (unexplained.status, (await unexplained.json())["errors"][0]["pointer"]) == (422, "/note")
    without = await shop.ops.post(f"{path}/resolve", json={"as": "fulfilled", "note": "said so"})
    assert (without.status, (await without.json())["errors"][0]["pointer"]) == (422, "/activation_code")
    word = {
        "as": "fulfilled",
        "note": "support sent it: 8944500102198765432, LPA:1$smdp.example.com$AB-12, to me@example.com",
        "activation_code": "LPA:1$smdp.example.com$AB-12",
        "iccid": "8944500102198765432",
    }
    settled = await (await shop.ops.post(f"{path}/resolve", json=word)).json()
    assert (settled["status"], settled["esim"]["iccid"]) == ("fulfilled", word["iccid"])
    assert "smdp.example.com" not in str(settled)
    mine = await (await shop.api.get(f"/v1/orders/{order['id']}")).json()
    assert mine["esim"]["activation_code"] == word["activation_code"]
    again = await shop.ops.post(f"{path}/resolve", json=word)
    assert (again.status, (await again.json())["code"]) == (409, "conflict")
    events = (await (await shop.ops.get(f"{path}/events")).json())["data"]
    assert "support sent it" in str(events)
    assert not [secret for secret in ("AB-12", word["iccid"], "me@example.com") if secret in str(events)]


async def test_lists_go_on_after_their_cursor_and_find_a_reference(shop):
    ids = [(await (await shop.order({"plan_id": GOOD["s2s"], "reference": f"r{n}"})).json())["id"] for n in range(3)]
    for path, api in (("/v1/orders", shop.api), ("/v1/ops/orders", shop.ops)):
        first = await (await api.get(f"{path}?limit=2")).json()
        assert [row["id"] for row in first["data"]] == ids[:0:-1]
        rest = await (await api.get(f"{path}?limit=2&cursor={first['next_cursor']}")).json()
        assert ([row["id"] for row in rest["data"]], rest["has_more"]) == ([ids[0]], False)
        assert (await (await api.get(f"{path}?cursor={b'no time'.hex()}")).json())["data"] == []
    found = await (await shop.api.get("/v1/orders?reference=r1")).json()
    assert [row["id"] for row in found["data"]] == [ids[1]]
    first = await (await shop.ops.get("/v1/ops/ledger?limit=2&supplier=s2s")).json()
    rest = await (await shop.ops.get(f"/v1/ops/ledger?limit=2&cursor={first['next_cursor']}")).json()
    assert [row["order_id"] for row in first["data"] + rest["data"]] == ids[::-1]
    assert (await (await shop.ops.get("/v1/ops/ledger?supplier=beppay")).json())["data"] == []
    assert (await (await shop.ops.get("/v1/ops/orders?supplier=beppay")).json())["data"] == []
    assert len((await (await shop.ops.get("/v1/ops/orders?storefront=shop&mode=test")).json())["data"]) == 3


async def test_a_list_is_narrowed_by_time_address_and_metadata(shop):
    bodies = [
        {"customer": {"email": "Ana@example.com"}, "metadata": {"cart": "7", "shop": "a:b"}},
        {"customer": {"email": "ana+trip@example.com"}, "metadata": {"cart": "7"}},
        {"metadata": {"cart": "77", "7": "cart"}},
    ]
    first, second, third = [
        await (await shop.order({"plan_id": GOOD["s2s"], **body}, api=shop.api)).json() for body in bodies
    ]

    async def found(**query):
        page = await (await shop.api.get("/v1/orders", params=[*query.items()])).json()
        return [order["id"] for order in page["data"]]

    newest = [order["id"] for order in (third, second, first)]
    assert await found(created_from=first["created_at"]) == newest
    assert await found(created_from=second["created_at"]) == newest[:2]
    assert await found(created_to=second["created_at"]) == newest[2:]
    assert await found(created_from=second["created_at"], created_to=third["created_at"]) == [second["id"]]
    assert await found(email="ana@EXAMPLE.com") == [first["id"]]
    assert await found(email="ana+trip@example.com") == [second["id"]]
    assert await found(email="nobody@example.com") == []
    assert await found(metadata="cart:7") == newest[1:]
    assert await found(metadata="shop:a:b") == [first["id"]]
    assert await found(metadata="7:cart", created_to=third["created_at"]) == []
    assert await found(email="ana@example.com", metadata="cart:7", status="fulfilled", kind="esim") == [first["id"]]
    both = await (await shop.api.get("/v1/orders?metadata=cart:7&metadata=shop:a:b")).json()
    assert [order["id"] for order in both["data"]] == [first["id"]]
    page = await (await shop.api.get("/v1/orders?metadata=cart:7&limit=1")).json()
    rest = await (await shop.api.get(f"/v1/orders?metadata=cart:7&limit=1&cursor={page['next_cursor']}")).json()
    assert [order["id"] for order in page["data"] + rest["data"]] == newest[1:]


@pytest.mark.parametrize(
    "query", ["created_from=yesterday", "created_to=2026-11-20T10:00:00", "email=ana", "metadata=cart"]
)
async def test_a_filter_that_cannot_be_read_is_pointed_at(shop, query):
    answer = await shop.api.get(f"/v1/orders?{query}")
    assert (answer.status, (await answer.json())["errors"][0]["pointer"].split("/")[1]) == (422, query.split("=")[0])


async def test_nobody_finds_an_order_of_another_storefront_by_its_address_or_metadata(shop):
    body = {"plan_id": GOOD["s2s"], "customer": {"email": "ana@example.com"}, "metadata": {"cart": "7"}}
    await shop.order(body)
    rival = await create_key(shop.api.pool, storefront="rival", mode="test", scopes=["storefront", "ops"])
    live = await create_key(shop.api.pool, storefront="shop", mode="live", scopes=["storefront"])
    for query in ("email=ana@example.com", "metadata=cart:7"):
        assert len((await shop.api.read(f"/v1/orders?{query}"))["data"]) == 1
        for key in (rival.key, live.key):
            assert (await shop.api.with_key(key).read(f"/v1/orders?{query}"))["data"] == []


class Asking:
    def __init__(self, *values):
        self.headers = self
        self.values = list(values)

    def getall(self, _name, default):
        return self.values or default


@pytest.mark.parametrize(
    ("values", "seconds"),
    [
        ((), 0),
        (("wait=10",), 10),
        (("respond-async, wait=31",), 30),
        (("respond-async", 'WAIT = "7"'), 7),
        (("wait=ten",), 0),
        (("wait=-1",), 0),
        (("await=9",), 0),
        (("wait=999999999",), 30),
        (("wait=" + "9" * 300,), 30),
    ],
)
def test_a_preference_to_wait_is_seconds_and_thirty_at_most(values, seconds):
    assert seconds_to_wait(Asking(*values)) == seconds
