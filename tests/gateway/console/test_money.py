"""The pages of our money at the suppliers: what there is, both books, deposits that are begun there."""

import asyncio
import csv
import io
import re

from gateway.access import audit_rows
from gateway.kit.pages import FIRST_PAGE
from gateway.ledger import money
from tests.kit.waiting import PATIENCE


async def test_every_supplier_stands_on_a_line_and_its_page_shows_its_parts_and_both_books(console):
    asked = await console.operator.post("/console/money/refresh")
    assert "Balances requested" in asked.words
    for name in ("beppay", "pikasim", "s2s"):
        assert f'href="/console/money/{name}"' in asked.text
    sheet = list(csv.DictReader(io.StringIO((await console.viewer.get("/console/money?format=csv")).text)))
    assert {row["supplier"] for row in sheet} == {"beppay", "pikasim", "s2s"}
    page = await console.viewer.get("/console/money/beppay")
    assert "1 USDT_TRC20" in page.words
    assert "manual" in page.words
    ledger = await console.viewer.get("/console/money/s2s?days=1")
    assert "apart" in ledger.words
    lines = list(csv.DictReader(io.StringIO((await console.viewer.get("/console/money/s2s?days=1&format=csv")).text)))
    assert [row["verdict"] for row in lines if row["kind"] == "deposit"] == ["apart"]
    assert (await console.viewer.get("/console/money/nobody")).status == 404
    assert (await console.viewer.get("/console/money/s2s?days=x&last=never&at=y&movement=z")).status == 200


async def test_an_operator_begins_a_deposit_and_finds_the_page_to_pay_at(console):
    begun = await console.operator.post("/console/money/pikasim/deposits", {"way": "stripe", "amount": "75,50"})
    assert "75.50 USD by Card" in begun.words
    (link,) = re.findall(r'href="(http://127\.0\.0\.1[^"]+/_sandbox/checkout/[^"]+)"', begun.text)
    (one,) = (await money.deposits_begun(console.deps, FIRST_PAGE)).data
    assert (one.url, one.amount.amount) == (link, "75.50")
    entry = (await audit_rows.newest(console.pool)).data[0]
    assert (entry.action, entry.object, entry.detail["way"]) == ("supplier.deposit_begun", "supplier:pikasim", "stripe")
    for form, words in (
        ({"way": "stripe", "amount": "much"}, "is not a number"),
        ({"way": "cash", "amount": "5"}, "must be one of"),
        ({"way": "stripe", "amount": "0"}, "more than 0"),
    ):
        refused = await console.operator.post("/console/money/pikasim/deposits", form)
        assert refused.status == 422
        assert words in refused.words
    assert (
        await console.viewer.post("/console/money/pikasim/deposits", {"way": "stripe", "amount": "5"})
    ).status == 403
    assert (await console.viewer.post("/console/money/refresh")).status == 403


async def test_home_tells_of_a_supplier_whose_offers_our_money_does_not_suffice_for(console):
    pool = console.pool
    await pool.execute("DELETE FROM supplier_balances WHERE supplier = 'pikasim'")
    await pool.execute(
        "INSERT INTO supplier_balances (supplier, at, balance, spendable, currency)"
        " VALUES ('pikasim', now(), 0.10, 0.10, 'USD')"
    )
    words = "pikasim has offers that cost more than our balance there"
    async with asyncio.timeout(PATIENCE):  # the catalogue follows within two seconds
        while words not in (await console.viewer.get("/console")).words:  # noqa: ASYNC110 - another task does it
            await asyncio.sleep(0.1)
