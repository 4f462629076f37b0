"""A silent database fails what waits for it; a slow one is waited for."""

from __future__ import annotations

import asyncio
import socket

import pytest

from gateway.kit import watchdog
from gateway.kit.pool import DATABASE_DOWN, is_database_down, open_pool
from gateway.kit.watchdog import DatabaseWatchdog
from tests.kit.frozen import frozen_postgres
from tests.kit.waiting import until

BOUND = 60  # for a test that fails: before there was a watchdog, some of these waited for longer


@pytest.fixture
async def watched(own_servers):
    """A watchdog and a pool of two connections on a server of the test's own."""
    url = own_servers.postgres.url("postgres")
    dog = DatabaseWatchdog(url)
    dog.start()
    pool = await open_pool(url, max_size=2, make_connection=dog.connect)
    yield dog, pool
    pool.terminate()
    await dog.close()
    # Giving up a statement asks the server to cancel it, in a task of the driver's own.
    await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})


async def fails(call) -> Exception:
    async with asyncio.timeout(BOUND):
        with pytest.raises(DATABASE_DOWN) as caught:
            await call
    return caught.value


async def test_a_silent_server_fails_what_waits_and_what_comes(own_servers, watched):
    dog, pool = watched
    running = asyncio.create_task(pool.fetchval("SELECT pg_sleep(600)"))
    await pool.fetchval("SELECT 1")  # leaves an idle connection
    with frozen_postgres(own_servers):
        on_idle, waiting = pool.fetchval("SELECT 1"), pool.fetchval("SELECT 1")
        await asyncio.gather(fails(running), fails(on_idle), fails(waiting))
        assert dog.silent
        error = await fails(pool.fetchval("SELECT 1"))
        assert isinstance(error, watchdog.DatabaseSilentError)
    await until(lambda: not dog.silent)
    assert await pool.fetchval("SELECT 1") == 1


async def test_giving_up_a_statement_of_a_silent_server_does_not_wait_for_it(own_servers, watched):
    dog, pool = watched
    await pool.fetchval("SELECT 1")

    async def give_up():
        async with asyncio.timeout(0.1):
            await pool.fetchval("SELECT 1")

    with frozen_postgres(own_servers):
        await fails(give_up())
    await until(lambda: not dog.silent)
    assert await pool.fetchval("SELECT 1") == 1


async def test_a_connection_that_is_being_made_fails_too(own_servers, watched):
    _, pool = watched
    with frozen_postgres(own_servers):
        await fails(pool.fetchval("SELECT 1"))


async def test_a_slow_statement_is_not_cut_off(watched):
    dog, pool = watched
    seconds = 1.5 * (watchdog.ASK_EVERY_SECONDS + watchdog.TURNS * watchdog.TURN_SECONDS)
    assert await pool.fetchval("SELECT 1 FROM pg_sleep($1)", seconds) == 1
    assert not dog.silent


async def test_a_server_that_is_gone_is_no_silent_one(own_servers, watched):
    dog, pool = watched
    own_servers.postgres.stop()
    error = await fails(pool.fetchval("SELECT 1"))
    assert not isinstance(error, watchdog.DatabaseSilentError)
    await asyncio.sleep(2 * watchdog.ASK_EVERY_SECONDS)
    assert not dog.silent
    own_servers.postgres.start()
    assert await pool.fetchval("SELECT 1") == 1


def test_a_file_that_cannot_be_read_is_no_fault_of_the_database(tmp_path):
    with pytest.raises(FileNotFoundError) as file:
        (tmp_path / "missing" / "file").read_bytes()
    assert not is_database_down(file.value)
    with pytest.raises(FileNotFoundError) as connection, socket.socket(socket.AF_UNIX) as unconnected:
        unconnected.connect(str(tmp_path / "missing"))
    assert is_database_down(connection.value)
    assert is_database_down(TimeoutError())
