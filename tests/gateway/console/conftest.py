"""The console over HTTP on a gateway that sells what the sandboxes sell, and pages of it in Chromium.

``console`` is the running gateway with a person of each role logged in; ``browser`` opens pages for them. The
synced catalogue and some orders of every kind are made once for all tests of a worker, and put back after each.
"""

from __future__ import annotations

import asyncio
import html
import os
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from benchmarks.console_data import Size, accounts, fill
from benchmarks.console_places import is_of_storefront
from gateway.access import user_rows
from gateway.access.key_rows import create_key
from gateway.access.user_rows import Role
from gateway.alerts import order_health
from gateway.api import state
from gateway.app import make_app
from gateway.catalog.publish import publish
from gateway.kit.log import AccessLog
from gateway.kit.pool import Pool, open_pool
from gateway.kit.sealing import Seal
from gateway.kit.settings import Settings, load
from gateway.orders.process import drain
from gateway.runtime import embedded
from gateway.suppliers.deps import Deps
from tests.conftest import TEMPLATE, _run
from tests.gateway.conftest import CHEAP_HASHER
from tests.kit.chromium import chromium
from tests.kit.gateway_server import GatewayServer
from tests.kit.keeper import Keeper
from tests.kit.kept_connections import Shelf
from tests.kit.sandboxed import Town, shop_on, stock_from, town
from tests.kit.secret_keys import SECRET_KEY

SECRET = SECRET_KEY
PASSWORD = "correct-horse-battery"
ROLES: tuple[Role, ...] = ("viewer", "operator", "admin", "storefront")
_STOREFRONT = "SELECT storefront_id FROM orders WHERE mode = $1 ORDER BY created_at DESC LIMIT 1"
_STOCKED = "stocked"
_BUSY = "busy"
_TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
"""
# A database for each test would be thousands of files for PostgreSQL to write out at its end: minutes.
_KEEP = f"""
CREATE SCHEMA kept;
CREATE TABLE kept.counts (name text PRIMARY KEY, rows bigint NOT NULL);
CREATE TABLE kept.last (transaction bigint NOT NULL);
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN {_TABLES} LOOP
        EXECUTE format('CREATE TABLE kept.%1$I AS TABLE public.%1$I', name);
        EXECUTE format('INSERT INTO kept.counts SELECT %1$L, count(*) FROM public.%1$I', name);
    END LOOP;
    INSERT INTO kept.last VALUES (pg_current_xact_id()::text::bigint);
END $$
"""
# Rows that a later transaction wrote are new or changed; where there are none and as many as before, none was deleted.
_PUT_BACK = f"""
DO $$
DECLARE
    name text;
    touched boolean;
    written text;
