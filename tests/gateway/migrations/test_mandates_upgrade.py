"""What was spent under mandates before it was counted for each day is counted by the upgrade."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from gateway.migrations import upgrade
from gateway.suppliers.spend_rows import spent_under_mandate

BEFORE = "0052"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
_ORDER = """
INSERT INTO orders (id, storefront_id, mode, kind, status, plan_id, plan, price, currency, price_base,
                    max_cost, base_currency, next_poll_at, mandate_key_id, created_at, failure_code)
VALUES ($1, 'sf_1', 'live', 'esim', $2, 'p', '{}', 5.5, 'USD', 5.5, 5, 'USD',
        CASE WHEN $2 = 'pending' THEN now() END, $3, $4, $5)
"""


@pytest.fixture
async def before(empty):
    """A database before that revision, with a key, and a connection to it."""
    dsn, connection = empty
    await upgrade(dsn, BEFORE)
    await connection.execute("INSERT INTO storefronts (id, name) VALUES ('sf_1', 'shop')")
    await connection.execute(
        "INSERT INTO api_keys (id, storefront_id, mode, scopes, hash, prefix)"
        " VALUES ('key_1', 'sf_1', 'live', '{storefront}', sha256('one'), 'gw')"
    )
    return dsn, connection


async def test_the_upgrade_counts_what_orders_under_mandates_came_to(before):
    dsn, connection = before
    orders = [
        ("pending", "key_1", NOON, None),
        ("needs_review", "key_1", NOON - timedelta(hours=13), None),
        ("failed", "key_1", NOON, "no_stock"),
        ("pending", None, NOON, None),
        ("needs_review", "key_1", NOON - timedelta(days=20), None),
    ]
    await connection.executemany(_ORDER, [(f"ord_{n}", *order) for n, order in enumerate(orders)])
    await upgrade(dsn)
    assert await spent_under_mandate(connection, "key_1", NOON) == (Decimal("5.5"), Decimal(11))
    await connection.execute("UPDATE orders SET status = 'failed', failure_code = 'no_stock', next_poll_at = NULL")
    assert await spent_under_mandate(connection, "key_1", NOON) == (0, 0)


async def test_the_upgrade_waits_for_an_admission_that_writes_its_order_before_it_counts(before):
    dsn, connection = before
    async with connection.transaction():
        await connection.execute(_ORDER, "ord_1", "pending", "key_1", NOON, None)
        upgraded = asyncio.create_task(upgrade(dsn))
        while not await connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        # Had the upgrade taken this table first, the two would wait for each other.
        await connection.execute("INSERT INTO spend VALUES ($1, 'storefront', 'sf_1', 5.5)", NOON.date())
    assert await upgraded
    assert await spent_under_mandate(connection, "key_1", NOON) == (Decimal("5.5"), Decimal("5.5"))
