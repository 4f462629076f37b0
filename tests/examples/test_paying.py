"""From the search to the installed eSIM in a real Chromium, paid at bePaid's sandbox, told of it or not."""

import io
import re
from datetime import timedelta

import pytest
import zxingcpp
from PIL import Image
from playwright.async_api import expect

from gateway.access.key_rows import create_key
from gateway.checkouts import checkout_rules
from tests.gateway.console.test_in_chromium import _AXE, _TOO_WIDE, read_by_axe
from tests.kit.waiting import until

pytestmark = pytest.mark.browser

PLAN = "bv-1gb-2d-06d3e3e4ddb9"  # delivered as usual, by pikasim


async def to_the_payment_page(street, open_page, **look):
    """A customer who looks for a plan, takes one and goes to pay."""
    page = await open_page(street.url, **look)
    await page.get_by_label("Where to?").select_option("JP")
    await page.get_by_label("At least how much data, in GB?").fill("1")
    await page.get_by_label("For how many days?").fill("5")
    await page.get_by_role("button", name="Search").click()
    await page.locator("ul.plans a").first.click()
    await page.get_by_label("Your e-mail address").fill("traveller@example.com")
    await page.get_by_role("button", name="Go to payment").click()
    return page


async def on_the_payment_page(page):
    await page.wait_for_url(re.compile("/orders/|/pay$"))
    return page.url.endswith("/pay")


async def pay(page):
    await page.wait_for_url("**/bepaid/products/*/pay")
    await page.get_by_role("button", name="Pay", exact=False).first.click()
    await page.wait_for_url("**/orders/*")


async def is_delivered(page):
    """The page goes on by itself until the eSIM is there; its picture says what its text says."""
    await expect(page.locator("[data-state=ready]")).to_be_visible(timeout=20_000)
    code = await page.locator("code", has_text="LPA:1$").text_content()
    picture = page.get_by_alt_text("QR code to install the eSIM")
    await expect(picture).to_be_visible()
    await expect(picture).not_to_have_js_property("naturalWidth", 0)  # the page forbids a script that would wait for it
    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(await picture.screenshot())))
    assert found.text == code
    link = await page.get_by_role("link", name="Install on iPhone").get_attribute("href")
    assert link.startswith("https://esimsetup.apple.com/")


async def trigger(street, kind, **more):
    await street.gateway.town.trigger("bepaid", kind, **more)


async def notices(street):
    """What was sent of payments, and how it was answered."""
    town = street.gateway.town
    async with town.http.get(f"{town.served.urls['bepaid']}/_sandbox/webhook") as answer:
        return [f"{each['what']} {each['status']}" for each in (await answer.json())["sent"]]


async def all_sent(street, wanted):
    async def look():
        return sorted(await notices(street)) == sorted(wanted)

    await until(look)


async def books(street):
    """Captured payments, orders, and what the suppliers took, in numbers; each captured payment is accounted for."""
    gateway = street.gateway
    paid = [each["uid"] for each in (await gateway.town.truth("bepaid"))["payments"] if each["captured"]]
    told = await gateway.pool.fetch(
        """SELECT p.payment_id, o.status, EXISTS (
               SELECT FROM payment_cases c WHERE c.closed_at IS NULL
               AND (c.payment_id = p.id OR c.checkout_id = p.checkout_id)) AS waits
           FROM payments p LEFT JOIN orders o ON o.checkout_id = p.checkout_id AND p.accepted
           WHERE p.state = 'captured' AND p.kind = 'payment'"""
    )
    assert {row["payment_id"] for row in told} <= set(paid)
    assert all(row["status"] == "fulfilled" or row["waits"] for row in told), told
    orders = await gateway.pool.fetchval("SELECT count(*) FROM orders")
    return len(paid), len(told), orders, len(await gateway.town.charges())


async def resolved(street, how):
    """A person at the gateway decides on the one checkout."""
    gateway = street.gateway
    made = await create_key(gateway.pool, storefront="shop", mode="test", scopes=("ops",))
    checkout = await gateway.pool.fetchval("SELECT id FROM checkouts")
    async with street.http.post(
        f"{gateway.url}/v1/ops/checkouts/{checkout}/resolve",
        json={"as": how, "note": "seen in the payment supplier's list"},
        headers={"Authorization": f"Bearer {made.key}"},
    ) as answer:
        assert answer.ok, await answer.text()


