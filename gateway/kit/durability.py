"""What PostgreSQL must promise before orders are entrusted to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    from gateway.kit.pool import Connection, Pool

OLDEST = 150000  # server_version_num of PostgreSQL 15
_MUST_BE_ON = ("fsync", "synchronous_commit", "full_page_writes")
# Sessions of ours are given these; those of a pooler must have them from it. Without them a process that is frozen
# while it has rows locked would hold up everybody else's orders.
_MUST_BE_LIMITED = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
DURABLE = " AND ".join(f"current_setting('{name}') <> 'off'" for name in _MUST_BE_ON)  # a condition in SQL


@dataclass(frozen=True, slots=True)
class Promise:
    """One thing that was asked of the server; ``says`` names its value and, when it is not kept, what to do."""

    name: str
    kept: bool
    says: str


async def promises(connection: Connection | Pool) -> list[Promise]:
    """The server's version, the settings without which a committed row could be lost in a power cut, time limits."""
    number, version = await connection.fetchrow(
        "SELECT current_setting('server_version_num')::int, current_setting('server_version')"
    ) or (0, "?")
    young = number >= OLDEST
    found = [
        Promise("version", young, f"PostgreSQL {version}" + ("" if young else " is too old: 15 or later is needed"))
    ]
    for name in _MUST_BE_ON:
        value = await connection.fetchval("SELECT current_setting($1)", name)
        kept = value != "off"
        found.append(Promise(name, kept, str(value) if kept else f"{name} is off: a power cut could undo an order"))
    return [*found, await _time_limits(connection)]


async def _time_limits(connection: Connection | Pool) -> Promise:
    lacking = await connection.fetchval(
        "SELECT array_agg(name) FROM unnest($1::text[]) AS name WHERE current_setting(name) = '0'", _MUST_BE_LIMITED
    )
    if not lacking:
        return Promise("time limits", kept=True, says="are set")
    names = ", ".join(lacking)
    return Promise(
        "time limits",
        kept=False,
        says=f"sessions have no {names}: set them in the pooler's connect_query, or for the database's user",
    )


async def require_durable(connection: Connection | Pool) -> None:
    """Refuse a server that does not keep its promises. Raises ``ConfigurationError`` naming each.

    A server that is away at the start, or is told otherwise later, is not noticed here: each send asks once more, in
    the statement that commits its attempt.
    """
    broken = [promise.says for promise in await promises(connection) if not promise.kept]
    if broken:
        raise ConfigurationError("the database cannot be used: " + "; ".join(broken))
