"""A sync: what it replaces, what it leaves, and what it says of it."""

from dataclasses import replace

import pytest

from gateway.sync.run import run_sync
from gateway.sync.run_rules import exit_code
from schemas.errors import ConfigurationError
from tests.kit.stall import RecallingProvider, Stall, StallProvider, Thing, ids, market, parts, shelf, synced_stall


async def test_a_first_sync_stores_every_offer_and_counts_the_rest(pool, tmp_path):
    stall = Stall(shelf(12), unmappable=["x1", "x2"])
    async with market(pool, tmp_path, {"a": stall}) as m:
        run = await run_sync(pool, m.accounts, m.settings)
        part = parts(run)["a"]
        assert (run.state, exit_code(run), part.state) == ("ok", 0, "ok")
        assert (part.total, part.mapped, part.set_aside) == (14, 12, {"no_validity": 2})
        assert (part.new, part.changed, part.gone) == (12, 0, 0)
        assert ids(await m.fetch("SELECT supplier_plan_id FROM offers")) == [t.id for t in stall.things]
        assert await m.one("SELECT count(*) FROM set_aside") == 2
        assert await m.one("SELECT count(*) FROM price_changes") == 0
        row = (await m.fetch("SELECT * FROM offers WHERE supplier_plan_id = 'p001'"))[0]
        assert row["coverage"] == ["JP"]
        assert row["data"]["mb"] == 1000
        assert str(row["cost"]) == "5.00"
        assert row["plan_id"].startswith("jp-1gb-31d-")
        assert await m.one("SELECT count(*) FROM plans WHERE gone_at IS NULL") == 12


async def test_a_second_sync_with_nothing_changed_writes_no_price_change_and_no_new_catalogue(pool, tmp_path):
    async with market(pool, tmp_path, {"a": Stall(shelf(7))}) as m:
        await run_sync(pool, m.accounts, m.settings)
        content = await m.one("SELECT content FROM catalog_state")
        changed_at = await m.fetch("SELECT supplier_plan_id, changed_at FROM offers ORDER BY 1")
        run = await run_sync(pool, m.accounts, m.settings)
        part = parts(run)["a"]
        assert (part.mapped, part.new, part.changed, part.gone) == (7, 0, 0, 0)
        assert await m.one("SELECT count(*) FROM price_changes") == 0
        assert await m.one("SELECT content FROM catalog_state") == content
        assert await m.fetch("SELECT supplier_plan_id, changed_at FROM offers ORDER BY 1") == changed_at


async def test_one_price_changed_gives_exactly_one_price_change(pool, tmp_path):
    async with synced_stall(pool, tmp_path, shelf(7)) as (stall, m):
        stall.reprice("p003", "5.50")
        run = await run_sync(pool, m.accounts, m.settings)
        await run_sync(pool, m.accounts, m.settings)
        assert parts(run)["a"].changed == 1
        changes = await m.fetch("SELECT * FROM price_changes")
        assert [(c["supplier_plan_id"], str(c["old"]), str(c["new"])) for c in changes] == [("p003", "5.00", "5.50")]
        assert (changes[0]["sync_run_id"], changes[0]["old_currency"]) == (run.id, "USD")


async def test_the_same_price_written_otherwise_is_no_price_change(pool, tmp_path):
    async with synced_stall(pool, tmp_path, shelf(2)) as (stall, m):
        stall.reprice("p000", "5.0")
        await run_sync(pool, m.accounts, m.settings)
        assert await m.one("SELECT count(*) FROM price_changes") == 0


async def test_an_offer_without_a_fixed_price_is_stored_without_a_cost(pool, tmp_path):
    stall = Stall([Thing("p", cost=None)])
    async with market(pool, tmp_path, {"a": stall}) as m:
        await run_sync(pool, m.accounts, m.settings)
        stall.reprice("p", "4.00")
        await run_sync(pool, m.accounts, m.settings)
        changes = await m.fetch("SELECT old, new, old_currency, new_currency FROM price_changes")
        assert [(c["old"], str(c["new"]), c["old_currency"], c["new_currency"]) for c in changes] == [
            (None, "4.00", None, "USD")
        ]


