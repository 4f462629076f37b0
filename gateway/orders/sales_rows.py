"""Orders summed up over a span of time: by supplier, by country, by day. Each read is bounded by the span."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from gateway.access.key_rows import Mode
from gateway.kit.pool import Pool
from gateway.orders.rules.sales import AttemptCounts, DaySales, SalesRow, SalesSpan

# What an order was sold for, in base currency: nothing before it is delivered, and less what was given back.
_REVENUE = """CASE WHEN o.status NOT IN ('fulfilled', 'cancel_pending', 'cancelled') THEN 0
    WHEN coalesce(o.refund, 0) = 0 OR o.price = 0 THEN o.price_base
    ELSE o.price_base * (o.price - o.refund) / o.price END"""
# A plan's only country, or that of a number.
_COUNTRY = """CASE WHEN o.plan #> '{countries,1}' IS NULL
    THEN coalesce(o.plan #>> '{countries,0}', o.plan->>'country') END"""
# Orders of a base currency that is in force no longer are left out: their sums do not add to the others.
_OF_SPAN = "o.mode = $1 AND o.base_currency = $2 AND o.created_at >= $3 AND o.created_at < $4"


async def grouped(pool: Pool, mode: Mode, base: str, span: SalesSpan, worth: Mapping[str, Decimal]) -> list[SalesRow]:
    """The orders of a span, once by supplier and once by country. ``worth`` is a unit of each currency in ``base``.

    The supplier is that of an order's last purchase. What an order cost is what its suppliers hold, by the rate that
    its listed cost was converted by, else by today's: as ``gateway.orders.rules.margin`` has it for one order.
    """
    rows = await pool.fetch(
        f"""
        WITH sold AS (
            SELECT o.status, o.fulfilled_at IS NOT NULL AS delivered, a.supplier, {_COUNTRY} AS country,
                   {_REVENUE} AS revenue,
                   coalesce((SELECT c.fee_base FROM checkouts c WHERE c.id = o.checkout_id), 0) AS fee,
                   CASE WHEN o.status IN ('pending', 'needs_review') THEN NULL
                        WHEN l.currency IS NULL
                            THEN CASE WHEN o.status IN ('fulfilled', 'cancel_pending') THEN a.cost_base END
                        WHEN l.currency = a.currency AND a.listed > 0 AND a.cost_base IS NOT NULL
                            THEN l.amount * a.cost_base / a.listed
                        ELSE l.amount * ($5::jsonb->>l.currency)::numeric END AS cost
            FROM orders o
            LEFT JOIN LATERAL (
                SELECT supplier, listed, currency, cost_base FROM attempts
                WHERE order_id = o.id AND kind <> 'cancel' ORDER BY n DESC LIMIT 1) AS a ON true
            LEFT JOIN LATERAL (
                SELECT sum(CASE e.kind WHEN 'charge' THEN e.amount ELSE -e.amount END) AS amount,
                       max(e.currency) AS currency
                FROM attempts t JOIN ledger e ON e.attempt_id = t.id WHERE t.order_id = o.id) AS l ON true
            WHERE {_OF_SPAN}
        )
        SELECT CASE WHEN grouping(supplier) = 0 THEN 'supplier' ELSE 'country' END AS by,
               CASE WHEN grouping(supplier) = 0 THEN supplier ELSE country END AS name,
               status, delivered, count(*)::int AS orders, sum(revenue) AS revenue,
               coalesce(sum(revenue - fee - cost), 0) AS margin,
               (count(*) FILTER (WHERE revenue > 0 AND cost IS NULL))::int AS unknown_costs
        FROM sold GROUP BY GROUPING SETS ((supplier, status, delivered), (country, status, delivered))
        """,  # noqa: S608 - the words above
        mode,
        base,
        *span,
        {currency: str(rate) for currency, rate in worth.items()},
    )
    return [SalesRow(**dict(row)) for row in rows]


async def by_day(pool: Pool, mode: Mode, base: str, span: SalesSpan) -> dict[date, DaySales]:
    """The orders of each UTC day of a span that has any."""
    rows = await pool.fetch(
        f"""SELECT (o.created_at AT TIME ZONE 'UTC')::date AS day, count(*)::int AS orders, sum({_REVENUE}) AS revenue
            FROM orders o WHERE {_OF_SPAN} GROUP BY 1""",  # noqa: S608 - the words above
        mode,
        base,
        *span,
    )
    return {row["day"]: DaySales(**dict(row)) for row in rows}


async def attempts_ended(pool: Pool, mode: Mode, span: SalesSpan) -> dict[str, AttemptCounts]:
    """The purchases and top-ups of each supplier that began in a span and have ended."""
    rows = await pool.fetch(
        """SELECT s.name, a.succeeded, a.failed FROM suppliers s CROSS JOIN LATERAL (
               SELECT (count(*) FILTER (WHERE state = 'succeeded'))::int AS succeeded,
                      (count(*) FILTER (WHERE state IN ('failed', 'charged_undeliverable')))::int AS failed
               FROM attempts
               WHERE supplier = s.name AND started_at >= $2 AND started_at < $3 AND kind IN ('purchase', 'topup')
           ) AS a WHERE s.mode = $1""",
        mode,
        *span,
    )
    return {row["name"]: AttemptCounts(row["succeeded"], row["failed"]) for row in rows}


async def in_review(pool: Pool, mode: Mode, most: int = 1_000) -> int:
    """How many orders wait for an operator's decision, counted up to ``most``."""
    count: int = await pool.fetchval(
        """SELECT count(*)::int FROM (
               SELECT FROM orders WHERE mode = $1 AND status = 'needs_review' LIMIT $2) AS waiting""",
        mode,
        most,
    )
    return count
