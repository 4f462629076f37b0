"""Pool and supplier rows on a real PostgreSQL."""

import asyncio
import traceback

import asyncpg
import pytest

from gateway.catalog import catalog_state_rows
from gateway.kit.pool import DATABASE_DOWN, open_pool
from gateway.suppliers import supplier_rows
from gateway.suppliers.supplier_rows import Configured
from gateway.sync import sync_run_rows
from gateway.sync.staging_rows import Staging
from schemas.plan import DataAllowance, Network, Offer, Validity


async def test_json_columns_are_objects_both_ways_in_copy_too(pool):
    value = {"a": [1, "ü", None], "b": {"c": True}}
    async with pool.acquire() as connection:
        assert await connection.fetchval("SELECT $1::jsonb", value) == value
        await connection.execute("CREATE TEMP TABLE t (v jsonb)")
        await connection.copy_records_to_table("t", records=[(value,)])
        assert await connection.fetchval("SELECT v FROM t") == value


async def test_hostile_text_goes_through_staging_as_it_is_but_for_what_a_text_cannot_hold(pool, tmp_path):
    nasty = 'tab\t nl\n cr\r \\N \\. \\u0000 "q" {a} ü \U0001f600 end\\'
    offer = Offer(
        "p" + nasty,
        nasty + "\0",
        ("JP",),
        DataAllowance(1024, "1 GB"),
        Validity(7),
        None,
        networks=(Network("JP", nasty + "\0\\\0"),),
        description=nasty,
    )
    staging = Staging(tmp_path)
    staging.add(offer, bytes(12), bytes(24))
    async with pool.acquire() as connection, connection.transaction():
        await staging.copy_to(connection)
        row = await connection.fetchrow("SELECT supplier_plan_id, name, description, networks FROM incoming")
    staging.close()
    networks = [{"country": "JP", "operator": nasty + " \\ ", "generation": None, "mcc_mnc": None}]
    assert tuple(row) == ("p" + nasty, nasty + " ", nasty, networks)


async def test_the_detail_of_a_database_error_is_in_no_message_and_no_traceback(pool):
    secret = "alice@example.com"
    sql = "INSERT INTO storefronts (id, name) VALUES ('x', $1)"
    await pool.execute(sql, secret)
    with pytest.raises(asyncpg.UniqueViolationError) as caught:
        await pool.execute("INSERT INTO storefronts (id, name) VALUES ('y', $1)", secret)
    told = "".join(traceback.format_exception(caught.value)) + str(caught.value) + repr(caught.value)
    assert "storefronts_name_key" in told
    assert secret not in told
    assert secret in caught.value.detail


async def test_a_statement_that_hangs_is_ended(database_url):
    pool = await open_pool(database_url, statement_seconds=0.2)
    try:
        with pytest.raises(asyncpg.QueryCanceledError):
            await pool.execute("SELECT pg_sleep(30)")
    finally:
        await pool.close()


async def test_a_pool_opens_without_its_database_and_finds_it_again(own_servers):
    url = own_servers.postgres.url("postgres")
    own_servers.postgres.stop()
    pool = await open_pool(url)
    with pytest.raises(DATABASE_DOWN):
        await pool.fetchval("SELECT 1")
    own_servers.postgres.start()
    assert await pool.fetchval("SELECT 1") == 1
    own_servers.postgres.stop()
    with pytest.raises(DATABASE_DOWN):
        await pool.fetchval("SELECT 1")
    own_servers.postgres.start()
    assert await pool.fetchval("SELECT 1") == 1
    await pool.close()


async def test_the_rows_of_suppliers_follow_the_settings_and_are_written_only_when_they_differ(pool):
    counters = "SELECT content, overlay FROM catalog_state"
    await supplier_rows.register(pool, [Configured("a", "x", "live"), Configured("b", "y", "test")])
    before = await pool.fetchrow(counters)
    await supplier_rows.register(pool, [Configured("b", "y", "test"), Configured("a", "x", "live")])
    assert await pool.fetchrow(counters) == before
    await supplier_rows.register(pool, [Configured("b", "y", "live")])
    assert await pool.fetchrow(counters) != before
    rows = await pool.fetch("SELECT name, mode, configured FROM suppliers ORDER BY name")
    assert [tuple(row) for row in rows] == [("a", "live", False), ("b", "live", True)]
    assert [row.name for row in await supplier_rows.all_configured(pool)] == ["b"]


async def test_one_process_at_a_time_writes_the_catalogue(pool):
    async with pool.acquire() as one, pool.acquire() as two:
        first, second = one.transaction(), two.transaction()
        await first.start()
        await second.start()
        await catalog_state_rows.lock_writer(one)
        waiting = asyncio.create_task(catalog_state_rows.lock_writer(two))
        done, _ = await asyncio.wait([waiting], timeout=0.2)
        assert not done
        await first.commit()
        await waiting
        await second.rollback()


async def test_an_id_of_a_run_sorts_by_time():
    ids = []
    for _ in range(3):
        ids.append(sync_run_rows.new_id())
        await asyncio.sleep(0.002)
    assert ids == sorted(ids)
