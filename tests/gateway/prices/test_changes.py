"""The feed of changes: what a sync notes, and what a reader gets of it."""

import random
from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.kit.pages import PageRequest, write_cursor
from gateway.kit.settings import load
from gateway.prices.change_rules import KINDS, ChangeFilter
from gateway.prices.changes import feed, summary
from gateway.prices.history import price_history
from gateway.pricing import edit_rates
from gateway.sync.run import run_sync
from schemas.api_rates import RateEntry
from schemas.page import Page
from tests.kit.stall import Stall, Thing, market, shelf, synced_stall

SETTINGS = load()


async def sync(m, **more):
    return await run_sync(m.pool, m.accounts, m.settings, **more)


async def walk(pool, wanted=None, limit=50, size=1000):
    """The whole feed, page by page."""
    found, cursor = [], None
    for _ in range(size):
        page = await feed(pool, SETTINGS, wanted or ChangeFilter(), PageRequest(limit, cursor))
        found += page.data
        cursor = page.next_cursor
        if cursor is None:
            return found
    raise AssertionError("the feed does not end")


def told(changes):
    return [(c.kind, c.supplier_plan_id) for c in changes]


async def test_a_first_walk_is_no_news_and_what_comes_and_goes_after_it_is_noted_once(pool, tmp_path):
    async with synced_stall(pool, tmp_path, shelf(15)) as (stall, m):
        assert await walk(pool) == []
        kept = stall.things
        stall.drop("p003")
        stall.things = [*stall.things, Thing("p900", mb=2048, days=20)]
        stall.reprice("p001", "5.50")
        await sync(m)
        await sync(m)
        assert sorted(told(await walk(pool))) == [("gone", "p003"), ("new", "p900"), ("up", "p001")]
        stall.things = kept
        await sync(m)
        changes = await walk(pool)
        assert sorted(told(changes[:3])) == [("down", "p001"), ("gone", "p900"), ("new", "p003")]
        assert {c.supplier_plan_id: c.back for c in changes if c.kind == "new"} == {"p900": False, "p003": True}


async def test_stock_that_ends_and_comes_back_is_noted_and_counted(pool, tmp_path):
    async with synced_stall(pool, tmp_path, shelf(4)) as (stall, m):
        stall.change("p000", stock=0)
        stall.change("p001", stock=7)
        stall.change("p002", visible=False)
        run = await sync(m)
        part = run.suppliers[0]
        assert (part.out_of_stock, part.in_stock, part.up, part.down) == (2, 0, 0, 0)
        stall.change("p000", stock=1)
        part = (await sync(m)).suppliers[0]
        assert (part.out_of_stock, part.in_stock) == (0, 1)
        stocks = [(c.supplier_plan_id, c.stock) for c in await walk(pool)]
        assert stocks[0] == ("p000", "in")
        assert sorted(stocks[1:]) == [("p000", "out"), ("p002", "out")]
        assert await m.one("SELECT count(*) FROM price_changes") == 0


async def test_a_change_tells_how_far_a_cost_moved_in_base_currency(pool, tmp_path):
    stall = Stall([Thing("p", cost="10.00", currency="EUR"), Thing("q", cost=None), Thing("r", cost="10.00")])
    async with market(pool, tmp_path, {"a": stall}, suspect_rise=100) as m:
        await edit_rates.set_rate(pool, m.settings, "a test", RateEntry("EUR", "USD", "2"))
        await sync(m)
        stall.reprice("p", "12.50")
        stall.reprice("q", "4.00")
        stall.change("r", cost="8.00", currency="EUR")
        await sync(m)
        changes = {c.supplier_plan_id: c for c in await walk(pool)}
        assert (changes["p"].kind, changes["p"].amount.amount, changes["p"].percent) == ("up", "5.00", 25.0)
        assert (changes["p"].old.amount, changes["p"].new.currency) == ("10.00", "EUR")
        assert (changes["q"].kind, changes["q"].percent, changes["q"].old) == ("price", None, None)
        assert (changes["r"].kind, changes["r"].percent) == ("up", 60.0)


