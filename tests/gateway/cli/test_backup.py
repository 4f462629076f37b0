"""``db backup`` and ``db restore``: everything comes back, sealed values open, and nothing is bought twice."""

import json
import stat

import pytest

from gateway.access.key_rows import create_key
from gateway.kit.pool import open_pool
from gateway.runtime import embedded
from tests.kit.command_line import command_with, environment_of, environment_with
from tests.kit.sandboxed import shop_on, stock_from, town
from tests.kit.secret_keys import SECRET_KEY
from tests.kit.shelf import settings_for
from tests.kit.table_contents import table_contents

GOOD = "bv-1gb-2d-06d3e3e4ddb9"
OTHER_KEY = "f9Qm2ZtLrW7yXc4VbN8sKd3HjPg6TaUe"
# The stop, orders that need review, and that serving processes are to see both.
WRITTEN_BY_RESTORING = {
    "webhook_events",
    "orders",
    "order_events",
    "order_events_id_seq",
    "selling_stops",
    "catalog_state",
}


@pytest.fixture
async def shop(pool, database_url, tmp_path):
    async with town() as suppliers:
        settings = settings_for(tmp_path, database_url, suppliers=suppliers.accounts())
        await stock_from(pool, settings)
        await create_key(pool, storefront="shop", mode="test", scopes=["storefront"])
        storefront = await pool.fetchval("SELECT id FROM storefronts")
        async with shop_on(database_url, suppliers, settings, storefront) as made:
            yield made


@pytest.fixture
def command(shop):
    return command_with(environment_of(shop.deps.settings))


async def contents_of(url):
    pool = await open_pool(url)
    try:
        return await table_contents(pool)
    finally:
        await pool.close()


async def analyzed(url):
    """The tables of which PostgreSQL has statistics."""
    pool = await open_pool(url)
    try:
        return {row["tablename"] for row in await pool.fetch("SELECT DISTINCT tablename FROM pg_stats")}
    finally:
        await pool.close()


async def test_a_backup_brings_everything_back_and_keeps_sending_off(shop, command, tmp_path, empty_database_url):
    bought = await shop.buy(GOOD)
    waiting = await shop.admit(GOOD)
    file = tmp_path / "monday.backup"
    before = await contents_of(shop.deps.settings.database_url.get_secret_value())
    code, out, err = await command("db", "backup", str(file))
    assert (code, err) == (0, "")
    assert f"{file}: {file.stat().st_size:,} bytes" in out
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.glob(".monday*")) == []

    there = command_with(environment_of(shop.deps.settings, GATEWAY_DATABASE_URL=empty_database_url))
    code, out, err = await there("db", "restore", str(file))
    assert (code, err) == (0, "")
    assert "sending is off until this is clean" in out
    assert "1 need review, 0 are polled first" in out
    assert await analyzed(empty_database_url) >= {"orders", "attempts", "ledger"}
    after = await contents_of(empty_database_url)
    assert {name for name in before if before[name] != after[name]} <= WRITTEN_BY_RESTORING
    assert before.keys() == after.keys()
    code, out, _ = await there("orders", "show", bought, "--json")
    assert (code, json.loads(out)["status"]) == (0, "fulfilled")
    code, out, _ = await there("orders", "show", waiting, "--json")
    assert (code, json.loads(out)["status"]) == (0, "needs_review")
    code, _, err = await there("db", "restore", str(file))
    assert (code, "the database is not empty" in err) == (2, True)


async def test_a_backup_is_no_other_file_and_writes_over_none(shop, command, tmp_path, empty_database_url):
    file = tmp_path / "backup"
    file.write_text("something else")
    code, _, err = await command("db", "backup", str(file))
    assert (code, "is there already" in err, file.read_text()) == (2, True, "something else")
    code, _, err = await command("db", "restore", str(file))
    assert (code, "is no backup of esim-gateway" in err) == (2, True)
    code, _, err = await command("db", "backup", str(tmp_path / "nowhere" / "backup"))
    assert (code, err.count("\n")) == (2, 1)
    nothing = command_with(environment_with(GATEWAY_DATABASE_URL=empty_database_url, GATEWAY_SECRET_KEY=SECRET_KEY))
    code, _, err = await nothing("db", "backup", str(tmp_path / "empty"))
    assert (code, "the database is empty" in err) == (2, True)


async def test_nothing_is_restored_whose_sealed_values_could_not_be_opened(shop, command, tmp_path, empty_database_url):
    file = tmp_path / "backup"
    assert (await command("db", "backup", str(file)))[0] == 0
    environment = environment_of(
        shop.deps.settings, GATEWAY_DATABASE_URL=empty_database_url, GATEWAY_SECRET_KEY=OTHER_KEY
    )
    code, _, err = await command_with(environment)("db", "restore", str(file))
    assert (code, "GATEWAY_SECRET_KEY" in err, SECRET_KEY in err) == (2, True, False)
    assert await contents_of(empty_database_url) == {}
    both = environment | {"GATEWAY_SECRET_KEY": json.dumps([OTHER_KEY, SECRET_KEY])}
    assert (await command_with(both)("db", "restore", str(file)))[0] == 0


async def test_a_state_folder_is_filled_with_database_and_secret_key(shop, command, tmp_path):
    bought = await shop.buy(GOOD)
    file, folder = tmp_path / "backup", tmp_path / "new"
    assert (await command("db", "backup", str(file)))[0] == 0
    bare = command_with(environment_with())
    code, _, err = await bare("db", "restore", str(file), "--state-dir", str(folder))
    assert (code, err) == (0, "")
    assert (folder / "secret_key").read_text().strip() == SECRET_KEY
    assert embedded.running(folder) is None
    with embedded.start(folder, valkey=False):
        code, out, _ = await bare("orders", "show", bought, "--json", "--state-dir", str(folder))
    assert (code, json.loads(out)["status"]) == (0, "fulfilled")
