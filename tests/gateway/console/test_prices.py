"""Prices and Compare: from the matrix to a cell's offers to a comparison, with and without scripts."""

import csv
import html
import io
import re
from decimal import ROUND_HALF_UP, Decimal

import msgspec
import pytest
from playwright.async_api import expect

from gateway.catalog.diff_rules import offer_id, offer_key
from gateway.console import compare, prices
from schemas import api_prices as shapes
from schemas.page import Page
from tests.kit.made_up_market import Item, Market, offer

BUCKET = "data_mb=5120&days=30"
HOSTILE = "<script>alert(1)</script>\u202e" + "javascript:alert(1)\"'" + "x" * 10_000


async def of_api(console, path, kind):
    status, body = await console.api(f"/v1/ops/{path}", key=await console.api_key("ops"))
    assert status == 200, body
    return msgspec.convert(body, kind)


async def whole_matrix(console, query=BUCKET):
    rows, cursor = [], ""
    while cursor is not None:
        page = await of_api(console, f"prices?{query}{cursor}", shapes.PriceMatrix)
        rows += page.data
        cursor = f"&cursor={page.next_cursor}" if page.has_more else None
    return msgspec.structs.replace(page, data=rows)


def rows_of(text):
    """Each row of the page: the country's code, the column of the cheapest, and every cell's words."""
    for row in re.findall(r"<tr data-row><th.*?</tr>", text, re.DOTALL):
        cells = re.findall(r"<td( class=\"[^\"]*\")?>(.*?)</td>", row.split("</td>", 1)[1], re.DOTALL)
        bare = [re.sub(r"<small>.*?</small>|<span.*?</span>|<[^>]+>", "", words).strip() for _, words in cells]
        first = next((at for at, (kind, _) in enumerate(cells) if "first" in kind), None)
        yield re.search(r"<small>([A-Z]{2})</small>", row)[1], first, bare


def cents(amount):
    return str(Decimal(amount).quantize(Decimal("0.01"), ROUND_HALF_UP))


def expected(row, suppliers, per="plan"):
    figures = {
        cell.supplier: {"plan": cell.cost_base, "gb": cell.per_gb, "day": cell.per_day}[per] for cell in row.cells
    }
    first = suppliers.index(row.cheapest.supplier) if row.cheapest else None
    have = {cell.supplier for cell in row.cells}
    shown = [(cents(figures[name].amount) if figures[name] else "–") if name in have else "" for name in suppliers]
    return row.country, first, shown


@pytest.mark.parametrize("per", ["plan", "gb"])
async def test_every_page_shows_the_figures_of_the_api_and_links_alone_lead_to_all_of_them(console, per):
    wanted = await whole_matrix(console, f"{BUCKET}&per={per}")
    suppliers = [column.name for column in wanted.suppliers]
    found, path = [], f"/console/prices?{BUCKET}&per={per}"
    while path:
        page = await console.viewer.get(path)
        assert len(page.text.encode()) < 500_000
        found += list(rows_of(page.text))
        ahead = re.search(r'<a href="([^"]+)" rel="next">', page.text)
        path = html.unescape(ahead[1]) if ahead else None
    assert found == [expected(row, suppliers, per) for row in wanted.data]
    assert len(found) > 100


async def test_the_file_holds_the_whole_matrix_under_the_filters_of_the_page(console):
    wanted = await whole_matrix(console, f"{BUCKET}&region=europe")
    page = await console.viewer.get(f"/console/prices?{BUCKET}&region=europe")
    address = html.unescape(re.search(r'class="csv" href="([^"]+)"', page.text)[1])
    answer = await console.viewer.get(address)
    assert answer.headers["Content-Type"].startswith("text/csv")
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert [line["country"] for line in lines] == [row.country for row in wanted.data]
    for line, row in zip(lines, wanted.data, strict=True):
        assert line["cheapest"] == (row.cheapest.supplier if row.cheapest else "")
        by = row.cheapest.by if row.cheapest else None
        assert (line["by"], bool(line["percent"])) == ((by.amount, True) if by else ("", False))
        assert {cell.supplier: cell.cost_base.amount for cell in row.cells} == {
            column.name: line[column.name] for column in wanted.suppliers if line[column.name]
        }


