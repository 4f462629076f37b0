"""Offers in the database: what stands of a supplier, and replacing it by a whole walk.

The functions that change something run inside the caller's transaction, in the order of this file,
after ``Staging.copy_to`` has made the table ``incoming``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from gateway.catalog.diff_rules import StoredOffers
from gateway.kit.pool import Connection, Pool

WRITE_SECONDS = 600
# So many new offers, and so many that are gone, are noted one by one; a run's own counts are always whole.
MOST_EVENTS = 20_000


class Repriced(msgspec.Struct, frozen=True):
    """A stored offer whose cost a walk changed. Costs are in their own currencies."""

    id: str
    cost: Decimal | None
    currency: str | None
    old_cost: Decimal | None
    old_currency: str | None
    good_cost: Decimal | None
    good_currency: str | None
    released_cost: Decimal | None
    live: bool


async def stored(pool: Pool, supplier: str) -> StoredOffers:
    """The offers of a supplier that stand, ready to be compared with a walk."""
    rows = await pool.fetchval(
        "SELECT string_agg(decode(substr(id, 5), 'hex') || digest, '') FROM offers"
        " WHERE supplier = $1 AND gone_at IS NULL",
        supplier,
        timeout=WRITE_SECONDS,
    )
    return StoredOffers(rows or b"")


async def repriced(connection: Connection) -> list[Repriced]:
    """Those of ``incoming`` that were stored before with another cost, be they live or gone."""
    rows = await connection.fetch(
        """
        SELECT i.id, i.cost, i.currency, o.cost AS old_cost, o.currency AS old_currency, o.good_cost,
               o.good_currency, CASE WHEN o.currency = i.currency THEN o.released_cost END AS released_cost,
               o.gone_at IS NULL AS live
        FROM incoming i JOIN offers o USING (id)
        WHERE (i.cost, i.currency) IS DISTINCT FROM (o.cost, o.currency)
        """,
        timeout=WRITE_SECONDS,
    )
    return [Repriced(*row) for row in rows]  # in the order of its fields: by name costs five times as much


async def mark_suspect(
    connection: Connection, ids: Sequence[str], reasons: Sequence[str], against: Sequence[str] | None = None
) -> None:
    """Write into ``incoming`` why costs are suspect that nothing was said of; ``against``: ids, divided by commas.

    A cost that is not named is good.
    """
    if ids:
        await connection.execute(
            """UPDATE incoming SET suspect = r.reason, suspect_against = nullif(r.against, ''), good_cost = NULL,
                   good_currency = NULL
               FROM unnest($1::text[], $2::text[], $3::text[]) AS r (id, reason, against)
               WHERE incoming.id = r.id AND incoming.suspect IS NULL""",
            ids,
            reasons,
            [""] * len(ids) if against is None else against,
            timeout=WRITE_SECONDS,
        )


class Moves(msgspec.Struct, frozen=True):
    """How many stored offers a walk made dearer or cheaper (in one currency), sold out, or filled up again."""

    up: int = 0
    down: int = 0
    in_stock: int = 0
    out_of_stock: int = 0


async def record_changes(connection: Connection, supplier: str, run_id: str, at: datetime) -> Moves:
    """One row for each stored offer whose cost changes, that is back, or whose stock begins or ends, by its id.

    An offer's first appearance is no change of price.
    """
    row = await connection.fetchrow(
        """
        WITH met AS MATERIALIZED (
            SELECT i.supplier_plan_id, i.plan_id, i.cost, i.currency, o.cost AS old, o.currency AS old_currency,
                   (i.cost, i.currency) IS DISTINCT FROM (o.cost, o.currency) AS moved,
                   CASE WHEN o.gone_at IS NOT NULL THEN 'back'
                        WHEN NOT (o.visible AND coalesce(o.stock, 1) > 0) AND i.visible AND coalesce(i.stock, 1) > 0
                        THEN 'in_stock'
                        WHEN o.visible AND coalesce(o.stock, 1) > 0 AND NOT (i.visible AND coalesce(i.stock, 1) > 0)
                        THEN 'out_of_stock' END AS event
            FROM incoming i JOIN offers o USING (id) ORDER BY i.supplier_plan_id
        ), told AS (
            INSERT INTO offer_events (at, supplier, supplier_plan_id, plan_id, kind, cost, currency, sync_run_id)
            SELECT $3, $1, supplier_plan_id, plan_id, event, cost, currency, $2 FROM met WHERE event IS NOT NULL
        ), priced AS (
            INSERT INTO price_changes
                (supplier, supplier_plan_id, plan_id, old, new, old_currency, new_currency, at, sync_run_id)
            SELECT $1, supplier_plan_id, plan_id, old, cost, old_currency, currency, $3, $2 FROM met WHERE moved
        )
        SELECT count(*) FILTER (WHERE cost > old AND currency = old_currency) AS up,
               count(*) FILTER (WHERE cost < old AND currency = old_currency) AS down,
               count(*) FILTER (WHERE event = 'in_stock') AS in_stock,
               count(*) FILTER (WHERE event = 'out_of_stock') AS out_of_stock
        FROM met
        """,
        supplier,
        run_id,
        at,
        timeout=WRITE_SECONDS,
    )
    return Moves(*row) if row else Moves()


async def touch_plans(connection: Connection, gone: Sequence[str]) -> None:
    """Remember in ``touched`` the plans that gain, change or lose an offer. Before ``merge``."""
    await connection.execute("CREATE TEMP TABLE touched (plan_id text PRIMARY KEY) ON COMMIT DROP")
    await connection.execute(
        """
        INSERT INTO touched
        SELECT plan_id FROM incoming
        UNION SELECT o.plan_id FROM incoming i JOIN offers o USING (id) WHERE o.plan_id <> i.plan_id
        UNION SELECT plan_id FROM offers WHERE id = ANY($1::text[])
        """,
        gone,
        timeout=WRITE_SECONDS,
    )


async def merge(connection: Connection, supplier: str, at: datetime, staged: int, run_id: str) -> None:
    """Write ``incoming`` (``staged`` rows) over the supplier's offers, and note the new ones.

    An unchanged cost keeps what was judged of it, unless it is suspect now.
    """
    added = await connection.fetchval(
        """
        WITH added AS (
            INSERT INTO offers AS o (
                id, supplier, supplier_plan_id, plan_id, name, description, coverage, data, days, starts, networks,
                features, cost, currency, stock, visible, digest, supplier_product_id, suspect, suspect_since,
                suspect_against, good_cost, good_currency, first_seen_at, changed_at)
            SELECT id, $1, supplier_plan_id, plan_id, name, description, coverage, data, days, starts, networks,
                features, cost, currency, stock, visible, digest, supplier_product_id, suspect,
                CASE WHEN suspect IS NOT NULL THEN $2::timestamptz END, string_to_array(suspect_against, ','),
                good_cost, good_currency, $2, $2
            FROM incoming i WHERE NOT EXISTS (SELECT FROM offers o WHERE o.id = i.id)
            RETURNING supplier_plan_id, plan_id, cost, currency
        ), told AS (
            INSERT INTO offer_events (at, supplier, supplier_plan_id, plan_id, kind, cost, currency, sync_run_id)
            SELECT $2, $1, supplier_plan_id, plan_id, 'new', cost, currency, $3 FROM added LIMIT $4
        )
        SELECT count(*) FROM added
        """,
        supplier,
        at,
        run_id,
        MOST_EVENTS,
        timeout=WRITE_SECONDS,
    )
    if added == staged:
        return
    await connection.execute(
        """
        UPDATE offers AS o SET
            plan_id = i.plan_id, name = i.name, description = i.description, coverage = i.coverage, data = i.data,
            days = i.days, starts = i.starts, networks = i.networks, features = i.features, cost = i.cost,
            currency = i.currency, stock = i.stock, visible = i.visible, digest = i.digest, changed_at = $1,
            supplier_product_id = i.supplier_product_id, gone_at = NULL,
            suspect = CASE WHEN same THEN coalesce(o.suspect, i.suspect) ELSE i.suspect END,
            suspect_since = CASE WHEN same AND o.suspect IS NOT NULL THEN o.suspect_since
                                 WHEN i.suspect IS NOT NULL THEN $1 END,
            suspect_against = CASE WHEN same AND o.suspect IS NOT NULL THEN o.suspect_against
                                   ELSE string_to_array(i.suspect_against, ',') END,
            good_cost = CASE WHEN good THEN i.cost ELSE o.good_cost END,
            good_currency = CASE WHEN good THEN i.currency ELSE o.good_currency END,
            prior_good_cost = CASE WHEN same THEN o.prior_good_cost ELSE o.good_cost END,
            prior_good_currency = CASE WHEN same THEN o.prior_good_currency ELSE o.good_currency END,
            released_cost = CASE WHEN o.currency = i.currency THEN o.released_cost END
        FROM (SELECT i.*, (i.cost, i.currency) IS NOT DISTINCT FROM (o.cost, o.currency) AS same,
                     (i.cost, i.currency) IS DISTINCT FROM (o.cost, o.currency)
                         AND i.suspect IS NULL AND i.cost IS NOT NULL AS good
              FROM incoming i JOIN offers o USING (id)) AS i
        WHERE o.id = i.id AND o.changed_at < $1
        """,
        at,
        timeout=WRITE_SECONDS,
    )


async def refresh_digests(connection: Connection) -> None:
    """Take over the digests of offers that say what they said, though what maps them has changed."""
    await connection.execute(
        "UPDATE offers o SET digest = i.digest FROM incoming_digest i WHERE o.id = i.id", timeout=WRITE_SECONDS
    )


async def retire(connection: Connection, supplier: str, gone: Sequence[str], run_id: str, at: datetime) -> None:
    """Mark offers that the whole walk did not meet, and note each."""
    if gone:
        await connection.execute(
            """
            WITH parted AS (
                UPDATE offers SET gone_at = $2, changed_at = $2 WHERE id = ANY($1::text[])
                RETURNING supplier_plan_id, plan_id, cost, currency
            )
            INSERT INTO offer_events (at, supplier, supplier_plan_id, plan_id, kind, cost, currency, sync_run_id)
            SELECT $2, $3, supplier_plan_id, plan_id, 'gone', cost, currency, $4 FROM parted LIMIT $5
            """,
            gone,
            at,
            supplier,
            run_id,
            MOST_EVENTS,
            timeout=WRITE_SECONDS,
        )


async def date_plans(connection: Connection, at: datetime) -> None:
    """Date every touched plan, and mark those that no offer is left of. After ``merge`` and ``retire``."""
    await connection.execute(
        """
        INSERT INTO plans AS p (id, updated_at, gone_at)
        SELECT plan_id, $1::timestamptz, CASE WHEN NOT EXISTS
            (SELECT FROM offers o WHERE o.plan_id = touched.plan_id AND o.gone_at IS NULL) THEN $1::timestamptz END
        FROM touched
        ON CONFLICT (id) DO UPDATE SET updated_at = excluded.updated_at, gone_at = excluded.gone_at
        """,
        at,
        timeout=WRITE_SECONDS,
    )


async def date_plans_of(connection: Connection, supplier: str, at: datetime) -> None:
    """Date every plan of a supplier whose first offers were just written."""
    await connection.execute(
        """
        INSERT INTO plans AS p (id, updated_at) SELECT DISTINCT plan_id, $2::timestamptz FROM offers WHERE supplier = $1
        ON CONFLICT (id) DO UPDATE SET updated_at = excluded.updated_at, gone_at = NULL
        """,
        supplier,
        at,
        timeout=WRITE_SECONDS,
    )


async def learn_sizes(connection: Connection) -> None:
    """Tell the planner at once when a table has grown by much: its own look comes a minute later.

    A small sample of the columns that decide who is joined with whom.
    """
    await connection.execute("SET LOCAL default_statistics_target = 10")
    await connection.execute(
        "ANALYZE offers (id, supplier, plan_id, currency, suspect, gone_at), plans", timeout=WRITE_SECONDS
    )


async def clear_marks(connection: Connection, supplier: str, seen_at: datetime) -> None:
    """Forget "sold out" marks that are older than the walk; those with a time of their own last until then."""
    args = (supplier, seen_at)
    where = "supplier = $1 AND why = 'out_of_stock' AND created_at < $2 AND (until IS NULL OR until < now())"
    # Looked for first: a deletion of nothing, too, would tell every process to look again.
    if await connection.fetchval(f"SELECT EXISTS (SELECT FROM offer_marks WHERE {where})", *args):  # noqa: S608 - the words above
        await connection.execute(f"DELETE FROM offer_marks WHERE {where}", *args)  # noqa: S608 - the words above


async def lift_confirmed_stops(connection: Connection, supplier: str, tolerance: Decimal) -> None:
    """Sell again what was stopped for a charge above its listed cost, where the walk now lists as much."""
    where = """m.supplier = $1 AND m.why = 'stopped' AND m.charged IS NOT NULL AND EXISTS (
        SELECT FROM offers o WHERE o.supplier = m.supplier AND o.supplier_plan_id = m.supplier_plan_id
        AND o.gone_at IS NULL AND o.cost * (1 + $2::numeric) >= m.charged)"""
    args = (supplier, tolerance)
    if await connection.fetchval(f"SELECT EXISTS (SELECT FROM offer_marks m WHERE {where})", *args):  # noqa: S608 - the words above
        await connection.execute(f"DELETE FROM offer_marks m WHERE {where}", *args)  # noqa: S608 - the words above


async def count_suspect(connection: Connection, supplier: str) -> int:
    """How many offers of a supplier a suspect price keeps from sale."""
    count: int = await connection.fetchval(
        "SELECT count(*)::int FROM offers WHERE supplier = $1 AND suspect IS NOT NULL AND gone_at IS NULL", supplier
    )
    return count


async def release(connection: Connection, offer_id: str) -> dict[str, Any] | None:
    """Let the present cost of a suspect offer through, and lift a stop; None when there is no such offer.

    A change of the catalogue: dates the plan and counts ``content`` in the caller's transaction.
    """
    row = await connection.fetchrow(
        "UPDATE offers SET suspect = NULL, suspect_since = NULL, suspect_against = NULL, good_cost = cost,"
        " good_currency = currency, released_cost = cost, changed_at = now()"
        " WHERE id = $1 AND gone_at IS NULL RETURNING id, supplier, supplier_plan_id, plan_id",
        offer_id,
    )
    if row is None:
        return None
    await connection.execute(
        "DELETE FROM offer_marks WHERE supplier = $1 AND supplier_plan_id = $2 AND why = 'stopped'",
        row["supplier"],
        row["supplier_plan_id"],
    )
    await connection.execute("UPDATE plans SET updated_at = now() WHERE id = $1", row["plan_id"])
    await connection.execute("UPDATE catalog_state SET content = content + 1")
    return dict(row)
