"""Keys from before scopes gave each what their name says: kept, narrowed, and listed by doctor until revoked."""

import asyncpg
import pytest

from gateway.access.key_rows import narrowed_keys, revoke_key
from gateway.cli.doctor import examine
from gateway.kit.pool import open_pool
from gateway.migrations import upgrade
from tests.gateway.migrations.test_queue_schema import upgrade_to

BEFORE = "0021"
OLD = {"key_shop": ["storefront"], "key_ops": ["ops"], "key_both": ["storefront", "ops"], "key_goods": ["goods"]}


@pytest.fixture
async def old(servers):
    """A database with keys of before, brought to the newest revision: its address, and a pool."""
    admin = await asyncpg.connect(servers.postgres.url("postgres"))
    await admin.execute("CREATE DATABASE before_scopes")
    dsn = servers.postgres.url("before_scopes")
    await upgrade_to(dsn, BEFORE)
    connection = await asyncpg.connect(dsn)
    await connection.execute("INSERT INTO storefronts (id, name) VALUES ('sf_1', 'shop')")
    await connection.executemany(
        "INSERT INTO api_keys (id, storefront_id, mode, scopes, hash, prefix)"
        " VALUES ($1, 'sf_1', 'test', $2, $3, 'gw')",
        [(name, scopes, name.encode().ljust(32)) for name, scopes in OLD.items()],
    )
    await connection.close()
    await upgrade(dsn)
    pool = await open_pool(dsn)
    yield dsn, pool
    await pool.close()
    await admin.execute("DROP DATABASE before_scopes WITH (FORCE)")
    await admin.close()


async def test_a_key_without_storefront_is_listed_by_doctor_until_it_is_revoked(old, monkeypatch, tmp_path):
    dsn, pool = old
    monkeypatch.setenv("GATEWAY_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("GATEWAY_DATABASE_URL", dsn)
    monkeypatch.delenv("GATEWAY_REDIS_URL", raising=False)

    async def listed():
        checks = [check for check in await examine(None, 1) if check.name == "key scopes"]
        assert all(check.good is None for check in checks)
        return {name for name in OLD for check in checks if check.says.startswith(f"{name} of shop ")}

    assert {key.id for key in await narrowed_keys(pool)} == {"key_ops", "key_goods"}
    assert await listed() == {"key_ops", "key_goods"}
    await revoke_key(pool, "key_ops")
    assert await listed() == {"key_goods"}
