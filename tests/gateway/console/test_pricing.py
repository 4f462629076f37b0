"""Margins and pricing rules on the pages: seen, tried out before they are kept, ordered, taken out."""

from __future__ import annotations

import asyncio
import re
from decimal import Decimal
from html import unescape

import pytest

from gateway.access import audit_rows
from gateway.catalog.index.margins import Fees, MarginQuery
from gateway.kit.pages import PageRequest
from gateway.prices import margins

LIST = "/console/pricing-rules"
EUROPE = {
    "name": "Europe", "region": "europe", "percent": "18", "rounding": ".99", "floor": "4.00", "fixed": "0",
    "currency": "USD", "enabled": "1",
}  # fmt: skip


def hidden(page, name: str) -> str:
    return unescape(re.search(f'name="{name}" value="([^"]*)"', page.text)[1])


async def kept(person, form, path: str = f"{LIST}/new"):
    """A rule tried out, then kept as it was tried."""
    tried = await person.post(path, {**form, "do": "try"})
    assert tried.status == 200, tried.words
    return tried, await person.post(path, {**form, "do": "keep", "seen": hidden(tried, "seen")})


def rows(page) -> list[tuple[str, str, str]]:
    """Place, id and name of each rule on the page."""
    return re.findall(r'<th scope="row">(\d+)\. <a href="[^"]*/(pr_[0-9a-f]+)">(?:<bdi[^>]*>)?(\w+)', page.text)


def names(page) -> list[str]:
    assert [place for place, _, _ in rows(page)] == [str(at + 1) for at in range(len(rows(page)))]
    return [name for _, _, name in rows(page)]


def id_of(page, name: str) -> str:
    return next(rule_id for _, rule_id, shown in rows(page) if shown == name)


async def test_a_rule_is_kept_only_after_its_effect_was_seen(console):
    at_once = await console.admin.post(f"{LIST}/new", {**EUROPE, "do": "keep"})
    assert "Preview" in at_once.words
    assert await console.pool.fetchval("SELECT count(*) FROM pricing_rules") == 0
    tried, page = await kept(console.admin, EUROPE)
    assert re.search(
        r"Prices of storefronts without pricing rules of their own \(test\).*?[1-9][0-9]* rise", tried.words
    )
    assert 'value="Europe"' in tried.text
    assert "Kept: rule 1: Europe +18 %, rounded to .99, at least 4.00 USD" in page.words
    rule = await console.pool.fetchrow("SELECT * FROM pricing_rules")
    assert (rule["region"], rule["percent"], rule["rounding"], rule["floor"]) == ("europe", 18, ".99", 4)
    # what was changed after it was seen is tried out again
    other = await console.admin.post(
        f"{LIST}/{rule['id']}", {**EUROPE, "percent": "30", "do": "keep", "seen": hidden(tried, "seen")}
    )
    assert "Preview" in other.words
    assert await console.pool.fetchval("SELECT percent FROM pricing_rules") == 18
    _, page = await kept(console.admin, {**EUROPE, "percent": "30", "position": "1"}, f"{LIST}/{rule['id']}")
    assert "Europe +30 %" in page.words
    entries = (await audit_rows.newest(console.pool, action="pricing_rule.")).data
    assert [(entry.action, entry.actor) for entry in entries] == [
        ("pricing_rule.changed", "admin"), ("pricing_rule.created", "admin"),
    ]  # fmt: skip
    assert entries[0].detail["changed"] == ["percent"]


async def test_rules_are_moved_and_taken_out_and_listed_with_what_they_price(console):
    await kept(console.admin, EUROPE)
    await kept(console.admin, {**EUROPE, "name": "Japan", "region": "", "countries": "Japan, KR", "percent": "25"})
    _, page = await kept(console.admin, {**EUROPE, "name": "Shop", "storefront": "shop", "region": "", "percent": "1"})
    assert names(page) == ["Europe", "Japan", "Shop"]
    japan = id_of(page, "Japan")
    page = await console.admin.post(f"{LIST}/{japan}/move", {"to": "up"})
    assert re.search(r"Japan is rule 1 now\. \d+ prices rise, \d+ fall\.", page.words)
    assert names(page) == ["Japan", "Europe", "Shop"]
    page = await console.admin.post(f"{LIST}/{japan}/move", {"to": "bottom"})
    assert names(page)[-1] == "Japan"
    for _ in range(1200):  # the catalogue follows within two seconds
        page = await console.viewer.get(LIST)
        counts = re.findall(r'<td class="n">([\d,]+|<span[^>]*>–</span>)</td>', page.text)
        if len(counts) == 4 and "–" not in "".join(counts):
            break
        await asyncio.sleep(0.1)
    assert all(int(count.replace(",", "")) > 0 for count in counts), counts
    asked = await console.admin.get(f"{LIST}/{japan}/remove")
    assert re.search(r"[1-9][0-9]* fall", asked.words)
    page = await console.admin.post(f"{LIST}/{japan}/remove")
    assert "Japan is removed" in page.words
    assert names(page) == ["Europe", "Shop"]
    table = await console.viewer.get(f"{LIST}?format=csv")
    assert [line.split(",")[2] for line in table.text.splitlines()] == ["name", "Europe", "Shop", "default"]


WRONG = (
    ({"name": ""}, "is required"),
    ({"percent": "much"}, "is not a number"),
    ({"countries": "Japan, Atlantis"}, "Atlantis is not a known country"),
    ({"min_data": "lots"}, "is not an amount of data"),
    ({"floor": "9", "ceiling": "8"}, "is below the floor"),
    ({"valid_from": "2027-01-02T00:00", "valid_until": "2027-01-01T00:00"}, "is not after valid_from"),
    ({"storefront": "nobody"}, "there is no storefront nobody"),
    ({"plan_ids": "jp-1 NOT_A_PLAN"}, "NOT_A_PLAN is not a plan ID"),
)


