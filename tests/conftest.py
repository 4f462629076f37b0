"""Real servers for the tests, a database for each test that asks, and no network but loopback.

Each xdist worker starts its own PostgreSQL and Valkey when its first test asks for one, and they end
with it. Their data, with a migrated template in it, is made once for all workers of a run. A test's database is
copied from that template, and emptied for the next test when it is done with: copying and dropping one for every
test costs more than most tests do.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import ipaddress
import logging
import os
import pkgutil
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import structlog
from coverage import Coverage

from benchmarks.processes import free_port
from gateway.kit.pool import Pool, open_pool
from gateway.migrations import upgrade
from gateway.runtime import embedded
from gateway.runtime.embedded_servers import Postgres
from gateway.suppliers import call_log
from providers.kit.atlas import atlas
from providers.loader import load_manifests
from providers.simulator import ServedSandboxes, serve, world_for
from tests.kit import remembered
from tests.kit.keeper import Keeper
from tests.kit.kept_connections import Shelf, keeping_connections
from tests.kit.made_once import made_once
from tests.patient_loop import LastingLoop

TEMPLATE = "migrated"  # the database in every worker's PostgreSQL from which others are copied
_TESTS = "tests"
_HERE = Path(__file__).parent
_NO_DOMAINS = {"api", "cli", "console", "kit", "migrations", "runtime", "worker"}
_SERVERS = {"servers", "own_servers"}
_ROOM = 4 * 2**30  # bytes that must be free in memory
# Without triggers and foreign keys, so that the order of the tables does not matter.
_EMPTY = """
DO $$
DECLARE
    name text;
BEGIN
    SET LOCAL session_replication_role = replica;
    SET LOCAL synchronous_commit = off;
    FOR name IN SELECT oid::regclass FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
        AND pg_relation_size(oid) > 0
    LOOP
        EXECUTE 'DELETE FROM ' || name;
    END LOOP;
    INSERT INTO catalog_state DEFAULT VALUES;
END $$
"""
# As without configuration, but for tracebacks: with every variable in a frame, each takes a second to draw.
_LOG = [
    *structlog.get_config()["processors"][:-1],
    structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
]


class OutsideConnectionError(RuntimeError):
    """A test reached for something that is not this machine. No OSError: code under test must not swallow it."""


def _guard(event: str, args: tuple[Any, ...]) -> None:
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        address = args[1]
        if isinstance(address, tuple) and not _here(address[0]):
            raise OutsideConnectionError(f"a test tried to connect to {address!r}")
    elif event == "socket.getaddrinfo" and args[0] is not None and not _name_here(args[0]):
        raise OutsideConnectionError(f"a test tried to resolve {args[0]!r}")


def _here(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host.split("%", maxsplit=1)[0])
    except ValueError:
        return _name_here(host)
    return address.is_loopback or address.is_unspecified


def _name_here(host: str | bytes) -> bool:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if name in {"", "localhost"}:
        return True
    try:
        ipaddress.ip_address(name.split("%")[0])
    except ValueError:
        return False
    return True  # a literal resolves without asking anyone


sys.addaudithook(_guard)


@contextmanager
def _folder() -> Iterator[Path]:
    """Where servers keep their data: in memory where there is room, so that thousands of commits wait for no disk."""
    memory = Path("/dev/shm")
    roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _ROOM
    with tempfile.TemporaryDirectory(prefix="gateway-tests-", dir=memory if roomy else None) as name:
        yield Path(name)


@contextmanager
def _unmeasured() -> Iterator[None]:
    """All Python runs two to three times slower while coverage is measured, what is not of interest too."""
    measured = Coverage.current()
    if measured is None:
        yield
        return
    measured.stop()
    try:
        yield
    finally:
        measured.start()


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """A worker collects without coverage, once what is measured is imported.

    Of a whole run, each worker imports the test modules from another one on, because compiling them takes longer than
    anything else here: what one has compiled, the others find compiled.
    """
    worker = getattr(session.config, "workerinput", None)
    if worker is None:
        return (yield)
    _end_second_coverage()
    _import_measured()
    with _unmeasured():
        if session.config.args_source is pytest.Config.ArgsSource.TESTPATHS:
            _import_tests(int(worker["workerid"].removeprefix("gw")), worker["workercount"])
        collected = yield
    # What has come until now stays: garbage is not looked for in it again and again, and in what comes less often.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    return collected


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long: at the end, the other workers would wait for it."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def _end_second_coverage() -> None:
    """pytest-cov measures a worker twice, as the master too. That would go on while its own measuring pauses."""
    own = Coverage.current()
    if own is None:
        return
    own.stop()
    while (second := Coverage.current()) is not None:
        second.stop()
    own.start()


def _import_measured() -> None:
    for part in ("schemas", "providers", "gateway"):
        for module in pkgutil.walk_packages(import_module(part).__path__, f"{part}."):
            name = module.name
            if part != "gateway" or name.endswith("_rules") or ".rules" in name or ".catalog.index" in name:
                import_module(name)
    atlas()  # is read once in a process, and by test modules first


def _import_tests(number: int, count: int) -> None:
    for file in sorted(_HERE.rglob("conftest.py")):  # they say which other modules have assertions to be shown
        import_module(_module_name(file))
    files = sorted(_HERE.rglob("test_*.py"))
    first = len(files) * number // count
    for file in (*files[first:], *files[:first]):
        with suppress(Exception, pytest.skip.Exception):  # is shown when it is collected
            import_module(_module_name(file))


def _module_name(file: Path) -> str:
    return ".".join(file.relative_to(_HERE.parent).with_suffix("").parts)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    if _is_measured(item):
        return (yield)
    with _unmeasured():
        return (yield)


def _is_measured(item: pytest.Item) -> bool:
    """Coverage is of what decides with plain values: tests of the domains and below them test it, without servers."""
    match item.path.relative_to(_HERE).parts:
        case ("schemas" | "providers", *_):
            of_domains = True
        case ("gateway", part, _, *_):
            of_domains = part not in _NO_DOMAINS
        case _:
            of_domains = False
    return of_domains and _SERVERS.isdisjoint(item.fixturenames)


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop of every asynchronous test."""
    return {"lasting": _workers_loop}