NOTIFIED = {
    "genuine": ["genuine 200"],
    "notice_forged": ["forged 401", "genuine 200"],
    "notice_repeated": ["copy 200", "copy 200", "genuine 200"],
    "paid_before_answer": ["genuine 200"],  # early
}


async def test_what_is_paid_is_delivered_once_whatever_the_notification(street, open_page):
    sent = []
    for count, (kind, wanted) in enumerate(NOTIFIED.items(), 1):
        if kind != "genuine":
            await trigger(street, kind)
        page = await to_the_payment_page(street, open_page)
        if kind != "paid_before_answer":
            await pay(page)
        elif await on_the_payment_page(page):  # told, and not yet judged, when the link was answered
            await page.get_by_role("link", name="Back to the shop").click()
        await is_delivered(page)
        sent += wanted
        await all_sent(street, sent)
        assert await books(street) == (count, count, count, count), kind


async def test_until_a_late_notification_comes_the_customer_who_is_back_waits_and_then_has_the_esim(street, open_page):
    await trigger(street, "notice_never")
    page = await to_the_payment_page(street, open_page)
    await pay(page)
    await expect(page.locator("[data-state=to_pay]")).to_be_visible()
    (payment,) = (await street.gateway.town.truth("bepaid"))["payments"]
    await street.gateway.town.tell("bepaid", f"payments/{payment['uid']}", {"act": "notify"})
    await is_delivered(page)
    assert await books(street) == (1, 1, 1, 1)


async def test_a_payment_that_is_never_told_goes_to_a_person_who_has_the_order_placed(street, open_page, monkeypatch):
    for name, value in {"UNREPORTED_FOR": timedelta(0), "_POLLS": (1.0,), "_RETRY_SECONDS": 1.0}.items():
        monkeypatch.setattr(checkout_rules, name, value)
    await trigger(street, "notice_never")
    page = await to_the_payment_page(street, open_page)
    await pay(page)
    await expect(page.locator("[data-state=in_review]")).to_be_visible(timeout=20_000)
    assert await books(street) == (1, 0, 0, 0)
    reasons = await street.gateway.pool.fetch("SELECT reason FROM payment_cases WHERE closed_at IS NULL")
    assert [row["reason"] for row in reasons] == ["payment_not_seen"]
    await resolved(street, "placed")
    await is_delivered(page)
    assert await books(street) == (1, 0, 1, 1)


async def test_who_is_declined_or_leaves_pays_nothing_and_can_still_pay(street, open_page):
    page = await to_the_payment_page(street, open_page)
    await page.get_by_role("button", name="Have the card declined").click()
    await expect(page.get_by_text("The card was declined")).to_be_visible()
    await page.get_by_role("button", name="Leave without paying").click()
    await page.wait_for_url("**/orders/*")
    await expect(page.locator("[data-state=to_pay]")).to_be_visible()
    assert await books(street) == (0, 0, 0, 0)
    await page.get_by_role("link", name="Pay").click()
    await pay(page)
    await is_delivered(page)
    assert await books(street) == (1, 1, 1, 1)


async def test_the_pages_read_well_on_a_phone_and_in_the_dark(street, open_page):
    page = await open_page(street.url, phone=True)
    wrong = []

    async def look():
        await page.evaluate(_AXE)
        wrong.extend((page.url, found) for found in await read_by_axe(page))
        await page.emulate_media(color_scheme="dark")
        wrong.extend((page.url, "dark", found) for found in await read_by_axe(page, "color-contrast"))
        await page.emulate_media(color_scheme="light")
        if (over := await page.evaluate(_TOO_WIDE)) > 0:
            wrong.append((page.url, f"{over} px too wide"))

    await look()
    await page.goto(f"{street.url}/?country=JP")
    await look()
    await page.goto(f"{street.url}/plans/{PLAN}")
    await look()
    await page.get_by_label("Your e-mail address").fill("traveller@example.com")
    await page.get_by_role("button", name="Go to payment").click()
    await page.wait_for_url("**/bepaid/products/*/pay")
    await look()
    await pay(page)
    await is_delivered(page)
    await look()
    assert not wrong, wrong
    assert re.search(r"/orders/[A-Za-z0-9_-]{32}$", page.url)
