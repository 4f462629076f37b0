"""No page, answer or job reads a table whole that grows with orders, syncs and time."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from html import unescape
from pathlib import Path

import pytest

from benchmarks.console_data import Size, accounts, fill
from benchmarks.console_places import places
from gateway.catalog.publish import publish
from gateway.features import domain_modules
from gateway.kit.pool import Pool, open_pool
from gateway.kit.sealing import Seal
from gateway.orders import order_state_rows
from gateway.orders.admit import Admitted
from gateway.orders.cancel import request_cancel
from gateway.orders.order_presenter import look_up
from gateway.orders.process import process_order
from gateway.orders.resolve import resolve
from gateway.orders.topup import admit_topup
from gateway.orders.waker import LEASE
from gateway.runtime import embedded
from gateway.suppliers import fund_rows
from gateway.worker.periodic_jobs import PERIODIC_JOBS, Worker
from gateway.worker.sync_jobs import Figures
from schemas.order_requests import TopupForPlan
from tests.conftest import TEMPLATE, _run
from tests.gateway.api.test_two_storefronts import ROUTES
from tests.gateway.console.conftest import Console, _consoles, _settings
from tests.gateway.console.test_lists import sort_links
from tests.kit.admitted import order_of
from tests.kit.counter import STOREFRONT, Counter
from tests.kit.counter import counter as open_counter
from tests.kit.query_plans import SentStatements, sent_statements
from tests.kit.working import emit_events

pytestmark = pytest.mark.xdist_group("grown")  # the database is made once

# Enough that the planner reads no table whole for being small.
SIZE = Size(offers=1_000, changes=20_000, orders=40_000)
FEWEST_ROWS = 3_000
# As long as suppliers' lists, however long the gateway works.
AS_LONG_AS_THE_LISTS = {"offers", "plans", "set_aside", "goods", "quarantine_rows"}
_LARGE = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND reltuples >= $1
"""
SCOPES = ("storefront", "goods", "routing", "ops")
# So many times as long ago: what a page asks for, a week or a month, is a small part of all.
LONGER = 40
_TIMES = (("orders", "created_at"), ("attempts", "started_at"), ("ledger", "at"), ("order_events", "at"))
_GROWN = "grown"
# What grows with orders and time; each statement that touches one of them is planned.
GROWING = {
    *("orders", "order_events", "attempts", "ledger", "esims", "esim_usage", "idempotency_keys", "exchanges"),
    *("supplier_answers", "supplier_webhooks", "webhook_events", "webhook_deliveries", "traveller_emails"),
    *("checkouts", "checkout_events", "payments", "payment_notices", "price_changes", "offer_events", "audit_log"),
    *("supplier_transactions", "alerts", "pgqueuer_log"),
}
_MORE = """
INSERT INTO audit_log (at, actor, action, object)
    SELECT now() - n * interval '17 min', 'ana', 'order.resolved', 'order:' || n FROM generate_series(1, 20000) n;
INSERT INTO idempotency_keys (storefront_id, mode, key, request, order_id, created_at)
    SELECT storefront_id, mode, 'key-' || id, sha256(convert_to(id, 'UTF8')), id, created_at FROM orders;
INSERT INTO supplier_answers (id, attempt_id, at, body, read_at)
    SELECT 'ans_' || id, id, started_at, '', started_at FROM attempts;
INSERT INTO supplier_webhooks (supplier, dedupe_key, type, attempt_id, received_at, settled_at)
    SELECT supplier, id, 'order.updated', id, started_at, started_at FROM attempts;
INSERT INTO traveller_emails (id, kind, about, order_id, esim_order_id, status, next_at, created_at, sent_at)
    SELECT 'eml_' || id, 'delivery', id, id, id, 'sent', NULL, created_at, created_at FROM orders;
INSERT INTO alerts (id, rule_id, rule_name, kind, level, subject, title, detail, link, raised_at, seen_at, cleared_at)
    SELECT 'alt_more_' || n, 'alr_1', 'A cost moved', 'price_move', 'bad', 'more-' || n, 'It moved', '', '',
           now() - n * interval '1 h', now() - n * interval '1 h', now() - n * interval '59 min'
    FROM generate_series(1, 20000) n;
INSERT INTO payment_notices (id, account, digest, body, payment_id, received_at)
    SELECT 'pn_' || id, account, sha256(convert_to(id, 'UTF8')), NULL, payment_id, received_at FROM payments;
"""
_PARTS = {
    "orders": "SELECT id FROM orders WHERE storefront_id = 'sf_1' AND mode = 'live' AND status = 'fulfilled' LIMIT 1",
    "esims": "SELECT id FROM esims WHERE storefront_id = 'sf_1' AND mode = 'live' LIMIT 1",
    "checkouts": "SELECT id FROM checkouts WHERE storefront_id = 'sf_1' AND mode = 'live' LIMIT 1",
    "webhook-endpoints": "SELECT id FROM webhook_endpoints WHERE storefront_id = 'sf_1' AND mode = 'live' LIMIT 1",
    "plans": "SELECT plan_id FROM offers LIMIT 1",
    "sync-runs": "SELECT id FROM sync_runs ORDER BY started_at DESC LIMIT 1",
    "storefronts": "SELECT 'sf_1'",
    "suppliers": "SELECT name FROM suppliers ORDER BY name LIMIT 1",
    "prices": "SELECT 'JP'",
    "rates": "SELECT 'EUR'",
    "order-batches": "SELECT 'bat_1'",
    "keys": "INSERT INTO mandates (key_id, per_order, per_day, per_month, currency, ends_at)"
    " SELECT id, 1, 1, 1, 'USD', now() FROM api_keys ORDER BY id LIMIT 1"
    " ON CONFLICT (key_id) DO UPDATE SET ends_at = now() RETURNING key_id",
}
# The lists that grow, as they are asked for.
_SORTED = (
    "/console/orders",
    "/console/orders?status=failed",
    "/console/orders?mode=both&supplier=s2s",
    "/console/esims",
    "/console/esims?state=active",
    "/console/checkouts",
    "/console/audit",
    "/console/audit?actor=ana",
    "/console/alerts/history",
    "/console/sync-runs",
    "/console/changes",
    "/console/jobs",
)
# This history has none of these.
_NOT_ASKED = {"/v1/goods/{id}", "/v1/numbers/{id}", "/v1/ops/pricing-rules/{id}"}
_QUERIES = {
    "/v1/ops/orders": ["status=failed", "supplier=s2s", "kind=number", "storefront_id=sf_1", "q=ref-17"],
    "/v1/orders": [
        "status=pending",
        "reference=ref-17",
        "email=nobody@example.com",
        "metadata=cart:7",
        "created_to=2020-01-01T00:00:00Z",
        "created_from=2026-01-01T00:00:00Z&status=failed",
    ],
    "/v1/events": ["type=order.failed", "type=order.fulfilled&limit=200"],
    "/v1/ops/price-history": ["offer_id={offer}&mode=live"],
    "/v1/ops/sync-runs/{id}/difference": ["supplier=s2s"],
    "/v1/ops/offers/compare": ["id={offer}"],
}


