"""The example storefront over HTTP: what it shows, what it sends, and what it survives."""

import ast
import html
import re
from pathlib import Path
from urllib.parse import quote

import pytest

from examples import storefront

GOOD = {"beppay": "bv-1gb-1d-be1f6882a426", "pikasim": "bv-1gb-2d-06d3e3e4ddb9", "s2s": "bv-1gb-3d-06e8ea6afa94"}


def fields(text):
    """The hidden fields of a page's form, and an address for the one that is typed in."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', text)
    return {name: html.unescape(value) for name, value in found} | {"email": "traveller@example.com"}


async def form_for(street, plan):
    status, text = await street.get(f"/plans/{plan}")
    assert status == 200, text
    return fields(text)


async def test_search_shows_plans_for_a_place_the_cheapest_first(unpaid):
    status, text = await unpaid.get("/?country=JP&gb=1&days=3")
    assert status == 200
    prices = [float(price) for price in re.findall(r"<b>([0-9.]+) USD</b>", text)]
    assert prices
    assert prices == sorted(prices)
    more = html.unescape(re.search(r'<a href="([^"]+cursor=[^"]+)"', text)[1])
    status, further = await unpaid.get(more)
    assert status == 200
    assert float(re.search(r"<b>([0-9.]+) USD</b>", further)[1]) >= prices[-1]


@pytest.mark.parametrize("odd", ["/?country=ZZ&gb=x&days=-1", "/?country=<b>&gb=99999999", "/plans/none", "/orders/x"])
async def test_odd_addresses_are_answered_with_a_page(unpaid, odd):
    status, text = await unpaid.get(quote(odd, safe="/?=&"))
    assert status in {200, 404}
    assert "<b>&" not in text
    assert "Little eSIM shop" in text


@pytest.mark.parametrize("supplier", sorted(GOOD))
async def test_an_order_is_delivered_with_its_code_picture_and_links(unpaid, supplier):
    form = await form_for(unpaid, GOOD[supplier])
    status, where = await unpaid.post("/buy", form)
    assert (status, where) == (303, f"/orders/{form['sale']}")
    assert await unpaid.state(form["sale"], "ready", "failed", "refused") == "ready"
    _, text = await unpaid.get(where)
    assert "LPA:1$" in text
    assert "https://esimsetup.apple.com/" in text
    async with unpaid.http.get(f"{unpaid.url}{where}/qr.svg") as picture:
        assert picture.content_type == "image/svg+xml"
        assert b"<svg" in await picture.read()
    assert len(await unpaid.gateway.town.charges()) == 1


async def test_a_form_that_is_sent_twice_is_one_order(unpaid):
    form = await form_for(unpaid, GOOD["pikasim"])
    assert await unpaid.post("/buy", form) == await unpaid.post("/buy", form)
    await unpaid.state(form["sale"], "ready")
    assert len(await unpaid.gateway.town.charges()) == 1


async def test_what_the_gateway_refuses_is_said_and_leads_back_to_the_plan(unpaid):
    form = await form_for(unpaid, GOOD["s2s"])
    await unpaid.gateway.pool.execute("UPDATE offers SET visible = false")
    _, where = await unpaid.post("/buy", form)
    assert await unpaid.state(form["sale"]) == "refused"
    _, text = await unpaid.get(where)
    assert "Nothing was charged" in text
    assert f"/plans/{GOOD['s2s']}" in text


async def test_codes_and_addresses_of_customers_are_not_kept(unpaid):
    form = await form_for(unpaid, GOOD["beppay"])
    await unpaid.post("/buy", form)
    await unpaid.state(form["sale"], "ready")
    _, text = await unpaid.get(f"/orders/{form['sale']}")
    code = html.unescape(re.search(r"<code>(LPA:[^<]+)</code>", text)[1])
    await unpaid.close()
    kept = b"".join(path.read_bytes() for path in unpaid.settings.book.parent.glob("book*"))
    assert form["sale"].encode() in kept
    assert code.encode() not in kept


def test_it_needs_nothing_of_the_gateway_s_own_code():
    """What is copied has to stand alone."""
    for file in Path(storefront.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []
            names += [each.name for each in node.names] if isinstance(node, ast.Import) else []
            assert not {name.split(".")[0] for name in names} & {"gateway", "providers", "schemas", "examples"}, (
                file.name
            )