async def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(console):
    for typed, said in WRONG:
        page = await console.admin.post(f"{LIST}/new", {**EUROPE, **typed, "do": "try"})
        assert page.status == 422
        assert said in page.words
        assert 'aria-invalid="true"' in page.text
        assert f'value="{typed.get("percent", "18")}"' in page.text
    assert await console.pool.fetchval("SELECT count(*) FROM pricing_rules") == 0


async def test_only_an_admin_changes_rules_and_everybody_sees_them(console):
    _, page = await kept(console.admin, EUROPE)
    rule = id_of(page, "Europe")
    for person in (console.viewer, console.operator):
        assert "Europe" in (await person.get(LIST)).words
        assert "/move" not in (await person.get(LIST)).text
        for path, form in (
            ("/new", EUROPE),
            (f"/{rule}", EUROPE),
            (f"/{rule}/move", {"to": "up"}),
            (f"/{rule}/remove", {}),
        ):
            assert (await person.post(LIST + path, form)).status == 403, path
    assert await console.pool.fetchval("SELECT count(*) FROM pricing_rules") == 1


async def test_margins_are_price_less_fees_less_cost_the_losses_first(make_console):
    console = await make_console(pricing={"percent": "3", "fee_percent": "2.9", "fee_fixed": "0.30"})
    page = await console.viewer.get("/console/margins")
    index = console.deps.index("test")
    fees = margins.fees_of(console.settings)
    assert fees == Fees(Decimal("2.9"), Decimal("0.30"))
    found = margins.page(index, fees, MarginQuery(), PageRequest(100))
    assert found.summary.negative > 0
    assert f"{found.summary.negative} at a loss" in page.words
    ranks = [(not (one.negative or one.why_not == "thin_margin"), Decimal(one.margin.amount)) for one in found.data]
    assert ranks == sorted(ranks)
    for one in found.data:
        price, fee, cost = (Decimal(money.amount) for money in (one.price, one.fees, one.cost_base))
        assert fee == (price * Decimal("0.029") + Decimal("0.30")).quantize(Decimal("0.01"), "ROUND_HALF_UP")
        assert Decimal(one.margin.amount) == price - fee - cost
        assert abs(Decimal(one.margin_percent) - (price - fee - cost) / price * 100) < Decimal("0.006")
        assert cost == Decimal(one.cost.amount) * Decimal(one.rate)
    first = re.search(r"<tr data-row>.*?</tr>", page.text, re.DOTALL)[0]
    assert found.data[0].margin.amount in first
    seen, cursor = [], None
    while True:
        part = margins.page(index, fees, MarginQuery(), PageRequest(250, cursor))
        seen += [one.offer_id for one in part.data]
        if (cursor := part.next_cursor) is None:
            break
    assert len(seen) == len(set(seen)) == found.summary.offers
    assert "are sold at a loss after fees" in (await console.viewer.get("/console")).words
    status, shown = await console.api("/v1/ops/margins?only=negative&limit=5", key=await console.api_key("ops"))
    assert (status, shown["summary"]["negative"]) == (200, found.summary.negative)
    assert shown["data"][0]["offer_id"] == found.data[0].offer_id


async def test_margins_are_filtered_and_a_file(console):
    both = await console.viewer.get("/console/margins?country=Japan&supplier=pikasim")
    assert ">pikasim<" in both.text
    assert "<td>beppay</td>" not in both.text
    table = await console.viewer.get("/console/margins?country=Japan&supplier=pikasim&format=csv")
    lines = table.text.splitlines()
    count = int(re.search(r"Margins ([\d,]+) offers", both.words)[1].replace(",", ""))
    assert len(lines) == count + 1
    assert lines[0].startswith("offer,plan,name,supplier")
    nowhere = await console.viewer.get("/console/margins?country=Atlantis&below=much")
    assert "country Atlantis is not a known country" in nowhere.words
    assert 'value="Atlantis"' in nowhere.text
    page = await console.viewer.get("/console/margins")
    following = unescape(re.search(r'href="([^"]+)" rel="next"', page.text)[1])
    rest = await console.viewer.get(following, headers={"HX-Request": "true"})
    assert rest.text.count("<tr data-row>") == 100
    assert "<table" not in rest.text


@pytest.mark.browser
async def test_a_rule_is_changed_with_the_keyboard_alone_after_seeing_what_it_does(console, open_page):
    page = await open_page(console.admin, LIST)
    await page.keyboard.press("Escape")
    await page.get_by_role("link", name="New rule").focus()
    await page.keyboard.press("Enter")
    await page.get_by_label("Name").focus()
    await page.keyboard.type("Japan")
    await page.get_by_label("Countries").focus()
    await page.keyboard.type("JP")
    await page.get_by_label("Percent on the cost").focus()
    await page.keyboard.type("35")
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name="Preview").wait_for()
    effect = await page.locator("#effect").inner_text()
    assert re.search(r"[1-9]\d* rise", effect)
    await page.get_by_role("button", name="Create this rule").focus()
    await page.keyboard.press("Enter")
    await page.get_by_text("Kept: rule 1: Japan +35 %").wait_for()
    assert await console.pool.fetchval("SELECT percent FROM pricing_rules") == 35
    for _ in range(1200):
        shown = await (await console.viewer.http.get(f"{console.url}/console/margins?country=JP&rule=0")).text()
        if "rule 1: Japan" in shown:
            break
        await asyncio.sleep(0.1)
    assert "rule 1: Japan" in shown