@pytest.fixture
async def filled(pool):
    """Three suppliers, offers in three countries, two thousand changes, many of one moment."""
    pick = random.Random(7)
    await pool.executemany(
        "INSERT INTO suppliers (name, provider, mode) VALUES ($1, 'stall', $2)",
        [("a", "live"), ("b", "live"), ("t", "test")],
    )
    offers = [(supplier, f"{supplier}{n}", n) for supplier in "abt" for n in range(30)]
    data = {"mb": 1024, "declared": "1 GB", "unlimited": False, "reset": "never", "basis": "text"}
    coverage = (["JP"], ["FR", "JP"], ["FR"])
    await pool.executemany(
        "INSERT INTO offers (id, supplier, supplier_plan_id, plan_id, name, coverage, data, days, starts, cost,"
        " currency, digest, first_seen_at, changed_at)"
        " VALUES ($1, $2, $3, $4, $3, $5, $6, 7, 'install', 5, 'USD', $7, now(), now())",
        [
            (f"off_{key}", supplier, key, f"plan-{n % 7}", coverage[n % 3], data, bytes(24))
            for supplier, key, n in offers
        ],
    )
    moments = [f"2026-11-{1 + n // 4:02}T0{n % 4}:00:00Z" for n in range(40)]
    rows, events = [], []
    for _ in range(2000):
        supplier, key, n = pick.choice(offers)
        old, new = Decimal(pick.randint(100, 900)) / 100, Decimal(pick.randint(100, 900)) / 100
        at = pick.choice(moments)
        if pick.random() < 0.7:
            rows.append((supplier, key, f"plan-{n % 7}", old, new, at))
        else:
            kind = pick.choice(["new", "back", "gone", "in_stock", "out_of_stock"])
            events.append((supplier, key, f"plan-{n % 7}", kind, at))
    await pool.executemany(
        "INSERT INTO price_changes (supplier, supplier_plan_id, plan_id, old, new, old_currency, new_currency, at,"
        " sync_run_id) VALUES ($1, $2, $3, $4, $5, 'USD', 'USD', $6::text::timestamptz, 'sync_1')",
        rows,
    )
    await pool.executemany(
        "INSERT INTO offer_events (supplier, supplier_plan_id, plan_id, kind, at, cost, currency, sync_run_id)"
        " VALUES ($1, $2, $3, $4, $5::text::timestamptz, 5, 'USD', 'sync_1')",
        events,
    )
    return pool


async def expected(pool, wanted):
    """What the feed must hold, in a few lines: everything, sorted, then looked at one by one."""
    offers = {(r["supplier"], r["supplier_plan_id"]): r for r in await pool.fetch("SELECT * FROM offers")}
    modes = dict(await pool.fetch("SELECT name, mode FROM suppliers"))
    groups = {"back": "new", "in_stock": "stock", "out_of_stock": "stock"}
    found = []
    for src, table in ((1, "price_changes"), (0, "offer_events")):
        for row in await pool.fetch(f"SELECT * FROM {table}"):
            offer = offers[row["supplier"], row["supplier_plan_id"]]
            share = amount = None
            if src:
                amount = abs(row["new"] - row["old"])
                share = amount / row["old"] * 100
                kind = "up" if row["new"] > row["old"] else "down" if row["new"] < row["old"] else "price"
            else:
                kind = groups.get(row["kind"], row["kind"])
            if (
                (not wanted.kinds or kind in wanted.kinds)
                and (not wanted.suppliers or row["supplier"] in wanted.suppliers)
                and (wanted.mode is None or modes[row["supplier"]] == wanted.mode)
                and (wanted.country is None or wanted.country in offer["coverage"])
                and (wanted.plan_id is None or offer["plan_id"] == wanted.plan_id)
                and (wanted.since is None or row["at"] > wanted.since)
                and (wanted.min_percent is None or share is None or share >= wanted.min_percent)
                and (wanted.min_amount is None or amount is None or amount >= wanted.min_amount)
            ):
                found.append((row["at"], src, row["id"], kind, row["supplier_plan_id"]))
    return [row[3:] for row in sorted(found, reverse=True)]


async def test_every_filter_gives_what_looking_at_each_row_gives_whatever_the_size_of_a_page(filled, monkeypatch):
    monkeypatch.setattr("gateway.prices.changes._CHUNKS", (40, 100, 300))  # so that pages end within what is looked at
    moments = [row["at"] for row in await filled.fetch("SELECT DISTINCT at FROM price_changes ORDER BY at")]
    pick = random.Random(11)

    def maybe(value):
        return value if pick.random() < 0.35 else None

    for _ in range(40):
        wanted = ChangeFilter(
            kinds=frozenset(pick.sample(KINDS, pick.randint(1, 4))) if pick.random() < 0.5 else frozenset(),
            suppliers=maybe(tuple(pick.sample("abt", 2))) or (),
            mode=maybe(pick.choice(["live", "test"])),
            country=maybe(pick.choice(["JP", "FR", "US"])),
            plan_id=maybe(pick.choice(["plan-2", "plan-6", "plan-99"])),
            since=maybe(pick.choice(moments)),
            min_percent=maybe(Decimal(20)),
            min_amount=maybe(Decimal("1.50")),
        )
        found = await walk(filled, wanted, limit=pick.choice([7, 50, 200]))
        assert told(found) == await expected(filled, wanted), wanted


