"""Checkouts over the API: opened, paid on the payment page, told, and decided by an operator."""

import asyncio

import msgspec
import pytest

from gateway.api import state
from gateway.webhooks.deliver import deliver
from schemas.checkouts import Checkout, OpsCheckout, PaymentCase
from schemas.page import Page
from tests.gateway.api.conftest import Shop
from tests.kit.receiver import receiving
from tests.kit.waiting import until

PLAN = "bv-1gb-3d-06e8ea6afa94"
LIVE = {"webhooks": {"allow_private": ["127.0.0.0/8"]}}


@pytest.fixture
async def shop(make_api, suppliers):
    api = await make_api(synced=True, suppliers={**suppliers.accounts(), **suppliers.payments()}, **LIVE)
    url = str(api.client.make_url("/webhooks/bepaid"))
    await suppliers.tell("bepaid", "webhook", {"url": url})
    keys = await api.make_key("storefront"), await api.make_key("storefront", "ops")
    return Shop(api.with_key(keys[0]), api.with_key(keys[1]), suppliers)


async def opened(shop, key="k1", **more):
    answer = await shop.api.post("/v1/checkouts", json={"plan_id": PLAN, **more}, headers={"Idempotency-Key": key})
    return answer, await answer.json()


async def paid(shop, checkout, outcome="pay"):
    """What a customer's browser does: the payment page's form, and back to the shop."""
    page = await (await shop.town.http.get(checkout["payment_url"])).text()
    assert checkout["plan"]["name"] in page
    product = checkout["payment_url"].rstrip("/").split("/")[-2]
    await shop.town.tell("bepaid", f"pay/{product}", {"outcome": outcome})


async def reached(shop, checkout, status):
    async def look():
        found = await (await shop.api.get(f"/v1/checkouts/{checkout['id']}")).json()
        return found if found["status"] == status else None

    return await until(look)


async def test_a_checkout_is_opened_paid_and_delivered(shop):
    answer, checkout = await opened(
        shop, reference="cart-7", customer={"email": "a@example.com"}, language="ru",
        return_url="https://shop.example.com/thanks", metadata={"basket": "7"},
    )  # fmt: skip
    assert (answer.status, answer.headers["Location"]) == (201, f"/v1/checkouts/{checkout['id']}")
    msgspec.convert(checkout, Checkout)
    assert (checkout["status"], checkout["order_id"], checkout["reference"]) == ("open", None, "cart-7")
    again, same = await opened(
        shop, reference="cart-7", customer={"email": "a@example.com"}, language="ru",
        return_url="https://shop.example.com/thanks", metadata={"basket": "7"},
    )  # fmt: skip
    assert (again.status, again.headers["Idempotent-Replayed"], same["id"]) == (200, "true", checkout["id"])
    other, problem = await opened(shop, reference="cart-8")
    assert (other.status, problem["code"]) == (422, "idempotency_mismatch")
    await paid(shop, checkout)
    done = await reached(shop, checkout, "paid")
    assert done["payment_url"] is None
    order = await (await shop.api.get(f"/v1/orders/{done['order_id']}", headers={"Prefer": "wait=20"})).json()
    assert (order["status"], order["reference"], order["price"]) == ("fulfilled", "cart-7", checkout["price"])
    assert order["metadata"] == {"basket": "7"}
    listed = await (await shop.api.get("/v1/checkouts?reference=cart-7&status=paid")).json()
    msgspec.convert(listed, Page[Checkout])
    assert [one["id"] for one in listed["data"]] == [checkout["id"]]
    assert (await (await shop.api.get("/v1/checkouts?status=open")).json())["data"] == []


async def test_a_quote_is_paid_at_the_price_that_is_held(shop):
    quote = await (await shop.api.post("/v1/quotes", json={"plan_id": PLAN, "currency": "EUR"})).json()
    answer = await shop.api.post("/v1/checkouts", json={"quote_id": quote["id"]}, headers={"Idempotency-Key": "q"})
    checkout = await answer.json()
    assert (answer.status, checkout["price"]) == (201, quote["price"])
    await paid(shop, checkout)
    assert (await reached(shop, checkout, "paid"))["order_id"]


