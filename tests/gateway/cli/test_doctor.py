"""Doctor: each thing that is wrong is named, with what to do."""

import asyncpg
import pytest
import typer

from gateway.access import users
from gateway.cli.doctor import Check, doctor, examine
from tests.kit.secret_keys import SECRET_KEY

PIKASIM = {"PROVIDER": "pikasim", "MODE": "test", "BASE_URL": "http://127.0.0.1:1", "API_KEY": "k"}


@pytest.fixture(autouse=True)
def settled(monkeypatch, tmp_path):
    import os

    for name in [name for name in os.environ if name.startswith("GATEWAY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GATEWAY_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("GATEWAY_SECRET_KEY", SECRET_KEY)
    for key, value in PIKASIM.items():
        monkeypatch.setenv(f"GATEWAY_SUPPLIERS__PIKA__{key}", value)


async def found(port=1):
    return {check.name: check for check in await examine(None, port)}


async def test_all_is_well_on_migrated_servers(database_url, redis_url, monkeypatch):
    monkeypatch.setenv("GATEWAY_DATABASE_URL", database_url)
    monkeypatch.setenv("GATEWAY_REDIS_URL", redis_url)
    checks = await found()
    assert {name: check.says for name, check in checks.items() if check.good is False} == {}
    assert checks["database"].says.startswith("PostgreSQL 18")
    assert checks["redis"].says.startswith("Valkey")
    assert checks["pika"].says == "PikaSim, test, http://127.0.0.1:1"


async def test_a_console_without_users_is_noted_with_the_command_that_makes_one(database_url, pool, monkeypatch):
    monkeypatch.setenv("GATEWAY_DATABASE_URL", database_url)
    check = (await found())["console users"]
    assert (check.good, "esim-gateway users create" in check.says) == (None, True)
    await users.create(pool, "test", "ana", "admin", "long enough for it")
    assert (await found())["console users"].good is True


async def test_an_empty_database_asks_for_the_upgrade(servers, monkeypatch):
    monkeypatch.setenv("GATEWAY_DATABASE_URL", servers.postgres.url("postgres"))
    checks = await found()
    assert checks["schema"].good is False
    assert "db upgrade" in checks["schema"].says


async def test_a_database_that_promises_less_is_wrong(servers, database_url, new_sessions, monkeypatch):
    name = database_url.split("/")[3].split("?")[0]
    admin = await asyncpg.connect(servers.postgres.url("postgres"))
    monkeypatch.setenv("GATEWAY_DATABASE_URL", database_url)
    try:
        await admin.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
        checks = await found()
    finally:  # the next test gets the same database, emptied
        await admin.execute(f"ALTER DATABASE {name} RESET ALL")
        await admin.close()
    assert checks["synchronous_commit"].good is False
    assert checks["fsync"].good is True


async def test_servers_that_are_away_are_named(monkeypatch, tmp_path):
    monkeypatch.setenv("GATEWAY_DATABASE_URL", f"postgresql://gateway@/gateway?host={tmp_path}")
    monkeypatch.setenv("GATEWAY_REDIS_URL", f"unix://{tmp_path}/none.sock")
    checks = await found()
    assert checks["database"].good is False
    assert "cannot be reached" in checks["database"].says
    assert checks["redis"].good is None


async def test_an_unknown_provider_and_a_missing_setting_are_named(monkeypatch):
    monkeypatch.setenv("GATEWAY_SUPPLIERS__ODD__PROVIDER", "nobody")
    monkeypatch.delenv("GATEWAY_SUPPLIERS__PIKA__API_KEY")
    checks = await found()
    assert "suppliers.odd.provider" in checks["odd"].says
    assert "suppliers.pika.api_key" in checks["pika"].says


async def test_a_setting_that_cannot_be_read_is_the_only_news(monkeypatch):
    monkeypatch.setenv("GATEWAY_SYNC__MAX_GONE_SHARE", "seven")
    checks = await found()
    assert list(checks) == ["settings"]
    assert "sync.max_gone_share" in checks["settings"].says


async def test_nothing_configured_says_what_to_set(monkeypatch):
    for key in PIKASIM:
        monkeypatch.delenv(f"GATEWAY_SUPPLIERS__PIKA__{key}")
    monkeypatch.delenv("GATEWAY_SECRET_KEY")
    checks = await found()
    for name, words in {
        "secret key": "GATEWAY_SECRET_KEY",
        "database": "GATEWAY_DATABASE_URL",
        "suppliers": "none",
    }.items():
        assert checks[name].good is False
        assert words in checks[name].says


async def test_a_taken_port_is_noted(unused_tcp_port):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", unused_tcp_port))
        taken.listen()
        checks = await found(unused_tcp_port)
    assert checks["port"].good is None
    assert str(unused_tcp_port) in checks["port"].says


async def test_a_supplier_that_sells_nothing_is_noted_with_its_reason(database_url, pool, monkeypatch):
    monkeypatch.setenv("GATEWAY_DATABASE_URL", database_url)
    await pool.execute(
        "INSERT INTO suppliers (name, provider, mode, last_good_at, last_sync_state, no_balance_until)"
        " VALUES ('pika', 'pikasim', 'test', now(), 'ok', now() + interval '10 minutes')"
    )
    line = (await found())["pika"]
    assert line.good is None
    assert "PikaSim, test, http://127.0.0.1:1: degraded: it refused a purchase for want of balance, until" in line.says


def test_every_line_has_its_columns_apart_however_long_a_name_is(capsys, monkeypatch):
    checks = [Check("synchronous_commit", good=True, says="is on"), Check("fsync", good=False, says="is off")]

    async def examined(*_):
        return checks

    monkeypatch.setattr("gateway.cli.doctor.examine", examined)
    with pytest.raises(typer.Exit):
        doctor(None, 8080, as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [
        ["ok", "synchronous_commit", "is", "on"], ["WRONG", "fsync", "is", "off"]
    ]  # fmt: skip
    assert len({line.index("is o") for line in lines}) == 1