@pytest.fixture(scope="module")
def _grown(servers: embedded.Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A database with two weeks of orders, syncs and what came with them; and its snapshot."""
    folder = tmp_path_factory.mktemp("grown")
    admin = servers.postgres.url("postgres")
    _run(admin, f"CREATE DATABASE {_GROWN} TEMPLATE {TEMPLATE}")
    url = servers.postgres.url(_GROWN)
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(_grow(url, str(folder)))
    finally:
        loop.close()
    yield url, folder
    shutil.rmtree(folder, ignore_errors=True)
    _run(admin, f"DROP DATABASE {_GROWN} WITH (FORCE)")


async def _grow(url: str, folder: str) -> None:
    settings = _settings(url, "", folder, accounts())
    pool = await open_pool(url, statement_seconds=600)  # it rewrites whole tables, beside whatever else runs
    try:
        await fill(pool, Seal.from_settings(settings), SIZE)
        await pool.execute(_MORE)
        for table, column in _TIMES:
            await pool.execute(f"UPDATE {table} SET {column} = now() - (now() - {column}) * {LONGER}")
        await pool.execute(
            """INSERT INTO audit_log (at, actor, action, object)
               SELECT at, actor, action, object FROM audit_log, generate_series(1, 50)"""
        )
        await pool.execute("VACUUM ANALYZE")
        await publish(pool, None, settings)
    finally:
        await pool.close()


@pytest.fixture
async def grown(
    _grown: tuple[str, Path], redis_url: str, tmp_path: Path, _hash: str
) -> AsyncIterator[tuple[Console, SentStatements]]:
    """The gateway on it, and what it sends to PostgreSQL."""
    url, folder = _grown
    state = shutil.copytree(folder, tmp_path / "state")
    with sent_statements() as sent:
        async with _consoles(url, redis_url, str(state), _hash, busy=True) as make:
            yield await make(), sent


async def assert_none_reads_a_table_whole(console: Console, sent: SentStatements, at_least: int) -> None:
    await assert_no_whole_reads(console.pool, sent, at_least)


async def assert_no_whole_reads(grown_pool: Pool, sent: SentStatements, at_least: int) -> None:
    sent.now = ""
    large = {row[0] for row in await grown_pool.fetch(_LARGE, FEWEST_ROWS)} - AS_LONG_AS_THE_LISTS
    assert large >= GROWING
    assert len(sent) >= at_least, "too few statements were seen to say anything"
    async with grown_pool.acquire() as connection:
        found = await sent.whole_reads(connection, large)
    assert not found, "\n\n".join(found)


async def test_a_statement_that_reads_a_growing_table_whole_is_found(grown):
    console, sent = grown
    sent.now = "a page"
    await console.pool.fetchval("SELECT count(*) FROM orders WHERE price > $1", 3)
    async with console.pool.acquire() as connection:
        (found,) = await sent.whole_reads(connection, {"orders", "offers"})
    assert found.startswith("a page reads orders: SELECT count(*)")


async def test_no_page_of_the_console_reads_a_growing_table_whole(grown):
    console, sent = grown
    for name, address in (await places(console.pool, "live")).items():
        sent.now = name
        answer = await console.reader_of(address).get(address)
        assert answer.status == 200, (name, answer.words[:300])
    await assert_none_reads_a_table_whole(console, sent, 100)


async def test_no_order_of_a_list_sorts_or_reads_a_growing_table_whole(grown):
    console, sent = grown
    endpoint = (await places(console.pool, "live"))["/console/storefronts/{id}/endpoints/{endpoint}"]
    followed = set()
    for address in (*_SORTED, endpoint):
        for link in sort_links(await console.admin.get(address)):
            sent.now = link
            page = await console.admin.get(link)
            followed |= {link, *sort_links(page)}
            for again in (*sort_links(page), *re.findall(r'href="([^"]+)" rel="next"', page.text)):
                assert (await console.admin.get(unescape(again))).status == 200
    assert len(followed) >= 30, followed
    async with console.pool.acquire() as connection:
        found = await sent.large_sorts(connection, FEWEST_ROWS)
    assert not found, "\n\n".join(found)
    await assert_none_reads_a_table_whole(console, sent, 40)


async def test_a_statement_that_sorts_a_growing_table_is_found(grown):
    console, sent = grown
    sent.now = "a page"
    await console.pool.fetch("SELECT id FROM orders WHERE mode = $1 ORDER BY max_cost LIMIT 50", "live")
    async with console.pool.acquire() as connection:
        (found,) = await sent.large_sorts(connection, FEWEST_ROWS)
    assert found.startswith("a page sorts: SELECT id FROM orders")


async def test_no_answer_of_the_api_reads_a_growing_table_whole(grown):
    console, sent = grown
    key = await console.api_key(*SCOPES, mode="live", storefront="Storefront 1")
    offer = await console.pool.fetchval("SELECT id FROM offers ORDER BY id LIMIT 1")
    answered = []
    for method, path in ROUTES:
        if method != "GET" or not path.startswith("/v1/") or path in _NOT_ASKED or "/qr." in path:
            continue
        address = await _filled(console, path)
        for query in ("", *_QUERIES.get(path, ())):
            sent.now = f"GET {path}?{query}"
            status, answer = await console.api(f"{address}?{query.format(offer=offer)}", key=key)
            assert status in {200, 404, 422, 501, 503}, (path, answer)
            answered += [path] * (status == 200)
    assert len(answered) >= 60, answered
    await assert_none_reads_a_table_whole(console, sent, 60)


async def _filled(console: Console, path: str) -> str:
    """The address of something that this history has."""
    found = re.match(r"/v1/(?:ops/)?([a-z-]+)/\{", path)
    if found is None:
        return path
    return re.sub(r"\{\w+\}", str(await console.pool.fetchval(_PARTS[found[1]])), path)


async def test_no_job_reads_a_growing_table_whole(grown):
    console, sent = grown
    stop = asyncio.Event()
    url = console.settings.database_url.get_secret_value()
    worker = Worker(console.deps, console.settings, console.pool, url, stop, Figures(), ("true",))
    for job in PERIODIC_JOBS:
        sent.now = job.name
        with contextlib.suppress(Exception):  # suppliers are not there
            await job.run(worker)
    for module in domain_modules("jobs"):
        for job in getattr(module, "CONTINUOUS_JOBS", ()):
            sent.now = job.name
            before = len(sent)
            task = asyncio.create_task(job.run(worker))
            for _ in range(100):
                await asyncio.sleep(0.05)
                if len(sent) > before + 5:
                    break
            stop.set()
            await asyncio.wait([task], timeout=20)
            stop.clear()
    await assert_none_reads_a_table_whole(console, sent, 40)


@pytest.fixture
async def grown_pool(_grown: tuple[str, Path]) -> AsyncIterator[Pool]:
    """A pool on it."""
    pool = await open_pool(_grown[0])
    yield pool
    await pool.close()


async def test_the_funds_at_a_supplier_that_has_all_attempts_are_read_by_an_index(grown_pool):
    """Planned as PostgreSQL thinks best: where it took many attempts for recent ones, it would read them all."""
    async with grown_pool.acquire() as connection:
        change = connection.transaction()
        await change.start()
        await connection.execute("UPDATE attempts SET supplier = 's2s'")
        await connection.execute("ANALYZE attempts")
        for statement, values in ((fund_rows.OF_SUPPLIERS, [["s2s"]]), (fund_rows.OF_ALL, [])):
            plan = [row[0] for row in await connection.fetch(f"EXPLAIN {statement}", *values)]
            assert not [line for line in plan if "Seq Scan on attempts" in line], "\n".join(plan)
            assert [line for line in plan if "using attempts_ended" in line], "\n".join(plan)
        await change.rollback()


@pytest.mark.parametrize("fast", [False, True], ids=["chosen from the database", "chosen from memory"])
async def test_no_statement_of_an_orders_life_reads_a_growing_table_whole(grown_pool, fast, database_url, tmp_path):
    """Orders, top-ups, cancels and operators' decisions at the sandboxes, planned as if there were many more."""
    with sent_statements() as sent:
        pool = await open_pool(database_url)
        orders = {"fast_admission": fast, "max_open": 200}
        async with open_counter(pool, database_url, tmp_path, orders=orders) as counter:
            sent.now = "an order's life"
            await live(counter)
            await emit_events(pool)
            await asyncio.sleep(0)  # statements are noted by callbacks of the loop
            sent.now = ""
        await pool.close()
    await assert_no_whole_reads(grown_pool, sent, 40)


async def live(counter: Counter) -> None:
    """Everything that can become of orders: delivered at once and later, topped up, cancelled, unknown and decided."""
    deps = counter.deps
    delivered = [await bought(counter, "pikasim", is_first=True)]
    delivered += [await bought(counter, supplier) for supplier in ("beppay", "s2s")]
    for order_id in delivered:
        assert (await counter.followed(order_id)).status == "fulfilled"
    esim = await counter.esim(delivered[0])
    body = TopupForPlan(plan_id=esim.plan_id)
    topped = order_of(await admit_topup(deps, STOREFRONT, "test", esim.id, body, "top"))
    assert (await counter.followed(topped)).status == "fulfilled"
    cancelled = await bought(counter, "pikasim")
    await counter.followed(cancelled)
    assert await request_cancel(deps, STOREFRONT, "test", cancelled) is None
    await process_order(deps, cancelled)
    counter.trigger("beppay", "charge_then_500", calls=1)
    unknown = await bought(counter, "beppay")
    await counter.followed(unknown)
    counter.trigger("s2s", "never_provisioned", calls=1)
    waiting = await bought(counter, "s2s")
    await look_up(deps, waiting, "ana")
    await deps.pool.execute(
        "UPDATE orders SET status = 'needs_review', next_poll_at = NULL WHERE id = $1 AND status = 'pending'", waiting
    )
    await resolve(deps, waiting, "failed", "agreed with the supplier")
    await order_state_rows.claim_due(deps.pool, deps.clock(), LEASE, 10)


async def bought(counter: Counter, supplier: str, *, is_first: bool = False) -> str:
    """An order that was admitted, and processed once."""
    admitted = await counter.admit(await counter.plan(1, supplier))
    order_id = order_of(admitted)
    assert isinstance(admitted, Admitted)
    if is_first:  # later ones may have to look at what came of those before
        assert (admitted.sending is not None) == counter.deps.settings.orders.fast_admission
    if admitted.sending is not None:
        await admitted.sending
    await process_order(counter.deps, order_id)
    return order_id