@functools.cache
def _workers_loop() -> LastingLoop:
    return LastingLoop()


@pytest.fixture(autouse=True)
def _logs_as_ever() -> Iterator[None]:
    """A command that a test runs in its own process sets up the log; the next test finds it as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    structlog.reset_defaults()
    structlog.configure(processors=_LOG)
    yield
    if structlog.get_config()["processors"] is not _LOG:
        root.handlers[:] = handlers
        root.setLevel(level)


@pytest.fixture(scope="session", autouse=True)
def _exchanges_at_once() -> Iterator[None]:
    """What is gathered for a while before it is written would be waited for at the end of each test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(call_log, "GATHER_SECONDS", 0.0)
        yield


@pytest.fixture(scope="session")
def run_folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of a run share, for ``made_once``."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if hasattr(request.config, "workerinput") else own


@pytest.fixture(scope="session", autouse=True)
def _catalogues_of_the_run(run_folder: Path) -> None:
    remembered.shared_folder = run_folder


@pytest.fixture(scope="session", autouse=True)
def _little_wal() -> Iterator[None]:
    """Data lies in memory, a part of it for each worker: there the log that is written ahead is what takes most."""
    with pytest.MonkeyPatch.context() as patch:
        settings = {**Postgres.settings, "max_wal_size": "96MB", "min_wal_size": "32MB"}
        patch.setattr(Postgres, "settings", settings)
        yield


@pytest.fixture(scope="session")
def servers(_migrated_data: Path) -> Iterator[embedded.Servers]:
    """PostgreSQL and Valkey of this worker. A test that stops one takes ``own_servers``."""
    with _folder() as folder:
        _copy_data(_migrated_data, folder / "servers")
        with embedded.start(folder / "servers") as started:
            yield started


def _copy_data(state: Path, to: Path) -> None:
    shutil.copytree(state, to, ignore=shutil.ignore_patterns("sockets", "lock"))


