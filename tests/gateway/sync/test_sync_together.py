"""Syncs beside each other, killed ones, and a database that goes away in the middle."""

import asyncio
import os
import signal
import sys

import msgspec
import pytest

from gateway.kit.jobs import SyncJob, enqueue_sync
from gateway.kit.pool import open_pool
from gateway.migrations import upgrade
from gateway.sync import sync_run_rows
from gateway.sync.run import run_sync
from tests.kit.stall import Stall, ids, market, parts, shelf, synced_stall
from tests.kit.waiting import PATIENCE, until


async def test_a_sync_beside_a_running_one_joins_it_and_has_its_result(pool, tmp_path):
    stall = Stall(shelf(3), hold=asyncio.Event())
    async with market(pool, tmp_path, {"a": stall}) as m:
        first = asyncio.create_task(run_sync(pool, m.accounts, m.settings))
        await stall.reached.wait()
        second = asyncio.create_task(run_sync(pool, m.accounts, m.settings, only=["a"]))
        await asyncio.sleep(0.3)
        assert not second.done()
        stall.hold.set()
        assert (await first) == (await second)
        assert stall.requests == 1
        assert await m.one("SELECT count(*) FROM sync_runs") == 1


async def test_a_sync_that_the_running_one_does_not_cover_waits_for_the_supplier_and_runs_itself(pool, tmp_path):
    slow, quick = Stall(shelf(3), hold=asyncio.Event()), Stall(shelf(2))
    async with market(pool, tmp_path, {"slow": slow, "quick": quick}) as m:
        first = asyncio.create_task(run_sync(pool, m.accounts, m.settings, only=["slow"]))
        await slow.reached.wait()
        second = asyncio.create_task(run_sync(pool, m.accounts, m.settings))
        await until(lambda: m.one("SELECT count(*) > 0 FROM offers WHERE supplier = 'quick'"))
        assert slow.requests == 1
        slow.hold.set()
        one, two = await first, await second
        assert (one.state, two.state, one.id != two.id) == ("ok", "ok", True)
        assert (parts(one)["slow"].new, parts(two)["slow"].new, slow.requests) == (3, 0, 2)


async def test_accepting_does_not_join_a_run_that_does_not_accept(pool, tmp_path):
    async with synced_stall(pool, tmp_path, shelf(15)) as (stall, m):
        stall.times("0.1")
        stall.hold = asyncio.Event()
        stall.reached.clear()
        first = asyncio.create_task(run_sync(pool, m.accounts, m.settings))
        await stall.reached.wait()
        second = asyncio.create_task(run_sync(pool, m.accounts, m.settings, accept=["a"]))
        await asyncio.sleep(0.1)
        stall.hold.set()
        assert [(await first).state, (await second).state] == ["failed", "ok"]


async def test_one_slow_supplier_does_not_keep_the_others_from_being_published(pool, tmp_path, monkeypatch):
    monkeypatch.setattr("gateway.sync.run.PUBLISH_AFTER_SECONDS", 0.05)
    slow, quick = Stall(shelf(3), hold=asyncio.Event()), Stall(shelf(2))
    async with market(pool, tmp_path, {"slow": slow, "quick": quick}) as m:
        published = asyncio.Event()
        suppliers = []

        async def publish():
            suppliers.append([r["supplier"] for r in await m.fetch("SELECT DISTINCT supplier FROM offers ORDER BY 1")])
            published.set()

        run = asyncio.create_task(run_sync(pool, m.accounts, m.settings, publish=publish))
        await asyncio.wait_for(published.wait(), PATIENCE)
        assert suppliers == [["quick"]]
        slow.hold.set()
        assert (await run).state == "ok"
        assert suppliers[-1] == ["quick", "slow"]


async def test_a_run_that_is_stopped_is_closed_and_the_supplier_is_not_blamed(pool, tmp_path):
    async with synced_stall(pool, tmp_path, shelf(3)) as (stall, m):
        stall.hold = asyncio.Event()
        stall.reached.clear()
        task = asyncio.create_task(run_sync(pool, m.accounts, m.settings))
        await stall.reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        stall.hold.set()
        run = await sync_run_rows.read(pool, await m.one("SELECT id FROM sync_runs ORDER BY started_at DESC LIMIT 1"))
        assert (run.state, parts(run)["a"].error) == ("failed", "stopped before it was done")
        assert await m.one("SELECT last_sync_state FROM suppliers") == "ok"


_CHILD = """
import asyncio, sys
from pathlib import Path
from gateway.sync.run import run_sync
from gateway.kit.pool import open_pool
from tests.kit.stall import Stall, market, shelf

async def main(dsn, folder):
    pool = await open_pool(dsn)
    stall = Stall(shelf(20, cost="1.00"), hold=asyncio.Event())
    async with market(pool, folder, {"a": stall}) as m:
        task = asyncio.create_task(run_sync(pool, m.accounts, m.settings))
        await stall.reached.wait()
        print("walking", flush=True)
        await task

asyncio.run(main(*sys.argv[1:]))
"""


