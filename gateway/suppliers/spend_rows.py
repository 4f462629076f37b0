"""What was spent on a UTC day by a storefront, at a supplier or under a mandate, in base currency: limits hold here.

Only what has a limit is counted: a counter is a row that all its orders wait for. The first order of a day under a
limit of a storefront or supplier adds up what the day has cost so far.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal, NamedTuple

from gateway.kit.pool import Connection, Pool

Kind = Literal["supplier", "storefront"]

_SO_FAR = {
    "storefront": """SELECT coalesce(sum(price_base), 0) FROM orders
        WHERE storefront_id = $1 AND created_at >= $2 AND status NOT IN ('failed', 'cancelled')
          AND id <> ALL ($3::text[])""",
    "supplier": """SELECT coalesce(sum(cost_base), 0) FROM attempts
        WHERE supplier = $1 AND started_at >= $2 AND state <> 'failed' AND kind <> 'cancel'
          AND id <> ALL ($3::text[])""",
}


async def limit_of(connection: Connection | Pool, storefront_id: str) -> Decimal | None:
    """A storefront's daily limit in base currency, None when it has none."""
    limit: Decimal | None = await connection.fetchval(
        "SELECT daily_spend_limit FROM storefronts WHERE id = $1", storefront_id
    )
    return limit


async def spend(
    connection: Connection, kind: Kind, name: str, amount: Decimal, limit: Decimal, now: datetime, *own: str
) -> bool:
    """Count an amount under a limit, in the caller's transaction; False (and nothing counted) when it is too much.

    ``own`` are the ids of the orders, or of the attempt, that spend it, which may be written already.
    """
    start = _day(now)
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('spend ' || $1 || ' ' || $2, 0))", kind, name
    )
    before = await connection.fetchval(
        "SELECT amount FROM spend WHERE day = $1 AND kind = $2 AND name = $3", start.date(), kind, name
    )
    if before is None:
        before = await connection.fetchval(_SO_FAR[kind], name, start, list(own))
    if before + amount > limit:
        return False
    await connection.execute(
        "INSERT INTO spend (day, kind, name, amount) VALUES ($1, $2, $3, $4)"
        # Added to the row as it is: something may have been given back since it was read.
        " ON CONFLICT (day, kind, name) DO UPDATE SET amount = spend.amount + $5",
        start.date(),
        kind,
        name,
        before + amount,
        amount,
    )
    return True


async def give_back(connection: Connection, kind: Kind, name: str, amount: Decimal, spent_at: datetime) -> None:
    """Take an amount off the day that it was counted on: nothing was bought for it."""
    await connection.execute(
        "UPDATE spend SET amount = greatest(0, amount - $4) WHERE day = $1 AND kind = $2 AND name = $3",
        _day(spent_at).date(),
        kind,
        name,
        amount,
    )


async def spent(connection: Connection | Pool, kind: Kind, name: str, now: datetime) -> Decimal:
    """What the day has cost so far."""
    start = _day(now)
    before: Decimal | None = await connection.fetchval(
        "SELECT amount FROM spend WHERE day = $1 AND kind = $2 AND name = $3", start.date(), kind, name
    )
    return before if before is not None else await connection.fetchval(_SO_FAR[kind], name, start, [])


class MandateSpend(NamedTuple):
    """What orders under a mandate came to in this UTC day and month, in base currency, without those that failed."""

    day: Decimal
    month: Decimal


async def spent_under_mandate(connection: Connection | Pool, key_id: str, now: datetime) -> MandateSpend:
    """What was spent under a key's mandate; a trigger counts it when a transaction that wrote orders ends.

    Under a lock of the mandate (``mandate_rows.lock``) no other order can come in between.
    """
    today = _day(now).date()
    row = await connection.fetchrow(
        """SELECT coalesce(sum(amount) FILTER (WHERE day = $2), 0) AS day, coalesce(sum(amount), 0) AS month
           FROM spend WHERE day = ANY($3::date[]) AND kind = 'mandate' AND name = $1""",
        key_id,
        today,
        [today.replace(day=day) for day in range(1, today.day + 1)],
    )
    if row is None:
        raise LookupError("a sum has a row")
    return MandateSpend(row["day"], row["month"])


def _day(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
