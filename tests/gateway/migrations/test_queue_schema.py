"""PgQueuer's tables: an upgrade brings them to the installed release, and a worker refuses what does not fit."""

import asyncio

import pytest

from gateway.cli.doctor import examine
from gateway.kit.settings import load
from gateway.migrations import HEAD, upgrade
from gateway.migrations.queue_schema import planned_changes, schema_fault, upgrade_queue
from gateway.worker import jobs
from schemas.errors import ConfigurationError

# As an older release of PgQueuer left its tables.
OLDER = """
ALTER TABLE pgqueuer DROP COLUMN slot, DROP COLUMN attempts;
DROP INDEX pgqueuer_picked_heartbeat_idx;
DROP TABLE pgqueuer_schedules;
"""


async def test_an_older_schema_of_the_queue_is_upgraded_and_its_jobs_and_old_kinds_are_treated_right(empty):
    dsn, connection = empty
    await upgrade(dsn, "0015")
    await connection.execute(
        "INSERT INTO pgqueuer (priority, entrypoint, status, payload)"
        " VALUES (0, 'sync', 'queued', '{}'), (0, 'advance_order', 'queued', '{}'),"
        " (0, 'advance_order', 'picked', '{}')"
    )
    await connection.execute(OLDER)
    assert await upgrade(dsn)
    assert await planned_changes(connection) == ()
    assert await schema_fault(dsn) is None
    assert [row["entrypoint"] for row in await connection.fetch("SELECT entrypoint FROM pgqueuer")] == ["sync"]


async def test_a_gateway_with_alert_rules_gets_those_on_health(empty):
    dsn, connection = empty
    await upgrade(dsn, "0015")
    await connection.execute("UPDATE alert_state SET seeded = true")
    await upgrade(dsn)
    kinds = {row["kind"] for row in await connection.fetch("SELECT kind FROM alert_rules")}
    assert kinds >= {"no_worker", "orders_overdue"}


async def test_an_upgrade_of_a_queue_that_fits_changes_nothing(pool):
    async with pool.acquire() as connection:
        assert await upgrade_queue(connection) == 0


async def test_a_worker_and_doctor_refuse_a_queue_that_does_not_fit(empty, monkeypatch, tmp_path):
    dsn, connection = empty
    monkeypatch.setenv("GATEWAY_METRICS__WORKER_PORT", "0")
    monkeypatch.setenv("GATEWAY_DATABASE_URL", dsn)
    await upgrade(dsn)
    await connection.execute(OLDER)
    with pytest.raises(ConfigurationError, match=r"job queue do not fit .* run esim-gateway db upgrade"):
        await jobs.work(load(state_dir=str(tmp_path)), dsn, asyncio.Event())
    (schema,) = (check for check in await examine(tmp_path, 1) if check.name == "schema")
    assert schema.good is False
    assert "pgqueuer_schedules" in schema.says or "slot" in schema.says
    # What the migration does once more puts it right.
    await upgrade_queue(connection)
    assert await schema_fault(dsn) is None


async def test_a_worker_refuses_a_database_that_was_not_upgraded(empty, monkeypatch, tmp_path):
    dsn, connection = empty
    monkeypatch.setenv("GATEWAY_METRICS__WORKER_PORT", "0")
    for revision in ("nothing", "0015"):
        with pytest.raises(ConfigurationError, match=f"at {revision}, not {HEAD}: run esim-gateway db upgrade"):
            await jobs.work(load(state_dir=str(tmp_path)), dsn, asyncio.Event())
        if revision == "nothing":
            await upgrade(dsn, "0015")
    # A newer release has upgraded the database, and an older worker is started once more: it may work on.
    await upgrade(dsn)
    await connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert await schema_fault(dsn) is None
