"""Webhooks to storefronts: announced in a transaction, signed, delivered, sent again, given up, replayed."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from gateway.access.key_rows import create_key
from gateway.kit.guarded_http import GuardedHttpClient
from gateway.kit.retention_rows import RETENTION_RULES, delete_batch
from gateway.kit.sealing import Seal
from gateway.webhooks import deliver, endpoints, event_rows, webhook_rows
from gateway.webhooks import endpoint_rows as stored
from gateway.webhooks.deliver import Deliverer, signed
from gateway.webhooks.endpoint_rows import Owner
from gateway.webhooks.notify import emit_event
from schemas.notice import NoticeType
from tests.kit.receiver import receiving
from tests.kit.secret_keys import SECRET_KEY
from tests.kit.working import emit_events

LOOPBACK = (ip_network("127.0.0.0/8"),)
SEAL = Seal([SECRET_KEY])


class Shop:
    """A storefront with an endpoint, and a worker that delivers when it is told to."""

    def __init__(self, pool, owner, outside):
        self.pool = pool
        self.owner = owner
        self.worker = Deliverer(pool, SEAL, outside, draw=lambda: 0.0)

    async def endpoint(self, url, events=()):
        return await endpoints.create(self.pool, SEAL, self.owner, url=url, events=events, description="")

    async def announce(self, kind=NoticeType.ORDER_FULFILLED, data=None, **more):
        """An event, with the deliveries that a worker writes for it."""
        async with self.pool.acquire() as connection, connection.transaction():
            event_id = await emit_event(
                connection, SEAL, storefront_id=self.owner.storefront_id, mode=self.owner.mode, type=kind,
                data=data or {"order_id": "ord_1"}, **more,
            )  # fmt: skip
        await emit_events(self.pool)
        return event_id

    async def work(self):
        """Send what is due now, all of it."""
        while await self.worker.start_due():
            await self.worker.drain()

    async def make_due(self):
        await self.pool.execute("UPDATE webhook_deliveries SET next_at = now() WHERE next_at IS NOT NULL")

    async def log(self, endpoint):
        return (await stored.deliveries(self.pool, endpoint.id)).data


@pytest.fixture
async def outside():
    async with GuardedHttpClient(LOOPBACK, timeout_seconds=5) as made:
        yield made


@pytest.fixture
async def shop(pool, outside):
    await create_key(pool, storefront="shop", mode="test", scopes=["storefront"])
    return Shop(pool, Owner(await pool.fetchval("SELECT id FROM storefronts"), "test"), outside)


def test_the_signature_is_the_one_that_openssl_makes():
    # printf '%s' "evt_1.1795168800.$BODY" | openssl dgst -sha256 -mac HMAC -macopt hexkey:0001…1f -binary | base64
    body = b'{"type":"endpoint.test","timestamp":"2026-11-20T10:00:00Z","data":{"endpoint_id":"we_1"}}'
    secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    headers = signed("evt_1", body, [secret], datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC))
    assert headers["webhook-id"] == "evt_1"
    assert headers["webhook-timestamp"] == "1795168800"
    assert headers["webhook-signature"] == "v1,cWxQtFZhggejs4sanQgx0pPBF+3YpgsEHsYXtdsYBrk="


async def test_an_event_arrives_signed_and_is_logged(shop, receiver):
    endpoint = await shop.endpoint(receiver.url)
    event_id = await shop.announce(data={"order_id": "ord_1", "iccid": "8944500102198765432"}, order_id="ord_1")
    await shop.work()
    (event,) = receiver.verified(endpoint.secret)
    assert (event["type"], event["id"]) == ("order.fulfilled", event_id)
    assert event["data"] == {"order_id": "ord_1", "iccid": "8944500102198765432"}
    assert datetime.fromisoformat(event["timestamp"]).tzinfo is not None
    assert receiver.ids == [event_id]
    assert receiver.got[0][0]["content-type"] == "application/json"
    (delivery,) = await shop.log(endpoint)
    assert (delivery.status, delivery.event_id, delivery.event_type) == ("delivered", event_id, "order.fulfilled")
    assert [(a.http_status, a.error) for a in delivery.attempts] == [(204, None)]
    assert delivery.next_attempt_at is None


async def test_what_the_callers_transaction_takes_back_is_never_told(shop, receiver):
    await shop.endpoint(receiver.url)
    async with shop.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        assert await emit_event(
            connection, SEAL, storefront_id=shop.owner.storefront_id, mode="test", type=NoticeType.ORDER_FAILED,
            data={"order_id": "ord_1"},
        )  # fmt: skip
        await transaction.rollback()
    await emit_events(shop.pool)
    await shop.work()
    assert receiver.got == []
    assert await shop.pool.fetchval("SELECT count(*) FROM webhook_events") == 0


async def test_only_endpoints_that_ask_for_an_event_get_it(shop, receiver, pool):
    asked = await shop.endpoint(receiver.url + "/asked", [NoticeType.ORDER_FAILED])
    other = await shop.endpoint(receiver.url + "/other", [NoticeType.ORDER_FULFILLED])
    every = await shop.endpoint(receiver.url + "/every")
    await create_key(pool, storefront="rival", mode="test", scopes=["storefront"])
    rival = Owner(await pool.fetchval("SELECT id FROM storefronts WHERE name = 'rival'"), "test")
    theirs = await endpoints.create(pool, SEAL, rival, url=receiver.url, events=(), description="")
    live = Owner(shop.owner.storefront_id, "live")
    in_live = await endpoints.create(pool, SEAL, live, url=receiver.url, events=(), description="")
    await shop.announce(NoticeType.ORDER_FAILED)
    await shop.work()
    assert [len(await shop.log(e)) for e in (asked, other, every, theirs, in_live)] == [1, 0, 1, 0, 0]
    assert len(receiver.got) == 2
    assert len(set(receiver.ids)) == 1


async def test_an_event_that_no_endpoint_asks_for_waits_for_nothing_and_is_never_sent(shop, receiver):
    await shop.endpoint(receiver.url, [NoticeType.ORDER_FAILED])
    await shop.announce()
    assert await shop.pool.fetchval("SELECT dispatched FROM webhook_events")
    endpoint = await shop.endpoint(receiver.url)
    await emit_events(shop.pool)
    await shop.work()
    assert (receiver.got, await shop.log(endpoint)) == ([], [])


async def test_an_event_waits_for_a_worker_that_writes_its_deliveries_once(shop, receiver):
    endpoint = await shop.endpoint(receiver.url)
    async with shop.pool.acquire() as connection, connection.transaction():
        event_id = await emit_event(
            connection, SEAL, storefront_id=shop.owner.storefront_id, mode="test", type=NoticeType.ORDER_FAILED,
            data={"order_id": "ord_1"},
        )  # fmt: skip
    assert await shop.log(endpoint) == []
    assert sum(await asyncio.gather(*(event_rows.dispatch(shop.pool, 10) for _ in range(4)))) == 1
    await shop.work()
    assert receiver.ids == [event_id]


@pytest.mark.parametrize("data", [{"activation_code": "LPA:1$a$b"}, {"esim": [{"matching_id": "X"}]}])
async def test_an_activation_code_is_never_told(shop, receiver, data):
    await shop.endpoint(receiver.url)
    with pytest.raises(ValueError, match="may not carry"):
        await shop.announce(data=data)


async def test_an_event_lies_encrypted_and_so_does_the_secret(shop, receiver):
    endpoint = await shop.endpoint(receiver.url)
    await shop.announce(data={"iccid": "8944500102198765432"})
    rows = await shop.pool.fetch("SELECT e.body, p.secret FROM webhook_events e, webhook_endpoints p")
    assert b"8944500102198765432" not in rows[0]["body"]
    assert endpoint.secret.encode() not in rows[0]["secret"]


async def test_what_is_not_taken_is_sent_again_by_the_schedule_with_the_same_id_until_it_is_given_up(shop, receiver):
    receiver.answers = [500] * 10
    endpoint = await shop.endpoint(receiver.url)
    event_id = await shop.announce()
    waits = []
    for _ in range(10):
        await shop.work()
        (delivery,) = await shop.log(endpoint)
        due_at, tried_at = delivery.next_attempt_at, delivery.attempts[-1].at
        waits.append(None if due_at is None else (due_at - tried_at).total_seconds())
        await shop.make_due()
    hour = 3600
    steps = [5, 300, 1800, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour]
    assert all(step - 1 < wait < step + 60 for wait, step in zip(waits[:-1], steps, strict=True)), waits
    assert waits[-1] is None
    await shop.work()
    assert receiver.ids == [event_id] * 10
    (delivery,) = await shop.log(endpoint)
    assert delivery.status == "failed"
    assert [a.http_status for a in delivery.attempts] == [500] * 10
    assert (await stored.find(shop.pool, shop.owner, endpoint.id)).status == "enabled"


async def test_an_event_is_sent_again_after_a_failure_and_then_delivered(shop, receiver):
    receiver.answers = [503, 302]
    endpoint = await shop.endpoint(receiver.url)
    await shop.announce()
    for _ in range(3):
        await shop.work()
        await shop.make_due()
    (delivery,) = await shop.log(endpoint)
    assert delivery.status == "delivered"
    assert [(a.http_status, a.error) for a in delivery.attempts] == [(503, None), (302, "redirect"), (204, None)]


async def test_410_disables_an_endpoint_and_calls_off_what_was_on_its_way(shop, receiver):
    receiver.answers = [500, 410]
    endpoint = await shop.endpoint(receiver.url)
    await shop.announce()
    await shop.work()
    await shop.announce(NoticeType.ORDER_FAILED)
    await shop.work()
    assert (await stored.find(shop.pool, shop.owner, endpoint.id)).status == "disabled"
    await shop.make_due()
    await shop.announce()
    await shop.work()
    assert len(receiver.got) == 2
    assert [d.status for d in await shop.log(endpoint)] == ["failed", "failed"]


async def test_both_secrets_sign_until_the_old_one_ends(shop, receiver):
    endpoint = await shop.endpoint(receiver.url)
    rotated = await endpoints.rotate(shop.pool, SEAL, shop.owner, endpoint.id)
    await shop.announce()
    await shop.work()
    assert rotated.secret != endpoint.secret
    assert receiver.verified(endpoint.secret) == receiver.verified(rotated.secret)
    await shop.pool.execute("UPDATE webhook_endpoints SET old_secret_until = now()")
    receiver.got.clear()
    await shop.announce()
    await shop.work()
    assert receiver.verified(rotated.secret)
    with pytest.raises(WebhookVerificationError):
        receiver.verified(endpoint.secret)


async def test_a_replay_is_a_new_delivery_of_the_same_event(shop, receiver):
    endpoint = await shop.endpoint(receiver.url)
    event_id = await shop.announce()
    await shop.work()
    (first,) = await shop.log(endpoint)
    again = await stored.replay(shop.pool, endpoint.id, first.id)
    await shop.work()
    assert receiver.ids == [event_id, event_id]
    assert again.id != first.id
    assert {d.id: d.status for d in await shop.log(endpoint)} == {first.id: "delivered", again.id: "delivered"}
    assert await stored.replay(shop.pool, "we_other", first.id) is None


async def test_workers_side_by_side_send_each_event_once(shop, receiver, outside):
    await shop.endpoint(receiver.url)
    sent = [await shop.announce(data={"n": n}) for n in range(30)]
    others = [Deliverer(shop.pool, SEAL, outside) for _ in range(3)]

    async def work(worker):
        while await worker.start_due():
            await worker.drain()

    await asyncio.gather(*map(work, others), shop.work())
    await shop.work()
    assert sorted(receiver.ids) == sorted(sent)


async def test_a_worker_that_dies_while_it_sends_leaves_the_event_to_another(shop, receiver, outside):
    receiver.hold = asyncio.Event()
    endpoint = await shop.endpoint(receiver.url)
    event_id = await shop.announce()
    dying = Deliverer(shop.pool, SEAL, outside)
    await dying.start_due()
    await receiver.until(1)
    for task in list(dying._running):
        task.cancel()
    await asyncio.gather(*dying._running, return_exceptions=True)
    receiver.hold = None
    await shop.work()
    assert receiver.ids == [event_id]  # claimed still
    await shop.make_due()  # a minute later
    await shop.work()
    assert receiver.ids == [event_id, event_id]
    (delivery,) = await shop.log(endpoint)
    assert (delivery.status, len(delivery.attempts)) == ("delivered", 1)


async def test_a_worker_that_froze_past_its_claim_does_not_write_over_what_another_did(shop, receiver, outside):
    receiver.hold = asyncio.Event()
    endpoint = await shop.endpoint(receiver.url)
    await shop.announce()
    frozen = Deliverer(shop.pool, SEAL, outside)
    await frozen.start_due()
    await receiver.until(1)
    held, receiver.hold = receiver.hold, None
    await shop.make_due()
    await shop.work()
    receiver.answers = [410]
    held.set()
    await frozen.drain()
    (delivery,) = await shop.log(endpoint)
    assert (delivery.status, len(delivery.attempts)) == ("delivered", 1)
    assert (await stored.find(shop.pool, shop.owner, endpoint.id)).status == "enabled"


async def test_an_endpoint_that_hangs_does_not_keep_the_others_waiting(shop, receiver):
    async with receiving() as slow:
        slow.hold = asyncio.Event()
        await shop.endpoint(slow.url, [NoticeType.ORDER_FAILED])
        for _ in range(deliver.AT_ONCE + 8):
            await shop.announce(NoticeType.ORDER_FAILED)
        await shop.endpoint(receiver.url, [NoticeType.ORDER_FULFILLED])
        event_id = await shop.announce()
        while await shop.worker.start_due():
            pass
        await receiver.until(1)
        assert receiver.ids == [event_id]
        assert len(slow.got) <= deliver.AT_ONCE_PER_ENDPOINT
        slow.hold.set()
        await shop.worker.drain()


async def test_a_storefront_whose_endpoints_all_hang_does_not_keep_the_other_storefronts_waiting(
    shop, receiver, outside
):
    await create_key(shop.pool, storefront="other", mode="test", scopes=["storefront"])
    other_id = await shop.pool.fetchval("SELECT id FROM storefronts WHERE name = 'other'")
    other = Shop(shop.pool, Owner(other_id, "test"), outside)
    async with receiving() as slow:
        slow.hold = asyncio.Event()
        for _ in range(deliver.AT_ONCE // deliver.AT_ONCE_PER_ENDPOINT + 1):
            await shop.endpoint(slow.url)
        for _ in range(deliver.AT_ONCE_PER_ENDPOINT):
            await shop.announce()
        while await shop.worker.start_due():
            pass
        await other.endpoint(receiver.url)
        event_id = await other.announce()
        await shop.worker.start_due()
        await receiver.until(1)
        assert receiver.ids == [event_id]
        assert len(slow.got) <= deliver.AT_ONCE_PER_STOREFRONT
        slow.hold.set()
        await shop.worker.drain()


async def test_410_from_an_address_that_was_left_meanwhile_does_not_disable_the_new_one(shop, receiver):
    async with receiving() as left:
        left.hold, left.answers = asyncio.Event(), [410]
        endpoint = await shop.endpoint(left.url)
        await shop.announce()
        await shop.worker.start_due()
        await left.until(1)
        await stored.change(
            shop.pool, shop.owner, endpoint.id, url=receiver.url, events=None, description=None, status=None
        )
        left.hold.set()
        await shop.worker.drain()
    assert (await stored.find(shop.pool, shop.owner, endpoint.id)).status == "enabled"
    event_id = await shop.announce()
    await shop.work()
    assert event_id in receiver.ids


async def test_a_worker_delivers_until_it_is_stopped_and_ends_what_it_began(shop, receiver):
    await shop.endpoint(receiver.url)
    stop = asyncio.Event()
    receiver.hold = asyncio.Event()
    running = asyncio.create_task(shop.worker.run(stop))
    await shop.announce()
    await receiver.until(1)
    stop.set()
    receiver.hold.set()
    await running
    assert await shop.pool.fetchval("SELECT status FROM webhook_deliveries") == "delivered"


async def test_a_body_whose_key_is_gone_is_not_sent(shop, receiver, outside):
    endpoint = await shop.endpoint(receiver.url)
    await shop.announce()
    stranger = Deliverer(shop.pool, Seal(["z" * 40]), outside)
    await stranger.start_due()
    await stranger.drain()
    assert receiver.got == []
    (delivery,) = await shop.log(endpoint)
    assert (delivery.status, delivery.attempts[0].error) == ("pending", "unreadable")


async def test_what_is_old_and_done_is_forgotten_and_nothing_else(shop, receiver):
    endpoint = await shop.endpoint(receiver.url)
    old, waiting = await shop.announce(), await shop.announce()
    await shop.work()
    await shop.pool.execute("UPDATE webhook_events SET at = now() - interval '91 days'")
    await shop.pool.execute(
        "UPDATE webhook_deliveries SET next_at = now() + interval '1 hour', status = 'pending' WHERE event_id = $1",
        waiting,
    )
    fresh = await shop.announce()
    await shop.work()
    await shop.pool.execute(
        "INSERT INTO supplier_webhooks (supplier, dedupe_key, type, received_at)"
        " VALUES ('s2s', 'old', 'x', now() - interval '91 days'), ('s2s', 'fresh', 'x', now())"
    )
    rules = [rule for rule in RETENTION_RULES if rule.setting == "webhooks_days"]
    before = datetime.now(UTC) - timedelta(days=90)
    assert sum([await delete_batch(shop.pool, rule, before) for rule in rules]) == 2
    assert {d.event_id for d in await shop.log(endpoint)} == {waiting, fresh} - {old}
    assert [r["dedupe_key"] for r in await shop.pool.fetch("SELECT dedupe_key FROM supplier_webhooks")] == ["fresh"]


async def test_a_secret_that_signs_no_longer_is_not_kept(shop, receiver):
    ended, standing = await shop.endpoint(receiver.url), await shop.endpoint(receiver.url)
    for endpoint in (ended, standing):
        await endpoints.rotate(shop.pool, SEAL, shop.owner, endpoint.id)
    await shop.pool.execute("UPDATE webhook_endpoints SET old_secret_until = now() WHERE id = $1", ended.id)
    await webhook_rows.erase_old_secrets(shop.pool)
    rows = await shop.pool.fetch("SELECT id FROM webhook_endpoints WHERE old_secret IS NOT NULL")
    assert [row["id"] for row in rows] == [standing.id]


async def test_a_storefront_verifies_with_nothing_but_the_library(shop, receiver):
    endpoint = await shop.endpoint(receiver.url)
    await shop.announce()
    await shop.work()
    headers, body = receiver.got[0]
    assert json.loads(body) == Webhook(endpoint.secret).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(endpoint.secret).verify(body.replace(b"ord_1", b"ord_2"), headers)