async def test_a_position_that_means_nothing_is_the_end_and_no_fault(filled):
    for after in [("",), ("x", "1", "2"), ("2026-11-20T00:00:00", "-1", "9" * 30), ("9999-12-31T23:59:59+00:00", "1")]:
        page = await feed(filled, SETTINGS, ChangeFilter(), PageRequest(5, write_cursor(*after)))
        assert page == Page.complete([])


async def test_a_summary_counts_by_supplier_over_its_syncs_and_by_country_over_the_changes(pool, tmp_path):
    stalls = {
        "a": Stall([Thing(f"p{n}", days=30 + n) for n in range(12)]),
        "b": Stall([Thing("q0", country="FR"), Thing("q1", country="FR", mb=2048)]),
    }
    async with market(pool, tmp_path, stalls) as m:
        await sync(m)
        since = await m.one("SELECT now()")
        stalls["a"].reprice("p1", "6.00")
        stalls["a"].reprice("p2", "4.90")
        stalls["b"].drop("q1")
        await sync(m)
        stalls["a"].html = True
        stalls["b"].things = [*stalls["b"].things, Thing("q2", country="DE")]
        await sync(m)
        found = await summary(pool, m.settings, since)
        one = {s.supplier: s for s in found.suppliers}
        assert (one["a"].up, one["a"].down, one["a"].good, one["a"].failed) == (1, 1, 1, 1)
        assert (one["b"].gone, one["b"].new, one["b"].good, one["b"].last_sync_state) == (1, 1, 2, "ok")
        places = {c.country: (c.up, c.down, c.new, c.gone) for c in found.countries}
        assert places == {"JP": (1, 1, 0, 0), "FR": (0, 0, 0, 1), "DE": (0, 0, 1, 0)}
        assert told(found.largest) == [("up", "p1"), ("down", "p2")]
        assert found.complete
        assert [s.supplier for s in (await summary(pool, m.settings, since, suppliers=("b",))).suppliers] == ["b"]
        later = await summary(pool, m.settings, since + timedelta(days=1))
        assert (later.countries, later.largest, later.complete) == ([], [], True)


async def test_a_history_has_a_series_for_each_offer_its_changes_and_the_gaps_of_its_supplier(pool, tmp_path):
    stalls = {"a": Stall([Thing("p", cost="5.00")]), "b": Stall([Thing("q", cost="4.00")])}
    async with market(pool, tmp_path, stalls) as m:
        await sync(m)
        stalls["a"].reprice("p", "5.50")
        await sync(m)
        stalls["b"].things = []
        await sync(m)
        plan = await m.one("SELECT plan_id FROM offers LIMIT 1")
        # The first syncs lie ten hours back, the last one an hour: nine hours in which nobody looked.
        first, second, third = [row["id"] for row in await m.fetch("SELECT id FROM sync_runs ORDER BY id")]
        hours = {first: 10, second: 9.8, third: 1}
        for run, back in hours.items():
            span = timedelta(hours=back)
            await pool.execute("UPDATE sync_run_suppliers SET at = now() - $2::interval WHERE run_id = $1", run, span)
            await pool.execute("UPDATE price_changes SET at = now() - $2::interval WHERE sync_run_id = $1", run, span)
            await pool.execute("UPDATE offer_events SET at = now() - $2::interval WHERE sync_run_id = $1", run, span)
        await pool.execute("UPDATE offers SET first_seen_at = now() - interval '10 hours'")
        await pool.execute("UPDATE offers SET gone_at = now() - interval '1 hour' WHERE gone_at IS NOT NULL")
        now = await m.one("SELECT now()")
        found = await price_history(pool, m.settings, plan, since=now - timedelta(days=1))
        assert [offer.supplier for offer in found.offers] == ["a", "b"]
        one, two = found.offers
        assert [step.cost and step.cost.amount for step in one.steps] == ["5.00", "5.50"]
        assert [step.cost and step.cost.amount for step in two.steps] == ["4.00", None]
        assert told(found.changes) == [("gone", "q"), ("up", "p")]
        spans = {g.supplier: [round((x.until - x.since).total_seconds() / 3600, 1) for x in g.gaps] for g in found.gaps}
        assert spans == {"a": [8.8, 1.0], "b": [8.8, 1.0]}, "before its first sync nothing is missing"
        only = await price_history(pool, m.settings, plan, since=now - timedelta(hours=9.5), suppliers=("a",))
        assert [[step.cost.amount for step in offer.steps] for offer in only.offers] == [["5.50"]]
        assert await price_history(pool, m.settings, "nothing", since=now) is None
        assert await price_history(pool, m.settings, plan, since=now, mode="test") is None