async def test_a_country_is_found_by_name_or_code_and_what_names_none_is_said_and_kept(console):
    for typed in ("Japan", "jp", "Japan, South Korea"):
        page = await console.viewer.get("/console/prices", params={"country": typed})
        assert "JP" in [code for code, _, _ in rows_of(page.text)], typed
        assert len(list(rows_of(page.text))) == 1 + ("," in typed)
    page = await console.viewer.get("/console/prices", params={"country": "Atlantis & Co"})
    assert "Unknown country “ Atlantis & Co ”" in page.words
    assert 'value="Atlantis &amp; Co"' in page.text
    assert list(rows_of(page.text)) == []
    for nonsense in ("data_mb=x&days=-1&per=week&scope=moon&region=nowhere&cursor=zz", "data_mb=&days="):
        assert (await console.viewer.get(f"/console/prices?{nonsense}")).status == 200
    assert (await console.viewer.get("/console/prices/ZZ")).status == 404


async def test_a_cell_lists_the_offers_that_compete_and_those_ticked_stand_side_by_side(console):
    wanted = await of_api(console, f"prices/JP/offers?{BUCKET}&supplier=pikasim&limit=200", Page[shapes.PricedOffer])
    found, path = [], f"/console/prices/JP?{BUCKET}&supplier=pikasim"
    while path:
        page = await console.viewer.get(path)
        found += re.findall(r'name="offer" value="([^"]+)"', page.text)
        ahead = re.search(r'<a href="([^"]+)" rel="next">', page.text)
        path = html.unescape(ahead[1]) if ahead else None
    assert found == [one.offer_id for one in wanted.data]
    ids = [found[0], found[1], "off_gone"]
    page = await console.viewer.get("/console/compare", params=[("offer", one) for one in ids] + [("country", "JP")])
    compared = await of_api(console, f"offers/compare?offer={found[0]}&offer={found[1]}", shapes.Comparison)
    assert "off_gone" in page.words
    for one in compared.data:
        assert one.supplier_plan_id in page.words
        assert f"{one.cost_base.amount} USD" in page.words
    lines = {line.name: line for line in prices_lines(compared)}
    assert page.text.count('class="sign" title="they differ"') == sum(line.differ for line in lines.values())
    without = html.unescape(re.search(r'<a href="([^"]+)" title="Remove"', page.text)[1])
    assert found[0] not in without
    assert "Only one offer is selected." in (await console.viewer.get(without)).words
    many = await console.viewer.get("/console/compare", params=[("offer", one) for one in found[:12]])
    assert "Only the first 10 offers are shown." in many.words
    assert "Nothing to compare yet." in (await console.viewer.get("/console/compare")).words


def prices_lines(compared):
    from gateway.prices.comparison_rules import lines

    return lines(compared.data, "JP")


async def test_the_search_leads_to_countries_plans_and_offers(console):
    one = (await of_api(console, "prices/JP/offers?limit=1", Page[shapes.PricedOffer])).data[0]
    assert "/console/prices/JP" in (await console.viewer.get("/console/search?q=Japan")).text
    for exact in (one.plan_id, one.offer_id):
        answer = await console.viewer.get("/console/search", params={"q": exact})
        assert exact in answer.text
    row = await console.pool.fetchrow("SELECT supplier_plan_id FROM offers WHERE id = $1", one.offer_id)
    answer = await console.viewer.get("/console/search", params={"q": row["supplier_plan_id"]})
    assert one.offer_id in answer.words


