"""eSIMs at the console: found, looked into, asked about, sent again, and replaced once at our cost."""

from __future__ import annotations

import asyncio
import base64
import io
import re
from datetime import UTC, datetime, timedelta
from html import unescape

import msgspec
import pytest
import zxingcpp
from PIL import Image
from playwright.async_api import expect

from gateway.access import audit_rows
from gateway.inventory import esim_rows
from gateway.inventory.esims import record
from gateway.webhooks import endpoint_rows
from gateway.webhooks.endpoint_rows import Owner
from schemas.esim import DataUsage, EsimStatus, ProfileState, ServiceState
from tests.gateway.console.test_orders import bought
from tests.kit.working import answered

LIST = "/console/esims"
EMAIL = "traveller@example.com"


async def esims(console):
    rows = await console.pool.fetch("SELECT id FROM esims WHERE mode = 'test' ORDER BY created_at DESC, id DESC")
    return [row["id"] for row in rows]


async def esim(console, esim_id):
    return await esim_rows.get(console.pool, console.deps.seal, esim_id)


def listed(page):
    return re.findall(r'<a href="/console/esims/(esim_[0-9a-f]+)">', page.text)


async def seen(console, esim_id, state=ServiceState.ACTIVE, used=256, minutes=0):
    """The supplier tells of it; so many minutes from now."""
    found = await esim(console, esim_id)
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    data = DataUsage(total_mb=1024, used_mb=used, remaining_mb=1024 - used)
    await record(console.deps, esim_id, EsimStatus(found.iccid, ProfileState.ENABLED, state, at, data))


async def audited(console, action):
    return [entry for entry in (await audit_rows.newest(console.pool)).data if entry.action == action]


async def test_the_list_is_filtered_and_sorted_by_what_was_reported(console):
    every = await esims(console)
    first, last = every[-1], every[0]
    await seen(console, first, ServiceState.DEPLETED)
    await seen(console, last, ServiceState.ACTIVE, minutes=1)
    assert listed(await console.viewer.get(LIST)) == every
    assert listed(await console.viewer.get(f"{LIST}?sort=delivered&direction=asc")) == every[::-1]
    assert listed(await console.viewer.get(f"{LIST}?sort=updated"))[:2] == [last, first]
    assert listed(await console.viewer.get(f"{LIST}?state=depleted")) == [first]
    assert set(listed(await console.viewer.get(f"{LIST}?state=unknown"))) == {*every} - {first, last}
    supplier = (await esim(console, first)).supplier
    count = await console.pool.fetchval("SELECT count(*) FROM esims WHERE supplier = $1", supplier)
    assert len(listed(await console.viewer.get(f"{LIST}?supplier={supplier}"))) == count
    assert "No matching eSIMs" in (await console.viewer.get(f"{LIST}?state=revoked")).words
    assert (await console.viewer.get(f"{LIST}?state=nonsense&sort=nonsense&cursor=~~&supplier=nobody")).status == 200
    await console.viewer.post("/console/mode", {"mode": "live", "next": LIST})
    assert listed(await console.viewer.get(LIST)) == []


@pytest.mark.parametrize("sort", ["delivered", "delivered&direction=asc", "updated"])
async def test_pages_of_the_list_follow_each_other_without_gap(console, sort):
    order = (await esim(console, (await esims(console))[0])).order_id
    await console.pool.execute(
        """WITH made AS (
               INSERT INTO orders (id, storefront_id, mode, kind, status, plan_id, plan, price, currency, price_base,
                                   max_cost, base_currency)
               SELECT 'ord_' || g, storefront_id, mode, kind, status, plan_id, plan, price, currency, price_base,
                      max_cost, base_currency
               FROM orders, generate_series(1, 120) g WHERE id = $1 RETURNING id
           )
           INSERT INTO esims (id, order_id, storefront_id, mode, supplier, supplier_plan_id, iccid, iccid_digest,
                              activation_code, created_at)
           SELECT 'esim_' || lpad(substr(m.id, 5), 24, '0'), m.id, e.storefront_id, e.mode, e.supplier,
                  e.supplier_plan_id, e.iccid, e.iccid_digest, e.activation_code,
                  now() - (substr(m.id, 5)::int % 7) * interval '1 h'
           FROM esims e, made m WHERE e.order_id = $1""",
        order,
    )
    found, address = [], f"{LIST}?sort={sort}"
    while address:
        page = await console.viewer.get(address)
        found += listed(page)
        more = re.search(r'href="([^"]+)" rel="next"', page.text)
        address = unescape(more[1]) if more else None
    assert len(found) == len(set(found))
    assert set(found) == {*await esims(console)}
    file = await console.viewer.get(f"{LIST}?sort={sort}&format=csv")
    assert [line.split(",")[0] for line in file.text.splitlines()[1:]] == found[:50]