async def test_a_cost_of_nothing_is_set_aside_and_never_sold(pool, tmp_path):
    async with market(pool, tmp_path, {"a": Stall([Thing("free", cost="0"), Thing("fair")])}) as m:
        run = await run_sync(pool, m.accounts, m.settings)
        assert parts(run)["a"].set_aside == {"no_price": 1}
        assert ids(await m.fetch("SELECT supplier_plan_id FROM offers")) == ["fair"]


async def test_what_vanished_is_gone_and_its_plan_too_until_it_comes_back(pool, tmp_path):
    async with synced_stall(pool, tmp_path, shelf(20)) as (stall, m):
        kept = stall.things
        stall.drop("p004")
        run = await run_sync(pool, m.accounts, m.settings)
        assert parts(run)["a"].gone == 1
        assert ids(await m.fetch("SELECT supplier_plan_id FROM offers WHERE gone_at IS NOT NULL")) == ["p004"]
        gone = await m.fetch("SELECT p.id FROM plans p JOIN offers o ON o.plan_id = p.id WHERE p.gone_at IS NOT NULL")
        assert len(gone) == 1
        stall.things = kept
        run = await run_sync(pool, m.accounts, m.settings)
        assert (parts(run)["a"].new, parts(run)["a"].changed) == (1, 0)
        assert await m.one("SELECT count(*) FROM offers WHERE gone_at IS NOT NULL") == 0
        assert await m.one("SELECT count(*) FROM plans WHERE gone_at IS NOT NULL") == 0
        assert await m.one("SELECT count(*) FROM price_changes") == 0


async def test_an_offer_that_becomes_another_plan_leaves_the_old_one(pool, tmp_path):
    stall = Stall([Thing("p", days=7)])
    async with market(pool, tmp_path, {"a": stall}) as m:
        await run_sync(pool, m.accounts, m.settings)
        stall.change("p", days=30)
        await run_sync(pool, m.accounts, m.settings)
        plans = await m.fetch("SELECT id, gone_at FROM plans ORDER BY id")
        assert [("-30d-" in p["id"], p["gone_at"] is None) for p in plans] == [(True, True), (False, False)]


@pytest.mark.parametrize(
    "fault", [{"html": True}, {"vanish_after_page": 2}, {"status": 500}], ids=["html", "vanishes half-way", "down"]
)
async def test_a_supplier_that_fails_keeps_its_offers_and_spoils_nobody_elses(pool, tmp_path, fault):
    bad, good = Stall(shelf(15)), Stall(shelf(4))
    async with market(pool, tmp_path, {"bad": bad, "good": good}) as m:
        await run_sync(pool, m.accounts, m.settings)
        before = await m.fetch("SELECT * FROM offers WHERE supplier = 'bad' ORDER BY id")
        good_at = await m.one("SELECT last_good_at FROM suppliers WHERE name = 'bad'")
        for key, value in fault.items():
            setattr(bad, key, value)
        bad.times("0.99")
        good.reprice("p001", "6.00")
        run = await run_sync(pool, m.accounts, m.settings)
        assert (run.state, exit_code(run)) == ("partial", 3)
        assert {s: p.state for s, p in parts(run).items()} == {"bad": "failed", "good": "ok"}
        assert parts(run)["bad"].error
        assert parts(run)["good"].changed == 1
        assert await m.fetch("SELECT * FROM offers WHERE supplier = 'bad' ORDER BY id") == before
        row = (await m.fetch("SELECT * FROM suppliers WHERE name = 'bad'"))[0]
        assert (row["last_sync_state"], row["last_good_at"]) == ("failed", good_at)


async def test_no_supplier_synced_is_exit_code_four(pool, tmp_path):
    async with market(pool, tmp_path, {"a": Stall(shelf(1), html=True)}) as m:
        run = await run_sync(pool, m.accounts, m.settings)
        assert (run.state, exit_code(run)) == ("failed", 4)