async def test_hostile_names_are_words_in_every_place(console, monkeypatch):
    items = [Item("a", offer("one", cost="5.00")), Item("b", offer("two", cost="4.00", mb=2048))]
    for item in items:
        msgspec.structs.force_setattr(item.offer, "name", HOSTILE)
    market = Market(items)
    index = market.index()
    monkeypatch.setattr(prices, "index_of", lambda _: index)
    monkeypatch.setattr(compare, "index_of", lambda _: index)
    ids = [offer_id(offer_key(*item.key)) for item in items]
    for item, one in zip(items, ids, strict=True):
        await console.pool.execute(
            """INSERT INTO offers (id, supplier, supplier_plan_id, plan_id, name, coverage, data, days, starts, digest,
                   first_seen_at, changed_at)
               VALUES ($1, $2, $3, $4, 'x', '{JP}', '{}', 7, 'install', decode(repeat('00', 24), 'hex'), now(),
                   now())""",
            one, *item.key, item.offer.plan_id,
        )  # fmt: skip
    paths = [
        "/console/prices?data_mb=&days=",
        "/console/prices/JP?data_mb=&days=",
        f"/console/compare?offer={ids[0]}&offer={ids[1]}",
    ]
    for path in paths:
        page = await console.viewer.get(path)
        assert page.status == 200
        assert "alert(1)" in page.text, path
        assert "<script>alert" not in page.text
        assert "\u202e" not in page.text
        assert not re.search(r"""href=["'][^"']*javascript:""", page.text)
        assert len(page.text) < 150_000


@pytest.mark.browser
async def test_the_cheapest_supplier_is_found_by_keys_and_clicks_and_its_rivals_compared(console, open_page):
    wanted = await whole_matrix(console)
    page = await open_page(console.viewer, "/console")
    await page.keyboard.press("g")
    await page.keyboard.press("p")
    await page.wait_for_url("**/console/prices")
    await page.select_option("select[name=data_mb]", "5120")
    await page.wait_for_url("**data_mb=5120**")
    await page.select_option("select[name=days]", "30")
    await page.wait_for_url("**days=30**")

    # The rest comes while scrolling, and the head stays in sight.
    rows = page.locator(".matrix tbody tr")
    for have in range(50, len(wanted.data), 50):
        await expect(rows.nth(have - 1)).to_be_attached()
        await page.locator(".matrix").evaluate("box => box.scrollTo(0, box.scrollHeight)")
    await expect(rows).to_have_count(len(wanted.data))
    await page.locator(".matrix").evaluate("box => box.scrollTo(0, 700)")
    head = await page.locator(".matrix thead th").first.bounding_box()
    box = await page.locator(".matrix").bounding_box()
    assert abs(head["y"] - box["y"]) < 5
    assert len(await rows.all()) == len(wanted.data)

    await page.fill("input[name=country]", "Japan")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**country=Japan**")
    await page.keyboard.press("j")
    (row,) = [row for row in wanted.data if row.country == "JP"]
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/console/prices/JP**supplier={row.cheapest.supplier}**")
    await expect(page.locator("input[name=offer]").first).to_have_attribute("value", row.cheapest.offer_id)

    await page.select_option("select[name=supplier]", "")
    await page.wait_for_url(re.compile("supplier=(&|$)"))
    for at in range(3):
        await page.locator("input[name=offer]").nth(at).check()
    await page.click("text=Compare selected")
    await page.wait_for_url("**/console/compare**")
    await expect(page.locator("thead th")).to_have_count(3)
    assert await page.locator("tr.differs .sign").count() > 1
    await page.locator("thead th a").first.click()
    await expect(page.locator("thead th")).to_have_count(2)


@pytest.mark.browser
async def test_two_offers_fit_beside_each_other_on_a_phone_and_the_matrix_scrolls_within_itself(console, open_page):
    ids = [one.offer_id for one in (await of_api(console, "prices/JP/offers?limit=2", Page[shapes.PricedOffer])).data]
    page = await open_page(console.viewer, f"/console/compare?offer={ids[0]}&offer={ids[1]}", phone=True)
    for path in (None, f"/console/prices?{BUCKET}", f"/console/prices/JP?{BUCKET}"):
        if path:
            await page.goto(path)
        assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
        if path is None:
            for cell in await page.locator("tr.differs").first.locator("td").all():
                place = await cell.bounding_box()
                assert place["x"] >= 0
                assert place["x"] + place["width"] <= 390


@pytest.mark.browser
async def test_without_scripts_the_matrix_goes_on_by_its_link_and_its_form(console, open_page):
    page = await open_page(console.viewer, "/console/prices", scripts=False)
    first = await page.locator(".matrix tbody th").first.inner_text()
    async with page.expect_navigation():
        await page.click("a[rel=next]")
    assert await page.locator(".matrix tbody th").first.inner_text() > first
    await page.select_option("select[name=per]", "gb")
    await page.click("text=Show")
    await page.wait_for_url("**per=gb**")
