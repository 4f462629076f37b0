"""A dry run says what a sync would come to, and nothing of it stays."""

import asyncio
from contextlib import asynccontextmanager

import msgspec
import pytest

from gateway.catalog.catalog_state_rows import WRITER_LOCK
from gateway.kit.run_locks import START_LOCK, SUPPLIER_LOCK
from gateway.kit.settings import load
from gateway.suppliers.accounts import accounts_of
from gateway.sync import requests
from gateway.sync.dry_run import dry_run, open_copies
from gateway.sync.run import run_sync
from gateway.sync.run_rules import exit_code
from providers.loader import load_manifests
from schemas.errors import ConfigurationError
from tests.gateway.sync.test_broken_feeds import BROKEN, things
from tests.kit.stall import Stall, Thing, market, parts, shelf, synced_stall
from tests.kit.table_contents import table_contents

# How many requests a supplier has left, and whether it answers: kept by every request, whatever it is for.
RATES = ("supplier_limits", "supplier_breakers", "supplier_turns")


@asynccontextmanager
async def writing_nothing(pool, without=()):
    before = await table_contents(pool, without)
    yield
    assert await table_contents(pool, without) == before


@pytest.fixture
def try_sync(pool, database_url):
    async def run(m, **options):
        copies = await open_copies(database_url)
        try:
            async with writing_nothing(pool):
                return await dry_run(copies, m.accounts, m.settings, **options)
        finally:
            await copies.close()

    return run


def told(run):
    return run.state, [msgspec.structs.replace(part, ms=None) for part in run.suppliers]


async def test_it_tells_what_the_sync_after_it_comes_to(pool, tmp_path, try_sync):
    a, b = Stall(shelf(12), unmappable=["x"]), Stall(shelf(9, cost="5.50"))
    async with market(pool, tmp_path, {"a": a, "b": b}) as m:
        tried = await try_sync(m)
        assert [(part.state, part.new, part.set_aside) for part in tried.suppliers] == [
            ("ok", 12, {"no_validity": 1}),
            ("ok", 9, {}),
        ]
        assert told(tried) == told(await run_sync(pool, m.accounts, m.settings))

        a.unmappable = ["x", "y"]
        a.drop("p000")
        a.reprice("p001", "5.20")
        a.reprice("p002", "4.90")
        a.reprice("p003", "1.00")
        a.change("p004", stock=0)
        a.things.append(Thing("p900", days=90))
        b.html = True
        tried = await try_sync(m)
        part = parts(tried)["a"]
        assert (part.new, part.changed, part.gone, part.up, part.down) == (1, 4, 1, 1, 2)
        assert (part.out_of_stock, part.suspect, part.set_aside) == (1, 1, {"no_validity": 2})
        assert (parts(tried)["b"].state, tried.state, exit_code(tried)) == ("failed", "partial", 3)
        assert told(tried) == told(await run_sync(pool, m.accounts, m.settings))

        b.html = False
        a.change("p004", stock=5)
        tried = await try_sync(m, only=["a"])
        assert [(part.supplier, part.in_stock, part.suspect) for part in tried.suppliers] == [("a", 1, 1)]
        assert told(tried) == told(await run_sync(pool, m.accounts, m.settings, only=["a"]))


async def test_a_list_that_would_be_quarantined_is_told_with_what_it_would_change(pool, tmp_path, try_sync):
    async with synced_stall(pool, tmp_path, shelf(32)) as (stall, m):
        stall.times("0.1")
        stall.things = [*stall.things[11:], Thing("p900", mb=5)]
        tried = await try_sync(m)
        part = parts(tried)["a"]
        assert (part.state, tried.state, exit_code(tried)) == ("quarantined", "failed", 4)
        accepted = parts(await try_sync(m, accept=["a"]))["a"]
        assert (accepted.state, accepted.new, accepted.gone, accepted.down) == ("ok", 1, 11, 21)

        run = await run_sync(pool, m.accounts, m.settings)
        [held] = await requests.waiting(pool)
        assert part.error == parts(run)["a"].error == held.reason
        numbers = ("new", "changed", "gone", "up", "down")
        assert [getattr(part, name) for name in numbers] == [getattr(held, name) for name in numbers]
        assert part.gone == 11


