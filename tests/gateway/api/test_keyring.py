"""Keys of a serving process, against a real database that goes away and comes back."""

import asyncio

import pytest

from gateway.access.key_rows import create_key, new_key_text, revoke_key
from gateway.api.keyring import GUESSES_PER_MINUTE, Keyring
from gateway.api.problems import Refusal
from gateway.api.ratelimit import Limiter
from gateway.kit.pool import open_pool
from gateway.migrations import upgrade


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def ring(pool):
    return Keyring(pool, Limiter(None), per_minute=600)


async def made(pool, **kwargs):
    return await create_key(pool, **({"storefront": "shop", "mode": "test", "scopes": ["storefront"]} | kwargs))


async def refused(ring, text, address="1.2.3.4"):
    with pytest.raises(Refusal) as caught:
        await ring.caller(text, address)
    return caught.value


async def test_a_key_is_looked_up_once(pool, ring):
    key = await made(pool)
    first = await ring.caller(key.key, "1.2.3.4")
    await pool.execute("DELETE FROM api_keys")
    assert await ring.caller(key.key, "1.2.3.4") is first
    assert ring.known[f"Bearer {key.key}"] is first


async def test_a_revoked_key_is_forgotten_by_the_next_check(pool, ring):
    key, other = await made(pool), await made(pool)
    await ring.caller(key.key, "1.2.3.4")
    await ring.caller(other.key, "1.2.3.4")
    await revoke_key(pool, key.id)
    await ring.check()
    assert list(ring.known) == [f"Bearer {other.key}"]
    assert (await refused(ring, key.key)).code == "unauthorized"


async def test_a_changed_rate_is_taken_over(pool, ring):
    key = await made(pool)
    assert (await ring.caller(key.key, "1.2.3.4")).bucket.capacity == 600
    await pool.execute("UPDATE api_keys SET per_minute = 5")
    await ring.check()
    assert (await ring.caller(key.key, "1.2.3.4")).bucket.capacity == 5


async def test_an_unknown_key_is_asked_for_once_a_minute(pool):
    clock = Clock()
    ring = Keyring(pool, Limiter(None), 600, clock)
    key = await made(pool)
    row = await pool.fetchrow("DELETE FROM api_keys RETURNING *")
    assert (await refused(ring, key.key)).status == 401
    await pool.execute(
        "INSERT INTO api_keys (id, storefront_id, mode, scopes, hash, prefix) VALUES ($1, $2, $3, $4, $5, $6)",
        *(row[name] for name in ("id", "storefront_id", "mode", "scopes", "hash", "prefix")),
    )
    assert (await refused(ring, key.key)).status == 401
    clock.now += 61
    assert (await ring.caller(key.key, "1.2.3.4")).key.id == key.id


async def test_who_guesses_is_cut_off_and_others_are_not(pool, ring):
    for _ in range(GUESSES_PER_MINUTE):
        assert (await refused(ring, new_key_text("live"))).status == 401
    stopped = await refused(ring, new_key_text("live"))
    assert stopped.status == 429
    assert int(stopped.headers["Retry-After"]) >= 1
    key = await made(pool)
    assert (await ring.caller(key.key, "5.6.7.8")).key.id == key.id


async def test_who_guesses_from_one_64_of_ipv6_is_one(pool, ring):
    for n in range(GUESSES_PER_MINUTE):
        assert (await refused(ring, new_key_text("live"), f"2001:db8:0:1::{n:x}")).status == 401
    assert (await refused(ring, new_key_text("live"), "2001:db8:0:1:ffff::1")).status == 429
    assert (await refused(ring, new_key_text("live"), "2001:db8:0:2::1")).status == 401


async def test_what_is_no_key_costs_the_database_nothing():
    ring = Keyring(None, Limiter(None), 600)
    assert (await refused(ring, "gw_live_nonsense")).status == 401
    assert (await refused(ring, new_key_text("live"))).status == 503


async def test_many_who_ask_for_one_key_at_once_cost_one_lookup(pool, ring):
    key = await made(pool)
    callers = await asyncio.gather(*(ring.caller(key.key, "1.2.3.4") for _ in range(20)))
    assert len(set(map(id, callers))) == 1


async def test_known_keys_outlive_the_database_and_unknown_ones_wait_for_it(own_servers):
    dsn = own_servers.where.database_url
    await upgrade(dsn)
    pool = await open_pool(dsn, max_size=2)
    try:
        ring = Keyring(pool, Limiter(None), 600)
        known, unknown = await made(pool), await made(pool)
        await ring.caller(known.key, "1.2.3.4")
        own_servers.postgres.stop()
        assert (await ring.caller(known.key, "1.2.3.4")).key.id == known.id
        waiting = await refused(ring, unknown.key)
        assert waiting.status == 503
        assert "Retry-After" in waiting.headers
        own_servers.postgres.start()
        assert (await ring.caller(unknown.key, "1.2.3.4")).key.id == unknown.id
    finally:
        pool.terminate()


async def test_when_a_key_was_used_is_written_at_the_end(pool, ring):
    used, idle = await made(pool), await made(pool)
    for key in (used, idle):
        await ring.caller(key.key, "1.2.3.4")
    ring.known[f"Bearer {used.key}"].used = True
    ring.start()
    await ring.close()
    rows = {row["id"]: row["last_used_at"] for row in await pool.fetch("SELECT id, last_used_at FROM api_keys")}
    assert rows[used.id] is not None
    assert rows[idle.id] is None
