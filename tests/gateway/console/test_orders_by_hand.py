"""Orders by hand at the console: placed once for a storefront, and a refund recorded that no answer reported."""

import re
from decimal import Decimal

from gateway.access import audit_rows
from gateway.kit.sealing import Seal
from tests.kit.working import answered

NEW = "/console/orders/new"


async def form_of(console, **given):
    plan = await console.pool.fetchval(
        "SELECT plan_id FROM orders WHERE status = 'fulfilled' ORDER BY created_at LIMIT 1"
    )
    storefront = await console.pool.fetchval("SELECT id FROM storefronts WHERE name = 'shop'")
    page = await console.operator.get(NEW)
    token = re.search(r'name="token" value="([0-9a-f]+)"', page.text)[1]
    return {"storefront": storefront, "plan": plan, "token": token, "do": "place", **given}


async def actions(console):
    return [entry.action for entry in (await audit_rows.newest(console.pool)).data]


async def test_an_order_is_placed_once_for_a_storefront_and_recorded(console):
    before = await console.pool.fetchval("SELECT count(*) FROM orders")
    form = await form_of(console, email="t@example.com", reference="BY-HAND-1", note="asked for by phone")
    checked = await console.operator.post(NEW, form | {"do": "check"})
    assert "It can be placed for" in checked.words
    assert 'value="BY-HAND-1"' in checked.text
    assert await console.pool.fetchval("SELECT count(*) FROM orders") == before
    first = await console.operator.post(NEW, form, follow=False)
    second = await console.operator.post(NEW, form, follow=False)
    assert (first.status, first.location) == (303, second.location)
    order_id = first.location.rpartition("/")[2]
    await answered(console.deps, order_id)
    order = await console.pool.fetchrow("SELECT * FROM orders WHERE reference = 'BY-HAND-1'")
    assert (order["id"], order["status"], order["storefront_id"]) == (order_id, "fulfilled", form["storefront"])
    assert order["price"] > 0
    assert order["email_digest"] == Seal.from_settings(console.settings).digest("t@example.com")
    assert await console.pool.fetchval("SELECT count(*) FROM orders") == before + 1
    assert "order.place_requested" in await actions(console)


async def test_what_cannot_be_placed_is_said_beside_its_field(console):
    form = await form_of(console)
    for change, words in (
        ({"plan": "no-such-plan"}, "Not placed"),
        ({"plan": ""}, "is required"),
        ({"storefront": "sf_none"}, "is not a storefront"),
        ({"email": "nobody"}, "is not of the form"),
    ):
        page = await console.operator.post(NEW, form | change)
        assert (page.status, words in page.words) == (422, True), (change, page.words[:600])
    assert (await console.viewer.get(NEW)).status == 403
    assert (await console.viewer.post(NEW, form)).status == 403


async def test_the_rest_of_a_cancelled_order_is_recorded_as_refunded_once(console):
    order_id = await console.pool.fetchval(
        """SELECT l.order_id FROM ledger l JOIN orders o ON o.id = l.order_id
           WHERE l.kind = 'charge' AND o.status = 'fulfilled' LIMIT 1"""
    )
    place = f"/console/orders/{order_id}"
    assert "Record the refund" not in (await console.operator.get(place)).words
    refused = await console.operator.post(f"{place}/refund-rest", {"note": "x"})
    assert "only a cancelled or failed order" in refused.words
    await console.pool.execute("UPDATE orders SET status = 'cancelled', refund = price WHERE id = $1", order_id)
    assert "still holds" in (await console.operator.get(place)).words
    done = await console.operator.post(f"{place}/refund-rest", {"note": "their portal shows it"})
    assert "refunded by the supplier" in done.words
    assert "Record the refund" not in done.words
    sums = await console.pool.fetch(
        "SELECT kind, sum(amount) AS amount FROM ledger WHERE order_id = $1 GROUP BY 1", order_id
    )
    by_kind = {row["kind"]: row["amount"] for row in sums}
    assert by_kind["refund"] == by_kind["charge"] > Decimal(0)
    again = await console.operator.post(f"{place}/refund-rest", {"note": "again"})
    assert "Not recorded" in again.words
    assert (await actions(console)).count("order.rest_refunded") == 1
    assert (await console.operator.post("/console/orders/ord_none/refund-rest", {})).status == 404
    assert (await console.viewer.post(f"{place}/refund-rest", {})).status == 403