async def test_an_esim_is_found_by_its_iccid_its_customer_and_its_order(console):
    one = await esim(console, (await esims(console))[0])
    await console.pool.execute(
        "UPDATE orders SET email = $2, email_digest = $3 WHERE id = $1",
        one.order_id,
        console.deps.seal.seal(EMAIL),
        console.deps.seal.digest(EMAIL),
    )
    for text in (one.iccid, EMAIL.upper(), one.order_id, one.id):
        assert listed(await console.viewer.get(f"{LIST}?q={text}")) == [one.id], text
    assert "No matching eSIMs" in (await console.viewer.get(f"{LIST}?q={one.iccid[:-1]}")).words


async def test_usage_is_kept_when_it_changes_and_shown_over_time(console):
    one = (await esims(console))[0]
    for minutes, used in enumerate((0, 100, 100, 300)):
        await seen(console, one, used=used, minutes=minutes)
    kept = await console.pool.fetch("SELECT used_mb, total_mb FROM esim_usage WHERE esim_id = $1 ORDER BY at", one)
    assert [(row["used_mb"], row["total_mb"]) for row in kept] == [(0, 1024), (100, 1024), (300, 1024)]
    page = await console.viewer.get(f"{LIST}/{one}")
    chart = msgspec.json.decode(unescape(re.search(r'data-chart="([^"]+)"', page.text)[1]))
    assert [line["y"] for line in chart["lines"]] == [[0, 100, 300, 300], [1024] * 4]
    assert "300 MB of 1,024 MB" in page.words
    file = await console.viewer.get(f"{LIST}/{one}?format=csv")
    assert [line.split(",")[1] for line in file.text.splitlines()] == ["used_mb", "0", "100", "300"]


async def test_a_viewer_sees_neither_the_iccid_nor_the_code_and_changes_nothing(console):
    one = await esim(console, (await esims(console))[0])
    page = await console.viewer.get(f"{LIST}/{one.id}")
    for secret in (one.iccid, one.activation_code):
        assert secret not in page.text
        assert secret not in (await console.viewer.get(LIST)).text
    assert one.iccid in (await console.operator.get(f"{LIST}/{one.id}")).text
    for path in ("poll", "reveal", "send-again", "replace"):
        assert (await console.viewer.post(f"{LIST}/{one.id}/{path}", {})).status == 403
    assert (await console.operator.get(f"{LIST}/esim_none")).status == 404


async def test_an_operator_gets_the_code_as_a_picture_and_the_travellers_link(console):
    one = await esim(console, (await esims(console))[0])
    page = await console.operator.post(f"{LIST}/{one.id}/reveal")
    assert one.activation_code in page.text
    svg = base64.b64decode(re.search(r'data:image/svg\+xml;base64,([^"]+)"', page.text)[1])
    assert b"<svg" in svg
    link = unescape(re.search(r'<dt>Traveller\'s page</dt><dd><a href="([^"]+)"', page.text)[1])
    assert (await console.nobody.get(link)).status == 200
    assert [entry.object for entry in await audited(console, "esim.code_shown")] == [f"esim:{one.id}"]


async def test_the_supplier_is_asked_now_and_its_answer_shown(console):
    order_id = await bought(console, "pikasim")
    one = (await esim_rows.of_orders(console.pool, console.deps.seal, [order_id]))[order_id]
    page = await console.operator.post(f"{LIST}/{one.id}/poll")
    assert "The supplier was polled" in page.words
    assert (await esim(console, one.id)).observed_at is not None
    assert [entry.object for entry in await audited(console, "esim.polled")] == [f"esim:{one.id}"]
    await console.pool.execute("UPDATE esims SET supplier = 'nobody' WHERE id = $1", one.id)
    assert "The supplier was not polled" in (await console.operator.post(f"{LIST}/{one.id}/poll")).words


