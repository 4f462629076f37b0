"""Every page there is, on a gateway that was at work: whole without scripts, light, safe from what others wrote."""

import asyncio
import csv
import html
import io
import re

import asyncpg
import pytest

from benchmarks.console_places import PARTS, places
from gateway.catalog.publish import publish
from gateway.console import all_pages, static_files
from gateway.kit.pool import allow_long_work

pytestmark = pytest.mark.xdist_group("busy")  # a worker needs seconds to make the database

# What a supplier, a storefront or a stranger may have written anywhere.
HOSTILE = (
    "<script>window.broken=1</script><img src=x onerror=window.broken=1>\"'><b onmouseover='x'>{{7*7}}"
    "\u202e\u2066\u200f" + "javascript:window.broken=1//" + "\U0001d7d9\n\t" + "W" * 10_000
)
# Columns whose words programs go by; everything else of type text may hold anything.
_OWN_WORDS = re.compile(
    r"(^|_)(id|ids|mode|kind|status|state|currency|code|reason|why|type|scope|rounding|role|event|about|level|provider|"
    r"supplier|starts|unit|base|way|digest|mapping|channel|object|run|tried|password|suspect|name|action|country|region)$"
)
_ALSO = {("offers", "name"), ("set_aside", "name"), ("storefronts", "name"), ("quarantine_rows", "name"),
         ("offers", "suspect"), ("quarantines", "reason")}  # fmt: skip
_UNIQUE = ("storefronts", "name")
# Thirty megabytes and their indexes, for a table with thousands of rows.
LONGEST_UPDATE_SECONDS = 600
_SKIPPED = {"alembic_version", "catalog_state", "users", "plans", "fx_rates"}
_COLUMNS = """
SELECT table_name, column_name FROM information_schema.columns c
WHERE table_schema = 'public' AND data_type = 'text' AND table_name NOT LIKE 'pgqueuer%'
ORDER BY 1, 2
"""


def test_every_page_with_parts_in_its_address_is_walked_over():
    """A new one needs a line in benchmarks/console_places.py."""
    assert {page.path for page in all_pages() if page.method == "GET" and "{" in page.path} == set(PARTS)


async def walked(console):
    found = await places(console.pool, "live")
    missing = {page.path for page in all_pages() if page.method == "GET"} - set(found)
    assert not missing, "nothing in the data stands for these pages"
    del found["/console/login"]
    return found


async def test_every_page_is_whole_and_light_and_its_table_is_a_file(busy_console):
    files = 0
    for name, address in (await walked(busy_console)).items():
        answer = await busy_console.reader_of(address).get(address)
        assert answer.status == 200, (name, answer.words[:300])
        if not answer.headers["Content-Type"].startswith("text/html"):
            continue
        loaded = set(re.findall(r"/console/static/([^\"?]+)", answer.text))
        weight = len(answer.text.encode()) + sum(static_files.size(file) for file in loaded)
        assert weight < 500 * 1024, name
        assert answer.text.count("<h1") == 1, name
        assert "<title> ·" not in answer.text, name
        assert not re.search(r"<[^>]+\s(style|on[a-z]+)\s*=", answer.text), name
        assert not re.search(r"<script(?![^>]*(src=|type=\"application/json\"))", answer.text), name
        for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", answer.text, re.DOTALL):
            assert 'name="csrf"' in form, (name, form[:200])
        part = await busy_console.reader_of(address).get(address, headers={"HX-Request": "true"})
        assert (part.status, "<html" in part.text) == (200, False), name
        if (found := re.search(r'href="([^"]*format=csv[^"]*)"', answer.text)) is not None:
            files += 1
            table = await busy_console.reader_of(address).get(html.unescape(found[1]))
            assert table.headers["Content-Type"].startswith("text/csv"), name
            rows = list(csv.reader(io.StringIO(table.text)))
            assert len({len(row) for row in rows}) == 1, name
            assert len(rows[0]) > 1, name
    assert files >= 5


async def test_every_page_can_be_seen_by_its_role_and_by_no_lower_one(busy_console):
    pages = {page.path: page for page in all_pages() if page.method == "GET"}
    for name, address in (await walked(busy_console)).items():
        page = pages[name if name in pages else address.partition("?")[0].replace("/JP", "/{country}")]
        for person in (busy_console.viewer, busy_console.operator):
            role = person.name.partition("@")[0]
            allowed = page.role in {"viewer", "user", role}
            assert (await person.get(address)).status == (200 if allowed else 403), (name, role)


async def test_what_others_wrote_is_text_on_every_page_and_breaks_none(busy_console):
    await poison(busy_console)
    seen = 0
    for name, address in (await walked(busy_console)).items():
        answer = await busy_console.reader_of(address).get(address)
        assert answer.status == 200, (name, answer.words[:300])
        text = answer.text
        seen += "window.broken" in text
        assert "<script>window" not in text, name
        assert "<img src=x" not in text, name
        assert "<b onmouse" not in text, name
        assert not re.search(r"=\s*[\"']?\s*javascript:", text, re.IGNORECASE), name
        assert not re.search(r"(href|src|action)=\"[^\"/#?]", re.sub(r'"data:', '"/', text)), name
        if answer.headers["Content-Type"].startswith("text/html"):
            shown = re.sub(r' value="[^"]*"', "", text)  # what a form sends back is whole
            assert not re.findall("[^\u202e]{300}\u202e", shown), name
            assert "W" * 5_000 not in shown, name  # an item as it came is shown long, but not whole
    assert seen >= 8, "the pages show too little of what was written to say anything"


def _open_columns(rows):
    """The columns that may hold anything, by their table."""
    found = {}
    for table, column in rows:
        if table not in _SKIPPED and (not _OWN_WORDS.search(column) or (table, column) in _ALSO):
            found.setdefault(table, []).append(column)
    return found


async def _written(pool, table, columns):
    """Write it into every row of these columns; whether the table took it."""
    values = ", ".join(f"{name} = $1{' || id' if (table, name) == _UNIQUE else ''}" for name in columns)
    try:
        async with pool.acquire() as connection, connection.transaction():
            await allow_long_work(connection)
            await connection.execute(f"UPDATE {table} SET {values}", HOSTILE, timeout=LONGEST_UPDATE_SECONDS)
    except asyncpg.IntegrityConstraintViolationError:
        return False
    return True


async def poison(console):
    """Put it wherever the database takes it, and have the catalogue published anew."""
    changed = 0
    for table, columns in _open_columns(await console.pool.fetch(_COLUMNS)).items():
        # A table with thousands of rows is written once, unless one of its columns takes no such words.
        if await _written(console.pool, table, columns):
            changed += len(columns)
        else:
            changed += sum([await _written(console.pool, table, [column]) for column in columns])
    assert changed > 20
    await console.pool.execute("UPDATE catalog_state SET content = content + 1")
    await publish(console.pool, None, console.settings)
    for _ in range(1200):
        answer = await console.admin.get("/console/prices/JP?data_mb=5120&days=30")
        if "window.broken" in answer.text:
            return
        await asyncio.sleep(0.1)
    pytest.fail("the catalogue was not published anew")
