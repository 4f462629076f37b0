"""Keys from before scopes gave each what their name says: kept, narrowed, and listed by doctor until revoked."""

import pytest

from gateway.access.key_rows import narrowed_keys, revoke_key
from gateway.cli.doctor import examine
from gateway.kit.pool import open_pool
from gateway.migrations import upgrade

BEFORE = "0021"
OLD = {"key_shop": ["storefront"], "key_ops": ["ops"], "key_both": ["storefront", "ops"], "key_goods": ["goods"]}


@pytest.fixture
async def old(empty):
    """A database with keys of before, brought to the newest revision: its address, and a pool."""
    dsn, connection = empty
    await upgrade(dsn, BEFORE)
    await connection.execute("INSERT INTO storefronts (id, name) VALUES ('sf_1', 'shop')")
    await connection.executemany(
        "INSERT INTO api_keys (id, storefront_id, mode, scopes, hash, prefix)"
        " VALUES ($1, 'sf_1', 'test', $2, $3, 'gw')",
        [(name, scopes, name.encode().ljust(32)) for name, scopes in OLD.items()],
    )
    await upgrade(dsn)
    pool = await open_pool(dsn)
    yield dsn, pool
    await pool.close()


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
