"""Suspect prices: found beside the past and beside the others, kept from sale, and let through again."""

from gateway.catalog import offer_rows
from gateway.sync.run import run_sync
from tests.kit.stall import Stall, Thing, market, parts, shelf, synced_stall

SUSPECTS = "SELECT supplier_plan_id, suspect, good_cost::text AS good FROM offers WHERE suspect IS NOT NULL ORDER BY 1"


async def test_a_price_that_fell_too_far_is_kept_from_sale_until_it_is_back_within_bounds(pool, tmp_path):
    async with synced_stall(pool, tmp_path, shelf(3)) as (stall, m):
        stall.reprice("p001", "1.00")
        run = await run_sync(pool, m.accounts, m.settings)
        assert parts(run)["a"].suspect == 1
        reason = "moved: 1.00 is more than 60 % below the last good cost 5.00"
        assert await m.fetch(SUSPECTS) == [{"supplier_plan_id": "p001", "suspect": reason, "good": "5.00"}]
        # It stays so while nothing changes, and is measured by the last good cost when something does.
        assert parts(await run_sync(pool, m.accounts, m.settings))["a"].suspect == 1
        stall.change("p001", stock=3)
        assert parts(await run_sync(pool, m.accounts, m.settings))["a"].suspect == 1
        stall.reprice("p001", "0.90")
        assert parts(await run_sync(pool, m.accounts, m.settings))["a"].suspect == 1
        stall.reprice("p001", "2.00")
        assert parts(await run_sync(pool, m.accounts, m.settings))["a"].suspect == 0
        assert await m.one("SELECT good_cost::text FROM offers WHERE supplier_plan_id = 'p001'") == "2.00"


async def test_a_person_releases_a_suspect_price_and_only_that_one(pool, tmp_path):
    async with synced_stall(pool, tmp_path, shelf(3)) as (stall, m):
        stall.reprice("p001", "1.00")
        await run_sync(pool, m.accounts, m.settings)
        content = await m.one("SELECT content FROM catalog_state")
        id_ = await m.one("SELECT id FROM offers WHERE supplier_plan_id = 'p001'")
        await pool.execute("INSERT INTO offer_marks (supplier, supplier_plan_id, why) VALUES ('a', 'p001', 'stopped')")
        async with pool.acquire() as connection, connection.transaction():
            assert (await offer_rows.release(connection, id_))["supplier_plan_id"] == "p001"
            assert await offer_rows.release(connection, "off_none") is None
        assert await m.fetch(SUSPECTS) == []
        assert await m.one("SELECT count(*) FROM offer_marks") == 0
        assert await m.one("SELECT content FROM catalog_state") == content + 1
        stall.reprice("p001", "0.30")
        assert parts(await run_sync(pool, m.accounts, m.settings))["a"].suspect == 1


async def test_one_cost_in_two_currencies_is_compared_by_the_rates(pool, tmp_path):
    stall = Stall([Thing("p", cost="10.80", currency="USD")])
    async with market(pool, tmp_path, {"a": stall}) as m:
        await run_sync(pool, m.accounts, m.settings)
        stall.things = [Thing("p", cost="1500", currency="JPY")]  # 9.90 USD
        assert parts(await run_sync(pool, m.accounts, m.settings))["a"].suspect == 0
        stall.things = [Thing("p", cost="150", currency="JPY")]
        assert parts(await run_sync(pool, m.accounts, m.settings))["a"].suspect == 1
        changes = await m.fetch(
            "SELECT old::text, old_currency, new::text, new_currency FROM price_changes ORDER BY id"
        )
        assert [tuple(c.values()) for c in changes] == [
            ("10.80", "USD", "1500", "JPY"),
            ("1500", "JPY", "150", "JPY"),
        ]


