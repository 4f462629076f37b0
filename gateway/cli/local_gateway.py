"""Operations of the API on the database of this machine: their handlers, for a caller that only this process knows."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from time import monotonic

import aiohttp
from aiohttp import web
from prometheus_client import CollectorRegistry

from gateway.access.key_rows import ApiKey, Mode, new_key_text
from gateway.api import state
from gateway.api.answers import Heads, Memories
from gateway.api.gate import Gate
from gateway.api.keyring import Caller, Keyring
from gateway.api.metrics import Metrics
from gateway.api.ratelimit import Bucket, Limiter
from gateway.api.spec import Table
from gateway.catalog.browse import Catalog
from gateway.kit.log import AccessLog
from gateway.suppliers.deps import Deps

UNLIMITED = 10**9  # requests a minute


class UnopenedCatalog(Catalog):
    """Stands where no operation asks the catalogue. It loads nothing, and has nothing to follow."""

    async def refresh(self) -> None:
        """Serving processes see by themselves what changed."""


@asynccontextmanager
async def local_session(
    deps: Deps, tables: Sequence[Table], actor: str, *, with_catalog: bool
) -> AsyncIterator[aiohttp.ClientSession]:
    """A session to these routes, with the scopes of operators. The logs of changes name ``actor``.

    The routes listen on a socket in a folder that is its owner's alone, and take only the key of this session, which
    stands in no database.
    """
    key = new_key_text("live")
    catalog = await Catalog.open(deps.settings, deps.pool, None) if with_catalog else None
    if catalog is not None:
        deps = replace(deps, index=catalog.index)
    app = _app(deps, tables, catalog or UnopenedCatalog(deps.settings, None, None))
    app[state.KEYRING].known[f"Bearer {key}"] = Caller(_key(deps), Bucket(UNLIMITED, monotonic()), actor)
    runner = web.AppRunner(app, access_log=None)
    with tempfile.TemporaryDirectory(prefix="esim-gateway-") as folder:
        address = str(Path(folder, "api"))
        try:
            await runner.setup()
            await web.UnixSite(runner, address).start()
            async with aiohttp.ClientSession(
                "http://localhost",
                connector=aiohttp.UnixConnector(address),
                headers={"Authorization": f"Bearer {key}"},
                timeout=aiohttp.ClientTimeout(total=None),
            ) as session:
                yield session
        finally:
            await runner.cleanup()
            if catalog is not None:
                await catalog.close()


def _app(deps: Deps, tables: Sequence[Table], catalog: Catalog) -> web.Application:
    routes = {(route.method, route.path): route for table in tables for route, _ in table.routes}
    gate = Gate(deps.settings, routes)
    app = web.Application(middlewares=[web.middleware(gate)])
    app[state.SETTINGS], app[state.POOL], app[state.DEPS], app[state.CATALOG] = deps.settings, deps.pool, deps, catalog
    app[state.ACCESS_LOG] = AccessLog(lambda _: None)
    app[state.METRICS], app[state.LIMITER] = Metrics(CollectorRegistry()), Limiter(None)
    app[state.MEMORIES], app[state.HEADS] = Memories(), Heads(gate.fixed)
    app[state.KEYRING] = Keyring(deps.pool, app[state.LIMITER], UNLIMITED)
    state.describe_accounts(app, deps.settings)
    for table in tables:
        table.add_to(app.router, gate.expect)
    app.on_startup.append(gate.open)
    return app


def _key(deps: Deps) -> ApiKey:
    """The caller's key: that of an operator, who sees live suppliers where there are some."""
    modes = {account.settings.mode for account in deps.accounts.values()}
    mode: Mode = "live" if "live" in modes or not modes else "test"
    return ApiKey("command line", None, "", "", mode, ("ops",), "", None, deps.clock(), None, None)
