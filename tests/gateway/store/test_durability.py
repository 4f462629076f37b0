"""A database that could lose what it committed is refused."""

import pytest

from gateway.store.durability import promises, require_durable
from schemas.errors import ConfigurationError


async def test_the_embedded_server_keeps_every_promise(pool):
    async with pool.acquire() as connection:
        await require_durable(connection)
        assert {promise.name for promise in await promises(connection)} == {
            *("version", "fsync", "synchronous_commit", "full_page_writes")
        }


async def test_a_session_that_does_not_wait_for_the_disk_is_refused(pool):
    async with pool.acquire() as connection:
        await connection.execute("SET synchronous_commit = off")
        with pytest.raises(ConfigurationError, match="synchronous_commit is off: a power cut could undo an order"):
            await require_durable(connection)
        await connection.execute("RESET synchronous_commit")
