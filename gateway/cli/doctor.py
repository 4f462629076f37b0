"""``esim-gateway doctor``: says what is wrong before something else does.

Every check is one line: what was looked at, whether it is good, and what to do when it is not.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.state import StateDir, settings_here
from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    from gateway.kit.settings import Settings
    from gateway.suppliers.state_rules import SupplierState

_PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. ``good`` None is a warning: it works, but somebody should know."""

    name: str
    good: bool | None
    says: str


def doctor(
    state_dir: StateDir = None,
    port: Annotated[int, typer.Option(help="The port that serve would take.")] = 8080,
    as_json: Annotated[bool, typer.Option("--json", help="Print a list of {name, state, says}.")] = False,
) -> None:
    """Check settings, database, cache, suppliers, ports and folders. Exit code 1 when something is wrong."""
    checks = asyncio.run(examine(state_dir, port))
    if as_json:
        import orjson

        state_names = {True: "ok", None: "warning", False: "wrong"}
        print(orjson.dumps([{"name": c.name, "state": state_names[c.good], "says": c.says} for c in checks]).decode())
    else:
        signs = {True: "ok", None: "note", False: "WRONG"}
        width = max(len(check.name) for check in checks)
        for check in checks:
            print(f"{signs[check.good]:<5}  {check.name:<{width}}  {check.says}")
    if any(check.good is False for check in checks):
        raise typer.Exit(1)


async def examine(state_dir: StateDir, port: int) -> list[Check]:
    """All checks, in the order in which one would set things right."""
    try:
        settings = settings_here(state_dir)
    except ConfigurationError as error:
        return [Check("settings", good=False, says=str(error))]
    checks = [Check("settings", good=True, says="can be read"), *_secret(settings), *_folder(settings)]
    checks += [check async for check in _database(settings)]
    is_ready = any(check.name == "schema" and check.good for check in checks)
    states = await _supplier_states(settings) if is_ready else {}
    checks += [check async for check in _redis(settings)]
    checks += [*_suppliers(settings, states), *_port("port", port, "another program, or a running serve")]
    return checks


def _secret(settings: Settings) -> Iterator[Check]:
    if settings.secret_key:
        yield Check("secret key", good=True, says="is set")
    else:
        yield Check("secret key", good=False, says="set GATEWAY_SECRET_KEY to what `esim-gateway secrets new` prints")


def _folder(settings: Settings) -> Iterator[Check]:
    folder = settings.state_dir.absolute()
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    if os.access(nearest, os.W_OK | os.X_OK) and nearest.is_dir():
        yield Check("state folder", good=True, says=str(folder))
    else:
        yield Check("state folder", good=False, says=f"cannot write to {folder}: set GATEWAY_STATE_DIR")


async def _database(settings: Settings) -> AsyncIterator[Check]:
    if settings.direct_url is None:
        yield Check("database", good=False, says="set GATEWAY_DATABASE_URL, or start esim-gateway dev")
        return
    from gateway.kit.durability import promises
    from gateway.kit.pool import DATABASE_DOWN, connect
    from gateway.migrations import HEAD
    from gateway.migrations.queue_schema import schema_fault

    url = settings.direct_url.get_secret_value()
    try:
        connection = await connect(url)
    except DATABASE_DOWN as error:
        yield Check("database", good=False, says=f"cannot be reached: {str(error) or type(error).__name__}")
        return
    try:
        for promise in await promises(connection):
            yield Check("database" if promise.name == "version" else promise.name, promise.kept, promise.says)
    finally:
        await connection.close()
    if settings.has_pooler:
        yield await _pooler(settings)
    fault = await schema_fault(url)
    if fault is not None:
        yield Check("schema", good=False, says=fault)
        return
    yield Check("schema", good=True, says=f"revision {HEAD}, and the job queue fits the installed PgQueuer")
    async for check in _orders(url):
        yield check
    yield await _rates(url, settings)
    async for check in _keys(url):
        yield check
    yield await _users(url)


async def _pooler(settings: Settings) -> Check:
    """Whether the database promises the same by way of the pooler."""
    from gateway.kit.durability import promises
    from gateway.kit.pool import DATABASE_DOWN, open_pool

    url = settings.database_url.get_secret_value() if settings.database_url else ""
    pool = await open_pool(url, max_size=1, name="esim-gateway doctor", through_pooler=True)
    try:
        broken = [promise.says for promise in await promises(pool) if not promise.kept]
    except DATABASE_DOWN as error:
        broken = [f"cannot be reached: {str(error) or type(error).__name__}"]
    finally:
        await pool.close()
    return Check("pooler", good=not broken, says="; ".join(broken) or "the database answers through it")


