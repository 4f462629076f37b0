"""A plan's page: a tab each for its offers, their comparison, history and changes, and what leads there."""

from __future__ import annotations

import html
import re

import pytest
from playwright.async_api import expect

from gateway.catalog.diff_rules import offer_id, offer_key
from gateway.console import plans
from gateway.kit.pages import PageRequest
from gateway.prices.change_rules import ChangeFilter
from gateway.prices.changes import feed
from gateway.sync.run import run_sync
from tests.kit.made_up_market import NOW, Item, Market, offer

TABS = {"": "Offers", "/compare": "Compare", "/history": "History", "/changes": "Changes"}
_SOLD_BY_SEVERAL = """
SELECT o.plan_id AS id, array_agg(o.id ORDER BY o.id) AS offers
FROM offers o JOIN suppliers s ON s.name = o.supplier AND s.mode = 'test'
WHERE o.gone_at IS NULL AND o.cost IS NOT NULL GROUP BY o.plan_id
ORDER BY count(DISTINCT o.supplier) DESC, count(*), o.plan_id LIMIT 1
"""


def tabs_of(page):
    """The tabs of a plan's page: name, address, and whether it is the one that is open."""
    strip = re.search(r'<nav class="tabs" aria-label="This plan">(.*?)</nav>', page.text, re.DOTALL)[1]
    found = re.findall(r'<a href="([^"]+)"( aria-current="page")?>([^<]+)</a>', strip)
    return [(name, html.unescape(url), bool(current)) for url, current, name in found]


async def test_each_tab_of_a_plan_has_an_address_and_shows_its_part(console):
    plan = await console.pool.fetchrow(_SOLD_BY_SEVERAL)
    assert len(plan["offers"]) >= 2
    pages = {}
    for tab, name in TABS.items():
        page = await console.viewer.get(f"/console/plans/{plan['id']}{tab}")
        assert page.status == 200
        wanted = [(label, f"/console/plans/{plan['id']}{each}", label == name) for each, label in TABS.items()]
        assert tabs_of(page) == wanted
        assert plan["id"] in page.words
        pages[name] = page
    ticked = re.findall(r'name="offer" value="([^"]+)"', pages["Offers"].text)
    assert sorted(ticked) == plan["offers"]
    assert all(each in pages["Compare"].words for each in plan["offers"])
    assert 'class="chart"' in pages["History"].text
    two = await console.viewer.get(
        f"/console/plans/{plan['id']}/compare", params=[("offer", each) for each in ticked[:2]]
    )
    assert all((each in two.words) == (each in ticked[:2]) for each in ticked)


async def test_the_changes_of_a_plan_are_its_own(console):
    console.town.served.world.drift("pikasim", share=0.08, by=0.25)
    await run_sync(console.pool, console.deps.accounts, console.settings, only=("pikasim",))
    every = (await feed(console.pool, console.settings, ChangeFilter(mode="test"), PageRequest(1000))).data
    moved = next(change for change in every if change.kind == "up")
    page = await console.viewer.get(f"/console/plans/{moved.plan_id}/changes?kind=up")
    own = [change for change in every if change.plan_id == moved.plan_id and change.kind == "up"]
    assert page.text.count("<tr data-row>") == len(own)
    assert (
        "No matching changes" in (await console.viewer.get(f"/console/plans/{moved.plan_id}/changes?kind=gone")).words
    )


async def test_addresses_that_name_a_plan_lead_to_its_tabs_with_the_rest_of_their_query(console):
    plan = await console.pool.fetchrow(_SOLD_BY_SEVERAL)
    id_, offer_ = plan["id"], plan["offers"][0]
    for old, new in (
        (f"history?plan={id_}", f"{id_}/history"),
        (f"history?plan={id_}&range=7d&tab=x", f"{id_}/history?range=7d&tab=x"),
        (f"history?offer={offer_}", f"{id_}/history?offer={offer_}"),
        (f"history?plan={offer_}", f"{id_}/history?offer={offer_}"),
        ("history?offer=off_none", "off_none/history?offer=off_none"),
        (f"changes?kind=up&kind=down&plan={id_}", f"{id_}/changes?kind=up&kind=down"),
    ):
        answer = await console.viewer.get(f"/console/{old}", follow=False)
        assert (answer.status, answer.location) == (301, f"/console/plans/{new}")
    assert (await console.viewer.get("/console/history", follow=False)).location == "/console/changes/since?since=7d"
    unknown = await console.viewer.get("/console/history?plan=none-of-it")
    assert (unknown.status, unknown.url) == (200, "/console/plans/none-of-it/history")
    for tab in TABS:
        page = await console.viewer.get(f"/console/plans/none-of-it{tab}")
        assert "No supplier offers this plan" in page.words or "No matching changes" in page.words


async def test_a_plan_that_left_leads_to_those_that_its_offers_are_of_now(console, monkeypatch):
    item = Item("a", offer("one"))
    market = Market([item], gone={"jp-1gb-7d-old": NOW}, successors={"jp-1gb-7d-old": (item.offer.plan_id,)})
    index = market.index()
    monkeypatch.setattr(plans, "index_of", lambda _: index)
    left = await console.viewer.get("/console/plans/jp-1gb-7d-old")
    assert "This plan left the catalogue" in left.words
    assert f'href="/console/plans/{item.offer.plan_id}"' in left.text
    now = await console.viewer.get(f"/console/plans/{item.offer.plan_id}")
    assert f'value="{offer_id(offer_key(*item.key))}"' in now.text


async def test_the_search_and_the_offers_of_a_country_lead_to_the_plan(console):
    plan = await console.pool.fetchrow(_SOLD_BY_SEVERAL)
    found = await console.viewer.get("/console/search", params={"q": plan["id"]})
    assert found.url == f"/console/plans/{plan['id']}"
    found = await console.viewer.get("/console/search", params={"q": plan["offers"][0]})
    assert f'href="/console/plans/{plan["id"]}/history?offer={plan["offers"][0]}"' in found.text
    cell = await console.viewer.get("/console/prices/JP?data_mb=&days=")
    linked = re.search(r'href="(/console/plans/[^"/?]+)">Plan</a>', cell.text)[1]
    assert tabs_of(await console.viewer.get(linked))[0] == ("Offers", linked, True)


@pytest.mark.browser
@pytest.mark.parametrize("scripts", [True, False])
async def test_tabs_are_links_that_the_browser_goes_back_over(console, open_page, scripts):
    plan = await console.pool.fetchval(f"SELECT id FROM ({_SOLD_BY_SEVERAL}) AS plan")
    page = await open_page(console.viewer, f"/console/plans/{plan}", scripts=scripts)
    strip = page.get_by_role("navigation", name="This plan")
    for tab, name in list(TABS.items())[1:]:
        await strip.get_by_role("link", name=name, exact=True).click()
        await page.wait_for_url(f"**/console/plans/{plan}{tab}")
        await expect(strip.locator("[aria-current=page]")).to_have_text(name)
    await page.go_back()
    await page.wait_for_url(f"**/console/plans/{plan}/history")
    await expect(strip.locator("[aria-current=page]")).to_have_text("History")
