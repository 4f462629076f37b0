"""Events that waited for a worker when the schema was upgraded are delivered, and those from before are listed."""

from gateway.kit.pages import FIRST_PAGE
from gateway.kit.pool import open_pool
from gateway.migrations import upgrade
from gateway.webhooks import event_rows
from schemas.notice import NoticeType

BEFORE = "0034"


async def test_an_event_of_the_outbox_is_delivered_and_one_that_was_delivered_is_not_again(empty):
    dsn, connection = empty
    await upgrade(dsn, BEFORE)
    await connection.execute(
        """INSERT INTO storefronts (id, name) VALUES ('sf_1', 'shop');
           INSERT INTO webhook_endpoints (id, storefront_id, mode, url, secret)
               VALUES ('we_1', 'sf_1', 'test', 'https://shop.example.com/hook', '');
           INSERT INTO webhook_events (id, storefront_id, mode, type, order_id, body)
               VALUES ('evt_1', 'sf_1', 'test', 'order.failed', 'ord_1', '');
           INSERT INTO event_outbox (id, storefront_id, mode, type, order_id, body)
               VALUES ('evt_2', 'sf_1', 'test', 'order.fulfilled', 'ord_2', 'sealed')"""
    )
    await upgrade(dsn)
    pool = await open_pool(dsn)
    try:
        listed = await event_rows.newest_first(pool, "sf_1", "test", list(NoticeType), FIRST_PAGE)
        assert {(event.id, event.body) for event in listed.data} == {("evt_1", b""), ("evt_2", b"sealed")}
        assert await event_rows.dispatch(pool, 10) == 1
        rows = await pool.fetch("SELECT event_id, endpoint_id, next_at IS NOT NULL FROM webhook_deliveries")
        assert [tuple(row) for row in rows] == [("evt_2", "we_1", True)]
    finally:
        await pool.close()
