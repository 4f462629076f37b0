"""The composition root of a serving process: every part is made here, opened in order and closed in reverse."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import cache
from typing import Any

from aiohttp import web
from prometheus_client import CollectorRegistry

from gateway import console
from gateway.alerts.order_health import HealthMonitor, judge_health
from gateway.api import asyncapi, openapi, state, traveller_page
from gateway.api.answers import Heads, Memories, PreparedDocument
from gateway.api.docs.serving import ServedSite
from gateway.api.docs.site import Site
from gateway.api.forwarded import client_address, origin
from gateway.api.gate import GATE, Gate
from gateway.api.keyring import Keyring
from gateway.api.metrics import Metrics
from gateway.api.ratelimit import Limiter
from gateway.api.spec import Route, Table
from gateway.catalog.browse import Catalog
from gateway.features import face_modules
from gateway.kit import tracing
from gateway.kit.durability import require_durable
from gateway.kit.listening import listen
from gateway.kit.log import AccessLog
from gateway.kit.pool import DATABASE_DOWN, Pool, open_pool
from gateway.kit.sealing import Seal
from gateway.kit.settings import Settings
from gateway.kit.tasks import end
from gateway.kit.watchdog import DatabaseWatchdog
from gateway.orders.process import drain
from gateway.orders.waker import ANSWERED, CATALOG
from gateway.suppliers.accounts import check_accounts, close_accounts, connect_accounts, follow_keys, keep_following
from gateway.suppliers.deps import Deps
from gateway.suppliers.payment_accounts import check_payment_accounts, close_payment_accounts, connect_payment_accounts

MAX_BODY_BYTES = 64 * 1024
HOUSEKEEPING_SECONDS = 1.0
REDIS_SECONDS = 1.0
HEALTH_DRAIN_SECONDS = 5.0
DRAIN_SECONDS = 35.0  # longer than a supplier may take to answer a purchase
TABLES: tuple[Table, ...] = tuple(module.routes for module in face_modules("api"))

OpenCatalog = Callable[[Settings, Pool | None, Any], Awaitable[Catalog]]
_OPEN_CATALOG: web.AppKey[OpenCatalog] = web.AppKey("open_catalog")


def make_app(
    settings: Settings,
    *,
    access_log: AccessLog | None = None,
    registry: CollectorRegistry | None = None,
    open_catalog: OpenCatalog = Catalog.open,
) -> web.Application:
    """The API as an application; nothing is opened before it starts.

    ``open_catalog`` is where the catalogue comes from (a benchmark has one that stands still). It starts
    without Redis, and without PostgreSQL too. Raises ``ConfigurationError`` for suppliers that are
    configured wrongly and for a plugin that cannot be loaded.
    """
    routes = {(route.method, route.path): route for route in all_routes()}
    gate = Gate(settings, routes, {page.path for page in console.all_pages()})
    traced = [] if tracing.active is None else [tracing.active.middleware]
    app = web.Application(middlewares=[*traced, web.middleware(gate)], client_max_size=MAX_BODY_BYTES)
    app[state.SETTINGS] = settings
    app[state.ACCESS_LOG] = access_log if access_log is not None else AccessLog()
    app[state.METRICS] = Metrics(registry)
    app[state.MEMORIES] = Memories()
    app[GATE] = gate
    app[state.HEADS] = Heads(gate.fixed)
    app[_OPEN_CATALOG] = open_catalog
    _describe(app, settings)
    traveller_page.install(app)
    console.install(
        app,
        console.ConsoleContext(
            deps=lambda: app.get(state.DEPS),
            address=lambda request: client_address(request, settings.trusted_proxies),
            origin=lambda request: origin(request, settings.trusted_proxies),
            request_id=lambda request: request.get(state.REQUEST_ID, ""),
        ),
    )
    for table in TABLES:
        table.add_to(app.router, gate.expect)
    app[state.DOCS].add_to(app.router)
    app.cleanup_ctx.extend((_database, _redis, _catalog, _orders, _health, _limiter, _keyring, _housekeeping))
    app.on_startup.append(gate.open)
    return app


def all_routes() -> list[Route]:
    """Every operation of the API, in the order of its description."""
    return [route for table in TABLES for route, _ in table.routes]


def _describe(app: web.Application, settings: Settings) -> None:
    state.describe_accounts(app, settings)
    app[state.DOCUMENTS] = documents()
    app[state.DOCS] = _documentation()


@cache
def documents() -> Mapping[str, PreparedDocument]:
    """The descriptions of the API, by path: the same for every application of a process, made when first asked for."""
    routes = all_routes()
    return {
        "/openapi.json": PreparedDocument(lambda: openapi.document(routes, openapi.STOREFRONTS)),
        "/openapi-ops.json": PreparedDocument(lambda: openapi.document(routes, openapi.OPERATORS)),
        "/asyncapi.json": PreparedDocument(asyncapi.document),
    }


@cache
def _documentation() -> ServedSite:
    """The pages of the documentation, as the documents the same for every application of a process."""
    return ServedSite(Site({path: made.body for path, made in documents().items()}))


async def _database(app: web.Application) -> AsyncIterator[None]:
    settings = app[state.SETTINGS]
    if settings.database_url is None:
        yield
        return
    url, through_pooler = settings.database_url.get_secret_value(), settings.has_pooler
    watchdog = DatabaseWatchdog(url, through_pooler=through_pooler)
    watchdog.start()
    pool = await open_pool(
        url, name="esim-gateway serve", make_connection=watchdog.connect, through_pooler=through_pooler
    )
    app[state.POOL] = pool
    yield
    try:
        async with asyncio.timeout(5):
            await pool.close()
    except TimeoutError:
        pool.terminate()
    await watchdog.close()


async def _redis(app: web.Application) -> AsyncIterator[None]:
    url = app[state.SETTINGS].redis_url
    if url is None:
        yield
        return
    from redis.asyncio import Redis  # noqa: PLC0415 - half a second that a gateway without Redis does not spend

    client = Redis.from_url(url.get_secret_value(), socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS)
    app[state.REDIS] = client
    yield
    with contextlib.suppress(Exception):
        await client.aclose()


async def _catalog(app: web.Application) -> AsyncIterator[None]:
    opened = await app[_OPEN_CATALOG](app[state.SETTINGS], app.get(state.POOL), app.get(state.REDIS))
    app[state.CATALOG] = opened
    yield
    await opened.close()


async def _orders(app: web.Application) -> AsyncIterator[None]:
    """The way to the suppliers. What is in flight when the process ends is waited for: a send is never cut off."""
    pool, settings = app.get(state.POOL), app[state.SETTINGS]
    if pool is None:
        yield
        return
    # The catalogue has asked the database already: one that did not answer is not waited for again and again.
    is_away = any(word.startswith("postgresql") for word in app[state.CATALOG].degraded)
    if not is_away:
        with contextlib.suppress(*DATABASE_DOWN):  # it may start without; each send asks again
            await require_durable(pool)
    accounts = await connect_accounts(check_accounts(settings), pool)
    payments = await connect_payment_accounts(check_payment_accounts(settings), pool)
    deps = Deps(pool, accounts, settings, Seal.from_settings(settings), app[state.CATALOG].index, payments=payments)
    app[state.DEPS] = deps
    if not is_away:
        with contextlib.suppress(*DATABASE_DOWN):  # as above; it is asked again at once
            await follow_keys(accounts, pool, deps.seal)
    following = asyncio.create_task(keep_following(accounts, pool, deps.seal), name="follow keys")
    listening = asyncio.create_task(_listen(deps, settings), name="listen for orders")
    yield
    await end(following, listening)
    if deps.running:
        await drain(deps, DRAIN_SECONDS)
    await close_accounts(accounts.values())
    await close_payment_accounts(payments.values())


async def _listen(deps: Deps, settings: Settings) -> None:
    """Hear of orders that other processes brought to their end, and of changes of what is sold."""
    url = settings.direct_url
    if url is None:
        return

    def heard(listening: bool) -> None:
        deps.watch.listening = listening
        deps.watch.wake_all()
        deps.memory.forget()

    channels = {ANSWERED: deps.watch.wake, CATALOG: lambda _: deps.memory.forget()}
    await listen(url.get_secret_value(), channels, heard, "esim-gateway listen")


async def _health(app: web.Application) -> AsyncIterator[None]:
    """Whether orders are processed: read for ``/readyz`` and the metrics, and told as alerts by one process."""
    deps = app.get(state.DEPS)
    if deps is None:
        yield
        return
    monitor = HealthMonitor(deps.pool, deps.settings)
    app[state.HEALTH] = monitor
    stop = asyncio.Event()
    refreshing = asyncio.create_task(monitor.keep_refreshing(), name="refresh health")
    judging = asyncio.create_task(judge_health(deps, monitor, stop), name="judge health")
    yield
    stop.set()
    await asyncio.wait([judging], timeout=HEALTH_DRAIN_SECONDS)
    await end(refreshing, judging)


async def _limiter(app: web.Application) -> AsyncIterator[None]:
    limiter = Limiter(app.get(state.REDIS))
    app[state.LIMITER] = limiter
    limiter.start()
    yield
    await limiter.close()


async def _keyring(app: web.Application) -> AsyncIterator[None]:
    keyring = Keyring(app.get(state.POOL), app[state.LIMITER], app[state.SETTINGS].rate_limit.per_minute)
    app[state.KEYRING] = keyring
    keyring.start()
    yield
    await keyring.close()


async def _housekeeping(app: web.Application) -> AsyncIterator[None]:
    """Once a second: request lines written out, figures of the catalogue taken."""

    async def keep() -> None:
        while True:
            await asyncio.sleep(HOUSEKEEPING_SECONDS)
            app[state.ACCESS_LOG].flush()
            _take_figures(app)

    task = asyncio.create_task(keep(), name="housekeeping")
    yield
    await end(task)
    app[state.ACCESS_LOG].flush()


def _take_figures(app: web.Application) -> None:
    metrics, opened = app[state.METRICS], app[state.CATALOG]
    monitor = app.get(state.HEALTH)
    unwell = 0 if monitor is None else len(monitor.degradations)
    metrics.degraded.set(len(opened.degraded) + app[state.LIMITER].failing + unwell)
    if monitor is not None and monitor.orders_overdue is not None and monitor.worker_last_seen_seconds is not None:
        for mode, count in monitor.orders_overdue.items():
            metrics.orders_overdue.labels(mode=mode).set(count)
        metrics.worker_last_seen.set(monitor.worker_last_seen_seconds)
    if opened.loaded:
        for mode in ("live", "test"):
            index = opened.index(mode)
            metrics.offers.labels(mode=mode).set(index.offer_count)
            if index.synced_at is not None:
                metrics.synced_at.labels(mode=mode).set(index.synced_at.timestamp())
