"""Revisions run in order, once, all or none of them, and on databases that Alembic left."""

import asyncio

import asyncpg
import pytest

from gateway import migrations
from gateway.cli import main
from gateway.migrations import HEAD, REVISIONS, current, upgrade
from schemas.errors import ConfigurationError

_TABLES = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
# The table as Alembic makes it.
_ALEMBIC = """
CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
)
"""


@pytest.fixture
def failing(monkeypatch, tmp_path):
    """The number of a revision after the newest, which makes a table and then fails."""
    file = tmp_path / "9000_failing.sql"
    file.write_text("CREATE TABLE half_done (id text); SELECT 1 / 0;")
    monkeypatch.setitem(REVISIONS, "9000", (file,))
    return "9000"


def test_every_revision_has_a_number_of_its_own():
    names = {number: {file.stem for file in files} for number, files in REVISIONS.items()}
    assert [number for number, stems in names.items() if len(stems) > 1] == []
    assert list(names) == sorted(names)
    assert {len(number) for number in names} == {4}


async def test_an_empty_database_is_brought_to_the_newest_revision(empty):
    dsn, connection = empty
    assert await current(dsn) is None
    assert await upgrade(dsn) is True
    assert await current(dsn) == HEAD
    assert await connection.fetch("SELECT version_num FROM alembic_version") == [(HEAD,)]


async def test_a_database_that_alembic_left_is_continued_with_its_rows(empty):
    dsn, connection = empty
    await connection.execute(_ALEMBIC)
    await upgrade(dsn, "0015")
    await connection.execute("INSERT INTO storefronts (id, name) VALUES ('sf_1', 'shop')")
    assert await current(dsn) == "0015"
    assert await upgrade(dsn) is True
    assert await current(dsn) == HEAD
    assert await connection.fetchval("SELECT name FROM storefronts") == "shop"
    assert await connection.fetchval("SELECT count(*) FROM workers") == 0


async def test_an_upgrade_that_waited_for_another_finds_nothing_to_do(empty):
    dsn, connection = empty
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", migrations._LOCK)
        upgrades = [asyncio.create_task(upgrade(dsn)) for _ in range(3)]
        while await connection.fetchval("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") < 4:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert sorted(await asyncio.gather(*upgrades)) == [False, False, True]
    assert await upgrade(dsn) is False


async def test_a_failing_revision_leaves_an_empty_database_empty(empty, failing):
    dsn, connection = empty
    with pytest.raises(asyncpg.DivisionByZeroError) as caught:
        await upgrade(dsn, failing)
    assert "9000_failing.sql" in caught.value.__notes__[0]
    assert await connection.fetchval(_TABLES) == 0
    assert await upgrade(dsn) is True


async def test_a_failing_revision_leaves_an_older_database_at_its_revision(empty, failing):
    dsn, connection = empty
    await upgrade(dsn, "0015")
    tables = await connection.fetchval(_TABLES)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await upgrade(dsn, failing)
    assert await current(dsn) == "0015"
    assert await connection.fetchval(_TABLES) == tables


@pytest.mark.parametrize("revision", ["9999", "0022"])
async def test_a_database_at_an_unknown_revision_is_refused_and_left_alone(empty, revision):
    dsn, connection = empty
    await upgrade(dsn)
    await connection.execute("UPDATE alembic_version SET version_num = $1", revision)
    with pytest.raises(ConfigurationError, match=f"at revision {revision}, which this release does not know"):
        await upgrade(dsn)
    assert await current(dsn) == revision


async def test_the_command_says_in_one_line_that_the_database_is_newer(empty, monkeypatch, tmp_path, capsys):
    dsn, connection = empty
    await upgrade(dsn)
    await connection.execute("UPDATE alembic_version SET version_num = '9999'")
    monkeypatch.setenv("GATEWAY_DATABASE_URL", dsn)
    monkeypatch.setattr("sys.argv", ["esim-gateway", "db", "upgrade", "--state-dir", str(tmp_path)])
    with pytest.raises(SystemExit):
        await asyncio.to_thread(main)
    assert capsys.readouterr().err.startswith("esim-gateway: The database is at revision 9999, which")
