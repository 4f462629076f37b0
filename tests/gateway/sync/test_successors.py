"""Plans whose offers get another id: what a sync notes, and who goes on finding them by the old one."""

from __future__ import annotations

import pytest

from gateway.catalog import snapshot_files, successor_rows
from gateway.catalog.index.snapshot import Snapshot
from gateway.catalog.publish import publish
from gateway.kit import retention_rows
from gateway.prices import change_rows
from gateway.pricing import pricing_rule_rows
from gateway.sync.run import run_sync
from schemas.plan import DataAllowance, plan_id
from tests.kit.stall import Stall, Thing, market

ONE, TWO, THREE = (plan_id(("JP",), DataAllowance(gb * 1000, f"{gb} GB"), 7) for gb in (1, 2, 3))
EUR_RULE = """INSERT INTO pricing_rules (id, position, name, percent, currency, plan_ids)
    VALUES ('pr_1', 1, 'Mine', 50, 'USD', $1)"""


async def noted(m):
    rows = await m.fetch("SELECT plan_id, successor FROM plan_successors ORDER BY plan_id, successor")
    return {(row["plan_id"], row["successor"]) for row in rows}


async def synced(m, stall, **changes):
    stall.change("p", **changes)
    return await run_sync(m.pool, m.accounts, m.settings)


@pytest.fixture
async def shop(pool, tmp_path):
    """A stall with one offer, 1 GB, synced; and the stall."""
    stall = Stall([Thing("p")])
    async with market(pool, tmp_path, {"a": stall}) as m:
        await run_sync(pool, m.accounts, m.settings)
        yield m, stall


async def test_a_first_sync_and_one_that_changes_prices_note_nothing(shop):
    m, stall = shop
    await synced(m, stall, cost="5.50")
    assert await noted(m) == set()


async def test_each_former_id_of_an_offer_leads_to_what_it_is_now(shop):
    m, stall = shop
    await synced(m, stall, mb=2048)
    assert await noted(m) == {(ONE, TWO)}
    await synced(m, stall, mb=3072)
    assert await noted(m) == {(ONE, THREE), (TWO, THREE)}
    await synced(m, stall, mb=1024)
    assert await noted(m) == {(TWO, ONE), (THREE, ONE)}
    assert await successor_rows.of_plan(m.pool, "live", TWO) == (ONE,)
    assert await successor_rows.of_plan(m.pool, "test", TWO) == ()


async def test_sms_make_another_plan_and_none_of_them_does_not(shop):
    m, stall = shop
    await synced(m, stall, sms=0)
    assert await noted(m) == set()
    await synced(m, stall, sms=50)
    texting = plan_id(("JP",), DataAllowance(1000, "1 GB"), 7, included=("50 SMS",))
    assert await noted(m) == {(ONE, texting)}


async def test_a_plan_may_become_several_and_an_offer_that_is_gone_is_none_of_them(pool, tmp_path):
    stalls = {
        name: Stall([Thing("p"), *(Thing(f"x{n}", country="FR", days=n + 10) for n in range(9))]) for name in "abc"
    }
    async with market(pool, tmp_path, stalls) as m:
        await run_sync(pool, m.accounts, m.settings)
        stalls["a"].change("p", mb=2048)
        stalls["b"].change("p", mb=3072)
        await run_sync(pool, m.accounts, m.settings)
        assert set(await successor_rows.of_plan(pool, "live", ONE)) == {TWO, THREE}
        stalls["b"].drop("p")
        await run_sync(pool, m.accounts, m.settings)
        assert await successor_rows.of_plan(pool, "live", ONE) == (TWO,)


async def test_a_snapshot_names_the_successors_of_plans_that_are_gone(shop):
    m, stall = shop
    await synced(m, stall, mb=2048)
    done = await publish(m.pool, None, m.settings)
    file = snapshot_files.open_or_refuse(snapshot_files.path_of(m.settings.state_dir, "live", done.versions["live"]))
    snapshot = Snapshot(file)
    assert (snapshot.successors(ONE), snapshot.successors(TWO), snapshot.successors("never")) == ((TWO,), (), ())


async def test_a_pricing_rule_for_the_old_id_means_its_successors_and_shows_what_was_written(shop):
    m, stall = shop
    await m.pool.execute(EUR_RULE, [ONE])
    before = await m.one("SELECT pricing FROM catalog_state")
    await synced(m, stall, mb=2048)
    (rule,) = await pricing_rule_rows.rules(m.pool)
    assert (rule.when.plan_ids, rule.when.successors) == ((ONE,), (TWO,))
    assert await m.one("SELECT pricing FROM catalog_state") > before


async def test_pages_that_look_back_find_the_offers_of_successors_by_the_old_id(shop):
    m, stall = shop
    await synced(m, stall, mb=2048)
    assert await change_rows.offers_of(m.pool, ONE) == await change_rows.offers_of(m.pool, TWO) == [("a", "p")]


async def test_what_is_older_than_its_time_is_deleted(shop):
    m, stall = shop
    await synced(m, stall, mb=2048)
    await m.pool.execute("UPDATE plan_successors SET at = now() - interval '91 days'")
    (rule,) = (rule for rule in retention_rows.RETENTION_RULES if rule.table == "plan_successors")
    limit = await m.one("SELECT now() - make_interval(days => $1)", getattr(m.settings.retention, rule.setting))
    assert await retention_rows.delete_batch(m.pool, rule, limit) == 1
    assert await noted(m) == set()
