"""A database that no revision has run on."""

import pytest

from gateway.kit.pool import connect


@pytest.fixture
async def empty(empty_database_url):
    """An address of an empty database, and a connection to it."""
    connection = await connect(empty_database_url)
    yield empty_database_url, connection
    await connection.close()
