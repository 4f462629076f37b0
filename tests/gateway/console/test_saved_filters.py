"""Saved filters: named by a user, found again above the list, their own, and not without bound."""

from __future__ import annotations

import asyncio
import re
from html import unescape

import asyncpg
import pytest
from playwright.async_api import expect

from gateway.access import saved_filter_rows
from gateway.access.saved_filter_rows import MOST, SavedFilter
from tests.gateway.console.test_every_page import walked
from tests.gateway.console.test_in_chromium import _AXE, _TOO_WIDE, read_by_axe

SAVE, DELETE = "/console/saved-filters", "/console/saved-filters/delete"
ORDERS = "/console/orders"
FAILED = {"page": ORDERS, "query": "status=failed&mode=test&supplier=&cursor=00&format=csv", "name": "Failed <b>"}
KEPT = "/console/orders?mode=test&status=failed"


def chips(answer):
    """The saved filters that a page offers: name and address."""
    (found,) = re.findall(r'<ul aria-label="Saved filters">.*?</ul>', answer.text, re.DOTALL) or [""]
    links = re.findall(r'<a href="([^"]+)"[^>]*>(.*?)</a>', found)
    return [(unescape(re.sub("<[^>]+>", "", name)), unescape(url)) for url, name in links]


async def user_id(console, name):
    return await console.pool.fetchval("SELECT id FROM users WHERE name = $1", name)


async def test_filters_are_saved_under_a_name_found_again_and_deleted(console):
    viewer = console.viewer
    assert "Save these filters" not in (await viewer.get(ORDERS)).words
    assert "Save these filters" in (await viewer.get(f"{ORDERS}?status=failed&mode=test")).words
    saved = await viewer.post(SAVE, FAILED)
    assert (saved.url, "The filters are saved as “Failed <b>”." in saved.words) == (KEPT, True)
    assert chips(saved) == [("Failed <b>", KEPT)]
    assert "Save these filters" not in saved.words
    assert chips(await viewer.get(ORDERS)) == [("Failed <b>", KEPT)]
    changed = await viewer.post(SAVE, FAILED | {"query": "sort=price&direction=asc&status=failed"})
    assert chips(changed) == [("Failed <b>", f"{ORDERS}?direction=asc&sort=price&status=failed")]
    assert chips(await viewer.get("/console/esims")) == []
    gone = await viewer.post(DELETE, {"page": ORDERS, "name": "Failed <b>", "next": KEPT})
    assert (gone.url, chips(gone)) == (KEPT, [])


async def test_saved_filters_are_their_users_own(console):
    await console.viewer.post(SAVE, FAILED)
    assert chips(await console.operator.get(ORDERS)) == []
    await console.operator.post(DELETE, {"page": ORDERS, "name": FAILED["name"]})
    assert len(chips(await console.viewer.get(ORDERS))) == 1
    await console.pool.execute("DELETE FROM users WHERE name = 'viewer'")
    assert await console.pool.fetchval("SELECT count(*) FROM saved_filters") == 0


@pytest.mark.parametrize("page", ["/console/my/orders", "/console/my/esims"])
async def test_a_storefronts_user_saves_filters_of_its_own_lists(console, page):
    person = console.reader_of(page)
    saved = await person.post(SAVE, {"page": page, "query": "q=ben", "name": "Ben"})
    assert (saved.url, chips(saved)) == (f"{page}?q=ben", [("Ben", f"{page}?q=ben")])
    gone = await person.post(DELETE, {"page": page, "name": "Ben", "next": page})
    assert (gone.url, chips(gone)) == (page, [])


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ({"name": " "}, "the name is required"),
        ({"name": "x" * 61}, "the name is longer than 60 characters"),
        ({"query": "cursor=00&status="}, "choose some filters first"),
        ({"query": "q=" + "ü" * 400}, "not too many"),
        ({"page": "https://elsewhere.example.com/"}, "this page has no filters"),
        ({"page": "/console/orders?status=failed"}, "this page has no filters"),
        ({"page": "/console/../x y"}, "this page has no filters"),
    ],
)
async def test_what_cannot_be_kept_is_refused_with_a_reason(console, sent, why):
    answer = await console.viewer.post(SAVE, FAILED | sent)
    assert (answer.status, why in answer.words) == (200, True), answer.words[:500]
    assert await console.pool.fetchval("SELECT count(*) FROM saved_filters") == 0


async def test_a_user_keeps_fifty_and_the_database_holds_to_it(console):
    user = await user_id(console, "viewer")
    for n in range(MOST - 1):
        assert await saved_filter_rows.save(console.pool, user, "/console/esims", SavedFilter(str(n), "state=active"))
    at_once = [
        saved_filter_rows.save(console.pool, user, ORDERS, SavedFilter(f"name {n}", "status=failed")) for n in range(5)
    ]
    assert sorted(await asyncio.gather(*at_once)) == [False] * 4 + [True]
    refused = await console.viewer.post(SAVE, FAILED)
    assert "you keep 50 already" in refused.words
    assert await saved_filter_rows.save(console.pool, user, "/console/esims", SavedFilter("0", "state=expired"))
    with pytest.raises(asyncpg.CheckViolationError):
        await console.pool.execute(
            "INSERT INTO saved_filters (user_id, n, page, name, query) VALUES ($1, 51, '/console/orders', 'x', 'a=b')",
            user,
        )
    await saved_filter_rows.delete(console.pool, user, "/console/esims", "7")
    assert await saved_filter_rows.save(console.pool, user, ORDERS, SavedFilter("again", "status=failed"))


@pytest.mark.xdist_group("busy")
async def test_every_page_with_filters_can_save_them(busy_console):
    seen = set()
    for name, address in (await walked(busy_console)).items():
        page = await busy_console.admin.get(address + ("&" if "?" in address else "?") + "anything=1")
        forms = re.findall(r'<form class="filters" method="get"', page.text)
        if forms and not address.startswith(_PLAN_PAGES):
            seen.add(name)
            assert (len(forms), page.text.count(f'action="{SAVE}"')) == (1, 1), name
    assert len(seen) >= 12, seen


# A plan is chosen there, not a list filtered.
_PLAN_PAGES = ("/console/history", "/console/compare", "/console/plans/")


@pytest.mark.browser
async def test_filters_are_saved_on_a_phone_in_the_dark(console, open_page):
    page = await open_page(console.viewer, f"{ORDERS}?status=failed", phone=True)
    await page.emulate_media(color_scheme="dark")
    await page.get_by_text("Save these filters").click()
    await page.get_by_label("Name", exact=True).fill("A name of my own that is as long as one may be: sixty letter")
    await page.get_by_role("button", name="Save", exact=True).click()
    chip = page.get_by_role("list", name="Saved filters").get_by_role("link")
    await expect(chip).to_have_attribute("aria-current", "page")
    assert await page.evaluate(_TOO_WIDE) <= 0
    await page.evaluate(_AXE)
    assert not await read_by_axe(page)
    await page.goto(ORDERS)
    await chip.click()
    await page.wait_for_url("**/console/orders?status=failed")
    await page.get_by_role("button", name="Delete the saved filters").click()
    await page.get_by_role("dialog").get_by_role("button").first.click()
    await expect(page.locator("main")).to_contain_text("are deleted")
    await expect(chip).to_have_count(0)
