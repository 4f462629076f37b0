"""A pool that counts the statements that are sent through it."""

from __future__ import annotations

from typing import Any

from gateway.kit.pool import Pool

_STATEMENTS = frozenset({"execute", "executemany", "fetch", "fetchmany", "fetchrow", "fetchval"})


class CountingPool:
    """Stands for ``pool``; ``statements`` are those that were sent, in order."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.statements: list[str] = []

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._pool, name)
        if name not in _STATEMENTS:
            return method

        def counted(statement: str, *values: object) -> Any:
            self.statements.append(statement)
            return method(statement, *values)

        return counted
