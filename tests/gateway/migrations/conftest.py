"""A database that no revision has run on."""

import asyncpg
import pytest

from gateway.kit.pool import connect


@pytest.fixture
async def empty(servers):
    """An address of an empty database, and a connection to it."""
    admin = await asyncpg.connect(servers.postgres.url("postgres"))
    await admin.execute("CREATE DATABASE empty_one")
    connection = await connect(servers.postgres.url("empty_one"))
    yield servers.postgres.url("empty_one"), connection
    await connection.close()
    await admin.execute("DROP DATABASE empty_one WITH (FORCE)")
    await admin.close()
