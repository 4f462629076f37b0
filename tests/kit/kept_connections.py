"""Connections to the tests' database that outlive the test that made them.

A new session of PostgreSQL looks every table up and plans every statement anew, which takes longer than what most
tests do. So a connection that is closed in good order is put back as good as new instead, with the statements that it
has prepared, and given to the next who connects in the same way.
"""

from __future__ import annotations

import asyncio
import functools
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest
from asyncpg import connection as asyncpg_connection

_KEPT_AT_MOST = 10  # of those that are alike: a test that needs more at once makes them
_KEPT_IN_ALL = 24  # each takes some 10 MB at the server
_connect: Callable[..., Any] = asyncpg.connect
Place = tuple[str, str]  # the database's URL, and how it was connected to


class _KeptConnection(asyncpg.Connection):
    """``shelf``, and ``place`` on it, which says who may have it next, are set when it is made.

    ``put_at`` tells which has lain there longest.
    """

    shelf: Shelf
    place: Place
    put_at: int
    jsonb: tuple[object, ...] = ()

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109 - as asyncpg
        if self._is_fit() and self.shelf.has_room(self.place):
            try:
                await self.reset(timeout=timeout)
                as_new = not await self.fetchval("SELECT pg_my_temp_schema()::bigint")  # it had no temporary tables
            except (Exception, asyncio.CancelledError):
                self.terminate()
                raise
            if as_new and self._is_fit():
                self.shelf.put(self.heir())
                return
        await super().close(timeout=timeout)

    def _is_fit(self) -> bool:
        return not (
            self.is_closed() or self._protocol.is_in_transaction() or self._top_xact or self._protocol._is_cancelling()
        )

    def heir(self) -> _KeptConnection:
        """The same session in the hands of a new object; this one is closed."""
        heir = _KeptConnection(self._protocol, self._transport, self._loop, self._addr, self._config, self._params)
        heir.shelf, heir.place, heir.jsonb = self.shelf, self.place, self.jsonb
        heir._stmt_cache, self._stmt_cache = self._stmt_cache, heir._stmt_cache
        heir._stmt_cache._on_remove = functools.partial(asyncpg_connection._weak_maybe_gc_stmt, weakref.ref(heir))
        heir._stmts_to_close, self._stmts_to_close = self._stmts_to_close, set()
        self._protocol.set_connection(heir)
        self._aborted, self._protocol = True, None
        self._cleanup()
        return heir

    async def set_type_codec(self, typename: str, **how: Any) -> None:
        """Nothing where the session has this codec already: to set it forgets all statements."""
        if self.jsonb != (asked := (typename, *how.values())):
            await super().set_type_codec(typename, **how)
            self.jsonb = asked


class Shelf:
    """The connections of one worker that nobody has in use.

    They belong to ``loop``; who connects on another one, or to a database that is not kept, gets an ordinary one.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._idle: dict[str, dict[str, list[_KeptConnection]]] = {}  # by the database's URL, and by likeness
        self._paused: set[str] = set()
        self._puts = 0

    async def connect(self, dsn: str | None = None, **options: Any) -> Any:
        """In place of ``asyncpg.connect``."""
        made_as = options.get("connection_class", asyncpg.Connection)
        kept = dsn in self._idle.keys() - self._paused and made_as is asyncpg.Connection
        if not kept or asyncio.get_running_loop() is not self._loop:
            return await _connect(dsn, **options)
        plain = {name: value for name, value in options.items() if name not in {"loop", "connection_class"}}
        place = (dsn, repr(sorted(plain.items(), key=lambda option: option[0])))
        alike = self._at(place)
        while alike:
            if not (found := alike.pop()).is_closed():
                return found.heir()  # made now, as a new one would be
        made = await _connect(dsn, **(options | {"connection_class": _KeptConnection}))
        made.shelf, made.place = self, place
        return made

    def has_room(self, place: Place) -> bool:
        """Whether one more may be put there."""
        return place[0] in self._idle.keys() - self._paused and len(self._at(place)) < _KEPT_AT_MOST

    def put(self, connection: _KeptConnection) -> None:
        """Keep it for the next; where there are too many, the one that nobody wanted for longest goes."""
        self._puts += 1
        connection.put_at = self._puts
        self._at(connection.place).append(connection)
        everything = [kept for places in self._idle.values() for alike in places.values() for kept in alike]
        if len(everything) > _KEPT_IN_ALL:
            oldest = min(everything, key=lambda kept: kept.put_at)
            self._at(oldest.place).remove(oldest)
            oldest.terminate()

    def _at(self, place: Place) -> list[_KeptConnection]:
        url, likeness = place
        return self._idle[url].setdefault(likeness, [])

    def pids(self, url: str) -> list[int]:
        """The server's processes of what lies on it for that database."""
        return [kept.get_server_pid() for alike in self._idle[url].values() for kept in alike if not kept.is_closed()]

    @contextmanager
    def keeping(self, url: str) -> Iterator[None]:
        """Keep connections to that database."""
        self._idle[url] = {}
        try:
            yield
        finally:
            self._clear(url)
            del self._idle[url]
            self._loop.run_until_complete(asyncio.sleep(0))

    @contextmanager
    def paused(self, url: str) -> Iterator[None]:
        """Have every connection to that database be a new one, closed for good when it is closed."""
        self._clear(url)
        self._paused.add(url)
        try:
            yield
        finally:
            self._paused.remove(url)

    def _clear(self, url: str) -> None:
        for alike in self._idle[url].values():
            for kept in alike:
                kept.terminate()
            alike.clear()


@contextmanager
def keeping_connections(loop: asyncio.AbstractEventLoop) -> Iterator[Shelf]:
    """Whoever connects in this process, on ``loop``, may get a connection that was used before."""
    shelf = Shelf(loop)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncpg, "connect", shelf.connect)
        patch.setattr(asyncpg_connection, "connect", shelf.connect)
        yield shelf
