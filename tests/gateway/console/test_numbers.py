"""Virtual numbers in the console: what is sold on the page of other goods, and an order for one."""

from __future__ import annotations

import re

import pytest

from gateway.access import audit_rows
from gateway.orders.admit import Admitted, admit
from schemas.order_requests import NumberChoice, OrderForNumber
from tests.kit.working import answered

PLACE = "/console/other-goods"
RELEASE = "/console/number-tiers/release"


@pytest.fixture
async def order_id(console) -> str:
    """A delivered number."""
    storefront = await console.pool.fetchval("SELECT storefront_id FROM orders LIMIT 1")
    body = OrderForNumber(number=NumberChoice("US", "7d"))
    admitted = await admit(console.deps, storefront, "test", body, "a number")
    assert isinstance(admitted, Admitted), admitted
    await answered(console.deps, admitted.order_id, 20)
    return admitted.order_id


async def test_tiers_stand_there_with_cost_and_price(console):
    page = await console.viewer.get(PLACE)
    for words in ("Virtual numbers", "7 Days", "1 Year", "10.00", "11.00", "44.00", "2 countries, 2 tiers"):
        assert words in page.words
    assert "Resume selling" not in page.words


async def test_a_tier_is_released_by_an_operator_at_the_cost_that_was_seen(console):
    await console.pool.execute("UPDATE number_tiers SET suspect = 'moved: far <b>off</b>' WHERE tier_id = '7d'")
    page = await console.operator.get(PLACE)
    assert "moved: far" in page.words
    assert "<b>off</b>" not in page.text
    seen = {"supplier": "beppay", "tier": "7d", "cost": "10"}
    assert (await console.viewer.post(RELEASE, seen)).status == 403
    assert "Nothing was done" in (await console.operator.post(RELEASE, seen | {"cost": "9"})).words
    assert "Selling resumed" in (await console.operator.post(RELEASE, seen)).words
    (entry,) = [one for one in (await audit_rows.newest(console.pool)).data if one.action == "number_tier.released"]
    assert entry.object == "supplier:beppay"


async def test_an_order_shows_its_number_only_to_who_asks_and_that_is_on_record(console, order_id):
    row = await console.pool.fetchrow("SELECT status, plan FROM orders WHERE id = $1", order_id)
    assert (row["status"], row["plan"]["name"]) == ("fulfilled", "United States number, 7 Days")
    page = await console.operator.get(f"/console/orders/{order_id}")
    for words in ("United States number, 7 Days", "Auto-renewal", "Show the phone number"):
        assert words in page.words
    assert "+1202" not in page.text
    shown = await console.operator.post(f"/console/orders/{order_id}/reveal")
    assert "+1202" in shown.words
    phone = re.findall(r"\+1202\d{7}", shown.words)[0]
    assert order_id in (await console.operator.get(f"/console/orders?q={phone.removeprefix('+')}")).text
    (entry,) = (await audit_rows.newest(console.pool, action="order.code_shown")).data
    assert entry.object == f"order:{order_id}"
    assert "+1202" not in str(entry.detail)
    assert "United States number" in (await console.viewer.get("/console/orders?kind=number")).words


async def test_a_person_says_which_number_it_became(console, order_id):
    await console.pool.execute("DELETE FROM numbers WHERE order_id = $1", order_id)
    await console.pool.execute("UPDATE attempts SET state = 'unknown' WHERE order_id = $1", order_id)
    await console.pool.execute("UPDATE orders SET status = 'needs_review' WHERE id = $1", order_id)
    path = f"/console/orders/{order_id}/resolve"
    assert "Phone number" in (await console.operator.get(path)).words
    said = {"as": "fulfilled", "note": "their support told it"}
    assert (await console.operator.post(path, said)).status == 422
    done = await console.operator.post(path, said | {"phone_number": "+12025550100"})
    assert "Resolved as fulfilled" in done.words
    assert "+12025550100" in (await console.operator.post(f"/console/orders/{order_id}/reveal")).words
