"""What decides a supplier's state, read for all suppliers at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import msgspec

from gateway.kit.pool import Connection, Pool


class FactsRow(msgspec.Struct, frozen=True, kw_only=True):
    """One supplier as the database has it; the purchases are those that ended since a moment."""

    name: str
    mode: str
    state: str
    configured: bool
    no_balance_until: datetime | None
    last_good_at: datetime | None
    last_sync_state: str | None
    quarantined: str | None
    breaker: str
    retry_at: datetime | None
    last_error: str | None
    succeeded: int
    failed: int


async def rows(connection: Connection | Pool, since: datetime, most: int) -> list[FactsRow]:
    """Every supplier by name; of each the last ``most`` purchases and top-ups since then are counted."""
    found = await connection.fetch(
        """SELECT s.name, s.mode, s.state, s.configured, s.no_balance_until, s.last_good_at, s.last_sync_state,
                  s.quarantined, coalesce(b.state, 'closed') AS breaker, b.retry_at, b.last_error, a.succeeded, a.failed
           FROM suppliers s LEFT JOIN supplier_breakers b ON b.supplier = s.name
           CROSS JOIN LATERAL (
               SELECT (count(*) FILTER (WHERE l.state = 'succeeded'))::int AS succeeded,
                      (count(*) FILTER (WHERE l.state IN ('failed', 'charged_undeliverable')))::int AS failed
               FROM (SELECT state FROM attempts WHERE supplier = s.name AND started_at >= $1
                     AND kind IN ('purchase', 'topup') ORDER BY started_at DESC LIMIT $2) AS l) AS a
           ORDER BY s.name""",
        since,
        most,
    )
    return [FactsRow(**dict(row)) for row in found]


async def without_affordable(
    connection: Connection | Pool, most: Mapping[str, Decimal], worth: Mapping[str, Decimal]
) -> frozenset[str]:
    """Those of these suppliers that have offers with a cost, and none of at most so much.

    ``most`` is in base currency, ``worth`` what a unit of each currency is worth in it.
    """
    if not most:
        return frozenset()
    found = await connection.fetch(
        # EXISTS would be planned as a join with all offers; the first one of a supplier is enough, and soon found.
        """SELECT f.supplier FROM unnest($1::text[], $2::numeric[]) AS f (supplier, most)
           WHERE (SELECT true FROM offers o
                  JOIN unnest($3::text[], $4::numeric[]) AS r (currency, worth) USING (currency)
                  WHERE o.supplier = f.supplier AND o.gone_at IS NULL AND o.visible AND o.cost * r.worth <= f.most
                  LIMIT 1) IS NULL
             AND (SELECT true FROM offers WHERE supplier = f.supplier AND gone_at IS NULL AND cost IS NOT NULL
                  LIMIT 1)""",
        list(most),
        list(most.values()),
        list(worth),
        list(worth.values()),
    )
    return frozenset(row["supplier"] for row in found)