async def test_everything_ten_times_cheaper_is_quarantined_until_a_person_accepts_it(pool, tmp_path):
    stall, other = Stall(shelf(15)), Stall(shelf(2, country="DE"))
    async with market(pool, tmp_path, {"a": stall, "b": other}) as m:
        await run_sync(pool, m.accounts, m.settings)
        stall.times("0.1")
        run = await run_sync(pool, m.accounts, m.settings)
        part = parts(run)["a"]
        assert (run.state, exit_code(run), part.state, part.changed) == ("partial", 3, "quarantined", 0)
        assert part.error.startswith("15 of 15 prices moved by more than 40 %, more than 30 % of them; ")
        assert await m.one("SELECT count(*) FROM price_changes") == 0
        assert str(await m.one("SELECT DISTINCT cost FROM offers WHERE supplier = 'a'")) == "5.00"
        assert await m.one("SELECT last_sync_state FROM suppliers WHERE name = 'a'") == "quarantined"

        run = await run_sync(pool, m.accounts, m.settings, accept=["a"])
        assert (run.state, list(parts(run)), parts(run)["a"].changed) == ("ok", ["a"], 15)
        assert await m.one("SELECT count(*) FROM price_changes") == 15
        assert await m.one("SELECT count(*) FROM offers WHERE suspect IS NOT NULL") == 0
        run = await run_sync(pool, m.accounts, m.settings)
        assert (run.state, parts(run)["a"].changed) == ("ok", 0)


async def test_half_of_the_offers_vanished_in_a_whole_walk_is_quarantined(pool, tmp_path):
    async with synced_stall(pool, tmp_path, shelf(20)) as (stall, m):
        stall.things = stall.things[:10]
        run = await run_sync(pool, m.accounts, m.settings)
        assert parts(run)["a"].error == "10 of 20 offers vanished, more than 30 %"
        assert await m.one("SELECT count(*) FROM offers WHERE gone_at IS NULL") == 20
        run = await run_sync(pool, m.accounts, m.settings, accept=["a"])
        assert (run.state, parts(run)["a"].gone) == ("ok", 10)


async def test_nine_vanished_offers_are_below_the_bounds_of_quarantine(pool, tmp_path):
    async with synced_stall(pool, tmp_path, shelf(9)) as (stall, m):
        stall.things = []
        run = await run_sync(pool, m.accounts, m.settings)
        assert (run.state, parts(run)["a"].gone) == ("ok", 9)


async def test_set_aside_items_are_replaced_and_keep_when_they_were_first_seen(pool, tmp_path):
    stall = Stall(shelf(1), unmappable=["x1", "x2"])
    async with market(pool, tmp_path, {"a": stall}) as m:
        await run_sync(pool, m.accounts, m.settings)
        first = await m.one("SELECT first_seen_at FROM set_aside WHERE supplier_plan_id = 'x2'")
        stall.unmappable = ["x2", "x3"]
        await run_sync(pool, m.accounts, m.settings)
        rows = await m.fetch("SELECT supplier_plan_id, first_seen_at FROM set_aside ORDER BY 1")
        assert [r["supplier_plan_id"] for r in rows] == ["x2", "x3"]
        assert rows[0]["first_seen_at"] == first


async def test_an_item_that_comes_twice_alike_counts_once_with_a_warning(pool, tmp_path):
    stall = Stall([Thing("p"), Thing("p"), Thing("q"), Thing("p")], page_size=2)
    async with market(pool, tmp_path, {"a": stall}) as m:
        for _ in range(2):
            part = parts(await run_sync(pool, m.accounts, m.settings))["a"]
            assert (part.total, part.warnings) == (2, ["2 items came more than once; the first counts"])
        assert str(await m.one("SELECT cost FROM offers WHERE supplier_plan_id = 'p'")) == "5.00"


LIVE = "SELECT supplier_plan_id FROM offers WHERE gone_at IS NULL"


@pytest.mark.parametrize("page_size", [1, 2, 5])
async def test_an_id_that_comes_with_two_contents_is_contradictory_and_not_sold(pool, tmp_path, page_size):
    stall = Stall([Thing("p"), Thing("p", cost="9.00"), Thing("q"), Thing("p")], page_size=page_size)
    async with market(pool, tmp_path, {"a": stall}) as m:
        for new in (1, 0):
            part = parts(await run_sync(pool, m.accounts, m.settings))["a"]
            assert (part.state, part.total, part.mapped, part.new, part.changed) == ("ok", 2, 1, new, 0)
            assert part.set_aside == {"contradictory": 1}
            assert part.warnings[0] == "1 ids came with different content; none of them is sold"
            assert ids(await m.fetch(LIVE)) == ["q"]
        stall.things = [Thing("p"), Thing("q")]
        assert parts(await run_sync(pool, m.accounts, m.settings))["a"].new == 1
        assert ids(await m.fetch(LIVE)) == ["p", "q"]


