"""The statements that a process sends to PostgreSQL, each with the plan that PostgreSQL makes for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest
from asyncpg.connection import LoggedQuery

_SMALL_INDEXES = """
SELECT index.relname FROM pg_index
JOIN pg_class index ON index.oid = indexrelid JOIN pg_class whole ON whole.oid = indrelid
WHERE indpred IS NOT NULL AND index.reltuples < whole.reltuples / 10
"""
_EXPLAINED = ("select", "with", "insert", "update", "delete", "merge", "values")


class SentStatements:
    """What every connection of this process sent, by the words that ``now`` had at that time."""

    def __init__(self) -> None:
        self.now = ""
        self._seen: dict[str, tuple[str, tuple[Any, ...]]] = {}  # statement -> (what sent it first, its values)

    def add(self, query: LoggedQuery) -> None:
        """Note a statement with its values, once. Those of nobody are not noted."""
        words = query.query.split(None, 1)
        if self.now and words and words[0].casefold() in _EXPLAINED and query.exception is None:
            # Of a statement that was sent for many rows at once, the values of the first.
            args = query.args[0] if isinstance(query.args, list) and query.args else query.args
            self._seen.setdefault(query.query, (self.now, tuple(args)))

    def __len__(self) -> int:
        return len(self._seen)

    async def whole_reads(self, connection: Any, tables: set[str]) -> list[str]:
        """The statements that cannot but read one of the tables from its first row to its last: who sent it, and it.

        Where most rows are wanted, PostgreSQL rightly reads a table whole although it has an index; so it is asked for
        the plan that it makes when it may not.
        """
        await connection.execute("SET enable_seqscan = off")
        of_a_part = {row[0] for row in await connection.fetch(_SMALL_INDEXES)}
        found = []
        for statement, (sender, values) in list(self._seen.items()):
            (plan,) = await connection.fetchrow(f"EXPLAIN (FORMAT JSON) {statement}", *values)
            read = set(_read_whole(json.loads(plan)[0]["Plan"], of_a_part)) & tables
            if read:
                found.append(f"{sender} reads {', '.join(sorted(read))}: {' '.join(statement.split())}")
        return found

    async def large_sorts(self, connection: Any, fewest: int) -> list[str]:
        """The statements that sort so many rows or more: who sent it, and it."""
        found = []
        for statement, (sender, values) in list(self._seen.items()):
            (plan,) = await connection.fetchrow(f"EXPLAIN (FORMAT JSON) {statement}", *values)
            if any(rows >= fewest for rows in _sorted_rows(json.loads(plan)[0]["Plan"])):
                found.append(f"{sender} sorts: {' '.join(statement.split())}")
        return found


def _sorted_rows(node: dict[str, Any]) -> Iterator[float]:
    """How many rows each sort of a plan is thought to have. What an index brings in order is not sorted."""
    if node["Node Type"] == "Sort":
        yield node["Plan Rows"]
    for child in node.get("Plans", ()):
        yield from _sorted_rows(child)


def _read_whole(node: dict[str, Any], of_a_part: set[str], *, limited: bool = False) -> Iterator[str]:
    """The tables that are read without an index, or by the whole of one that has all rows."""
    limited = limited or node["Node Type"] == "Limit"
    by_index = "Index" in node["Node Type"] or node["Node Type"] == "Bitmap Heap Scan"
    bounded = limited or {"Index Cond", "Recheck Cond"} & node.keys() or node.get("Index Name") in of_a_part
    if "Relation Name" in node and _is_scan(node) and not (by_index and bounded):
        yield node["Relation Name"]
    for child in node.get("Plans", ()):
        yield from _read_whole(child, of_a_part, limited=limited)


def _is_scan(node: dict[str, Any]) -> bool:
    return "Scan" in node["Node Type"] and node["Node Type"] != "Tid Scan"


@contextmanager
def sent_statements() -> Iterator[SentStatements]:
    """Note what connections send that are made from now on."""
    sent = SentStatements()
    make = asyncpg.Connection.__init__

    def noting(self: Any, *args: Any, **more: Any) -> None:
        make(self, *args, **more)
        self.add_query_logger(sent.add)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncpg.Connection, "__init__", noting)
        yield sent
