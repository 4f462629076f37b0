"""Exchange rates on the pages: seen with their age and history, set, accepted, fetched."""

from __future__ import annotations

import html
import json
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from gateway.access import audit_rows
from gateway.pricing import fx_rows
from gateway.pricing.rate_rules import Rate
from gateway.pricing.rates import today

LIST = "/console/rates"


@pytest.fixture
async def rates(console):
    """A lira whose new rate waits."""
    yesterday = Rate("TRY", Decimal("0.025"), today() - timedelta(days=1), "ecb rates.example.com", "fetched")
    async with console.pool.acquire() as connection:
        await fx_rows.write(connection, "USD", [yesterday])
        await fx_rows.hold(connection, "USD", [replace(yesterday, rate=Decimal("0.02"), as_of=today())])
    return console


def chart(page):
    return json.loads(html.unescape(re.search(r'data-chart="([^"]*)"', page.text)[1]))


async def test_a_rate_is_set_and_its_history_drawn(rates):
    form = {"base": "usd", "currency": "idr", "rate": "16250", "date": f"{today() - timedelta(days=2)}"}
    page = await rates.operator.post(f"{LIST}/set", form)
    assert page.status == 200
    assert "1 USD = 16250 IDR" in page.words
    await rates.operator.post(f"{LIST}/set", {**form, "rate": "16300", "date": ""})
    page = await rates.viewer.get(f"{LIST}/IDR")
    drawn = chart(page)
    assert (drawn["currency"], drawn["lines"], len(drawn["x"])) == ("IDR", [{"label": "1 USD", "y": [16250, 16300]}], 2)
    assert "Set a rate" not in page.words
    entries = (await audit_rows.newest(rates.pool, action="rate.")).data
    who = rates.operator.name
    assert [(entry.action, entry.actor, entry.object) for entry in entries] == [("rate.set", who, "rate:IDR")] * 2
    assert (await rates.viewer.get(f"{LIST}/XYZ")).status == 404


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"rate": "dear"}, "is not a number"),
        ({"rate": "0"}, "must be above 0"),
        ({"rate": ""}, "is required"),
        ({"currency": "I1"}, "must be a currency such as IDR"),
        ({"currency": "USD"}, "between two currencies"),
        ({"base": "EGP", "currency": "TWD"}, "neither EGP nor TWD"),
        ({"date": "soon"}, "is not a date"),
    ],
)
async def test_what_is_wrong_stands_beside_its_field(rates, wrong, why):
    page = await rates.operator.post(f"{LIST}/set", {"base": "USD", "currency": "IDR", "rate": "1", **wrong})
    assert (page.status, why in page.words) == (422, True)


async def test_a_rate_that_waits_is_seen_on_the_first_page_and_accepted(rates):
    assert "exchange rates wait to be accepted: TRY" in (await rates.viewer.get("/console")).words
    assert "Accept" not in (await rates.viewer.get(LIST)).words
    page = await rates.operator.get(LIST)
    assert "-20.0 % in USD" in page.words
    form = {"currency": "TRY", "as_of": f"{today()}"}
    assert (await rates.viewer.post(f"{LIST}/accept", form)).status == 403
    other = await rates.operator.post(f"{LIST}/accept", {**form, "as_of": "2026-01-01"})
    assert "look at it first" in other.words
    done = await rates.operator.post(f"{LIST}/accept", form)
    assert "The rate of TRY is in force within a minute" in done.words
    assert "wait to be accepted: TRY" not in (await rates.viewer.get("/console")).words


async def test_without_sources_nothing_is_fetched(rates):
    assert "no source is set" in (await rates.operator.get(LIST)).words
    assert "no source of exchange rates is configured" in (await rates.operator.post(f"{LIST}/update", {})).words