@pytest.fixture(scope="session")
def _made_data(run_folder: Path) -> Path:
    """The state folder of a PostgreSQL that has run once: to copy its data is quicker than to make it."""

    def make(to: Path) -> None:
        with _folder() as folder:
            embedded.start(folder / "state", valkey=False).close()
            _copy_data(folder / "state", to / "state")

    return made_once(run_folder / "made", make) / "state"


@pytest.fixture(scope="session")
def _migrated_data(run_folder: Path, _made_data: Path) -> Path:
    """The same with a migrated database in it."""

    def make(to: Path) -> None:
        with _folder() as folder:
            _copy_data(_made_data, folder / "state")
            with embedded.start(folder / "state", valkey=False) as started:
                _run(started.postgres.url("postgres"), f"CREATE DATABASE {TEMPLATE}")
                loop = asyncio.new_event_loop()
                try:
                    loop.run_until_complete(upgrade(started.postgres.url(TEMPLATE)))
                finally:
                    loop.close()
            _copy_data(folder / "state", to / "state")

    return made_once(run_folder / "migrated", make) / "state"


@pytest.fixture
def own_servers(_made_data: Path, tmp_path: Path) -> Iterator[embedded.Servers]:
    """Servers for one test alone, which may stop and start them. Their database is not migrated."""
    _copy_data(_made_data, tmp_path / "servers")
    with embedded.start(tmp_path / "servers") as started:
        yield started
    shutil.rmtree(tmp_path / "servers")


def _run(url: str, *statements: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(url)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    # A loop of its own: fixtures of both kinds of test use this.
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(run())
    finally:
        loop.close()


@pytest.fixture(scope="session")
def kept_connections() -> Iterator[Shelf]:
    """The connections to the worker's databases that outlive a test."""
    with keeping_connections(_workers_loop()) as shelf:
        yield shelf


@pytest.fixture(scope="session")
def _tests_database(servers: embedded.Servers, kept_connections: Shelf) -> Iterator[Keeper]:
    _run(servers.postgres.url("postgres"), f"CREATE DATABASE {_TESTS} TEMPLATE {TEMPLATE}")
    with Keeper(servers.postgres.url(_TESTS), kept_connections) as keeper:
        yield keeper


@pytest.fixture
def database_url(_tests_database: Keeper) -> Iterator[str]:
    """A migrated database as good as new. Whoever is still connected to it after the test is thrown out."""
    yield _tests_database.url
    _tests_database.put_back(f"ALTER DATABASE {_TESTS} RESET ALL", _EMPTY)


@pytest.fixture
def new_sessions(kept_connections: Shelf, database_url: str) -> Iterator[None]:
    """For a test that changes what a session of the database begins with: every connection is a new session."""
    with kept_connections.paused(database_url):
        yield


@pytest.fixture
def empty_database_url(servers: embedded.Servers) -> Iterator[str]:
    """The URL of a database in which nothing is."""
    admin = servers.postgres.url("postgres")
    _run(admin, "CREATE DATABASE empty_one")
    yield servers.postgres.url("empty_one")
    _run(admin, "DROP DATABASE empty_one WITH (FORCE)")


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    """A pool on a fresh migrated database."""
    made = await open_pool(database_url)
    yield made
    await made.close()


@pytest.fixture
def unused_tcp_port_factory() -> Callable[[], int]:
    """In place of pytest-asyncio's, whose ports any connection of this machine may take before a server does."""
    return free_port


@pytest.fixture
def unused_tcp_port() -> int:
    """One such port."""
    return free_port()


@pytest.fixture
def redis_url(servers: embedded.Servers) -> str:
    """The worker's Valkey, emptied before the test."""
    import redis

    with redis.Redis.from_url(servers.where.redis_url) as client:
        client.flushall()
    return servers.where.redis_url


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Any]:
    """A client of the worker's emptied Valkey."""
    from redis.asyncio import Redis

    async with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
async def sandbox() -> AsyncIterator[ServedSandboxes]:
    """All suppliers' sandboxes over HTTP on a free port; the test may change their world and set faults."""
    manifests = load_manifests()
    async with await serve(world_for(manifests), manifests, port=0) as served:
        yield served
