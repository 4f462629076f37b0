"""Suspect prices in the console: what each was compared with, and letting one, a group or a supplier through."""

from __future__ import annotations

import pytest

from gateway.access import audit_rows

PLACE = "/console/suspects"
SUSPECT = "SELECT count(*) FROM offers WHERE suspect IS NOT NULL"


@pytest.fixture
async def doubted(console):
    """Three offers of one supplier that are far from their past, and one far below another supplier's."""
    other = await console.pool.fetchval("SELECT id FROM offers WHERE supplier = 's2s' AND cost IS NOT NULL LIMIT 1")
    await console.pool.execute(
        """UPDATE offers SET suspect = 'moved: 1 is <b>far</b> below', suspect_since = now()
           WHERE id IN (SELECT id FROM offers WHERE supplier = 'pikasim' AND cost IS NOT NULL ORDER BY id LIMIT 3)"""
    )
    await console.pool.execute(
        """UPDATE offers SET suspect = 'below_less: 1 is less than 15 % of 9.00', suspect_against = ARRAY[$1]
           WHERE id = (SELECT max(id) FROM offers WHERE supplier = 'pikasim' AND cost IS NOT NULL)""",
        other,
    )
    return other


async def test_each_suspect_price_stands_there_with_what_it_was_compared_with(console, doubted):
    page = await console.viewer.get(PLACE)
    assert page.status == 200
    assert page.text.count("<tr data-row>") == 4
    name = await console.pool.fetchval("SELECT name FROM offers WHERE id = $1", doubted)
    for words in ("far from its own last good cost", "1 is less than 15 % of 9.00", name[:20]):
        assert words in page.words
    assert "<b>far</b>" not in page.text
    assert "Release" not in page.words
    one = await console.viewer.get(f"{PLACE}?supplier=pikasim&rule=below_less")
    assert one.text.count("<tr data-row>") == 1
    assert (await console.viewer.get(f"{PLACE}?supplier=beppay")).text.count("<tr data-row>") == 0


async def test_an_operator_releases_one_a_group_and_the_rest(console, doubted):
    id_ = await console.pool.fetchval("SELECT min(id) FROM offers WHERE suspect IS NOT NULL")
    assert (await console.viewer.post(f"{PLACE}/{id_}/release")).status == 403
    assert "sold again" in (await console.operator.post(f"{PLACE}/{id_}/release")).words
    assert await console.pool.fetchval(SUSPECT) == 3
    assert (await console.viewer.post(f"{PLACE}/release", {"supplier": "pikasim"})).status == 403
    done = await console.operator.post(f"{PLACE}/release", {"supplier": "pikasim", "rule": "moved"})
    assert "2 offers of pikasim are sold again" in done.words
    assert await console.pool.fetchval(SUSPECT) == 1
    await console.operator.post(f"{PLACE}/release", {"supplier": "pikasim"})
    assert await console.pool.fetchval(SUSPECT) == 0
    assert "No price is suspect here" in (await console.viewer.get(PLACE)).words
    actions = [entry.action for entry in (await audit_rows.newest(console.pool)).data]
    assert actions[:3] == ["suspects.released", "suspects.released", "offer.released"]
    assert (await console.operator.post(f"{PLACE}/off_nothing/release")).status == 404
    assert (await console.operator.post(f"{PLACE}/release", {"supplier": "nobody"})).status == 404
