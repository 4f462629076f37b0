"""Home: the shop today, what waits for a decision, money, moves and alerts; and a new installation."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from playwright.async_api import expect

from gateway.console import home
from gateway.console.filters import bars
from gateway.suppliers import supplier_rows
from gateway.suppliers.supplier_rows import Configured
from tests.gateway.console.conftest import Console, _consoles
from tests.kit.placed_orders import placed

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
WEEK = timedelta(days=7)
STEPS = 7


@pytest.fixture
def at_noon(console):
    """The console's own clock says noon, whatever the time of day: today has begun and is not over."""
    object.__setattr__(console.deps, "clock", lambda: NOON)
    return console


@pytest.fixture
async def new_console(database_url, redis_url, tmp_path, _hash) -> AsyncIterator[Console]:
    """The console of an installation in which nothing was done yet."""
    async with _consoles(database_url, redis_url, str(tmp_path), _hash) as make:
        yield await make()


async def live(person):
    """Have the person look at live."""
    await person.post("/console/mode", {"mode": "live", "next": "/console"})


def part(answer, name):
    """The words of a section by its heading's id."""
    section = re.search(rf'aria-labelledby="{name}">(.*?)</section>', answer.text, re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", section[1]).split()) if section else None


async def sell(pool, mode="live"):
    """Two weeks of orders: today's beside those of a week before."""
    for price, supplier, country in (("10", "pikasim", "JP"), ("30", "s2s", "FR"), ("8", "s2s", "JP")):
        await placed(pool, NOON - timedelta(hours=2), mode=mode, price=price, supplier=supplier, countries=[country])
    await placed(pool, NOON - timedelta(hours=1), mode=mode, status="failed", charged=None)
    await placed(pool, NOON - timedelta(hours=1), mode=mode, status="pending", charged=None)
    for hours in (2, 3, -4):
        await placed(pool, NOON - WEEK - timedelta(hours=hours), mode=mode, price="12")
    for day in (1, 2, 3, 5, 8, 11):
        await placed(pool, NOON - timedelta(days=day), mode=mode, price=str(5 * day))


async def test_the_day_stands_beside_the_same_hours_a_week_ago(at_noon):
    await sell(at_noon.pool)
    await live(at_noon.viewer)
    page = await at_noon.viewer.get("/console")
    assert page.status == 200
    today = part(page, "today")
    assert f"until 12:00 UTC, compared with {NOON - WEEK:%A} {(NOON - WEEK).day}" in today
    assert "Orders 5 2 a week ago +150 % 3 that whole day" in today
    assert "Revenue 48.00 USD 24.00 a week ago +100 % 36.00 that whole day" in today
    assert "Margin 30.00 USD 12.00 a week ago +150 % 62.5 % of revenue" in today
    assert "Success rate 75.0 % 100.0 % a week ago 1 not ended yet" in today
    assert "Orders of the live mode; amounts in USD, the base currency" in today
    assert re.search(r"s2s 2 0 38\.00 0\.00 26\.00", part(page, "by-supplier"))
    assert re.search(r"Japan 4 2 18\.00 24\.00 6\.00 66\.7 % 100\.0 %", part(page, "by-country"))
    assert 'href="/console/suppliers/s2s"' in page.text
    assert 'href="/console/prices/JP"' in page.text


async def test_orders_of_the_other_mode_are_none_of_these(at_noon):
    await sell(at_noon.pool)
    await live(at_noon.viewer)
    await at_noon.pool.execute("UPDATE orders SET created_at = created_at - interval '60 days' WHERE mode = 'test'")
    await placed(at_noon.pool, NOON - timedelta(hours=1), mode="test", price="9999")
    assert "9,999" not in (await at_noon.viewer.get("/console")).words
    await at_noon.viewer.post("/console/mode", {"mode": "test", "next": "/console"})
    page = await at_noon.viewer.get("/console")
    assert "9,999.00" in part(page, "today")
    assert "Orders of the test mode" in part(page, "today")


async def test_the_last_two_weeks_are_bars_with_a_table_behind_them(at_noon):
    await sell(at_noon.pool)
    await live(at_noon.viewer)
    page = await at_noon.viewer.get("/console")
    charts = re.findall(r'<svg class="bars".*?</svg>', page.text, re.DOTALL)
    assert [chart.count("<rect") for chart in charts] == [14, 14]
    assert 'aria-label="Orders of the last 14 days: 0 to 5 a day. Today so far: ' in charts[0]
    assert "55.00 USD a day. Today so far: " in charts[1]
    rows = re.findall(r'<tr><th scope="row">(.*?)</th><td class="n">(\d+)</td>', page.text)
    assert len(rows) == 14
    assert rows[0] == (f"{NOON:%a} {NOON.day} {NOON:%b}", "5")
    assert rows[7] == (f"{NOON - WEEK:%a} {(NOON - WEEK).day} {NOON - WEEK:%b}", "3")


async def test_money_stands_there_by_the_days_that_it_lasts(console):
    await console.pool.execute("DELETE FROM supplier_balances")
    await console.pool.execute(
        """INSERT INTO supplier_balances (supplier, at, balance, spendable, currency)
           VALUES ('pikasim', now(), 900, 900, 'USD'), ('s2s', now(), 0, 0, 'USD')"""
    )
    money = part(await console.viewer.get("/console"), "money")
    assert money.index("s2s") < money.index("pikasim") < money.index("beppay"), "what is not known comes last"
    assert re.search(r"s2s 0\.0 0\.00 USD", money)
    assert "900.00 USD" in money


async def test_prices_that_moved_since_the_last_visit_are_counted_and_the_largest_named(console):
    offer = await console.pool.fetchrow("SELECT supplier, supplier_plan_id, plan_id, name FROM offers LIMIT 1")
    moved = """INSERT INTO price_changes (supplier, supplier_plan_id, plan_id, old, new, old_currency, new_currency, at,
                                          sync_run_id) VALUES ($1, $2, $3, 10, $4, 'USD', 'USD', $5, 'r')"""
    ago = datetime.now(UTC) - timedelta(hours=2)
    await console.pool.execute("DELETE FROM price_changes")
    await console.pool.execute(moved, *list(offer)[:3], Decimal(14), ago)
    words = part(await console.viewer.get("/console"), "moves")
    assert words.startswith("Price moves of the last 24 hours")
    assert "+40.0 %" in words
    visit = "UPDATE users SET last_visit_at = now() - make_interval(hours => $1) WHERE name = 'viewer'"
    await console.pool.execute(visit, 5)
    page = await console.viewer.get("/console")
    assert "Price moves since your last visit, 5 h ago" in part(page, "moves")
    assert "+40.0 %" in part(page, "moves")
    assert 'href="/console/changes/since?since=visit"' in page.text
    await console.pool.execute(visit, 1)
    assert "+40.0 %" not in part(await console.viewer.get("/console"), "moves")


async def test_what_waits_for_a_decision_is_counted_with_the_way_to_it(busy_console):
    pool = busy_console.pool
    review, suspect = await pool.fetchrow(
        """SELECT (SELECT count(*) FROM orders WHERE mode = 'live' AND status = 'needs_review'),
                  (SELECT count(*) FROM offers WHERE suspect IS NOT NULL AND gone_at IS NULL)"""
    )
    words = await pool.fetchval("SELECT count(DISTINCT w) FROM set_aside, unnest(words) w WHERE about = 'place'")
    assert min(review, suspect, words) > 0
    page = await busy_console.viewer.get("/console")
    listed = re.findall(r'<li data-row( class="none")?><a href="([^"]+)"><b>(.*?)</b> (.*?)</a></li>', page.text)
    counts = {name: (url, int(count.replace(",", ""))) for _, url, count, name in listed}
    assert counts["Orders that need review"] == ("/console/attention", review)
    assert counts["Suspect prices"] == ("/console/suspects", suspect)
    assert counts["Unmapped names"] == ("/console/unmapped", words)
    assert counts["Quarantined syncs"][0].startswith("/console/sync-runs")
    assert {"Payment cases", "Exchange rates to accept"} <= counts.keys()
    assert all((count == "0") == bool(faint) for faint, _, count, _ in listed)
    for url, _ in counts.values():
        assert (await busy_console.viewer.get(url)).status == 200, url


async def test_open_alerts_stand_there_and_those_that_ended_do_not(console):
    for name, cleared in (("standing", None), ("over", datetime.now(UTC))):
        await console.pool.execute(
            """INSERT INTO alerts (id, rule_id, rule_name, kind, level, subject, title, detail, link, raised_at,
                                   seen_at, cleared_at)
               VALUES ('alt_' || $1, 'alr_1', 'r', 'stale_rates', 'bad', $1, 'It is ' || $1, '', '/console/suppliers',
                       now(), now(), $2)""",
            name,
            cleared,
        )
    words = part(await console.viewer.get("/console"), "alerts")
    assert "Open alerts 1" in words
    assert "It is standing" in words
    assert "It is over" not in words


async def test_a_part_that_fails_is_missing_and_the_others_are_there(console, monkeypatch):
    async def broken(*_args):
        raise RuntimeError("broken")

    monkeypatch.setattr(home, "shop_sales", broken)
    page = await console.viewer.get("/console")
    assert page.status == 200
    assert "1 part of this page could not be loaded" in page.words
    assert part(page, "today") is None
    assert part(page, "money") is not None


async def test_a_new_installation_has_a_checklist_and_no_figures(new_console):
    page = await new_console.admin.get("/console")
    assert page.status == 200
    assert "could not be loaded" not in page.words
    assert f"Set-up: 0 of {STEPS} steps done" in page.words
    assert '<details class="setup" open>' in page.text
    assert "No orders today, and none a week ago" in page.words
    assert "No prices moved" in page.words
    assert "Success rate – – a week ago" in part(page, "today")
    for url in re.findall(r'○</span> <a href="([^"]+)"', page.text):
        assert (await new_console.admin.get(url)).status == 200, url
    await supplier_rows.register(new_console.pool, [Configured("s2s", "s2s", "test")])
    page = await new_console.admin.get("/console")
    assert f"Set-up: 1 of {STEPS} steps done" in page.words
    assert "Configure a supplier done" in page.words
    await live(new_console.admin)
    assert f"Set-up: 0 of {STEPS} steps done" in (await new_console.admin.get("/console")).words


async def test_the_checklist_is_gone_once_all_is_done(console):
    pool = console.pool
    page = await console.viewer.get("/console")
    assert "Create a storefront with an API key done" in page.words
    assert '<details class="setup">' in page.text, "what selling needs is there"
    await pool.execute(
        """INSERT INTO pricing_rules (id, position, name, percent, currency) VALUES ('pr_1', 1, 'all', 10, 'USD');
           INSERT INTO alert_channels (id, name, kind, recipients) VALUES ('ach_1', 'ops', 'email', '{a@b.example}');
           INSERT INTO fx_rates (base, currency, rate, as_of, source, kind)
               VALUES ('USD', 'EUR', 1.1, current_date, 'x', 'fetched');
           INSERT INTO webhook_endpoints (id, storefront_id, mode, url, secret)
               SELECT 'we_1', id, 'test', 'http://127.0.0.1/hook', '' FROM storefronts LIMIT 1"""
    )
    assert "Set-up" not in (await console.viewer.get("/console")).words


def test_a_bar_is_as_high_as_its_share_of_the_highest_and_nothing_has_none():
    drawn = bars([("Mon: 5", 5), ("Tue: 0", 0), ("Wed: <10>", 10)], "three days")
    assert re.findall(r'y="([\d.]+)" width="8" height="([\d.]+)"', drawn) == [
        ("20.0", "20.0"),
        ("40.0", "0.0"),
        ("0.0", "40.0"),
    ]
    assert "<title>Wed: &lt;10&gt;</title>" in drawn
    assert bars([], "no days").count("<rect") == 0
    assert 'height="0.0"' in bars([("Mon", 0)], "nothing sold")


@pytest.mark.browser
@pytest.mark.parametrize("look", [{"scheme": "light"}, {"scheme": "dark"}, {"phone": True}])
async def test_the_shop_is_seen_in_light_in_the_dark_and_on_a_phone(at_noon, open_page, look, tmp_path):
    await sell(at_noon.pool)
    await live(at_noon.viewer)
    page = await open_page(at_noon.viewer, "/console", **look)
    await expect(page.locator(".tiles > div")).to_have_count(4)
    heights = (
        await page.locator(".bars")
        .first.locator("rect")
        .evaluate_all("bars => bars.map(bar => bar.getBoundingClientRect().height)")
    )
    assert heights[-1] == max(heights) > 40
    assert heights[0] == 0
    now, shop = await page.locator(".now").bounding_box(), await page.locator(".shop").bounding_box()
    if look.get("phone"):
        assert now["y"] + now["height"] <= shop["y"], "what needs attention comes first"
    else:
        assert now["x"] >= shop["x"] + shop["width"]
    await page.locator("summary", has_text="These days as a table").click()
    await expect(page.get_by_role("row", name=re.compile("^Day"))).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
