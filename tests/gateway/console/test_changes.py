"""What moved at the suppliers, on the pages: the feed, a plan's history, syncs and what they hold back."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from playwright.async_api import expect

from gateway.access import audit_rows
from gateway.kit.pages import PageRequest
from gateway.prices.change_rules import ChangeFilter
from gateway.prices.changes import feed
from gateway.sync.run import run_sync

TABS = ("", "/compare", "/history", "/changes")
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>\u202eevil' + "x" * 10_000


@dataclass
class Moved:
    """A console whose suppliers moved: some prices at one, and so many at another that its sync waits."""

    console: Any
    held: str

    @property
    def difference(self) -> str:
        return f"/console/sync-runs/{self.held}/difference/beppay"


async def sync(console: Any, *only: str) -> Any:
    return await run_sync(console.pool, console.deps.accounts, console.settings, only=only)


@pytest.fixture
async def moved(console):
    world = console.town.served.world
    assert world.drift("pikasim", share=0.08, by=0.25)
    world.drift("beppay", share=1.0, by=0.8)
    run = await sync(console, "pikasim", "beppay")
    assert {part.supplier: part.state for part in run.suppliers} == {"pikasim": "ok", "beppay": "quarantined"}
    return Moved(console, run.id)


async def changes(console, **wanted):
    return (await feed(console.pool, console.settings, ChangeFilter(mode="test", **wanted), PageRequest(1000))).data


async def test_the_feed_shows_what_moved_filters_it_and_gives_it_as_csv(moved):
    console = moved.console
    whole = await changes(console)
    assert len(whole) > 60
    first = await console.viewer.get("/console/changes")
    assert first.status == 200
    assert first.text.count("<tr data-row>") == 50
    following = re.search(r'href="([^"]+)" rel="next"', first.text)
    second = await console.viewer.get(unescape(following[1]))
    assert second.text.count("<tr data-row>") == min(50, len(whole) - 50)
    ups = await console.viewer.get("/console/changes?kind=up&supplier=pikasim&percent=10")
    assert ">up<" in ups.text
    assert ">down<" not in ups.text
    table = await console.viewer.get("/console/changes?format=csv&supplier=beppay")
    assert table.text.splitlines()[0].startswith("at,kind,supplier")
    assert len(table.text.splitlines()) == 1
    nothing = await console.viewer.get("/console/changes?kind=gone")
    assert "No matching changes" in nothing.words
    wrong = await console.viewer.get("/console/changes?country=Atlantis&percent=much&from=someday")
    assert wrong.status == 200
    assert "country is not a known country" in wrong.words
    assert 'value="Atlantis"' in wrong.text
    await summed_up(console)
    await console.viewer.post("/console/mode", {"mode": "live", "next": "/console/changes"})
    other_side = await console.viewer.get("/console/changes")
    assert "No matching changes" in other_side.words
    assert moved.held not in other_side.text


async def summed_up(console):
    """What changed since a moment, on its page."""
    page = await console.viewer.get("/console/changes/since?since=24h")
    ups = len(await changes(console, kinds=frozenset({"up"})))
    row = re.search(r">pikasim<.*?</tr>", page.text, re.DOTALL)[0]
    assert f'<td class="n">{ups}</td>' in row
    assert "Countries" in page.words
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date()
    assert "No changes since then" in (await console.viewer.get(f"/console/changes/since?from={tomorrow}")).words
    assert (await console.viewer.get("/console/changes/since?since=visit")).status == 200
    assert (await console.viewer.get("/console/changes/since?since=nonsense")).status == 200


async def test_a_history_has_a_chart_and_the_same_figures_as_a_table(moved):
    console = moved.console
    change = next(one for one in await changes(console) if one.kind == "up")
    page = await console.viewer.get(f"/console/plans/{change.plan_id}/history")
    chart = json.loads(unescape(re.search(r'data-chart="([^"]+)"', page.text)[1]))
    mine = next(line for line in chart["lines"] if change.supplier_plan_id in line["label"])
    costs = [cost for cost in mine["y"] if cost is not None]
    assert (f"{costs[0]:.2f}", f"{costs[-1]:.2f}") == (change.old.amount, change.new.amount)
    assert all(len(line["y"]) == len(chart["x"]) for line in chart["lines"])
    assert change.old.amount in page.words
    by_offer = await console.viewer.get(f"/console/history?offer={change.offer_id}")
    assert change.supplier_plan_id in by_offer.words
    table = await console.viewer.get(f"/console/plans/{change.plan_id}/history?format=csv")
    assert change.old.amount in table.text
    assert "no supplier offers this" in (await console.viewer.get("/console/plans/none-of-it/history")).words.lower()
    furthest = max((one for one in await changes(console) if one.percent), key=lambda one: abs(one.percent))
    assert furthest.plan_id in (await console.viewer.get("/console/history")).text
    await hold_markup(moved)


async def test_the_history_of_a_need_has_a_line_for_each_supplier_with_what_was_cheapest(moved):
    console = moved.console
    change = next(one for one in await changes(console) if one.kind == "up")
    offer = await console.pool.fetchrow(
        "SELECT supplier, coverage[1] AS country, days FROM offers WHERE id = $1", change.offer_id
    )
    cell = await console.viewer.get(f"/console/prices/{offer['country']}?data_mb=&days={offer['days']}&exact=1")
    link = unescape(re.search(r'href="([^"]+/history[?][^"]*)"', cell.text)[1])
    page = await console.viewer.get(link)
    assert page.status == 200
    chart = json.loads(unescape(re.search(r'data-chart="([^"]+)"', page.text)[1]))
    suppliers = [line["label"] for line in chart["lines"]]
    assert offer["supplier"] in suppliers
    for line in chart["lines"]:
        lowest = await console.pool.fetchval(
            """SELECT min(cost) FROM offers WHERE supplier = $1 AND coverage @> ARRAY[$2::text] AND days = $3
               AND gone_at IS NULL AND currency = 'USD'""",
            line["label"],
            offer["country"],
            offer["days"],
        )
        assert lowest is None or line["y"][-1] == float(round(lowest, 2)), line["label"]
    first = await console.pool.fetchval("SELECT min(first_seen_at) FROM offers")
    assert chart["from"] >= first.timestamp() - 1, "the range begins with the data"
    assert chart["gaps"] == [], "before the first sync nothing is missing"
    table = await console.viewer.get(f"{link}&format=csv")
    assert {row.split(",")[0] for row in table.text.splitlines()[1:]} == set(suppliers)
    assert "No supplier offers this" in (await console.viewer.get("/console/prices/JP/history?data_mb=900000")).words
    assert (await console.viewer.get("/console/prices/Atlantis/history")).status == 404


async def test_an_offer_that_left_counts_while_it_was_there(moved):
    console = moved.console
    row = await console.pool.fetchrow(
        """SELECT o.id, o.supplier, o.days FROM offers o JOIN suppliers s ON s.name = o.supplier
           WHERE coverage = '{JP}' AND gone_at IS NULL AND cost IS NOT NULL AND s.mode = 'test' ORDER BY cost LIMIT 1"""
    )
    await console.pool.execute(
        "UPDATE offers SET gone_at = now(), cost = 0.01, first_seen_at = now() - interval '1 h' WHERE id = $1",
        row["id"],
    )
    page = await console.viewer.get(f"/console/prices/JP/history?data_mb=&days={row['days']}&format=csv")
    mine = [line for line in page.text.splitlines() if line.startswith(row["supplier"] + ",") and row["id"] in line]
    assert mine, page.text
    assert ",0.01," in mine[-1]


async def decides_nothing(moved):
    """A viewer sees the difference, and no more."""
    console = moved.console
    page = await console.viewer.get(moved.difference)
    assert "prices moved by more than 40 %" in page.words
    assert "/accept" not in page.text
    for way in ("accept", "refuse"):
        path = f"/console/sync-runs/{moved.held}/{way}"
        answer = await console.viewer.post(path, {"supplier": "beppay", "why": "no"})
        assert answer.status == 403
    assert (await console.viewer.post("/console/sync-runs", {})).status == 403
    assert await console.pool.fetchval("SELECT state FROM quarantines") == "waiting"


async def test_an_operator_accepts_after_seeing_the_difference_and_a_viewer_cannot(moved):
    console = moved.console
    await decides_nothing(moved)
    assert "waits for a decision" in (await console.operator.get("/console")).words
    page = await console.operator.get(moved.difference)
    largest = re.search(r"<tr data-row>.*?</tr>", page.text, re.DOTALL)[0]
    assert re.search(r"[78][0-9]\.[0-9] %", unescape(largest))
    answer = await console.operator.post(f"/console/sync-runs/{moved.held}/accept", {"supplier": "beppay"})
    assert "Accepted" in answer.words
    started = answer.url.rpartition("/")[2]
    await run_sync(console.pool, console.deps.accounts, console.settings, accept=["beppay"], run_id=started)
    held = await console.pool.fetchrow("SELECT state, decided_by, accepted_run FROM quarantines")
    assert tuple(held) == ("accepted", console.operator.name, started)
    actions = [(entry.action, entry.actor) for entry in (await audit_rows.newest(console.pool)).data]
    assert ("quarantine.accepted", console.operator.name) in actions
    assert "waits for a decision" not in (await console.operator.get("/console/changes")).words


async def test_an_operator_refuses_with_a_reason_and_without_one_is_asked_for_it(moved):
    console = moved.console
    path = f"/console/sync-runs/{moved.held}/refuse"
    asked = await console.operator.post(path, {"supplier": "beppay", "why": " "})
    assert asked.status == 422
    assert "is required" in asked.words
    answer = await console.operator.post(path, {"supplier": "beppay", "why": "a fault of theirs"})
    assert "Refused" in answer.words
    assert "a fault of theirs" in answer.words
    again = await console.operator.post(path, {"supplier": "beppay", "why": "once more"})
    assert "Nothing was done" in again.words
    run = await sync(console, "beppay")
    page = await console.operator.get(f"/console/sync-runs/{run.id}/difference/beppay")
    assert "a fault of theirs" in page.words


async def test_sync_runs_are_listed_and_one_is_started_and_watched(console):
    first = await console.pool.fetchval("SELECT id FROM sync_runs")
    listed = await console.operator.get("/console/sync-runs")
    assert f"/console/sync-runs/{first}" in listed.text
    page = await console.operator.get(f"/console/sync-runs/{first}")
    assert "unmapped" in page.words.lower()
    assert "hx-trigger" not in page.text
    started = await console.operator.post("/console/sync-runs", {"supplier": "pikasim"})
    assert "waits for a worker" in started.words
    assert "hx-trigger" in started.text
    run = started.url.rpartition("/")[2]
    await console.pool.execute(
        "INSERT INTO sync_progress (run_id, supplier, items, claimed) VALUES ($1, 'pikasim', 40, 160)", run
    )
    part = await console.operator.get(started.url, headers={"HX-Request": "true"})
    assert "<html" not in part.text
    assert "40 of 160" in part.words
    wrong = await console.operator.post("/console/sync-runs", {"supplier": "nobody"})
    assert wrong.status == 422
    assert (await console.operator.get("/console/sync-runs/sync_none")).status == 404
    assert (await console.operator.get(f"/console/sync-runs/{first}/difference/pikasim")).status == 404


async def hold_markup(moved):
    """Names, errors and warnings that hold markup are text on every page."""
    pool = moved.console.pool
    await pool.execute("UPDATE offers SET name = $1 WHERE supplier = 'pikasim'", HOSTILE)
    await pool.execute("UPDATE quarantine_rows SET name = $1, supplier_plan_id = $1", HOSTILE)
    await pool.execute("UPDATE sync_run_suppliers SET error = $1, warnings = $2", HOSTILE, [HOSTILE])
    plan = await pool.fetchval("SELECT plan_id FROM price_changes LIMIT 1")
    for path in (
        "/console/changes", "/console/changes/since?since=24h", *(f"/console/plans/{plan}{tab}" for tab in TABS),
        f"/console/sync-runs/{moved.held}", moved.difference, "/console/sync-runs",
    ):  # fmt: skip
        page = await moved.console.operator.get(path)
        assert (path, page.status) == (path, 200)
        assert "<script>alert" not in page.text
        assert "<img" not in page.text
        assert "\u202e" not in page.text
        assert len(page.text) < 500_000


@pytest.mark.browser
async def test_the_chart_is_drawn_and_an_operator_decides_by_keyboard_alone(moved, open_page):
    console = moved.console
    change = next(one for one in await changes(console) if one.kind == "up")
    page = await open_page(console.operator, f"/console/plans/{change.plan_id}/history")
    await page.wait_for_selector(".chart canvas")
    await expect(page.locator(".chart .u-legend tr").nth(1)).to_be_attached()
    painted = await page.evaluate("() => document.querySelector('.chart canvas').toDataURL().length")
    assert painted > 3000
    await page.keyboard.press("g")
    await page.keyboard.press("n")
    await page.wait_for_url("**/console/changes")
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/difference/beppay")
    await page.get_by_label("Why").fill("their mistake")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/console/sync-runs/{moved.held}")
    await expect(page.locator("main")).to_contain_text("Refused")


@pytest.mark.browser
async def test_a_running_sync_is_followed_without_loading_the_page_again(console, open_page):
    page = await open_page(console.operator, "/console/sync-runs")
    await page.get_by_role("button", name="Start a sync").click()
    await page.wait_for_url("**/console/sync-runs/sync_*")
    run = page.url.rpartition("/")[2]
    await page.evaluate("window.stayed = true")
    await console.pool.execute(
        "INSERT INTO sync_progress (run_id, supplier, items, claimed) VALUES ($1, 'pikasim', 40, 160)", run
    )
    await page.get_by_text("40 of 160").first.wait_for()
    await run_sync(console.pool, console.deps.accounts, console.settings, run_id=run)
    await page.get_by_role("columnheader", name="Mapped", exact=True).wait_for()
    assert await page.evaluate("window.stayed")
