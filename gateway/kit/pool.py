"""The connection pool to PostgreSQL: sizes, time-outs, JSON, and what a fault of the database may say.

A pool reconnects by itself: a connection that the server closed is replaced when the next one is
asked for, so a restart of PostgreSQL costs the calls that were running and no more. ``DATABASE_DOWN``
names the faults that mean "not now" (a web handler answers 503, a flow tries again).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import asyncpg
import msgspec

if TYPE_CHECKING:
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
else:
    Pool = asyncpg.Pool
    Connection = asyncpg.Connection

STATEMENT_SECONDS = 30
LOCK_SECONDS = 15
# A process that stands still with rows locked lets go of them before an order that waits for one is late.
IDLE_IN_TRANSACTION_SECONDS = 5
LONG_WORK_SECONDS = 120
CONNECT_SECONDS = 5
KEEP_IDLE_SECONDS = 300
CACHED_STATEMENTS = 100  # of each connection
_JSONB_VERSION = b"\x01"

DATABASE_DOWN: tuple[type[Exception], ...] = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
    # What a connection says on which the server's farewell is not read to its end yet.
    asyncpg.InternalClientError,
    # A row that a frozen process holds, two that wait for each other, a full disk, a server that became a standby.
    asyncpg.LockNotAvailableError,
    asyncpg.TransactionRollbackError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,
)


def is_database_down(error: BaseException) -> bool:
    """Whether this is one of ``DATABASE_DOWN`` and of the database: an ``OSError`` that names a file is the disk's."""
    return isinstance(error, DATABASE_DOWN) and not (isinstance(error, OSError) and error.filename is not None)


def _without_detail(error: asyncpg.PostgresError) -> str:
    return str(error.args[0]) if error.args else type(error).__name__


# A DETAIL line quotes the values of rows: keys, e-mail addresses, activation codes. asyncpg prints it in
# str(error), and so in every traceback; here it is taken out at the source. It stays in `error.detail`.
asyncpg.PostgresError.__str__ = _without_detail  # type: ignore[method-assign,assignment]


async def open_pool(
    dsn: str,
    *,
    min_size: int = 0,
    max_size: int = 10,
    statement_seconds: float = STATEMENT_SECONDS,
    name: str = "esim-gateway",
    keep_idle_seconds: float = KEEP_IDLE_SECONDS,
    make_connection: Callable[..., Awaitable[Any]] | None = None,
    through_pooler: bool = False,
) -> Pool:
    """A pool on the database at ``dsn``; ``jsonb`` columns are Python objects both ways.

    ``make_connection`` takes the place of ``asyncpg.connect``. A connection is closed that nobody has used for
    ``keep_idle_seconds``; 0 keeps it.

    ``through_pooler`` is for a ``dsn`` of a pooler in transaction mode, at which the statements of one connection reach
    many sessions: none is prepared under a name, and limits of time are the pooler's to set.

    With ``min_size`` 0 it opens although the database is down. A connection that a caller asked for
    and that cannot be made raises one of ``DATABASE_DOWN``.
    """
    pool: Pool = await asyncpg.create_pool(
        dsn,
        min_size=min_size,
        max_size=max_size,
        connect=cast("Any", make_connection),
        timeout=CONNECT_SECONDS,
        command_timeout=statement_seconds + CONNECT_SECONDS,
        max_inactive_connection_lifetime=keep_idle_seconds,
        init=prepare_connection,
        reset=_leave_as_it_is,
        statement_cache_size=0 if through_pooler else CACHED_STATEMENTS,
        server_settings=pooler_settings(name) if through_pooler else server_settings(statement_seconds, name),
    )
    return pool


async def connect(dsn: str, *, statement_seconds: float = STATEMENT_SECONDS, name: str = "esim-gateway") -> Connection:
    """One connection outside any pool, prepared in the same way. The caller closes it."""
    connection = await asyncpg.connect(
        dsn, timeout=CONNECT_SECONDS, server_settings=server_settings(statement_seconds, name)
    )
    await prepare_connection(connection)
    return connection


class _OneConnection:
    """Stands for a pool with one connection, which is in a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connection]:
        yield self._connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def transaction_as_pool(connection: Connection) -> Pool:
    """A pool for flows that shall be part of the transaction that ``connection`` is in: theirs are savepoints of it.

    One flow at a time: there is only the one connection.
    """
    return cast("Pool", _OneConnection(connection))


def server_settings(statement_seconds: float, name: str) -> dict[str, str]:
    """What each session tells the server: no statement, lock or idle transaction may hang for ever."""
    return {
        "application_name": name,
        "timezone": "UTC",
        "statement_timeout": f"{int(statement_seconds * 1000)}",
        "lock_timeout": f"{LOCK_SECONDS * 1000}",
        "idle_in_transaction_session_timeout": f"{IDLE_IN_TRANSACTION_SECONDS * 1000}",
        "jit": "off",  # compiling costs more than any of our statements runs
    }


def pooler_settings(name: str) -> dict[str, str]:
    """The same at a pooler, which refuses any other: its sessions have limits of their own (``durability``)."""
    return {"application_name": name, "timezone": "UTC"}


async def allow_long_work(connection: Connection) -> None:
    """Let this transaction compute for long between statements, and each of them run as long as it takes."""
    await connection.execute(
        f"SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = '{LONG_WORK_SECONDS}s'"
    )


async def prepare_connection(connection: Any) -> None:
    """Make ``jsonb`` columns Python objects, in COPY too (which takes binary values only)."""
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", format="binary", encoder=_encode_jsonb, decoder=_decode_jsonb
    )


async def _leave_as_it_is(_: Any) -> None:
    """Ask the server nothing when a connection comes back: what asyncpg would undo, nobody here does.

    Settings are ``SET LOCAL``, cursors live in transactions; who takes a session's lock or LISTENs gives it
    back or closes the connection. It would double the round trips of every short query.
    """


def _encode_jsonb(value: Any) -> bytes:
    return _JSONB_VERSION + msgspec.json.encode(value)


def _decode_jsonb(value: bytes) -> Any:
    return msgspec.json.decode(value[1:])


async def clock_of(connection: Connection | Pool) -> datetime:
    """The present moment by the database's clock."""
    now: datetime = await connection.fetchval("SELECT clock_timestamp()")
    return now
