"""Pool, rates and supplier rows on a real PostgreSQL."""

import asyncio
import traceback
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import asyncpg
import pytest

from gateway.catalog import catalog_state_rows
from gateway.kit.pool import DATABASE_DOWN, open_pool
from gateway.pricing import fx_rows
from gateway.suppliers import supplier_rows
from gateway.suppliers.supplier_rows import Configured
from gateway.sync import sync_run_rows
from gateway.sync.staging_rows import Staging
from schemas.errors import ConfigurationError
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
    networks = [{"country": "JP", "operator": nasty + " \\ ", "generation": None}]
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


async def test_rates_are_dated_and_the_newest_that_is_not_of_a_later_day_counts(pool):
    today = datetime.now(UTC).date()
    rates = [
        fx_rows.Rate("EUR", Decimal("1.05"), today - timedelta(days=9), "old"),
        fx_rows.Rate("EUR", Decimal("1.08"), today, "new"),
        fx_rows.Rate("EUR", Decimal("2.00"), today + timedelta(days=1), "tomorrow"),
    ]
    assert await fx_rows.store(pool, "USD", rates)
    found = await fx_rows.current(pool, "USD")
    assert (found["EUR"].rate, found["EUR"].source, found["USD"].rate) == (Decimal("1.08"), "new", Decimal(1))


async def test_the_same_rates_again_change_nothing_and_another_one_makes_a_new_catalogue(pool):
    content = "SELECT content FROM catalog_state"
    shipped = fx_rows.shipped("USD")
    assert await fx_rows.store(pool, "USD", shipped)
    before = await pool.fetchval(content)
    assert not await fx_rows.store(pool, "USD", shipped)
    assert await pool.fetchval(content) == before
    changed = [fx_rows.Rate("EUR", Decimal(3), shipped[0].as_of, "x"), *[r for r in shipped if r.currency != "EUR"]]
    assert await fx_rows.store(pool, "USD", changed)
    assert await pool.fetchval(content) == before + 1


async def test_a_rate_that_came_due_since_the_last_snapshot_makes_a_new_catalogue(pool):
    rates = [fx_rows.Rate("EUR", Decimal(1), datetime.now(UTC).date() - timedelta(days=1), "x")]
    await fx_rows.store(pool, "USD", rates)
    await pool.execute("UPDATE catalog_state SET published_at = now()")
    assert not await fx_rows.store(pool, "USD", rates)
    await pool.execute("UPDATE catalog_state SET published_at = now() - interval '3 days'")
    assert await fx_rows.store(pool, "USD", rates)


def test_shipped_rates_are_told_in_another_base_by_its_own_rate():
    rates = {rate.currency: rate for rate in fx_rows.shipped("EUR")}
    assert rates["EUR"].rate == 1
    assert rates["USD"].rate == (1 / Decimal("1.08")).quantize(Decimal("1e-12"))
    assert rates["USD"].as_of == date(2026, 11, 1)


@pytest.mark.parametrize(
    "text",
    [
        "not toml at all",
        "base = 'USD'",
        "base = 'USD'\n[[rates]]\ndate = '2026-11-01'\nsource = 'x'\nEUR = '0'",
        "base = 'USD'\n[[rates]]\ndate = '2026-11-01'\nsource = 'x'\nEUR = 'dear'",
        "base = 'EUR'\n[[rates]]\ndate = '2026-11-01'\nsource = 'x'\nGBP = '1'",
    ],
)
def test_a_file_of_rates_that_cannot_be_used_is_a_wrong_configuration(text):
    with pytest.raises(ConfigurationError, match="exchange rates"):
        fx_rows.parse(text, "USD")


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
