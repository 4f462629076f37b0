"""Flags beside the names of countries: drawn by the console's own font, and silent."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image
from playwright.async_api import expect

from gateway.console.filters import flag, with_flag, with_flags
from providers.kit.places import country_codes, regions

# The width of each flag, and of a letter that is half of one: a flag that the font lacks would be two letters.
_WIDTHS = """async (codes) => {
    await document.fonts.load('20px "Country flags"', "\\u{1F1EF}\\u{1F1F5}");
    const width = (letters) => {
        const box = document.createElement("span");
        box.className = "flag";
        box.dataset.flag = letters;
        document.querySelector("main").append(box);
        return box.getBoundingClientRect().width;
    };
    const letter = (one) => String.fromCodePoint(0x1F1E6 + one.charCodeAt(0) - 65);
    const apart = ([one, other]) => width(letter(one)) + width(letter(other));
    return codes.map((code) => [code, width([...code].map(letter).join("")), apart(code)]);
}"""


def test_a_country_has_a_flag_before_its_name_and_a_region_has_none():
    assert flag("JP") == '<span class="flag" data-flag="\U0001f1ef\U0001f1f5" aria-hidden="true"></span>'
    assert with_flag("JP") == f"{flag('JP')}Japan"
    assert with_flags(["KR", "JP"]) == f"{flag('JP')}Japan, {flag('KR')}South Korea"
    for other in (None, "", "jp", "Global", "<b>", *(region.code for region in regions())):
        assert flag(other) == ""
    assert with_flag("<b>") == "&lt;b&gt;"


async def test_the_font_is_loaded_under_an_address_that_names_its_contents(console):
    page = await console.nobody.get("/console/login")
    styles = re.search(r'"(/console/static/console\.css[^"]*)"', page.text)[1]
    font = re.search(r'url\("(country-flags\.woff2\?v=\w+)"\)', (await console.nobody.get(styles)).text)[1]
    async with console.nobody.http.get(f"{console.url}/console/static/{font}") as answer:
        assert answer.headers["Content-Type"] == "font/woff2"
        assert "immutable" in answer.headers["Cache-Control"]
        assert (await answer.read())[:4] == b"wOF2"


@pytest.mark.browser
async def test_flags_are_drawn_and_a_reader_hears_each_name_once(console, open_page):
    page = await open_page(console.viewer, "/console/prices?country=Japan&data_mb=&days=")
    row = page.locator(".matrix tbody th").first
    await expect(row.get_by_role("link", name="Japan", exact=True)).to_be_visible()
    await page.evaluate("document.fonts.ready")
    loaded = "() => [...document.fonts].filter(face => face.status === 'loaded').map(face => face.family)"
    assert [family.strip('"') for family in await page.evaluate(loaded)] == ["Country flags"]
    picture = Image.open(io.BytesIO(await row.locator(".flag").screenshot())).convert("RGB")
    colours = [colour for _, colour in picture.getcolors(picture.width * picture.height) or ()]
    assert any(red > 150 and green < 100 and blue < 100 for red, green, blue in colours), "the sun of Japan's flag"


@pytest.mark.browser
async def test_the_font_has_a_flag_of_every_country(console, open_page):
    page = await open_page(console.viewer, "/console/changes/since")
    widths = await page.evaluate(_WIDTHS, list(country_codes()))
    assert {code for code, whole, _ in widths if whole <= 0} == set()
    assert {code for code, whole, letters in widths if whole >= letters} == set()
