"""Plans that became others: what a sync noted where it gave an offer another plan id, for as long as it is kept."""

from __future__ import annotations

from datetime import datetime

from gateway.catalog.offer_rows import WRITE_SECONDS
from gateway.kit.pool import Connection, Pool

# Offers of a plan and of what its offers became, for pages that look back. "$1" is the plan's id.
OF_PLAN_AND_SUCCESSORS = "(o.plan_id = $1 OR o.id IN (SELECT offer_id FROM plan_successors WHERE plan_id = $1))"


async def record(connection: Connection, at: datetime) -> None:
    """Note the offers of ``incoming`` that get another plan id. In the caller's transaction, before ``merge``.

    Pricing rules that name such a plan mean others from then on, so who remembers rules reads them again.
    """
    await connection.execute(
        "CREATE TEMP TABLE renamed ON COMMIT DROP AS"
        " SELECT o.id, o.plan_id AS before, i.plan_id AS after FROM incoming i JOIN offers o USING (id)"
        " WHERE o.plan_id <> i.plan_id AND o.gone_at IS NULL",
        timeout=WRITE_SECONDS,
    )
    await connection.execute(
        "UPDATE plan_successors s SET successor = r.after FROM renamed r WHERE s.offer_id = r.id", timeout=WRITE_SECONDS
    )
    await connection.execute(
        """INSERT INTO plan_successors (plan_id, offer_id, successor, at) SELECT before, id, after, $1 FROM renamed
           ON CONFLICT (plan_id, offer_id) DO UPDATE SET successor = excluded.successor, at = excluded.at""",
        at,
        timeout=WRITE_SECONDS,
    )
    await connection.execute(
        "DELETE FROM plan_successors s USING renamed r WHERE s.offer_id = r.id AND s.plan_id = s.successor",
        timeout=WRITE_SECONDS,
    )
    await connection.execute(
        "UPDATE catalog_state SET pricing = pricing + 1"
        " WHERE EXISTS (SELECT FROM renamed r JOIN pricing_rules p ON r.before = ANY (p.plan_ids))",
        timeout=WRITE_SECONDS,
    )


async def of_mode(connection: Connection, mode: str) -> dict[str, tuple[str, ...]]:
    """The plans that the offers of each former plan are now, by its id, as far as they still stand in this mode."""
    rows = await connection.fetch(
        """SELECT s.plan_id, array_agg(DISTINCT s.successor ORDER BY s.successor) AS successors
           FROM plan_successors s JOIN offers o ON o.id = s.offer_id AND o.gone_at IS NULL
           JOIN suppliers p ON p.name = o.supplier WHERE p.mode = $1 GROUP BY s.plan_id""",
        mode,
        timeout=WRITE_SECONDS,
    )
    return {row["plan_id"]: tuple(row["successors"]) for row in rows}


async def of_plan(connection: Connection | Pool, mode: str, plan_id: str) -> tuple[str, ...]:
    """The same of one plan."""
    rows = await connection.fetch(
        """SELECT DISTINCT s.successor FROM plan_successors s JOIN offers o ON o.id = s.offer_id AND o.gone_at IS NULL
           JOIN suppliers p ON p.name = o.supplier WHERE p.mode = $1 AND s.plan_id = $2 ORDER BY 1""",
        mode,
        plan_id,
    )
    return tuple(row["successor"] for row in rows)
