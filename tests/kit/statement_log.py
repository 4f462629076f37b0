"""Statements and commits as PostgreSQL itself logs them, for tests that count what an order costs.

The server writes each statement that it executed to its own log, with the session, the session's application name and
the transaction id. Nothing in the gateway takes part, so no pool, process or driver can be forgotten.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg

_PREFIX = "#%c|%a|%x#"
_RECORD = re.compile(
    r"#(?P<session>[^|]*)\|(?P<application>[^|]*)\|(?P<xid>\d+)#LOG:  duration: [0-9.]+ ms  (?P<rest>.*)"
)
_EXECUTED = re.compile(r"(?:execute [^:]*|statement): (?P<text>.*)", re.DOTALL)
# A NOTIFY gets its transaction id only while it commits, after the line was logged.
_NOTIFIES = re.compile(r"\b(pg_notify|notify)\b", re.IGNORECASE)
_WRITES = re.compile(r"\s*(insert|update|delete|merge|truncate|with)\b", re.IGNORECASE)
_SETTINGS = {"log_line_prefix": _PREFIX, "log_min_duration_statement": "0", "log_parameter_max_length": "0"}


@dataclass(frozen=True)
class LoggedStatement:
    """One executed statement. ``wrote`` says whether its transaction had written something by its end."""

    session: str
    application: str
    text: str
    wrote: bool
    simple: bool

    @property
    def verb(self) -> str:
        """The first word, in capitals."""
        return self.text.lstrip().split(None, 1)[0].rstrip(";").upper()


class StatementLog:
    """The log of one server of the test's own. ``start`` makes it log everything; ``since`` reads what came."""

    def __init__(self, path: Path, admin_url: str) -> None:
        self._path = path
        self._admin_url = admin_url

    async def start(self) -> None:
        """Log every statement from now on, in sessions that exist already, too."""
        connection = await asyncpg.connect(self._admin_url)
        try:
            for name, value in _SETTINGS.items():
                await connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
            await connection.execute("SELECT pg_reload_conf()")
        finally:
            await connection.close()
        while not self.since(0):
            await self._touch()
            await asyncio.sleep(0.05)

    def mark(self) -> int:
        """Where the log ends now."""
        return self._path.stat().st_size

    def since(self, mark: int) -> list[LoggedStatement]:
        """The statements that were executed since ``mark``, in the order of their end."""
        return list(_statements(self._tail(mark)))

    def _tail(self, mark: int) -> str:
        with self._path.open("rb") as log:
            log.seek(mark)
            return log.read().decode("utf-8", "replace")

    async def _touch(self) -> None:
        connection = await asyncpg.connect(self._admin_url)
        await connection.fetchval("SELECT 1")
        await connection.close()


def commits(statements: Iterable[LoggedStatement]) -> int:
    """How many transactions of these statements wrote something and were committed."""
    count = 0
    open_transactions: dict[str, bool] = {}  # by session: whether the transaction wrote
    for statement in statements:
        session, writes = statement.session, statement.wrote or bool(_NOTIFIES.search(statement.text))
        if statement.verb == "BEGIN":
            open_transactions[session] = False
        elif statement.verb == "COMMIT":
            count += open_transactions.pop(session, False)
        elif statement.verb == "ROLLBACK" and " TO " not in statement.text.upper():
            open_transactions.pop(session, None)
        elif session in open_transactions:
            open_transactions[session] |= writes
        else:
            # Outside a transaction a statement of the simple protocol has committed before its line is logged.
            count += writes or (statement.simple and bool(_WRITES.match(statement.text)))
    return count


def _statements(log: str) -> Iterator[LoggedStatement]:
    for record in _records(log):
        found = _RECORD.match(record)
        if found is None or (executed := _EXECUTED.match(record, found.start("rest"))) is None:
            continue
        yield LoggedStatement(
            session=found["session"],
            application=found["application"],
            text=executed["text"],
            wrote=found["xid"] != "0",
            simple=found["rest"].startswith("statement"),
        )


def _records(log: str) -> Iterator[str]:
    """One text per log entry; lines that continue an entry begin with a tab."""
    entry: list[str] = []
    for line in log.splitlines():
        if line.startswith("\t"):
            entry.append(line[1:])
            continue
        if entry:
            yield "\n".join(entry)
        entry = [line]
    if entry:
        yield "\n".join(entry)
