"""``esim-gateway dev``: everything on this machine, ended by Ctrl-C.

Servers first, then the schema, the suppliers' sandboxes (when the configuration names no supplier),
a first sync, and ``serve`` and ``worker``. What is made up (secret key, keys, data) stays in the state
folder, so the second start only starts processes.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import socket
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO, TypeVar

import typer

from gateway.cli import dev_keys, state
from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.cli.children import Children
    from gateway.kit.pool import Pool
    from gateway.kit.settings import Settings
    from gateway.runtime.embedded import Servers

R = TypeVar("R")

_START_SECONDS = 120.0
_ALLOW_PRIVATE = "GATEWAY_WEBHOOKS__ALLOW_PRIVATE"
# A server of ours that ended by itself is away this long: reads go on, writes answer 503, and all come back.
_AWAY_SECONDS = 10.0
_MOST_FALLS, _FALLS_WITHIN_SECONDS = 3, 120.0
_FIRST_USER = """
The console's first user is admin, with the password {password}
It is not shown again; log in at /console and change it.
"""
_NO_TERMINAL = """
The console has no user yet, and there is no terminal to show a password on. Make one:
  esim-gateway users create admin --role admin --state-dir {folder}
"""
_METRICS_PORTS = {"GATEWAY_METRICS__PORT": "port", "GATEWAY_METRICS__WORKER_PORT": "worker_port"}


def dev(
    host: Annotated[str, typer.Option(help="Where the API listens; 0.0.0.0 is every network.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port of the API.", min=1, max=65535)] = 8080,
    state_dir: state.StateDir = None,
    market: Annotated[
        Path | None,
        typer.Option(help="A market price list (CSV) that the sandboxes sell instead of made-up plans.", exists=True),
    ] = None,
    sandbox_port: Annotated[int, typer.Option(help="The port of the suppliers' sandboxes.", min=1, max=65535)] = 8081,
) -> None:
    """Run everything on this machine: servers, suppliers' sandboxes, a first sync, worker and API.

    With suppliers in the configuration it uses those and no sandbox. GATEWAY_DATABASE_URL and
    GATEWAY_REDIS_URL replace the servers that it brings along.
    """
    from gateway.cli.children import ChildEndedError

    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # a shell in the background has SIGINT ignored
        signal.signal(ending, signal.default_int_handler)
    try:
        with ExitStack() as stack:
            try:
                _run(stack, host=host, port=port, state_dir=state_dir, market=market, sandbox_port=sandbox_port)
            finally:
                _deaf()  # a second Ctrl-C must not break the clearing up
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
    except ChildEndedError as error:
        print(f"\nesim-gateway dev: {error}", file=sys.stderr)
        raise typer.Exit(1) from None


def _run(
    stack: ExitStack, *, host: str, port: int, state_dir: Path | None, market: Path | None, sandbox_port: int
) -> None:
    from gateway.cli.children import Children
    from gateway.runtime import embedded

    settings = state.settings_here(state_dir)
    folder = settings.state_dir.absolute()
    os.environ[state.ENV_STATE_DIR] = str(folder)  # what the children go by
    if (already := embedded.running(folder)) is not None:
        raise ConfigurationError(
            f"a dev (process {already.owner}) already runs on the state folder {folder}; "
            "stop it, or choose another --state-dir, --port and --sandbox-port"
        )
    sandboxed = not settings.suppliers
    if market is not None and not sandboxed:
        raise ConfigurationError("--market is for the sandboxes, but the configuration names suppliers; leave one out")
    _claim(host, port, "--port")
    if sandboxed:
        _claim("127.0.0.1", sandbox_port, "--sandbox-port")
    _free_metrics(settings)

    began = time.monotonic()
    _say("servers")
    servers = stack.enter_context(
        embedded.start(folder, postgres=settings.database_url is None, valkey=settings.redis_url is None)
    )
    children = Children(folder / "logs")
    stack.callback(children.close)
    if not settings.secret_key:
        state.make_secret(folder)
    _allow_loopback(settings)
    changed = _sandboxes(children, folder, market, sandbox_port) if sandboxed else _no_sandboxes(folder)
    settings = state.settings_here()
    asyncio.run(_prepare(settings))
    fetched = _first_sync(children, settings, changed=changed)
    _first_admin(settings)
    _say("API and worker")
    children.start("serve", "--host", host, "--port", str(port))
    children.start("worker")
    keys = asyncio.run(dev_keys.keys(settings))
    shown_host = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - compared, not bound
    url = f"http://{f'[{shown_host}]' if ':' in shown_host else shown_host}:{port}"
    _until_answers(children, servers, f"{url}/readyz" if fetched else f"{url}/livez")
    if sandboxed:
        _send_webhooks(settings, url)
    print(_greeting(url, keys, folder, time.monotonic() - began, sandbox_port if sandboxed else None), flush=True)
    _watch(children, servers)


def _allow_loopback(settings: Settings) -> None:
    """Let webhooks go to this machine, where whoever tries things out receives them; an explicit setting stands."""
    if "allow_private" not in settings.webhooks.model_fields_set:
        os.environ[_ALLOW_PRIVATE] = "127.0.0.0/8,::1/128"


def _watch(children: Children, servers: Servers) -> None:
    """Stay until something ends that must not. A database or cache that went is missed, then started again."""
    from gateway.cli.children import ChildEndedError

    falls: list[float] = []
    while True:
        children.check()
        if (fallen := servers.fallen()) is not None:
            falls = [*(at for at in falls if at > time.monotonic() - _FALLS_WITHIN_SECONDS), time.monotonic()]
            if len(falls) > _MOST_FALLS:
                raise ChildEndedError(fallen)
            print(f"{fallen}; it starts again in {_AWAY_SECONDS:.0f} s", flush=True)
            _stay(children, _AWAY_SECONDS)
            servers.revive()
            print("started again", flush=True)
        time.sleep(0.2)


def _stay(children: Children, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        children.check()
        time.sleep(0.2)


def _sandboxes(children: Children, folder: Path, market: Path | None, port: int) -> bool:
    """Start the sandboxes and note their accounts; whether they sell something else than last time."""
    from providers.loader import load_manifests
    from providers.simulator import base_url

    _say("suppliers' sandboxes")
    accounts: dict[str, dict[str, Any]] = {}
    for name, manifest in load_manifests().items():
        if manifest.sandbox is not None:
            url = base_url("127.0.0.1", port, name)
            accounts[name] = {**manifest.sandbox_settings, "provider": name, "mode": "test", "base_url": url}
    digest = hashlib.sha256(market.read_bytes()).hexdigest() if market is not None else None
    before = state.dev_before(folder)
    state.keep_dev(folder, state.Dev(accounts=accounts, market=digest))
    arguments = ["--market", str(market.absolute())] if market is not None else []
    # What they sold is in the database, so it outlives them as the database does.
    children.start("sandbox", "--port", str(port), "--books", str(folder / "sandboxes"), *arguments)
    _until(children, lambda: _listens("127.0.0.1", port), "the sandboxes")
    return before is not None and before.market != digest


def _send_webhooks(settings: Settings, url: str) -> None:
    """Tell each sandbox where its webhooks go. Orders come to their end without them, a little later."""
    from urllib.request import Request, urlopen

    for name, account in settings.suppliers.items():
        body = json.dumps({"url": f"{url}/webhooks/{name}"}).encode()
        request = Request(f"{account['base_url']}/_sandbox/webhook", body, {"Content-Type": "application/json"})  # noqa: S310 - our own http address
        try:
            with urlopen(request, timeout=5):  # noqa: S310 - our own http address
                pass
        except OSError as error:
            print(f"the sandbox of {name} sends no webhooks: {error}", flush=True)


def _no_sandboxes(folder: Path) -> bool:
    state.keep_dev(folder, None)
    return False


async def _prepare(settings: Settings) -> None:
    """Hold the database to its promises (it may be one of the user's own) and bring its schema up."""
    from gateway.kit.durability import require_durable
    from gateway.kit.pool import DATABASE_DOWN, connect
    from gateway.migrations import upgrade

    url = state.database_url(settings)
    try:
        connection = await connect(url)
    except DATABASE_DOWN as error:
        raise ConfigurationError(f"GATEWAY_DATABASE_URL: the database cannot be reached: {error}") from None
    try:
        await require_durable(connection)
    finally:
        await connection.close()
    await upgrade(url)


def _first_admin(settings: Settings) -> None:
    """Make the console's first user, and show the password on the terminal: it must not end up in a log file.

    Without a terminal nobody is made; the command that does it is named instead.
    """
    from gateway.access.user_rows import any_user
    from gateway.access.users import first_admin

    if (terminal := _terminal()) is None:
        if not asyncio.run(_on_database(settings, any_user)):
            print(_NO_TERMINAL.format(folder=settings.state_dir.absolute()), flush=True)
        return
    password = asyncio.run(_on_database(settings, first_admin))
    if password is not None:
        print(_FIRST_USER.format(password=password), file=terminal, flush=True)


def _terminal() -> TextIO | None:
    """Where only who started this reads along: standard output, or the terminal behind it when it goes elsewhere."""
    if sys.stdout.isatty():
        return sys.stdout
    try:
        return Path("/dev/tty").open("w", encoding="utf-8")
    except OSError:
        return None


async def _on_database(settings: Settings, action: Callable[[Pool], Awaitable[R]]) -> R:
    from gateway.kit.pool import open_pool

    pool = await open_pool(state.database_url(settings), max_size=1)
    try:
        return await action(pool)
    finally:
        await pool.close()


def _first_sync(children: Children, settings: Settings, *, changed: bool) -> bool:
    """Fetch every catalogue before the API opens, unless all were fetched a short while ago; False when none came."""
    from gateway.suppliers.accounts import check_accounts
    from gateway.sync.run_rules import EXIT_NONE

    synced = set(check_accounts(settings))
    if not changed and asyncio.run(_fresh(settings, synced)):
        return True
    _say("first sync")
    if code := children.run("sync"):
        print(f"the sync ended with exit code {code}: what it fetched is served, the worker tries again", flush=True)
        print(
            "esim-gateway quarantine list shows what waits for a decision, quarantine accept SUPPLIER takes it over",
            flush=True,
        )
    return code != EXIT_NONE


async def _fresh(settings: Settings, synced: set[str]) -> bool:
    """Whether each of these accounts had a whole walk within the time between two syncs."""
    from gateway.kit.pool import connect
    from gateway.suppliers.supplier_rows import synced_within

    connection = await connect(state.database_url(settings))
    try:
        names = await synced_within(connection, settings.sync.interval_seconds)
    finally:
        await connection.close()
    return names >= synced


def _until_answers(children: Children, servers: Servers, url: str) -> None:
    from urllib.error import URLError
    from urllib.request import urlopen

    def ready() -> bool:
        _check(children, servers)
        try:
            with urlopen(url, timeout=2) as answer:  # noqa: S310 - our own http address
                return bool(answer.status == 200)  # noqa: PLR2004 - OK
        except (URLError, OSError):
            return False

    _until(children, ready, "the API")


def _until(children: Children, done: Any, what: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not done():
        children.check()
        if time.monotonic() > deadline:
            raise ConfigurationError(f"{what} did not answer in {_START_SECONDS:.0f} s; see {children.logs}")
        time.sleep(0.05)


def _check(children: Children, servers: Servers) -> None:
    from gateway.cli.children import ChildEndedError

    children.check()
    if (fallen := servers.fallen()) is not None:
        raise ChildEndedError(fallen)


def _claim(host: str, port: int, option: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigurationError(
                f"cannot listen on {host} port {port} ({error.strerror}): choose another with {option}"
            ) from None


def _free_metrics(settings: Settings) -> None:
    """Switch metrics off where their port is taken: no reason not to start."""
    for variable, name in _METRICS_PORTS.items():
        if (port := getattr(settings.metrics, name)) and _listens(settings.metrics.host, port):
            os.environ[variable] = "0"
            print(f"metrics are off: port {port} is taken (set {variable})", flush=True)


def _listens(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        return probe.connect_ex((host, port)) == 0


def _deaf() -> None:
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.SIG_IGN)


def _say(what: str) -> None:
    print(f"starting: {what}", flush=True)


def _greeting(url: str, keys: dev_keys.DevKeys, folder: Path, seconds: float, sandbox_port: int | None) -> str:
    sandboxes = f"  Sandboxes  http://127.0.0.1:{sandbox_port}/<supplier>\n" if sandbox_port else ""
    return (
        f"\nThe gateway is up after {seconds:.1f} s. Its data and logs are in {folder}. Ctrl-C ends it.\n\n"
        f"  API        {url}\n"
        f"  Docs       {url}/docs\n"
        f"  Console    {url}/console\n"
        f"{sandboxes}"
        f"  Key        {keys.storefront}\n"
        f"  Ops key    {keys.ops}\n\n"
        "Plans for Japan, the cheapest first:\n\n"
        f"  curl -s -H 'Authorization: Bearer {keys.storefront}' '{url}/v1/plans?country=JP&limit=3'\n"
    )
