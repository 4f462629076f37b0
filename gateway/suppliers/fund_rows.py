"""What our money at the suppliers comes to: the last balance of each, less what its attempts took since.

The sums come from ``attempts`` alone: an attempt's ``charged`` is what it took, its ``listed`` price what it may take.
Nothing here reads the ledger, which grows for ever.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from gateway.kit.pool import Connection, Pool
from gateway.suppliers.spendable_rules import Funds

# An attempt counts when its charge may have come after the balance was read: its call was not over yet, or its outcome
# is unknown and it could still arrive. A call that nobody saw end counts until its quiescence.
# A balance older than an hour is not used: a supplier whose balance cannot be read any more must not stay without
# funds for ever after a deposit; it refuses by itself what cannot be paid.
# Each supplier is summed by itself, so that each part reads one range of one index: ``attempts_open`` for what is
# unknown, ``attempts_ended`` for what was charged since the balance. That no balance is older than an hour is said
# there again: how many attempts ended since a balance the planner cannot know, and of two million it read them all. How
# many ended within an hour the statistics ``attempts_ended_at`` tell it.
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
        SELECT CASE WHEN a.charged > 0 THEN 'charged' ELSE 'open' END AS what,
               CASE WHEN a.charged > 0 THEN a.charged_currency ELSE a.currency END AS currency,
               sum(CASE WHEN a.charged > 0 THEN a.charged ELSE a.listed END) AS amount
        FROM (
            SELECT listed, currency, charged, charged_currency FROM attempts
            WHERE supplier = s.supplier AND state IN ('sending', 'unknown') AND kind <> 'cancel'
              AND quiescent_at >= s.at
            UNION ALL
            SELECT listed, currency, charged, charged_currency FROM attempts
            WHERE supplier = s.supplier AND state IN ('accepted', 'succeeded', 'charged_undeliverable')
              AND kind <> 'cancel' AND coalesce(call_ended_at, quiescent_at) >= s.at
              AND coalesce(call_ended_at, quiescent_at) > now() - interval '1 hour'
        ) AS a
        WHERE a.charged > 0 OR a.listed IS NOT NULL
        GROUP BY 1, 2
    ) AS g
"""
OF_SUPPLIERS = _FUNDS.format(names="unnest($1::text[])")
OF_ALL = _FUNDS.format(names="(SELECT name FROM suppliers)")


async def load(connection: Connection | Pool, suppliers: Sequence[str]) -> dict[str, Funds]:
    """The funds at each of these suppliers whose balance was read within the last hour."""
    return _by_supplier(await connection.fetch(OF_SUPPLIERS, suppliers)) if suppliers else {}


async def load_all(connection: Connection | Pool) -> dict[str, Funds]:
    """The funds at every supplier whose balance was read within the last hour."""
    return _by_supplier(await connection.fetch(OF_ALL))


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