async def test_operators_see_what_waits_and_decide_it(shop):
    _, checkout = await opened(shop)
    await shop.town.tell("bepaid", "triggers", {"kind": "wrong_amount", "factor": "0.5"})
    await paid(shop, checkout)
    waits = await reached(shop, checkout, "needs_review")
    assert waits["review"]["reason"] == "paid_too_little"
    assert (await shop.api.get("/v1/ops/checkouts")).status == 403
    page = await (await shop.ops.get("/v1/ops/checkouts?status=needs_review&mode=test")).json()
    assert [one.id for one in msgspec.convert(page, Page[OpsCheckout]).data] == [checkout["id"]]
    one = await (await shop.ops.get(f"/v1/ops/checkouts/{checkout['id']}")).json()
    seen = msgspec.convert(one, OpsCheckout)
    assert [(paid.kind, paid.accepted) for paid in seen.payments] == [("payment", False)]
    cases = msgspec.convert(await (await shop.ops.get("/v1/ops/payment-cases")).json(), Page[PaymentCase])
    (case,) = cases.data
    assert (case.checkout_id, case.reason) == (checkout["id"], "paid_too_little")
    path = f"/v1/ops/checkouts/{case.id}/resolve"
    assert (await shop.ops.post(path, json={"as": "sold", "note": ""})).status == 422
    decided = await shop.ops.post(path, json={"as": "refunded", "note": "given back"})
    assert (decided.status, (await decided.json())["data"][0]["outcome"]) == (200, "refunded")
    assert (await shop.ops.post(path, json={"as": "closed", "note": "twice"})).status == 409
    assert (await shop.ops.post("/v1/ops/checkouts/pc_none/resolve", json={"as": "closed", "note": ""})).status == 404
    assert (await reached(shop, checkout, "closed"))["review"] is None
    audit = await shop.api.pool.fetchrow("SELECT object, detail FROM audit_log WHERE action = 'checkout.resolved'")
    assert (audit["object"], audit["detail"]["as"]) == (f"checkout:{checkout['id']}", "refunded")


async def test_the_storefront_hears_that_it_was_paid_and_that_it_needs_review(shop):
    async with receiving() as receiver:
        endpoint = await (await shop.api.post("/v1/webhook-endpoints", json={"url": receiver.url})).json()
        _, good = await opened(shop, "good")
        _, bad = await opened(shop, "bad")
        await shop.town.tell("bepaid", "triggers", {"kind": "wrong_currency", "key": bad["id"]})
        await paid(shop, good)
        await paid(shop, bad)
        await reached(shop, good, "paid")
        await reached(shop, bad, "needs_review")
        stop = asyncio.Event()
        sending = asyncio.create_task(deliver(shop.api.client.app[state.SETTINGS], shop.api.pool, stop))
        try:
            await until(lambda: sum(b"checkout." in body for _, body in receiver.got) >= 2)
        finally:
            stop.set()
            await sending
        told = {event["type"]: event["data"] for event in receiver.verified(endpoint["secret"])}
    assert told["checkout.paid"]["checkout_id"] == good["id"]
    assert told["checkout.paid"]["order_id"]
    assert (told["checkout.needs_review"]["checkout_id"], told["checkout.needs_review"]["reason"]) == (
        bad["id"], "other_currency",
    )  # fmt: skip


async def test_notifications_that_are_not_the_payment_suppliers_are_refused(shop):
    _, checkout = await opened(shop)
    body = {"transaction": {"uid": "u", "status": "successful", "type": "payment", "amount": 100, "currency": "USD"}}
    for headers in ({}, {"Authorization": "Basic MzYxOng="}, {"Content-Signature": "AAAA"}):
        assert (await shop.api.post("/webhooks/bepaid", json=body, headers=headers)).status == 401
    assert (await shop.api.post("/webhooks/nobody", json=body)).status == 401
    assert (await reached(shop, checkout, "open"))["order_id"] is None
    assert await shop.api.pool.fetchval("SELECT count(*) FROM payments") == 0


async def test_a_live_checkout_leads_back_by_https_only(shop):
    body = {"plan_id": PLAN, "return_url": "http://shop.example.com/thanks"}
    live = shop.api.with_key(await shop.api.make_key("storefront", mode="live"))
    answer = await live.post("/v1/checkouts", json=body, headers={"Idempotency-Key": "k"})
    problem = await answer.json()
    assert (answer.status, problem["code"]) == (422, "invalid")
    assert problem["errors"] == [{"pointer": "/return_url", "detail": "must be https in live mode"}]
    secure = body | {"return_url": "https://shop.example.com/thanks"}
    answer = await live.post("/v1/checkouts", json=secure, headers={"Idempotency-Key": "k"})
    assert (await answer.json())["code"] == "gone"  # the next thing that is wrong: it is a plan of test suppliers
    answer, checkout = await opened(shop, return_url=body["return_url"])
    assert (answer.status, checkout["return_url"]) == (201, body["return_url"])


async def test_a_checkout_needs_a_key_of_its_own_for_sending_it_again_and_a_plan_of_its_mode(shop):
    assert (await shop.api.post("/v1/checkouts", json={"plan_id": PLAN})).status == 400
    live = shop.api.with_key(await shop.api.make_key("storefront", mode="live"))
    answer = await live.post("/v1/checkouts", json={"plan_id": PLAN}, headers={"Idempotency-Key": "k"})
    assert (answer.status, (await answer.json())["code"]) == (410, "gone")