async def test_a_first_list_that_the_others_contradict_would_be_quarantined(pool, tmp_path, try_sync):
    broken = BROKEN["cents read as dollars"](things(1))
    stalls = {name: Stall(list_, page_size=200) for name, list_ in (("a", broken), ("b", things(2)), ("c", things(3)))}
    async with market(pool, tmp_path, stalls) as m:
        tried = await try_sync(m)
        assert {part.supplier: part.state for part in tried.suppliers} == {"a": "quarantined", "b": "ok", "c": "ok"}
        assert parts(tried)["a"].new == len(broken)
        assert told(tried) == told(await run_sync(pool, m.accounts, m.settings))


async def test_a_list_that_was_refused_would_be_quarantined_again_and_stays_refused(pool, tmp_path, try_sync):
    async with synced_stall(pool, tmp_path, shelf(32)) as (stall, m):
        stall.times("0.1")
        run = await run_sync(pool, m.accounts, m.settings)
        await requests.refuse(pool, m.accounts, run.id, "a", "anna", "their mistake")
        part = parts(await try_sync(m))["a"]
        assert (part.state, part.down) == ("quarantined", 32)


async def test_it_waits_for_no_other_sync_and_for_no_writer(pool, tmp_path, try_sync):
    async with synced_stall(pool, tmp_path, shelf(3)) as (stall, m):
        stall.reprice("p001", "5.10")
        async with pool.acquire() as connection, connection.transaction():
            for lock in (WRITER_LOCK, START_LOCK):
                await connection.execute("SELECT pg_advisory_xact_lock($1)", lock)
            await connection.execute("SELECT pg_advisory_xact_lock($1, hashtext('a'))", SUPPLIER_LOCK)
            await connection.execute("SELECT FROM suppliers, catalog_state FOR UPDATE")
            assert parts(await try_sync(m))["a"].up == 1


async def test_without_its_connection_it_ends_and_writes_nothing_either(pool, tmp_path, try_sync):
    stall = Stall(shelf(12), hold=asyncio.Event())
    async with market(pool, tmp_path, {"a": stall}) as m, writing_nothing(pool):
        trying = asyncio.create_task(try_sync(m))
        await stall.reached.wait()
        ended = await m.one(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name LIKE '%--dry-run'"
        )
        assert ended == 1
        stall.hold.set()
        with pytest.raises(ConnectionError, match="start the dry run again"):
            await trying


async def test_a_name_that_is_no_supplier_is_refused(pool, tmp_path, try_sync):
    async with synced_stall(pool, tmp_path, shelf(2)) as (_, m):
        with pytest.raises(ConfigurationError, match="nobody"):
            await try_sync(m, only=["nobody"])


async def test_plans_goods_and_numbers_of_accounts_that_are_new_are_tried_and_not_kept(
    sandbox, pool, database_url, tmp_path
):
    accounts = {
        name: {**manifest.sandbox_settings, "provider": name, "mode": "test", "base_url": sandbox.urls[name]}
        for name, manifest in load_manifests().items()
        if manifest.sandbox is not None
    }
    settings = load(state_dir=str(tmp_path), suppliers=accounts)
    copies = await open_copies(database_url)
    async with writing_nothing(pool, RATES), accounts_of(settings, pool, register_in=copies) as opened:
        tried = await dry_run(copies, opened, settings)
        assert await copies.fetchval("SELECT count(*) FROM goods") > 0
        assert await copies.fetchval("SELECT count(*) FROM number_tiers") > 0
    await copies.close()
    async with accounts_of(settings, pool) as opened:
        assert told(tried) == told(await run_sync(pool, opened, settings))
    async with writing_nothing(pool, RATES):
        copies = await open_copies(database_url)
        async with accounts_of(settings, pool, register_in=copies) as opened:
            again = await dry_run(copies, opened, settings)
        await copies.close()
    assert {(part.new, part.changed, part.gone) for part in again.suppliers} == {(0, 0, 0)}
