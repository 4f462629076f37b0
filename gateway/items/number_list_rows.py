"""Where virtual numbers can be had and for how long, as each supplier's lists said last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from gateway.access.key_rows import Mode
from gateway.kit.pool import Connection, Pool
from schemas.account import NumberCountry, NumberTier
from schemas.money import Money

_LINES = """
    SELECT c.supplier, c.code AS country, c.name AS country_name, t.tier_id, t.name AS tier_name, t.days, t.cost,
           t.currency, t.suspect, l.last_good_at, l.error IS NULL AS last_good
    FROM number_countries c JOIN number_tiers t ON t.supplier = c.supplier
    JOIN number_lists l ON l.supplier = c.supplier JOIN suppliers s ON s.name = c.supplier
    WHERE s.mode = $1 AND s.configured
"""


class NumberLine(msgspec.Struct, frozen=True, kw_only=True):
    """One country and tier at one supplier. ``suspect`` is why it is not sold until an operator releases it."""

    supplier: str
    country: str
    country_name: str
    tier_id: str
    tier_name: str
    days: int
    cost: Money
    suspect: str | None
    last_good_at: datetime | None
    last_good: bool

    @property
    def key(self) -> str:
        """Its name in attempts, marks and stops."""
        return key_of(self.country, self.tier_id)


class KnownTier(msgspec.Struct, frozen=True):
    """What is stored of a tier's cost. ``good_cost`` is the last that was not suspect."""

    cost: Money
    good_cost: Decimal | None
    suspect: str | None


class ListState(msgspec.Struct, frozen=True, kw_only=True):
    """How a supplier's lists stand: when they were asked for, and why that failed if it did."""

    supplier: str
    mode: Mode
    looked_at: datetime
    last_good_at: datetime | None
    error: str | None
    countries: int
    tiers: int
    suspect: int


def key_of(country: str, tier_id: str) -> str:
    """The name of a country and tier in attempts, marks and stops."""
    return f"number/{country}/{tier_id}"


async def lines(
    connection: Connection | Pool, mode: Mode, country: str | None = None, tier_id: str | None = None
) -> list[NumberLine]:
    """Every country and tier at suppliers of that mode, or those of one country or tier."""
    rows = await connection.fetch(
        _LINES + " AND ($2::text IS NULL OR c.code = $2) AND ($3::text IS NULL OR t.tier_id = $3)"
        " ORDER BY c.code, t.days, t.tier_id, c.supplier",
        mode,
        country,
        tier_id,
    )
    return [
        NumberLine(
            supplier=row["supplier"],
            country=row["country"],
            country_name=row["country_name"],
            tier_id=row["tier_id"],
            tier_name=row["tier_name"],
            days=row["days"],
            cost=Money(row["cost"], row["currency"]),
            suspect=row["suspect"],
            last_good_at=row["last_good_at"],
            last_good=row["last_good"],
        )
        for row in rows
    ]


async def known_tiers(connection: Connection, supplier: str) -> dict[str, KnownTier]:
    """The supplier's tiers as they are stored, by id; held until the end of the caller's transaction."""
    rows = await connection.fetch(
        "SELECT tier_id, cost, currency, good_cost, suspect FROM number_tiers WHERE supplier = $1 FOR UPDATE", supplier
    )
    return {
        row["tier_id"]: KnownTier(Money(row["cost"], row["currency"]), row["good_cost"], row["suspect"]) for row in rows
    }


