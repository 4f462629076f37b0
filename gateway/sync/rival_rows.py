"""Offers of different providers for the same plan, side by side, and the marks of those that cannot be right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

import msgspec

from gateway.kit.pool import Connection
from gateway.pricing.suspect_rules import BELOW_OTHERS, Rival

SECONDS = 600


class RivalRow(msgspec.Struct, frozen=True):
    """One offer beside the others for its plan; plans of live and of test suppliers are never compared."""

    group: str
    supplier: str
    rival: Rival
    suspect: str | None


async def suspicious(
    connection: Connection,
    worth: Mapping[str, Decimal],
    since: datetime | None,
    share: Decimal,
    expire_after_seconds: int,
) -> list[RivalRow]:
    """The offers of every plan touched since (None: of all) whose cheapest could be under ``share`` of the rest.

    Also those of plans where somebody was found too cheap before. Unlimited plans that state no
    allowance are not compared.
    """
    rows = await connection.fetch(
        """
        WITH rates AS (
            SELECT * FROM unnest($1::text[], $6::numeric[]) AS known (currency, rate)
        ), priced AS (
            SELECT o.plan_id, s.mode, o.id, o.supplier, s.provider, o.cost * r.rate AS cost_base, o.suspect,
                   o.cost IS DISTINCT FROM o.released_cost AS judged,
                   o.visible AND coalesce(o.stock > 0, true) AND s.state = 'active'
                       AND s.last_good_at > now() - make_interval(secs => $4)
                       AND (o.suspect IS NULL OR o.suspect LIKE $5)
                       AND NOT EXISTS (SELECT FROM offer_marks m WHERE m.supplier = o.supplier
                           AND m.supplier_plan_id = o.supplier_plan_id
                           AND (m.until IS NULL OR m.until > now())) AS counts
            FROM plans p
            JOIN offers o ON o.plan_id = p.id AND o.gone_at IS NULL
            JOIN suppliers s ON s.name = o.supplier AND s.configured
            JOIN rates r ON r.currency = o.currency
            WHERE p.updated_at >= coalesce($2, '-infinity'::timestamptz) AND p.gone_at IS NULL
              AND NOT ((o.data->>'unlimited')::boolean AND o.data->>'allowance' IS NULL)
        ), beside AS (
            SELECT *, min(cost_base) OVER one AS low, max(cost_base) OVER one AS high,
                   min(provider) OVER one <> max(provider) OVER one AS several,
                   bool_or(suspect LIKE $5) OVER one AS found_before
            FROM priced WINDOW one AS (PARTITION BY plan_id, mode)
        )
        SELECT * FROM beside WHERE several AND low < $3::numeric * high OR found_before ORDER BY id
        """,
        list(worth),
        since,
        share,
        float(expire_after_seconds),
        f"{BELOW_OTHERS}%",
        list(worth.values()),
        timeout=SECONDS,
    )
    return [
        RivalRow(
            group=f"{row['mode']} {row['plan_id']}",
            supplier=row["supplier"],
            rival=Rival(row["id"], row["provider"], row["cost_base"], counts=row["counts"], judged=row["judged"]),
            suspect=row["suspect"],
        )
        for row in rows
    ]


async def mark(connection: Connection, reasons: Iterable[tuple[str, str]], run_id: str, began_at: datetime) -> None:
    """Mark offers (id, reason) as too cheap beside the others.

    A cost that came with this very run (which began then) was never good: what was good before it
    counts again.
    """
    pairs = list(reasons)
    await connection.execute(
        """
        UPDATE offers o SET suspect = r.reason,
            good_cost = CASE WHEN fresh THEN o.prior_good_cost ELSE o.good_cost END,
            good_currency = CASE WHEN fresh THEN o.prior_good_currency ELSE o.good_currency END
        FROM (
            SELECT i.id, i.reason, o.first_seen_at >= $4 OR EXISTS (
                SELECT FROM price_changes p WHERE p.sync_run_id = $3
                AND p.supplier = o.supplier AND p.supplier_plan_id = o.supplier_plan_id) AS fresh
            FROM unnest($1::text[], $2::text[]) AS i (id, reason) JOIN offers o USING (id)
        ) AS r
        WHERE o.id = r.id
        """,
        [id_ for id_, _ in pairs],
        [reason for _, reason in pairs],
        run_id,
        began_at,
        timeout=SECONDS,
    )


async def clear(connection: Connection, ids: Iterable[str]) -> None:
    """These are back within bounds: their present cost is good."""
    await connection.execute(
        "UPDATE offers SET suspect = NULL, good_cost = cost, good_currency = currency WHERE id = ANY($1::text[])",
        list(ids),
        timeout=SECONDS,
    )


async def date_plans_of(connection: Connection, ids: Iterable[str], at: datetime) -> None:
    """Date the plans of these offers: what is sold of them changed."""
    await connection.execute(
        "UPDATE plans SET updated_at = $2 WHERE id IN (SELECT plan_id FROM offers WHERE id = ANY($1::text[]))",
        list(ids),
        at,
        timeout=SECONDS,
    )
