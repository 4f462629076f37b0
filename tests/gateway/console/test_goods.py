"""Vouchers and recharges on the console's page of other goods."""

import csv
import io

from gateway.access import audit_rows

PLACE = "/console/other-goods"


async def test_goods_stand_there_with_cost_price_and_rate_and_can_be_searched(console):
    page = await console.viewer.get(f"{PLACE}?q=apple+usa")
    assert page.status == 200
    for words in ("$10 Apple gift card USA", "11.00", "12.10", "mapped"):
        assert words in page.words
    assert "Travel voucher" not in page.words
    custom = await console.viewer.get(f"{PLACE}?q=travel")
    assert "1 EUR = 1.08 USD" in custom.words
    table = await console.viewer.get(f"{PLACE}?q=apple&format=csv")
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert {row["product"] for row in rows} == {"Apple gift card | USA", "Apple gift card | EU"}
    assert "$10 Apple gift card USA" in (await console.viewer.get("/console/search?q=apple+gift")).words


async def test_a_suspect_price_is_let_through_by_an_operator_with_a_word_in_the_log(console):
    await console.pool.execute(
        "UPDATE goods SET suspect = 'moved: far <b>off</b>' WHERE sort_name LIKE '%usa $10 apple%'"
    )
    held = await console.operator.get(f"{PLACE}?held=suspect_price")
    assert "moved: far" in held.words
    good = await console.pool.fetchval("SELECT good_id FROM goods WHERE suspect IS NOT NULL")
    assert (await console.viewer.post(f"{PLACE}/{good}/release")).status == 403
    done = await console.operator.post(f"{PLACE}/{good}/release")
    assert "Selling resumed" in done.words
    assert await console.pool.fetchval("SELECT count(*) FROM goods WHERE suspect IS NOT NULL") == 0
    (entry,) = [one for one in (await audit_rows.newest(console.pool)).data if one.action == "good.released"]
    assert entry.object == f"good:{good}"
    assert (await console.operator.post(f"{PLACE}/good_nothing/release")).status == 404


async def test_what_moved_and_what_was_not_understood_is_shown(console):
    await console.pool.execute(
        """
        INSERT INTO goods_changes (at, supplier, sku, good_id, kind, old, new, currency, run_id)
            SELECT now(), supplier, sku, good_id, 'price', 9, 11, 'USD', 'run' FROM goods LIMIT 1;
        INSERT INTO goods_aside (supplier, sku, name, reason, detail, raw)
            VALUES ('s2s', 'x', '<b>strange</b> card', 'unknown_fields', 'the fields have another shape', '{}')
        """
    )
    page = await console.viewer.get(PLACE)
    assert "from 9.00 USD to 11.00 USD" in page.words
    assert "unknown fields" in page.words
    assert "<b>strange</b>" not in page.text