async def test_a_killed_sync_leaves_the_old_offers_and_the_next_one_closes_it_as_failed(pool, database_url, tmp_path):
    async with synced_stall(pool, tmp_path, shelf(20)) as (_, m):
        before = await m.fetch("SELECT * FROM offers ORDER BY id")
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _CHILD,
            database_url,
            str(tmp_path),
            stdout=asyncio.subprocess.PIPE,
        )
        assert await asyncio.wait_for(child.stdout.readline(), PATIENCE) == b"walking\n"
        os.kill(child.pid, signal.SIGKILL)
        await child.communicate()
        dead = await m.one("SELECT id FROM sync_runs WHERE ended_at IS NULL")
        assert await m.fetch("SELECT * FROM offers ORDER BY id") == before
        run = await run_sync(pool, m.accounts, m.settings)
        assert (run.state, parts(run)["a"].changed, run.id != dead) == ("ok", 0, True)
        closed = await sync_run_rows.read(pool, dead)
        assert (closed.state, parts(closed)["a"].error) == ("failed", "its process ended before it was done")


async def test_what_a_run_walked_is_thrown_away_when_another_found_it_dead(pool, tmp_path):
    stall = Stall(shelf(3), hold=asyncio.Event())
    async with market(pool, tmp_path, {"a": stall}) as m:
        task = asyncio.create_task(run_sync(pool, m.accounts, m.settings))
        await stall.reached.wait()
        async with pool.acquire() as connection, connection.transaction():
            await sync_run_rows.close(connection, await m.one("SELECT id FROM sync_runs"), "taken for dead")
        stall.hold.set()
        run = await task
        assert (run.state, parts(run)["a"].error) == ("failed", "taken for dead")
        assert await m.one("SELECT count(*) FROM offers") == 0


async def test_a_restart_of_postgresql_in_the_middle_costs_the_sync_nothing(own_servers, tmp_path):
    url = own_servers.postgres.url("postgres")
    await upgrade(url)
    pool = await open_pool(url)
    stall = Stall(shelf(12), hold=asyncio.Event())
    try:
        async with market(pool, tmp_path, {"a": stall}) as m:
            task = asyncio.create_task(run_sync(pool, m.accounts, m.settings))
            await stall.reached.wait()
            own_servers.postgres.stop()
            own_servers.postgres.start()
            stall.hold.set()
            run = await asyncio.wait_for(task, 60)
            assert (run.state, parts(run)["a"].new) == ("ok", 12)
            assert len(ids(await m.fetch("SELECT supplier_plan_id FROM offers"))) == 12
    finally:
        pool.terminate()


async def ask(pool, only, accept=()):
    """Note a run and its job as the ops API does."""
    run_id = sync_run_rows.new_id()
    async with pool.acquire() as connection, connection.transaction():
        await sync_run_rows.insert(connection, run_id, only, accept, waiting=True)
        await enqueue_sync(connection, SyncJob(tuple(only), tuple(accept), run_id))
    return await sync_run_rows.read(pool, run_id)


async def test_a_run_that_was_asked_for_waits_until_a_worker_takes_it(pool, tmp_path):
    async with market(pool, tmp_path, {"a": Stall(shelf(2)), "b": Stall(shelf(2))}) as m:
        asked = await ask(pool, ["b"], ["b"])
        assert (asked.state, asked.ended_at) == (None, None)
        job = (await m.fetch("SELECT entrypoint, payload, headers FROM pgqueuer"))[0]
        assert (job["entrypoint"], job["headers"]) == ("sync", None)
        assert msgspec.json.decode(job["payload"]) == {"only": ["b"], "accept": ["b"], "run_id": asked.id}
        # A run that waits is neither dead nor joined.
        assert (await run_sync(pool, m.accounts, m.settings, only=["a"])).id != asked.id
        assert await m.one("SELECT waiting FROM sync_runs WHERE id = $1", asked.id)
        run = await run_sync(pool, m.accounts, m.settings, only=["b"], accept=["b"], run_id=asked.id)
        assert (run.id, run.state, [p.supplier for p in run.suppliers]) == (asked.id, "ok", ["b"])


async def test_a_run_that_was_asked_for_beside_one_that_covers_it_shows_that_ones_result(pool, tmp_path):
    stall = Stall(shelf(3), hold=asyncio.Event())
    async with market(pool, tmp_path, {"a": stall, "b": Stall(shelf(1))}) as m:
        first = asyncio.create_task(run_sync(pool, m.accounts, m.settings))
        await stall.reached.wait()
        asked = await ask(pool, ["a"])
        second = asyncio.create_task(run_sync(pool, m.accounts, m.settings, only=["a"], run_id=asked.id))
        await asyncio.sleep(0.1)
        stall.hold.set()
        await first
        run = await second
        assert (run.id, run.state, [(p.supplier, p.new) for p in run.suppliers]) == (asked.id, "ok", [("a", 3)])
        assert stall.requests == 1