async def test_a_delivery_is_sent_again_to_the_endpoints_that_ask_for_it(console):
    one = await esim(console, (await esims(console))[0])
    again = f"{LIST}/{one.id}/send-again"
    assert "no enabled webhook endpoint" in (await console.operator.post(again)).words
    owner, url = Owner(one.storefront_id, "test"), "https://example.com/hooks"
    for events in (("order.fulfilled",), ("order.failed",)):
        await endpoint_rows.add(
            console.pool, owner, url=url, events=events, description="", secret=console.deps.seal.seal("x"), most=9
        )
    page = await console.operator.post(again)
    assert "sent again to 1 webhook endpoint." in page.words
    sent = await console.pool.fetchrow(
        """SELECT e.type, e.order_id FROM webhook_deliveries d JOIN webhook_events e ON e.id = d.event_id
           WHERE d.next_at IS NOT NULL"""
    )
    assert tuple(sent) == ("order.fulfilled", one.order_id)
    assert len(await audited(console, "order.delivery_sent_again")) == 1
    await console.pool.execute("DELETE FROM webhook_deliveries")
    await console.pool.execute("DELETE FROM webhook_events")
    assert "no order.fulfilled event of this order is kept" in (await console.operator.post(again)).words


async def test_an_esim_is_replaced_once_at_our_cost_for_the_same_customer(console):
    one = await esim(console, (await esims(console))[0])
    digest = console.deps.seal.digest(EMAIL)
    await console.pool.execute(
        'UPDATE orders SET email = $2, email_digest = $3, metadata = \'{"cart": "7"}\' WHERE id = $1',
        one.order_id,
        console.deps.seal.seal(EMAIL),
        digest,
    )
    place = f"{LIST}/{one.id}/replace"
    assert "The storefront pays nothing" in (await console.operator.get(place)).words
    wrong = await console.operator.post(place, {"number": "1", "plan": "no-such-plan", "note": "dead"})
    assert (wrong.status, "Not replaced" in wrong.words) == (422, True)
    form = {"number": "1", "plan": one.plan_id, "note": "never connects"}
    first, second = await asyncio.gather(
        console.operator.post(place, form, follow=False), console.admin.post(place, form, follow=False)
    )
    assert first.status == 303
    assert first.location == second.location
    new_id = first.location.rpartition("/")[2]
    new = await console.pool.fetchrow("SELECT * FROM orders WHERE replaces_order_id = $1", one.order_id)
    assert (new["id"], new["price"], new["price_base"], new["email_digest"]) == (new_id, 0, 0, digest)
    assert new["metadata"] == {"cart": "7", "replaces_order": one.order_id}
    assert new["max_cost"] > 0
    await answered(console.deps, new_id)
    assert await console.pool.fetchval("SELECT status FROM orders WHERE id = $1", new_id) == "fulfilled"
    third = await console.operator.post(place, form, follow=False)
    assert third.location == first.location
    (entry,) = await audited(console, "esim.replace_requested")
    assert (entry.object, entry.detail["order"], entry.detail["note"]) == (f"esim:{one.id}", new_id, "never connects")
    again = await console.operator.post(place, form | {"number": "2"})
    assert (again.status, "replaced already" in again.words) == (422, True)
    assert new_id in (await console.viewer.get(f"{LIST}/{one.id}")).text
    replacement = (await esim_rows.of_orders(console.pool, console.deps.seal, [new_id]))[new_id]
    assert one.order_id in (await console.viewer.get(f"{LIST}/{replacement.id}")).text
    assert one.order_id in (await console.viewer.get(f"/console/orders/{new_id}")).text


@pytest.mark.browser
async def test_the_usage_is_drawn_and_the_code_can_be_scanned(console, open_page):
    one = await esim(console, (await esims(console))[0])
    for minutes, used in enumerate((0, 100, 300)):
        await seen(console, one.id, used=used, minutes=minutes - 60)
    page = await open_page(console.operator, LIST)
    await page.get_by_label("ICCID, e-mail, order or eSIM").fill(one.iccid)
    await page.keyboard.press("Enter")
    await page.locator("tbody a").first.click()
    await page.wait_for_selector(".chart canvas")
    await expect(page.locator(".chart .u-legend tr")).to_have_count(3)
    await page.get_by_role("button", name="Show QR code and link").click()
    await page.get_by_role("dialog").get_by_role("button", name="Show QR code and link").click()
    picture = page.get_by_role("img", name="QR code")
    await expect(picture).to_be_visible()
    shot = Image.open(io.BytesIO(await picture.screenshot()))
    assert [found.text for found in zxingcpp.read_barcodes(shot)] == [one.activation_code]