BEGIN
    SET LOCAL session_replication_role = replica;
    SET LOCAL synchronous_commit = off;
    FOR name IN {_TABLES} LOOP
        EXECUTE format('SELECT count(*) <> (SELECT rows FROM kept.counts WHERE name = %1$L)
                        OR coalesce(bool_or(xmin::text::bigint > (SELECT transaction FROM kept.last)), false)
                        FROM public.%1$I', name) INTO touched;
        IF touched THEN
            SELECT string_agg(quote_ident(attname), ', ') INTO written FROM pg_attribute
                WHERE attrelid = format('public.%I', name)::regclass AND attnum > 0 AND NOT attisdropped
                AND attgenerated = '';
            EXECUTE format('DELETE FROM public.%I', name);
            EXECUTE format('INSERT INTO public.%1$I (%2$s) OVERRIDING SYSTEM VALUE SELECT %2$s FROM kept.%1$I', name,
                           written);
        END IF;
    END LOOP;
    UPDATE kept.last SET transaction = pg_current_xact_id()::text::bigint;
END $$
"""
_TOKEN = re.compile(r'name="csrf" value="([^"]+)"')


@dataclass
class Answer:
    """What came back: the text is the whole body."""

    status: int
    headers: Any
    text: str
    url: str

    @property
    def location(self) -> str:
        return self.headers.get("Location", "")

    @property
    def words(self) -> str:
        """What a reader sees: without markup, on one line."""
        bare = re.sub(r"<(script|style|title|head)\b.*?</\1>", " ", self.text, flags=re.DOTALL)
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", bare)).split())


@dataclass
class Person:
    """Somebody at the console, by HTTP and without scripts: follows redirections, keeps cookies, sends forms whole."""

    http: aiohttp.ClientSession
    url: str
    name: str
    _token: str = ""

    async def get(self, path: str, *, follow: bool = True, **more: Any) -> Answer:
        async with self.http.get(self.url + path, allow_redirects=follow, **more) as answer:
            return await self._seen(answer)

    async def post(
        self, path: str, data: dict[str, Any] | None = None, *, follow: bool = True, token: bool = True, **more: Any
    ) -> Answer:
        """Send a form as a page of ours would: with the session's token, from our own origin."""
        if token and not self._token:
            await self.get("/console/password")
        values = {**({"csrf": self._token} if token else {}), **(data or {})}
        headers = {"Origin": self.url, **more.pop("headers", {})}
        async with self.http.post(
            self.url + path, data=values, headers=headers, allow_redirects=follow, **more
        ) as answer:
            return await self._seen(answer)

    async def _seen(self, answer: aiohttp.ClientResponse) -> Answer:
        text = await answer.text()
        if (found := _TOKEN.search(text)) is not None:
            self._token = html.unescape(found[1])
        return Answer(answer.status, answer.headers, text, answer.url.path_qs)


@dataclass
class Console:
    """A running gateway, its people, and what stands behind it."""

    url: str
    pool: Pool
    settings: Settings
    deps: Deps
    town: Town
    lines: list[bytes]
    flush: Callable[[], None]
    routes: frozenset[tuple[str, str]]
    viewer: Person
    operator: Person
    admin: Person
    storefront: Person
    nobody: Person
    _sessions: list[aiohttp.ClientSession] = field(default_factory=list)

    def reader_of(self, address: str) -> Person:
        """Who sees a page with all that can be done on it: an admin, and of a storefront's own pages its user."""
        return self.storefront if is_of_storefront(address) else self.admin

    async def api_key(self, *scopes: str, mode: Any = "test", storefront: str = "shop") -> str:
        made = await create_key(self.pool, storefront=storefront, mode=mode, scopes=scopes or ("storefront", "ops"))
        return made.key

    async def api(self, path: str, *, key: str, method: str = "GET", **more: Any) -> tuple[int, Any]:
        """An answer of the API: its status and JSON."""
        async with self.nobody.http.request(
            method, self.url + path, headers={"Authorization": f"Bearer {key}"}, **more
        ) as answer:
            return answer.status, await answer.json(content_type=None)

    async def log_in(self, name: str, password: str = PASSWORD) -> Person:
        """A further session of somebody, made through the form."""
        person = await self.stranger(name)
        answer = await person.post("/console/login", {"name": name, "password": password}, token=False, follow=False)
        assert answer.status == 303, answer.words
        return person

    async def stranger(self, name: str = "") -> Person:
        """Somebody with a browser of their own, not logged in."""
        http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        self._sessions.append(http)
        return Person(http, self.url, name)


@pytest.fixture(scope="session")
def _hash() -> str:
    return CHEAP_HASHER.hash(PASSWORD)


@pytest.fixture(scope="session")
def _stocked(servers: embedded.Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A database with a synced catalogue, storefronts and some orders; the folder with its snapshot."""
    folder = tmp_path_factory.mktemp("stocked")
    _run(servers.postgres.url("postgres"), f"CREATE DATABASE {_STOCKED} TEMPLATE {TEMPLATE}")
    url = servers.postgres.url(_STOCKED)
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(_fill(url, str(folder)))
    finally:
        loop.close()
    _run(url, _KEEP)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


async def _fill(url: str, folder: str) -> None:
    async with town() as suppliers:
        settings = _settings(url, "", folder, suppliers.accounts())
        pool = await open_pool(url)
        try:
            await stock_from(pool, settings)
            made = await create_key(pool, storefront="shop", mode="test", scopes=("storefront",))
            storefront = await pool.fetchval("SELECT storefront_id FROM api_keys WHERE id = $1", made.id)
            await create_key(pool, storefront="other shop", mode="test", scopes=("storefront",))
        finally:
            await pool.close()
        async with shop_on(url, suppliers, settings, storefront) as shop:
            await _buy(shop, suppliers)
            await drain(shop.deps, 10)


async def _buy(shop: Any, suppliers: Town) -> None:
    """Some that were delivered, and one that needs a person: paid for at the supplier, never found again."""
    plans = await shop.deps.pool.fetch(
        """SELECT DISTINCT ON (supplier) supplier, plan_id FROM offers
           WHERE cost IS NOT NULL AND visible AND coalesce(stock, 1) > 0 AND suspect IS NULL
           ORDER BY supplier, cost, plan_id"""
    )
    bought = [await shop.buy(row["plan_id"]) for row in plans]
    statuses = [await shop.status(order) for order in bought]
    assert "fulfilled" in statuses, statuses
    waiting = await shop.buy(plans[0]["plan_id"])
    await shop.deps.pool.execute(
        "UPDATE orders SET status = 'needs_review', next_poll_at = NULL, updated_at = now() WHERE id = $1", waiting
    )
    await shop.deps.pool.execute(
        "UPDATE attempts SET state = 'unknown', ended_at = NULL WHERE order_id = $1 AND kind = 'purchase'", waiting
    )
    await shop.deps.pool.execute("DELETE FROM esims WHERE order_id = $1", waiting)


def _settings(url: str, redis: str, folder: str, suppliers: dict[str, Any], **more: Any) -> Settings:
    given: dict[str, Any] = {
        "database_url": url,
        "redis_url": redis or None,
        "state_dir": folder,
        "secret_key": [SECRET],
        "suppliers": suppliers,
    }
    return load(**(given | more))


@pytest.fixture(scope="session")
def _stocked_database(servers: embedded.Servers, kept_connections: Shelf, _stocked: Path) -> Iterator[Keeper]:
    with Keeper(servers.postgres.url(_STOCKED), kept_connections) as keeper:
        yield keeper


@pytest.fixture
def nothing_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process judges its health every few seconds and writes then: for tests of what a request writes."""
    monkeypatch.setattr(order_health, "JUDGE_SECONDS", 3600.0)


@pytest.fixture
def stocked_url(_stocked_database: Keeper) -> Iterator[str]:
    """The stocked database, put back after the test into what it was."""
    yield _stocked_database.url
    _stocked_database.put_back(_PUT_BACK)


@pytest.fixture
def stocked_folder(_stocked: Path, tmp_path: Path) -> Path:
    """A state folder that has the catalogue's snapshot, so that nothing has to be built anew."""
    return Path(shutil.copytree(_stocked, tmp_path / "state", copy_function=os.link))


@pytest.fixture(scope="session")
def _busy(servers: embedded.Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A database that looks like a gateway's after a while, with something on every page; and its snapshot."""
    folder = tmp_path_factory.mktemp("busy")
    _run(servers.postgres.url("postgres"), f"CREATE DATABASE {_BUSY} TEMPLATE {TEMPLATE}")
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(_work(servers.postgres.url(_BUSY), str(folder)))
    finally:
        loop.close()
    _run(servers.postgres.url(_BUSY), _KEEP)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


async def _work(url: str, folder: str) -> None:
    settings = _settings(url, "", folder, accounts())
    pool = await open_pool(url)
    try:
        await fill(pool, Seal.from_settings(settings), Size(2_000, 5_000, 600))
        await publish(pool, None, settings)
    finally:
        await pool.close()


@pytest.fixture
def busy_url(servers: embedded.Servers, kept_connections: Shelf, _busy: Path) -> Iterator[str]:
    """The busy database, put back after the test into what it was."""
    with Keeper(servers.postgres.url(_BUSY), kept_connections) as keeper:
        yield keeper.url
        keeper.put_back(_PUT_BACK)


@pytest.fixture
async def busy_console(
    busy_url: str, redis_url: str, _busy: Path, tmp_path: Path, _hash: str
) -> AsyncIterator[Console]:
    """The console of a gateway that has been at work, looking at live. Its suppliers are not there."""
    folder = shutil.copytree(_busy, tmp_path / "state", copy_function=os.link)
    async with _consoles(busy_url, redis_url, str(folder), _hash, busy=True) as make:
        yield await make()


MakeConsole = Callable[..., Awaitable[Console]]


@pytest.fixture
async def make_console(
    stocked_url: str, redis_url: str, stocked_folder: Path, _hash: str
) -> AsyncIterator[MakeConsole]:
    """Start the console, with settings of its own."""
    async with _consoles(stocked_url, redis_url, str(stocked_folder), _hash) as make:
        yield make


@asynccontextmanager
async def _consoles(
    url: str, redis: str, folder: str, hashed: str, *, busy: bool = False
) -> AsyncIterator[MakeConsole]:
    servers: list[GatewayServer] = []
    made: list[Console] = []
    async with town() as suppliers:
        pool = await open_pool(url)
        sold_by, mode = (accounts(), "live") if busy else (suppliers.accounts(), "test")

        async def make(**settings: Any) -> Console:
            given = _settings(url, redis, folder, sold_by, **settings)
            lines: list[bytes] = []
            log = AccessLog(lines.append)
            app = make_app(given, access_log=log)
            server = GatewayServer(app)
            await server.start_server()
            servers.append(server)
            address = str(server.make_url("/")).rstrip("/")
            people_here = await _people(pool, address, hashed, mode)
            routes = frozenset((route.method, route.resource.canonical) for route in app.router.routes())
            console = Console(address, pool, given, app[state.DEPS], suppliers, lines, log.flush, routes, **people_here)
            console._sessions.extend(person.http for person in people_here.values())
            made.append(console)
            return console

        try:
            yield make
        finally:
            for console in made:
                for session in console._sessions:
                    await session.close()
            for server in servers:
                await server.close()
            await pool.close()


async def _people(pool: Pool, address: str, hashed: str, mode: Any) -> dict[str, Person]:
    """One of each role, logged in, and nobody. Who is of a storefront is of one with orders; nobody where none is."""
    jar = aiohttp.CookieJar(unsafe=True)
    made = {"nobody": Person(aiohttp.ClientSession(cookie_jar=jar), address, "")}
    storefront_id = await pool.fetchval(_STOREFRONT, mode)
    for role in ROLES:
        if role == "storefront" and storefront_id is None:
            made[role] = made["nobody"]
            continue
        name = f"{role}@example.com" if role == "operator" else role
        async with pool.acquire() as connection:
            user = await user_rows.add(
                connection, name, role, hashed, storefront_id=storefront_id if role == "storefront" else None
            )
            if user is None:
                user = await user_rows.by_name(connection, name)
            assert user is not None
            token = user_rows.new_token()
            await user_rows.begin_session(connection, user.id, token, mode, "127.0.0.1")
        jar = aiohttp.CookieJar(unsafe=True)
        jar.update_cookies({"gw_session": token}, URL(address))
        made[role] = Person(aiohttp.ClientSession(cookie_jar=jar), address, name)
    return made


@pytest.fixture
async def console(make_console: MakeConsole) -> Console:
    """The console of a gateway with a synced catalogue and some orders; somebody of each role is logged in."""
    return await make_console()


# -- in Chromium -----------------------------------------------------------------------------------------------------

OpenPage = Callable[..., Awaitable[Any]]


@pytest.fixture
async def open_page(console: Console) -> AsyncIterator[OpenPage]:
    """Pages of Chromium, each in a context of its own: ``await open_page(console.operator, "/console")``.

    ``scripts=False`` switches JavaScript off, ``scheme`` is light or dark, ``phone`` a small screen. What a page
    asks for that is not of this gateway fails the test, and so does an error in its scripts.
    """
    async with _chromium(console) as open_:
        yield open_


@pytest.fixture
async def open_busy_page(busy_console: Console) -> AsyncIterator[OpenPage]:
    """The same, of the gateway that has been at work."""
    async with _chromium(busy_console) as open_:
        yield open_


@asynccontextmanager
async def _chromium(console: Console) -> AsyncIterator[OpenPage]:
    async with chromium() as new_page:

        async def open_(person: Person | None = None, path: str = "/console", **look: Any) -> Any:
            jar = {} if person is None else person.http.cookie_jar.filter_cookies(URL(console.url))
            page = await new_page(console.url, [(name, morsel.value) for name, morsel in jar.items()], **look)
            await page.goto(path)
            return page

        yield open_