async def replace(
    connection: Connection,
    supplier: str,
    countries: Sequence[NumberCountry],
    tiers: Sequence[NumberTier],
    suspects: Mapping[str, str],
    now: datetime,
) -> None:
    """Let these lists be the supplier's, in the caller's transaction; ``suspects`` are tiers that may not be sold yet.

    A stop for a charge above the list is lifted where the list has come to say as much.
    """
    await connection.execute("DELETE FROM number_countries WHERE supplier = $1", supplier)
    await connection.executemany(
        "INSERT INTO number_countries (supplier, code, name) VALUES ($1, $2, $3)",
        [(supplier, country.code, country.name) for country in countries],
    )
    await connection.execute(
        "DELETE FROM number_tiers WHERE supplier = $1 AND tier_id <> ALL($2::text[])",
        supplier,
        [tier.id for tier in tiers],
    )
    await connection.executemany(
        """INSERT INTO number_tiers AS t (supplier, tier_id, name, days, cost, currency, good_cost, suspect, changed_at)
           VALUES ($1, $2, $3, $4, $5, $6, CASE WHEN $7::text IS NULL THEN $5::numeric END, $7, $8)
           ON CONFLICT (supplier, tier_id) DO UPDATE SET name = excluded.name, days = excluded.days,
               cost = excluded.cost, currency = excluded.currency, suspect = excluded.suspect,
               good_cost = CASE WHEN excluded.suspect IS NULL THEN excluded.cost ELSE t.good_cost END,
               changed_at = CASE WHEN (t.cost, t.currency, t.days) = (excluded.cost, excluded.currency, excluded.days)
                                 THEN t.changed_at ELSE excluded.changed_at END""",
        [
            (supplier, tier.id, tier.name, tier.days, tier.cost.amount, tier.cost.currency, suspects.get(tier.id), now)
            for tier in tiers
        ],
    )
    await connection.execute(
        """DELETE FROM offer_marks m USING number_tiers t, number_countries c
           WHERE t.supplier = $1 AND c.supplier = $1 AND m.supplier = $1 AND m.why = 'stopped'
             AND m.supplier_plan_id = 'number/' || c.code || '/' || t.tier_id AND m.charged <= t.cost""",
        supplier,
    )
    await connection.execute(
        """INSERT INTO number_lists (supplier, looked_at, last_good_at) VALUES ($1, $2, $2)
           ON CONFLICT (supplier) DO UPDATE SET looked_at = $2, last_good_at = $2, error = NULL""",
        supplier,
        now,
    )


async def failed(connection: Connection | Pool, supplier: str, error: str, now: datetime) -> None:
    """The lists could not be read; what is stored stays."""
    await connection.execute(
        """INSERT INTO number_lists (supplier, looked_at, error) VALUES ($1, $2, $3)
           ON CONFLICT (supplier) DO UPDATE SET looked_at = $2, error = $3""",
        supplier,
        now,
        error[:500],
    )


async def states(connection: Connection | Pool) -> list[ListState]:
    """How the lists of every configured supplier stand that was ever asked for them."""
    rows = await connection.fetch(
        """SELECT l.supplier, s.mode, l.looked_at, l.last_good_at, l.error,
                  (SELECT count(*) FROM number_countries c WHERE c.supplier = l.supplier) AS countries,
                  (SELECT count(*) FROM number_tiers t WHERE t.supplier = l.supplier) AS tiers,
                  (SELECT count(*) FROM number_tiers t WHERE t.supplier = l.supplier AND suspect IS NOT NULL) AS suspect
           FROM number_lists l JOIN suppliers s ON s.name = l.supplier WHERE s.configured ORDER BY l.supplier"""
    )
    return [msgspec.convert(dict(row), ListState) for row in rows]


async def release_tier(connection: Connection, supplier: str, tier_id: str, cost: Decimal) -> bool:
    """Let a suspect tier be sold at this cost, and lift the stops on its numbers; False when it is another by now."""
    found = await connection.fetchval(
        """UPDATE number_tiers SET good_cost = cost, suspect = NULL
           WHERE supplier = $1 AND tier_id = $2 AND cost = $3 RETURNING true""",
        supplier,
        tier_id,
        cost,
    )
    if not found:
        return False
    await connection.execute(
        """DELETE FROM offer_marks WHERE supplier = $1 AND why = 'stopped'
           AND starts_with(supplier_plan_id, 'number/') AND split_part(supplier_plan_id, '/', 3) = $2""",
        supplier,
        tier_id,
    )
    return True


async def claim_refresh(connection: Connection | Pool, suppliers: Sequence[str], every: timedelta) -> list[str]:
    """Which of these suppliers' orders of numbers are to be read again now: those nobody read for ``every``.

    Sooner, each minute, where a number was bought whose order the supplier has not told yet.
    """
    rows = await connection.fetch(
        """INSERT INTO number_looks AS l (supplier, at)
           SELECT name, now() FROM unnest($1::text[]) AS k (name)
           WHERE EXISTS (SELECT FROM numbers n WHERE n.supplier = name)
           ON CONFLICT (supplier) DO UPDATE SET at = now()
           WHERE l.at < now() - $2::interval OR l.at < now() - interval '50 seconds' AND EXISTS (
               SELECT FROM numbers n JOIN attempts a ON a.id = n.attempt_id
               WHERE n.supplier = l.supplier AND a.supplier_order_id IS NULL
                 AND n.created_at > now() - interval '1 hour')
           RETURNING supplier""",
        list(suppliers),
        every,
    )
    return [row["supplier"] for row in rows]
