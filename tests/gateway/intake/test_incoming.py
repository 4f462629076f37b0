"""Suppliers' webhooks: verified, stored once, a hint to look and nothing more."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from gateway.access.key_rows import create_key
from gateway.intake import incoming
from gateway.kit.sealing import Seal
from gateway.kit.settings import load
from gateway.suppliers.accounts import check_accounts, close_accounts, connect_accounts
from gateway.suppliers.deps import Deps
from tests.kit.secret_keys import SECRET_KEY

NOW = datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)
NOWHERE = "http://127.0.0.1:1"

# printf '%s' '1795168800order.status_changedidem-0001' | openssl dgst -sha256 -hmac 'partner-secret-of-the-test'
S2S_HEADERS = {
    "X-Timestamp": "1795168800",
    "X-Signature": "9fe215ebccb53ac57e89602c291318a21da2d0e6ce5ca191bd8bb20349678835",
}
S2S_BODY = {
    "event": "order.status_changed",
    "idempotency_key": "idem-0001",
    "timestamp": "2026-11-20T10:00:00Z",
    "data": {"order": {"id": "s2s-order-1", "external_id": "att_s2s", "status": "completed"}},
}
# printf '%s' "$PIKASIM_BODY" | openssl dgst -sha256 -hmac 'webhook-secret-of-the-test'
PIKASIM_BODY = (
    b'{"event":"esim.provisioned","timestamp":"2026-11-20T10:00:00Z",'
    b'"data":{"orderId":"PK-1","externalOrderId":"att_pika_1","esim":{"iccid":"8944500102198765432"}}}'
)
PIKASIM_HEADERS = {"X-Webhook-Signature": "d7e2e1d75b84de107bfafce61b7d53c132224a351d97a940089d7d73caababf4"}


class Books:
    """Orders with one accepted attempt each, and what a webhook leaves behind."""

    def __init__(self, deps):
        self.deps = deps
        self.pool = deps.pool

    async def order(self, attempt_id, supplier, supplier_order_id=None, status="pending"):
        storefront = await self.pool.fetchval("SELECT id FROM storefronts")
        order_id, now = f"ord_{attempt_id}", datetime.now(UTC)
        await self.pool.execute(
            """INSERT INTO orders (id, storefront_id, mode, kind, status, plan_id, plan, price, currency, price_base,
                                   max_cost, base_currency, next_poll_at)
               VALUES ($1, $2, 'test', 'esim', $3, 'jp', '{}', 5, 'USD', 5, 5, 'USD', $4)""",
            order_id, storefront, status, now + timedelta(hours=1) if status == "pending" else None,
        )  # fmt: skip
        await self.pool.execute(
            """INSERT INTO attempts (id, order_id, n, kind, supplier, supplier_plan_id, state, run_id, signed_at,
                                     deadline, quiescent_at, supplier_order_id)
               VALUES ($1, $2, 1, 'purchase', $3, 'P', 'accepted', $4, $5, $6, $6, $7)""",
            attempt_id, order_id, supplier, uuid4(), now, now + timedelta(seconds=60), supplier_order_id,
        )  # fmt: skip
        return order_id

    async def take(self, supplier, headers, body, now=NOW):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await incoming.receive(self.deps, self.deps.accounts[supplier], headers, raw, now)

    async def stored(self):
        rows = await self.pool.fetch("SELECT supplier, dedupe_key, attempt_id FROM supplier_webhooks ORDER BY 1, 2")
        return [tuple(row) for row in rows]

    async def looked_at(self):
        """The orders that the schedule is to look at now."""
        rows = await self.pool.fetch("SELECT id FROM orders WHERE next_poll_at <= now() ORDER BY 1")
        return [row["id"] for row in rows]

    async def facts(self):
        """Everything but when an order is looked at again."""
        orders = await self.pool.fetch(
            "SELECT id, status, step, failure_code, refund, fulfilled_at FROM orders ORDER BY 1"
        )
        attempts = await self.pool.fetch("SELECT id, state, charged, supplier_order_id FROM attempts ORDER BY 1")
        others = [await self.pool.fetchval(f"SELECT count(*) FROM {t}") for t in ("ledger", "esims", "webhook_events")]
        return list(map(tuple, orders)), list(map(tuple, attempts)), others


@pytest.fixture
async def looks(monkeypatch):
    """Orders whose attempt a webhook named, polled should it have failed. The poll itself has tests of its own."""
    asked = []

    async def poll_failed_attempt(_deps, attempt_id):
        asked.append((f"ord_{attempt_id}", True))

    monkeypatch.setattr(incoming, "poll_failed_attempt", poll_failed_attempt)
    return asked


@pytest.fixture
async def books(pool, looks):
    settings = load(
        secret_key=[SECRET_KEY],
        suppliers={
            "s2s": {"provider": "s2s", "mode": "test", "base_url": NOWHERE, "token": "t" * 20,
                    "partner_secret": "partner-secret-of-the-test"},
            "pikasim": {"provider": "pikasim", "mode": "test", "base_url": NOWHERE, "api_key": "k" * 20,
                        "webhook_secret": "webhook-secret-of-the-test"},
            "beppay": {"provider": "beppay", "mode": "test", "base_url": NOWHERE, "api_key": "b" * 20,
                       "email_domain": "example.com"},
        },
    )  # fmt: skip
    await create_key(pool, storefront="shop", mode="test", scopes=["storefront"])
    accounts = await connect_accounts(check_accounts(settings), pool)
    deps = Deps(pool, accounts, settings, Seal.from_settings(settings))
    yield Books(deps)
    await asyncio.gather(*deps.running)
    await close_accounts(accounts.values())


async def test_a_webhook_is_stored_and_its_order_looked_at(books, looks):
    order = await books.order("att_s2s", "s2s")
    before = await books.facts()
    assert await books.take("s2s", S2S_HEADERS, S2S_BODY) == "taken"
    await asyncio.gather(*books.deps.running)
    assert await books.stored() == [("s2s", "idem-0001", "att_s2s")]
    assert await books.looked_at() == [order]
    assert await books.facts() == before
    assert await books.pool.fetchval("SELECT settled_at IS NOT NULL FROM supplier_webhooks")


async def test_both_suppliers_sign_as_openssl_does(books, looks):
    orders = [await books.order("att_s2s", "s2s"), await books.order("att_pika_1", "pikasim")]
    assert await books.take("s2s", S2S_HEADERS, S2S_BODY) == "taken"
    assert await books.take("pikasim", PIKASIM_HEADERS, PIKASIM_BODY) == "taken"
    await asyncio.gather(*books.deps.running)
    assert await books.looked_at() == sorted(orders)


async def test_a_body_that_was_laid_out_anew_on_its_way_still_verifies(books):
    spread = json.dumps(json.loads(PIKASIM_BODY), indent=2).encode()
    assert await books.take("pikasim", PIKASIM_HEADERS, spread) == "taken"


async def test_the_suppliers_own_order_id_finds_an_attempt_too(books, looks):
    order = await books.order("att_unnamed", "pikasim", supplier_order_id="PK-1")
    await books.take("pikasim", PIKASIM_HEADERS, PIKASIM_BODY)
    await asyncio.gather(*books.deps.running)
    assert await books.looked_at() == [order]


async def test_a_duplicate_changes_nothing(books, looks):
    await books.order("att_s2s", "s2s")
    for _ in range(5):
        assert await books.take("s2s", S2S_HEADERS, S2S_BODY) == "taken"
    await asyncio.gather(*(books.take("s2s", S2S_HEADERS, S2S_BODY) for _ in range(8)))
    await asyncio.gather(*books.deps.running)
    assert len(await books.stored()) == 1
    assert await books.looked_at() == ["ord_att_s2s"]


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({}, "no signature"),
        ({**S2S_HEADERS, "X-Signature": "0" * 64}, "wrong signature"),
        ({**S2S_HEADERS, "X-Signature": ""}, "empty signature"),
        ({**S2S_HEADERS, "X-Signature": "é" * 64}, "no hex"),
        ({**S2S_HEADERS, "X-Timestamp": "1795168801"}, "another time than was signed"),
        ({"X-Signature": S2S_HEADERS["X-Signature"]}, "no time"),
        ({**S2S_HEADERS, "X-Timestamp": "now"}, "no number"),
    ],
)
async def test_a_forged_one_changes_nothing_and_is_not_stored(books, looks, headers, why):
    await books.order("att_s2s", "s2s")
    before = await books.facts()
    assert await books.take("s2s", headers, S2S_BODY) == "forged", why
    assert (await books.stored(), looks, await books.looked_at(), await books.facts()) == ([], [], [], before)


@pytest.mark.parametrize("late", [timedelta(minutes=5, seconds=1), timedelta(days=1), timedelta(minutes=-6)])
async def test_a_late_or_early_one_of_s2s_is_refused(books, late):
    assert await books.take("s2s", S2S_HEADERS, S2S_BODY, NOW + late) == "forged"
    assert await books.stored() == []


async def test_one_of_pikasim_is_refused_after_a_day(books):
    assert await books.take("pikasim", PIKASIM_HEADERS, PIKASIM_BODY, NOW + timedelta(hours=23)) == "taken"
    assert await books.take("pikasim", PIKASIM_HEADERS, PIKASIM_BODY, NOW + timedelta(hours=25)) == "forged"


async def test_an_altered_body_of_pikasim_is_refused(books):
    altered = PIKASIM_BODY.replace(b"att_pika_1", b"att_pika_2")
    assert await books.take("pikasim", PIKASIM_HEADERS, altered) == "forged"


@pytest.mark.parametrize("what", [{"idempotency_key": "idem-0002"}, {"event": "order.other"}])
async def test_an_altered_envelope_of_s2s_is_refused(books, what):
    assert await books.take("s2s", S2S_HEADERS, {**S2S_BODY, **what}) == "forged"


async def test_altered_data_under_a_valid_signature_changes_nothing(books, looks):
    await books.order("att_s2s", "s2s")
    await books.order("att_other", "s2s", supplier_order_id="s2s-order-2")
    before = await books.facts()
    data = {"order": {"id": "s2s-order-2", "external_id": "att_other", "status": "failed", "charged": 0,
                      "delivery_data": [{"iccid": "8900", "activation_code": "LPA:1$evil.example.com$X"}]}}  # fmt: skip
    assert await books.take("s2s", S2S_HEADERS, {**S2S_BODY, "data": data}) == "taken"
    await asyncio.gather(*books.deps.running)
    assert await books.facts() == before
    assert await books.looked_at() == ["ord_att_other"]  # asked of the supplier, which knows better


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {"order": None},
        {"order": {"id": "x\0y", "external_id": "a\0"}},
        {"order": {"id": "x" * 10_000}},
        "\ud800",
    ],
)
async def test_a_signed_one_that_cannot_be_read_points_at_nothing(books, looks, data):
    await books.order("att_s2s", "s2s")
    outcome = await books.take("s2s", S2S_HEADERS, {**S2S_BODY, "data": data})
    assert outcome in {"taken", "forged", "unreadable"}
    assert looks == []


async def test_anothers_attempt_is_not_found_by_its_id(books, looks):
    await books.order("att_s2s", "pikasim")  # the same reference at another supplier
    assert await books.take("s2s", S2S_HEADERS, S2S_BODY) == "taken"
    assert await books.stored() == [("s2s", "idem-0001", None)]
    assert looks == []


async def test_an_order_that_the_schedule_left_alone_is_not_put_back_into_it(books, looks):
    await books.order("att_s2s", "s2s", status="fulfilled")
    await books.take("s2s", S2S_HEADERS, S2S_BODY)
    await asyncio.gather(*books.deps.running)
    assert await books.looked_at() == []
    assert looks == []


async def test_a_failed_poll_of_an_attempt_that_had_failed_leaves_its_webhook_unsettled(books, looks, monkeypatch):
    order = await books.order("att_s2s", "s2s")
    await books.pool.execute("UPDATE attempts SET state = 'failed'")

    async def away(_deps, _attempt_id):
        raise RuntimeError("the supplier is away")

    with monkeypatch.context() as patch:
        patch.setattr(incoming, "poll_failed_attempt", away)
        assert await books.take("s2s", S2S_HEADERS, S2S_BODY) == "taken"
        await asyncio.gather(*books.deps.running, return_exceptions=True)
    assert await books.pool.fetchval("SELECT settled_at FROM supplier_webhooks") is None
    assert await books.take("s2s", S2S_HEADERS, S2S_BODY) == "taken"
    assert looks == []  # it was stored before
    assert await books.looked_at() == [order]
