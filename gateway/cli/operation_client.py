"""Calls of the API's operations: at a remote gateway with a key, or by the same handlers on the local database."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import quote, urlsplit

from gateway.cli.connected import ENV_URL, cli_actor, remote_url, run_connected
from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    import aiohttp

    from gateway.api.spec import Route, Table
    from gateway.suppliers.deps import Deps

R = TypeVar("R")
T = TypeVar("T")
ENV_KEY = "GATEWAY_KEY"
PATIENCE_SECONDS = 120.0  # some operations wait for suppliers
A_PAGE = 200
_REDIRECTED, _UNAUTHORIZED, _FORBIDDEN = 300, 401, 403


class ProblemReceivedError(ConfigurationError):
    """A gateway answered with a problem, which is as it came; the error's text is one line."""

    def __init__(self, text: str, problem: Mapping[str, Any]) -> None:
        super().__init__(text)
        self.problem = problem


class Gateway:
    """A gateway at which operations are called. They are named by module and function: "orders.get_ops_order"."""

    def __init__(self, session: aiohttp.ClientSession, url: str | None = None) -> None:
        self._session = session
        self._url = url  # None: the database of this machine

    async def call(self, operation: str, parts: Mapping[str, str] | None = None, **sent: Any) -> Any:
        """The decoded JSON of the answer. ``parts`` are those of the path.

        What is ``sent``, and is not None, stands in the body where the operation takes one, else in the query.
        Raises ``ProblemReceivedError`` for a problem, ``ConfigurationError`` where no gateway answers; both in a line.
        """
        import msgspec

        raw = await self.fetch(operation, parts, sent)
        try:
            found = msgspec.json.decode(raw)
        except msgspec.DecodeError:
            found = None
        if not isinstance(found, dict):
            raise ConfigurationError(f"{self._url or 'the gateway'}: the answer of {operation} is not JSON")
        return found

    async def fetch(
        self,
        operation: str,
        parts: Mapping[str, str] | None = None,
        sent: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        """The answer as it came, which may be a picture. Raises as ``call`` does."""
        import aiohttp
        import msgspec

        route = route_of(operation)
        path = route.path.lstrip("/").format(**{name: quote(part, safe="") for name, part in (parts or {}).items()})
        sent = {name: value for name, value in (sent or {}).items() if value is not None}
        request: dict[str, Any] = {"params": _texts(sent), "headers": headers}
        if route.bodies:
            typed = {"Content-Type": "application/json", **(headers or {})}
            request = {"data": msgspec.json.encode(sent), "headers": typed}
        try:
            async with self._session.request(route.method, path, allow_redirects=False, **request) as answer:
                raw = await answer.read()
        except TimeoutError:
            raise ConfigurationError(f"{self._url} did not answer within {PATIENCE_SECONDS:.0f} s") from None
        except aiohttp.ClientError as error:
            raise ConfigurationError(f"{self._url} cannot be reached: {str(error) or type(error).__name__}") from None
        if answer.status < _REDIRECTED:
            return raw
        try:
            found = msgspec.json.decode(raw)
        except msgspec.DecodeError:
            found = None
        problem = found if isinstance(found, dict) else {}
        raise ProblemReceivedError(self._words(answer.status, problem, path, [*(parts or {}).values()]), problem)

    async def walk(
        self,
        operation: str,
        parts: Mapping[str, str] | None = None,
        *,
        most: int | None = None,
        page_size: int = A_PAGE,
        **sent: Any,
    ) -> Any:
        """The same for a list: its pages as one, of ``most`` rows; None is for all of them."""
        rows: list[Any] = []
        cursor = None
        while True:
            limit = page_size if most is None else min(page_size, most - len(rows))
            page = await self.call(operation, parts, **{**sent, "limit": limit, "cursor": cursor})
            rows += page["data"]
            cursor = page["next_cursor"]
            if cursor is None or (most is not None and len(rows) >= most):
                return {**page, "data": rows}

    def _words(self, status: int, problem: Mapping[str, Any], path: str, names: list[str]) -> str:
        """A problem in one line, with what to do."""
        text = problem.get("detail") or problem.get("title") or f"it answers /{path} with status {status}"
        text = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
        if status == 404 and names and names[-1] not in text:  # noqa: PLR2004 - HTTP
            text = f"{text}: {names[-1]}"
        if self._url is None:
            return text
        if status == _UNAUTHORIZED:
            return f"{text}: {self._url} does not take the key in {ENV_KEY}"
        if status == _FORBIDDEN:
            return f"{text}; the key in {ENV_KEY} lacks it: make one with esim-gateway keys create --scope …"
        return text if problem else f"{self._url}: {text}"


def run_at_gateway(
    state_dir: Path | None,
    action: Callable[[Gateway], Awaitable[R]],
    *modules: str,
    with_catalog: bool = False,
) -> R:
    """What ``action`` gives: at the gateway that ``GATEWAY_URL`` names, else on the local database.

    ``modules`` are those of the operations that it calls; ``with_catalog`` is for what asks the catalogue.
    """
    url = remote_url(state_dir)
    if url is not None:
        return asyncio.run(_remotely(url, action, "ops (or ops:read)"))

    async def locally(deps: Deps) -> R:
        from gateway.cli.local_gateway import local_session

        tables = [table_of(module) for module in modules]
        async with local_session(deps, tables, cli_actor(), with_catalog=with_catalog) as session:
            return await action(Gateway(session))

    return run_connected(state_dir, locally)


def run_as_storefront(action: Callable[[Gateway], Awaitable[R]]) -> R:
    """What ``action`` gives at the gateway that ``GATEWAY_URL`` names, with a storefront's key."""
    return asyncio.run(_remotely(gateway_url(), action, "storefront"))


def gateway_url() -> str:
    """What ``GATEWAY_URL`` names. Raises ``ConfigurationError`` where it names nothing."""
    url = remote_url(None)
    if url is None:
        raise ConfigurationError(f"set {ENV_URL} to the gateway's address, such as http://127.0.0.1:8080")
    return url


async def _remotely(url: str, action: Callable[[Gateway], Awaitable[R]], scope: str) -> R:
    key = os.environ.get(ENV_KEY)
    if not key:
        raise ConfigurationError(f"set {ENV_KEY} to a key with the scope {scope} of {url}")
    async with gateway_at(url, key) as gateway:
        return await action(gateway)


@asynccontextmanager
async def gateway_at(url: str, key: str) -> AsyncIterator[Gateway]:
    """The gateway of an address, asked with a key. Raises ``ConfigurationError`` for what is no address."""
    import aiohttp

    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigurationError(f"{ENV_URL}: {url!r} is no address such as https://gateway.example.com")
    async with aiohttp.ClientSession(
        url.rstrip("/") + "/",
        headers={"Authorization": f"Bearer {key}"},
        timeout=aiohttp.ClientTimeout(total=PATIENCE_SECONDS),
    ) as session:
        yield Gateway(session, url)


def decoded(raw: Any, kind: type[T] | None) -> T:
    """An answer as its type. Raises ``ConfigurationError`` for that of a gateway of another version."""
    import msgspec

    try:
        return msgspec.convert(raw, cast("type[T]", kind))
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"the gateway is of another version ({error}); --json prints its answer") from None


def table_of(module: str) -> Table:
    """The routes that a module of ``gateway.api`` declares."""
    table: Table = import_module(f"gateway.api.{module}").routes
    return table


def route_of(operation: str) -> Route:
    """A declared operation. Raises ``LookupError`` for one that there is not."""
    module, _, name = operation.partition(".")
    for route, _ in table_of(module).routes:
        if route.name == name:
            return route
    raise LookupError(f"gateway.api.{module} declares no operation {name}")


def _texts(query: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A query as it is written: lists repeated, true and false for booleans."""
    listed = ((name, value if isinstance(value, list) else [value]) for name, value in query.items())
    return [
        (name, str(value).lower() if isinstance(value, bool) else str(value))
        for name, values in listed
        for value in values
    ]
