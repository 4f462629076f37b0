"""Items that came as they came are not mapped again, and nothing else is different for it."""

import pytest

from gateway.sync import mapping_rows, run
from gateway.sync.run import run_sync
from providers.kit.term_mappings import TermMapping
from schemas.plan import About
from tests.kit.stall import RecallingProvider, Stall, Thing, ids, market, parts, shelf, synced_stall


@pytest.fixture
def read():
    RecallingProvider.read.clear()
    yield RecallingProvider.read
    RecallingProvider.read.clear()


async def test_only_what_came_otherwise_is_mapped_again(pool, tmp_path, read):
    async with synced_stall(pool, tmp_path, shelf(12), of=RecallingProvider) as (stall, m):
        assert len(read) == 12
        read.clear()
        stall.reprice("p003", "5.10")
        stall.drop("p004")
        stall.things.append(Thing("new", days=20))
        part = parts(await run_sync(pool, m.accounts, m.settings))["a"]
        assert sorted(read) == ["new", "p003"]
        assert (part.total, part.mapped, part.new, part.changed, part.gone) == (12, 12, 1, 1, 1)
        assert await m.one("SELECT count(*) FROM price_changes") == 1
        assert ids(await m.fetch("SELECT supplier_plan_id FROM offers WHERE gone_at IS NOT NULL")) == ["p004"]


async def test_another_mapping_has_every_item_mapped_once_more_and_changes_nothing(pool, tmp_path, read, monkeypatch):
    async with market(pool, tmp_path, {"a": Stall(shelf(6))}, of=RecallingProvider) as m:
        await run_sync(pool, m.accounts, m.settings)
        before = await m.fetch("SELECT id, changed_at FROM offers ORDER BY id")
        content = await m.one("SELECT content FROM catalog_state")
        monkeypatch.setattr(run, "mapping_of", lambda *_: b"another mapping.")
        for times in (12, 12):
            part = parts(await run_sync(pool, m.accounts, m.settings))["a"]
            assert (part.mapped, part.changed, len(read)) == (6, 0, times)
        assert await m.fetch("SELECT id, changed_at FROM offers ORDER BY id") == before
        assert await m.one("SELECT content FROM catalog_state") == content


async def test_a_mapping_that_an_operator_adds_has_the_same_bytes_mapped_again(pool, tmp_path, read):
    async with synced_stall(pool, tmp_path, shelf(3), of=RecallingProvider) as (_, m):
        told = TermMapping(provider="a", supplier="a", about=About.PLACE, word="Nippon Land", means="JP")
        for times in (0, 3):
            read.clear()
            await run_sync(pool, m.accounts, m.settings)
            assert len(read) == times
            async with pool.acquire() as connection:
                await mapping_rows.put(connection, told, "", "anna")


async def test_a_price_that_goes_back_to_what_it_was_is_a_change_again(pool, tmp_path, read):
    async with synced_stall(pool, tmp_path, shelf(3), of=RecallingProvider) as (stall, m):
        for cost in ("5.10", "5.00"):
            stall.reprice("p001", cost)
            assert parts(await run_sync(pool, m.accounts, m.settings))["a"].changed == 1
        changes = await m.fetch("SELECT old::text, new::text FROM price_changes ORDER BY id")
        assert [tuple(change.values()) for change in changes] == [("5.00", "5.10"), ("5.10", "5.00")]


async def test_an_offer_that_was_gone_is_mapped_when_it_comes_back(pool, tmp_path, read):
    async with synced_stall(pool, tmp_path, shelf(6), of=RecallingProvider) as (stall, m):
        kept = stall.things
        stall.drop("p000")
        await run_sync(pool, m.accounts, m.settings)
        read.clear()
        stall.things = kept
        part = parts(await run_sync(pool, m.accounts, m.settings))["a"]
        assert (read, part.new, part.mapped) == (["p000"], 1, 6)


async def test_an_id_that_stands_twice_counts_the_same_in_every_sync(pool, tmp_path, read):
    stall = Stall([Thing("p"), Thing("q"), Thing("p", cost="7.00")])
    async with market(pool, tmp_path, {"a": stall}, of=RecallingProvider) as m:
        for _ in range(3):
            part = parts(await run_sync(pool, m.accounts, m.settings))["a"]
            assert (part.total, part.mapped, part.set_aside) == (2, 1, {"contradictory": 1})