async def test_a_price_far_below_what_two_other_providers_ask_is_suspect_whoever_came_first(pool, tmp_path):
    stalls = {"a": Stall([Thing("x", cost="1.00")]), "b": Stall([Thing("y", cost="5.00")]), "c": Stall([Thing("z")])}
    async with market(pool, tmp_path, stalls) as m:
        run = await run_sync(pool, m.accounts, m.settings)
        assert {s: p.suspect for s, p in parts(run).items()} == {"a": 1, "b": 0, "c": 0}
        reason = "below_others: under 25 % of 5.00, the median of 2 others"
        assert await m.fetch(SUSPECTS) == [{"supplier_plan_id": "x", "suspect": reason, "good": None}]
        # Its first cost was never good, so that the right one is not suspect beside it.
        stalls["a"].reprice("x", "4.80")
        assert {p.suspect for p in (await run_sync(pool, m.accounts, m.settings)).suppliers} == {0}
        assert await m.one("SELECT good_cost::text FROM offers WHERE supplier = 'a'") == "4.80"


async def test_a_suspect_beside_the_others_is_cleared_when_the_others_come_down(pool, tmp_path):
    stalls = {name: Stall([Thing(name, cost=cost)]) for name, cost in {"a": "1.00", "b": "4.10", "c": "4.20"}.items()}
    async with market(pool, tmp_path, stalls) as m:
        assert parts(await run_sync(pool, m.accounts, m.settings))["a"].suspect == 1
        content = await m.one("SELECT content FROM catalog_state")
        stalls["b"].reprice("b", "3.90")
        stalls["c"].reprice("c", "3.90")
        assert parts(await run_sync(pool, m.accounts, m.settings))["a"].suspect == 0
        assert await m.one("SELECT content FROM catalog_state") > content + 1


async def test_a_cost_that_fell_in_steps_goes_back_to_the_last_good_one(pool, tmp_path):
    stalls = {name: Stall([Thing(name, cost=cost)]) for name, cost in {"a": "10", "b": "20", "c": "20"}.items()}
    async with market(pool, tmp_path, stalls) as m:
        await run_sync(pool, m.accounts, m.settings)
        for cost in ("4.10", "1.70"):
            stalls["a"].reprice("a", cost)
            assert parts(await run_sync(pool, m.accounts, m.settings))["a"].suspect == 1
            assert await m.one("SELECT good_cost::text FROM offers WHERE supplier = 'a'") == "10"
        stalls["a"].reprice("a", "11")
        assert parts(await run_sync(pool, m.accounts, m.settings))["a"].suspect == 0


async def test_two_accounts_of_one_provider_are_no_second_opinion(pool, tmp_path):
    stalls = {name: Stall([Thing(name, cost=cost)]) for name, cost in {"a": "2", "b1": "9", "b2": "9"}.items()}
    async with market(pool, tmp_path, stalls, providers={"a": "a", "b1": "b", "b2": "b"}) as m:
        assert parts(await run_sync(pool, m.accounts, m.settings))["a"].suspect == 0


async def test_accepting_a_walk_lets_its_moves_through_but_not_what_the_others_contradict(pool, tmp_path):
    stalls = {name: Stall(shelf(12)) for name in "abc"}
    async with market(pool, tmp_path, stalls) as m:
        await run_sync(pool, m.accounts, m.settings)
        stalls["a"].times("0.3")
        assert parts(await run_sync(pool, m.accounts, m.settings))["a"].state == "quarantined"
        assert parts(await run_sync(pool, m.accounts, m.settings, accept=["a"]))["a"].suspect == 0
        stalls["a"].times("0.3")
        assert parts(await run_sync(pool, m.accounts, m.settings, accept=["a"]))["a"].suspect == 12


async def test_unlimited_plans_without_a_stated_allowance_are_not_compared_by_the_median(pool, tmp_path):
    stalls = {n: Stall([Thing(n, cost=c, mb=None)]) for n, c in {"a": "2.00", "b": "9.00", "c": "9.00"}.items()}
    async with market(pool, tmp_path, stalls) as m:
        assert parts(await run_sync(pool, m.accounts, m.settings))["a"].suspect == 0
