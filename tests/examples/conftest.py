"""The example storefront in front of a running gateway: its API, its worker and the suppliers' sandboxes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from examples.storefront.app import Settings, make_app
from examples.storefront.book import Book
from gateway.access.key_rows import create_key
from gateway.app import make_app as make_gateway
from gateway.kit.log import AccessLog
from gateway.kit.pool import Pool
from gateway.kit.settings import load
from gateway.worker import jobs
from providers.loader import load_manifests
from tests.kit.chromium import chromium
from tests.kit.rescheduled import EVERY_SECOND, reschedule
from tests.kit.sandboxed import Town, stock_from, town
from tests.kit.secret_keys import SECRET_KEY
from tests.kit.waiting import until

LOOPBACK = {"allow_private": ["127.0.0.0/8"]}


def free_socket() -> socket.socket:
    """A listening socket at a port that the kernel chose, so that the address is known before anything answers."""
    made = socket.create_server(("127.0.0.1", 0))
    made.setblocking(False)
    return made


@asynccontextmanager
async def serving(app: web.Application, at: socket.socket) -> AsyncIterator[str]:
    """``app`` at that socket; its address."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.SockSite(runner, at).start()
    try:
        yield f"http://127.0.0.1:{at.getsockname()[1]}"
    finally:
        await runner.cleanup()


def desk(suppliers: Town) -> dict[str, Any]:
    """Settings of the account at the payment supplier."""
    manifest = load_manifests()["bepaid"]
    own = {"provider": "bepaid", "mode": "test", "base_url": suppliers.served.urls["bepaid"], "timeout_seconds": 20}
    return {**manifest.sandbox_settings, **own}


@dataclass
class Gateway:
    """The running gateway, and what stands behind it."""

    url: str
    pool: Pool
    town: Town
    key: str


@dataclass
class Street:
    """A gateway and the shop in front of it, which can be closed and opened again."""

    gateway: Gateway
    settings: Settings
    http: aiohttp.ClientSession
    _open: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def url(self) -> str:
        return self.settings.url

    async def open(self) -> None:
        """Open the shop, at the same address each time."""
        at = socket.create_server(("127.0.0.1", int(self.url.rsplit(":", 1)[1])))
        at.setblocking(False)
        await self._open.enter_async_context(serving(make_app(self.settings), at))

    async def close(self) -> None:
        await self._open.aclose()

    def book(self) -> Book:
        """Its book, read from beside it."""
        return Book(self.settings.book)

    async def get(self, path: str) -> tuple[int, str]:
        async with self.http.get(self.url + path) as answer:
            return answer.status, await answer.text()

    async def post(self, path: str, form: dict[str, str], **more: Any) -> tuple[int, str]:
        """Send a form; the status, and where it leads to or what it says."""
        async with self.http.post(self.url + path, data=form, allow_redirects=False, **more) as answer:
            return answer.status, answer.headers.get("Location", "") or await answer.text()

    async def state(self, sale_id: str, *wanted: str) -> str:
        """What has become of a sale, when it is one of the states that are waited for."""

        def look() -> str | None:
            book = self.book()
            try:
                sale = book.sale(sale_id)
            finally:
                book.close()
            return sale.state if sale is not None and (sale.state in wanted or not wanted) else None

        return await until(look)


@pytest.fixture
async def gateway(
    database_url: str, redis_url: str, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Gateway]:
    """A gateway at work: API and worker, selling what the sandboxes sell."""
    # Nobody waits five seconds for a run.
    reschedule(monkeypatch, sync_if_due=EVERY_SECOND, payment_links_due=EVERY_SECOND)
    monkeypatch.setenv("GATEWAY_METRICS__WORKER_PORT", "0")
    async with town() as suppliers:
        accounts = suppliers.accounts() | {"bepaid": desk(suppliers)}
        settings = load(
            database_url=database_url,
            redis_url=redis_url,
            state_dir=str(tmp_path),
            secret_key=[SECRET_KEY],
            suppliers=accounts,
            webhooks=LOOPBACK,
        )
        await stock_from(pool, settings)
        made = await create_key(pool, storefront="shop", mode="test", scopes=("storefront",))
        stop = asyncio.Event()
        async with serving(make_gateway(settings, access_log=AccessLog(lambda _line: None)), free_socket()) as url:
            for name in accounts:
                await suppliers.tell(name, "webhook", {"url": f"{url}/webhooks/{name}"})
            worker = asyncio.create_task(jobs.work(settings, database_url, stop, ("true",)))
            try:
                yield Gateway(url, pool, suppliers, made.key)
            finally:
                stop.set()
                await worker


MakeStreet = Callable[..., Awaitable[Street]]


@pytest.fixture
async def make_street(gateway: Gateway, tmp_path: Path) -> AsyncIterator[MakeStreet]:
    """Open a shop in front of the gateway, with settings of its own."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())

        async def make(**settings: Any) -> Street:
            with free_socket() as at:
                url = f"http://127.0.0.1:{at.getsockname()[1]}"
            given = {"gateway_url": gateway.url, "gateway_key": gateway.key, "url": url, "book": tmp_path / "book"}
            street = Street(gateway, Settings(**(given | settings)), http)
            await street.open()
            stack.push_async_callback(street.close)
            return street

        yield make


@pytest.fixture
async def street(make_street: MakeStreet) -> Street:
    """A shop that is paid by the gateway's payment links."""
    return await make_street()


@pytest.fixture
async def unpaid(make_street: MakeStreet) -> Street:
    """A shop that is paid another way: it orders at once."""
    return await make_street(payment="none")


OpenPage = Callable[..., Awaitable[Any]]


@pytest.fixture
async def open_page() -> AsyncIterator[OpenPage]:
    """Pages of Chromium, each in a context of its own. An error in one fails the test."""
    async with chromium() as new_page:

        async def open_(url: str, **look: Any) -> Any:
            page = await new_page(**look)
            await page.goto(url)
            return page

        yield open_
