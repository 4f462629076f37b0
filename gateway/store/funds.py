"""What our money at the suppliers comes to: the last balance of each, less what its attempts took since."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from gateway.core.spendable import Funds
from gateway.store.pool import Connection, Pool

# An attempt counts when its charge may have come after the look: its call was not over yet, or nobody knows how it
# ended and it could still arrive. A call takes less than the hour that is looked back.
# A look that is older than an hour says nothing: a supplier that does not tell any more must not stay without money
# for ever, whatever was paid in meanwhile; it refuses by itself what cannot be paid.
# One supplier after the other, each by its indexes: a join over all of them would read every attempt there ever was.
_FUNDS = """
    WITH seen AS MATERIALIZED (
        SELECT n.name AS supplier, b.at, b.spendable, b.currency
        FROM {names} AS n (name)
        CROSS JOIN LATERAL (SELECT at, spendable, currency FROM supplier_balances
                            WHERE supplier = n.name ORDER BY at DESC LIMIT 1) AS b
        WHERE b.at > now() - interval '1 hour'
    )
    SELECT supplier, 'seen' AS what, currency, spendable AS amount, at FROM seen
    UNION ALL
    SELECT s.supplier, g.what, g.currency, g.amount, NULL
    FROM seen s CROSS JOIN LATERAL (
        SELECT CASE WHEN l.id IS NULL THEN 'open' ELSE 'charged' END AS what,
               coalesce(l.currency, a.currency) AS currency, sum(coalesce(l.amount, a.listed)) AS amount
        FROM (
            SELECT id, listed, currency FROM attempts
            WHERE supplier = s.supplier AND state IN ('sending', 'unknown') AND kind <> 'cancel'
              AND quiescent_at >= s.at
            UNION ALL
            SELECT id, listed, currency FROM attempts
            WHERE supplier = s.supplier AND state IN ('accepted', 'succeeded', 'charged_undeliverable')
              AND kind <> 'cancel' AND started_at >= s.at - interval '1 hour'
              AND coalesce(call_ended_at, quiescent_at) >= s.at
        ) AS a LEFT JOIN ledger l ON l.attempt_id = a.id AND l.kind = 'charge'
        WHERE coalesce(l.amount, a.listed) IS NOT NULL
        GROUP BY 1, 2
    ) AS g
"""
_OF_SUPPLIERS = _FUNDS.format(names="unnest($1::text[])")
_OF_ALL = _FUNDS.format(names="(SELECT name FROM suppliers)")


async def load(connection: Connection | Pool, suppliers: Sequence[str]) -> dict[str, Funds]:
    """The funds at each of these suppliers whose balance was read within the last hour."""
    return _by_supplier(await connection.fetch(_OF_SUPPLIERS, suppliers)) if suppliers else {}


async def load_all(connection: Connection | Pool) -> dict[str, Funds]:
    """The funds at every supplier whose balance was read within the last hour."""
    return _by_supplier(await connection.fetch(_OF_ALL))


async def lock(connection: Connection, supplier: str) -> None:
    """Wait for other transactions that decide on this account's last funds, and keep others waiting until this ends."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('money at ' || $1, 0))", supplier)


def _by_supplier(rows: Sequence[Any]) -> dict[str, Funds]:
    sums: dict[tuple[str, str], list[tuple[str, Decimal]]] = defaultdict(list)
    seen: dict[str, tuple[datetime, str, Decimal]] = {}
    for row in rows:
        if row["what"] == "seen":
            seen[row["supplier"]] = row["at"], row["currency"], row["amount"]
        else:
            sums[row["supplier"], row["what"]].append((row["currency"], row["amount"]))
    return {
        name: Funds(name, at, currency, amount, tuple(sorted(sums[name, "charged"])), tuple(sorted(sums[name, "open"])))
        for name, (at, currency, amount) in seen.items()
    }