async def _orders(url: str) -> AsyncIterator[Check]:
    """Whether a worker lives and orders are processed at their time."""
    from gateway.kit.pool import connect
    from gateway.orders.health_rules import WORKER_SECONDS, degradations
    from gateway.orders.worker_rows import order_health

    connection = await connect(url)
    try:
        health = await order_health(connection)
    finally:
        await connection.close()
    wrong = {degradation.word: degradation.reason for degradation in degradations(health, WORKER_SECONDS)}
    if (reason := wrong.get("no_worker")) is None:
        seen = health.worker_seen_seconds or 0.0
        yield Check("worker", good=True, says=f"last heartbeat {max(0.0, seen):.0f} s ago")
    else:
        # Before the first start there is none, and that is no fault.
        known = health.worker_seen_seconds is not None
        yield Check("no_worker", good=False if known else None, says=f"{reason}: start esim-gateway worker")
    if (reason := wrong.get("orders_overdue")) is None:
        yield Check("orders", good=True, says="none is overdue")
    else:
        oldest = ", ".join(f"{order.id} since {order.due_at:%Y-%m-%d %H:%M:%S} UTC" for order in health.oldest)
        yield Check("orders_overdue", good=False, says=f"{reason}: {oldest}")


async def _rates(url: str, settings: Settings) -> Check:
    """Whether exchange rates are fresh."""
    from gateway.kit.pool import open_pool
    from gateway.pricing.rates import rates_now, stale_rates

    pool = await open_pool(url, max_size=1, name="esim-gateway doctor")
    try:
        stale, found = await stale_rates(pool, settings), await rates_now(pool, settings)
    finally:
        await pool.close()
    if stale is None:
        return Check("exchange rates", good=True, says=f"of {len(found.worth)} currencies")
    advice = "set [rates] sources" if not settings.rates.sources else "see esim-gateway rates list"
    return Check("stale_rates", good=None, says=f"{stale}: {advice}, or esim-gateway rates import or set")


async def _keys(url: str) -> AsyncIterator[Check]:
    """Keys that open less than when they were made."""
    from gateway.access.key_rows import narrowed_keys
    from gateway.kit.pool import connect

    connection = await connect(url)
    try:
        narrowed = await narrowed_keys(connection)
    finally:
        await connection.close()
    for key in narrowed:
        yield Check(
            "key scopes",
            good=None,
            says=(
                f"{key.id} of {key.storefront} ({', '.join(key.scopes)}) opens no storefront routes without the scope "
                "storefront: make a key with the scopes that it needs, then esim-gateway keys revoke it"
            ),
        )


async def _users(url: str) -> Check:
    """Whether anybody can log in to the console: no start makes a user."""
    from gateway.access.user_rows import any_user
    from gateway.kit.pool import open_pool

    pool = await open_pool(url, max_size=1, name="esim-gateway doctor")
    try:
        found = await any_user(pool)
    finally:
        await pool.close()
    says = (
        "at least one user can log in"
        if found
        else "no users: create one with esim-gateway users create NAME --role admin"
    )
    return Check("console users", good=True if found else None, says=says)


async def _redis(settings: Settings) -> AsyncIterator[Check]:
    if settings.redis_url is None:
        yield Check("redis", good=None, says="none is set: each process counts and polls for itself")
        return
    from redis.asyncio import Redis
    from redis.exceptions import RedisError

    try:
        async with Redis.from_url(
            settings.redis_url.get_secret_value(), socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE
        ) as client:
            info = await client.info("server")
    except (RedisError, OSError, ValueError) as error:
        yield Check("redis", good=None, says=f"cannot be reached, the gateway does without: {error}")
        return
    name = "Valkey" if "valkey_version" in info else "Redis"
    yield Check("redis", good=True, says=f"{name} {info.get('valkey_version') or info.get('redis_version')}")


async def _supplier_states(settings: Settings) -> dict[str, SupplierState]:
    """The state of each supplier, as the console shows it; none while the database cannot be read."""
    from gateway.kit.pool import DATABASE_DOWN, open_pool
    from gateway.prices.supplier_states import of_settings

    if settings.direct_url is None:
        return {}
    pool = await open_pool(settings.direct_url.get_secret_value(), max_size=1, name="esim-gateway doctor")
    try:
        return await of_settings(pool, settings)
    except DATABASE_DOWN:
        return {}
    finally:
        await pool.close()


def _suppliers(settings: Settings, states: Mapping[str, SupplierState]) -> Iterator[Check]:
    if not settings.suppliers:
        yield Check(
            "suppliers", good=False, says="none is configured: set GATEWAY_SUPPLIERS__… or name a GATEWAY_CONFIG"
        )
        return
    from providers.checks import check_settings
    from providers.loader import load_manifests

    try:
        manifests = load_manifests()
    except ConfigurationError as error:
        yield Check("plugins", good=False, says=str(error))
        return
    for name, values in settings.suppliers.items():
        provider = str(values.get("provider"))
        if provider not in manifests:
            known = ", ".join(sorted(manifests))
            yield Check(name, good=False, says=f"suppliers.{name}.provider: {provider!r} is none of {known}")
            continue
        try:
            account = check_settings(manifests[provider], name, values)
        except ConfigurationError as error:
            yield Check(name, good=False, says=str(error))
        else:
            says = f"{manifests[provider].title}, {account.mode}, {account.base_url}"
            state = states.get(name)
            if state is None or not state.problems:
                yield Check(name, good=True, says=says)
            else:
                yield Check(name, good=None, says=f"{says}: {state.state}: {state.description}")


def _port(name: str, port: int, holder: str) -> Iterator[Check]:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            yield Check(name, good=None, says=f"{port} is taken by {holder} ({error.strerror})")
        else:
            yield Check(name, good=True, says=f"{port} is free")
