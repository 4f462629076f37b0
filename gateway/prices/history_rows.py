"""The offers of a plan as they stand, and when their suppliers were well synced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from gateway.catalog.successor_rows import OF_PLAN_AND_SUCCESSORS
from gateway.kit.pool import Connection, Pool
from gateway.prices.history_rules import Span
from schemas.plan import DataAllowance


class HistoryOffer(msgspec.Struct, frozen=True, kw_only=True):
    """An offer of a plan, on sale or gone."""

    id: str
    supplier: str
    supplier_plan_id: str
    name: str
    plan_id: str
    cost: Decimal | None
    currency: str | None
    first_seen_at: datetime
    gone_at: datetime | None


_COLUMNS = """o.id, o.supplier, o.supplier_plan_id, left(o.name, 300) AS name, o.plan_id, o.cost, o.currency,
    o.first_seen_at, o.gone_at"""


async def offer(connection: Connection | Pool, offer_id: str) -> HistoryOffer | None:
    """One offer, even one that is gone; None when there never was one."""
    row = await connection.fetchrow(f"SELECT {_COLUMNS} FROM offers o WHERE o.id = $1", offer_id)  # noqa: S608
    return None if row is None else HistoryOffer(**row)


async def last_name(connection: Connection | Pool, plan_id: str) -> str | None:
    """What a supplier calls a plan's offer, the one that left last where none is on sale; None without any."""
    name: str | None = await connection.fetchval(
        f"""SELECT left(o.name, 300) FROM offers o WHERE {OF_PLAN_AND_SUCCESSORS}
            ORDER BY o.gone_at DESC NULLS FIRST, o.id LIMIT 1""",  # noqa: S608 - our own columns
        plan_id,
    )
    return name


async def offers(
    connection: Connection | Pool,
    plan_id: str,
    *,
    mode: str | None,
    suppliers: Sequence[str],
    since: datetime,
    rates: Mapping[str, Decimal],
    limit: int,
) -> list[HistoryOffer]:
    """Offers of a plan that were on sale at some time since then: the cheapest of today first, the gone ones last."""
    rows = await connection.fetch(
        f"""
        SELECT {_COLUMNS} FROM offers o JOIN suppliers s ON s.name = o.supplier
        LEFT JOIN unnest($5::text[], $6::numeric[]) AS r (currency, rate) ON r.currency = o.currency
        WHERE {OF_PLAN_AND_SUCCESSORS} AND (o.gone_at IS NULL OR o.gone_at > $4) AND ($2::text IS NULL OR s.mode = $2)
          AND (cardinality($3::text[]) = 0 OR o.supplier = ANY($3::text[]))
        ORDER BY o.gone_at IS NOT NULL, o.cost * r.rate NULLS LAST, o.supplier, o.supplier_plan_id LIMIT $7
        """,  # noqa: S608 - our own columns
        plan_id,
        mode,
        list(suppliers),
        since,
        list(rates),
        list(rates.values()),
        limit,
    )
    return [HistoryOffer(**row) for row in rows]


async def by_ids(connection: Connection | Pool, ids: Sequence[str]) -> list[HistoryOffer]:
    """These offers."""
    rows = await connection.fetch(f"SELECT {_COLUMNS} FROM offers o WHERE o.id = ANY($1)", list(ids))  # noqa: S608
    return [HistoryOffer(**row) for row in rows]


class GoneOffer(msgspec.Struct, frozen=True, kw_only=True):
    """An offer that left, with what says which needs it met."""

    offer: HistoryOffer
    data: DataAllowance
    days: int
    coverage: list[str]


async def gone(
    connection: Connection | Pool, country: str, *, mode: str, since: datetime, limit: int
) -> list[GoneOffer]:
    """Offers for a country that left since then, the last first."""
    rows = await connection.fetch(
        f"""SELECT {_COLUMNS}, o.data, o.days, o.coverage FROM offers o JOIN suppliers s ON s.name = o.supplier
            WHERE o.gone_at > $1 AND o.coverage @> ARRAY[$2::text] AND s.mode = $3
            ORDER BY o.gone_at DESC, o.id LIMIT $4""",  # noqa: S608 - our own columns
        since,
        country,
        mode,
        limit,
    )
    return [
        GoneOffer(
            offer=HistoryOffer(**{name: row[name] for name in HistoryOffer.__struct_fields__}),
            data=msgspec.convert(row["data"], DataAllowance),
            days=row["days"],
            coverage=row["coverage"],
        )
        for row in rows
    ]


async def unlooked(
    connection: Connection | Pool, suppliers: Sequence[str], since: datetime, until: datetime, longest: timedelta
) -> dict[str, list[Span]]:
    """Spans longer than ``longest`` between two accepted syncs of a supplier, and from its last one to ``until``.

    Before its first sync there is nothing that could be missing.
    """
    rows = await connection.fetch(
        """
        SELECT k.supplier, begins, ends
        FROM unnest($1::text[]) AS k (supplier)
        CROSS JOIN LATERAL (
            SELECT max(at) AS at FROM sync_run_suppliers
            WHERE supplier = k.supplier AND state = 'ok' AND at <= $2
        ) AS before
        CROSS JOIN LATERAL (
            SELECT at AS ends, lag(at, 1, before.at) OVER (ORDER BY at) AS begins FROM (
                SELECT at FROM sync_run_suppliers
                WHERE supplier = k.supplier AND state = 'ok' AND at > $2 AND at < $3
                UNION ALL SELECT $3::timestamptz
            ) AS good
        ) AS spans
        WHERE ends - begins > $4 ORDER BY k.supplier, begins
        """,
        list(suppliers),
        since,
        until,
        longest,
    )
    found: dict[str, list[Span]] = {}
    for row in rows:
        found.setdefault(row["supplier"], []).append(Span(row["begins"], row["ends"]))
    return found