@pytest.mark.parametrize("now", ["5.00", "6.00"])
@pytest.mark.parametrize("of", [StallProvider, RecallingProvider])
async def test_ids_that_became_contradictory_are_gone_and_did_not_vanish(pool, tmp_path, now, of):
    async with synced_stall(pool, tmp_path, shelf(12), of=of) as (stall, m):
        stall.things = [twice for t in stall.things for twice in (replace(t, cost=now), replace(t, cost="7.00"))]
        part = parts(await run_sync(pool, m.accounts, m.settings))["a"]
        assert (part.state, part.gone, part.changed, part.set_aside) == ("ok", 12, 0, {"contradictory": 12})
        assert await m.fetch(LIVE) == []


async def test_an_id_that_is_both_mapped_and_not_is_not_sold(pool, tmp_path):
    stall = Stall([Thing("p"), Thing("q")], unmappable=["q"])
    async with market(pool, tmp_path, {"a": stall}) as m:
        part = parts(await run_sync(pool, m.accounts, m.settings))["a"]
        assert (part.total, part.mapped) == (2, 1)
        assert ids(await m.fetch(LIVE)) == ["p"]


async def test_two_accounts_of_one_provider_have_their_own_offers(pool, tmp_path):
    stalls = {"a": Stall(shelf(3)), "b": Stall(shelf(3, cost="6.00"))}
    async with market(pool, tmp_path, stalls, providers={"a": "stall", "b": "stall"}) as m:
        run = await run_sync(pool, m.accounts, m.settings)
        assert run.state == "ok"
        rows = await m.fetch(
            "SELECT supplier, count(*)::int AS n, min(cost)::text AS cost FROM offers GROUP BY 1 ORDER BY 1"
        )
        assert rows == [{"supplier": "a", "n": 3, "cost": "5.00"}, {"supplier": "b", "n": 3, "cost": "6.00"}]
        assert await m.one("SELECT count(*) FROM plans") == 3


async def test_only_the_named_suppliers_are_synced(pool, tmp_path):
    async with market(pool, tmp_path, {"a": Stall(shelf(1)), "b": Stall(shelf(1))}) as m:
        run = await run_sync(pool, m.accounts, m.settings, only=["b"])
        assert [p.supplier for p in run.suppliers] == ["b"]
        assert m.stalls["a"].requests == 0
        with pytest.raises(ConfigurationError, match="named c"):
            await run_sync(pool, m.accounts, m.settings, only=["c"])


async def test_hostile_text_is_stored_as_text(pool, tmp_path):
    nasty = "tab\there \\N \\. new\nline nul\x00 \\u0000 {a,b} \"quoted\" 'single' \\"
    stall = Stall([Thing("p\t\\1", name=nasty)])
    async with market(pool, tmp_path, {"a": stall}) as m:
        await run_sync(pool, m.accounts, m.settings)
        row = (await m.fetch("SELECT supplier_plan_id, name FROM offers"))[0]
        assert row == {"supplier_plan_id": "p\t\\1", "name": nasty.replace("\x00", " ")}
        run = await run_sync(pool, m.accounts, m.settings)
        assert parts(run)["a"].changed == 0


async def test_sold_out_marks_end_with_the_next_whole_walk(pool, tmp_path):
    async with market(pool, tmp_path, {"a": Stall(shelf(3))}) as m:
        await run_sync(pool, m.accounts, m.settings)
        await pool.executemany(
            "INSERT INTO offer_marks (supplier, supplier_plan_id, why, until) VALUES ('a', $1, $2, $3)",
            [("p000", "out_of_stock", None), ("p001", "stopped", None)],
        )
        await run_sync(pool, m.accounts, m.settings)
        assert await m.fetch("SELECT supplier_plan_id FROM offer_marks") == [{"supplier_plan_id": "p001"}]


async def test_publishing_happens_before_the_run_ends_and_its_failure_fails_nothing(pool, tmp_path):
    async with market(pool, tmp_path, {"a": Stall(shelf(3))}) as m:
        states = []

        async def publish():
            states.append(await m.one("SELECT ended_at FROM sync_runs"))
            raise RuntimeError("no disk")

        run = await run_sync(pool, m.accounts, m.settings, publish=publish)
        assert (run.state, states) == ("ok", [None])
