"""What rules of alerts look at and no page shows in that form: moves since the last look, orders and offers held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from gateway.alerts.alert_rows import Marks
from gateway.kit.pool import Connection, Pool

MOST = 20_000  # moves that are looked at together; those behind them come next
MOST_ORDERS = 500
MOST_OFFERS = 500
_EVENTS_BACK = "1 hour"  # an event's time is from before its transaction, its number tells which was looked at

Rates = Mapping[str, Decimal]


class Moved(msgspec.Struct, frozen=True):
    """A cost that changed, in base currency. ``countries`` is what the offer covers."""

    id: int
    supplier: str
    supplier_plan_id: str
    plan_id: str
    mode: str
    name: str
    countries: tuple[str, ...]
    old: Decimal
    new: Decimal


class CheapestMoved(msgspec.Struct, frozen=True):
    """A plan whose cheapest cost changed, in base currency."""

    plan_id: str
    mode: str
    name: str
    countries: tuple[str, ...]
    old: Decimal
    new: Decimal


class Attention(msgspec.Struct, frozen=True):
    """An order that needs an operator, since when, and whom it was last tried at."""

    id: str
    mode: str
    storefront: str
    since: datetime
    supplier: str | None
    why: str | None


class OtherList(msgspec.Struct, frozen=True):
    """How the last walk through a supplier's goods ended, or the last look at its lists of numbers.

    ``what`` is goods or numbers; ``quarantined`` counts tiers of numbers whose cost waits for an operator.
    """

    supplier: str
    what: str
    state: str
    error: str | None
    good_at: datetime | None
    quarantined: int


class GuardFigures(msgspec.Struct, frozen=True):
    """What the price guard holds back of a supplier.

    ``reason`` is why its list is quarantined. ``suspect`` counts the suspect offers of its last sync, of ``mapped``;
    ``suspect_before`` those of the sync of the last day that had the fewest, 0 where there was none.
    """

    supplier: str
    reason: str | None
    suspect: int
    suspect_before: int
    mapped: int


class StoppedOffer(msgspec.Struct, frozen=True):
    """An offer that is not bought because more was charged for it than listed. ``plan_id`` None: it is no eSIM."""

    supplier: str
    supplier_plan_id: str
    plan_id: str | None
    mode: str
    name: str
    note: str


async def moved(
    connection: Connection, rates: Rates, since: Marks, to: Marks, least: Decimal, also: Sequence[str]
) -> list[Moved]:
    """The first ``MOST`` costs that changed after one mark and up to another, in order.

    Those by ``least`` percent and more, and whatever happened to the offers of ``also`` (supplier, a line break, its
    own id). Costs of currencies without a rate are left out.
    """
    rows = await connection.fetch(
        """WITH worth AS (SELECT * FROM unnest($3::text[], $4::numeric[]) AS w (currency, rate))
           SELECT c.id, c.supplier, c.supplier_plan_id, c.plan_id, s.mode, coalesce(o.name, c.supplier_plan_id) AS name,
                  coalesce(o.coverage, '{}') AS countries, c.old * ro.rate AS old, c.new * rn.rate AS new
           FROM price_changes c JOIN suppliers s ON s.name = c.supplier
           JOIN worth ro ON ro.currency = c.old_currency JOIN worth rn ON rn.currency = c.new_currency
           LEFT JOIN offers o ON o.supplier = c.supplier AND o.supplier_plan_id = c.supplier_plan_id
           WHERE c.id > $1 AND c.id <= $2 AND c.old > 0
             AND (abs(c.new * rn.rate - c.old * ro.rate) * 100 >= $5 * c.old * ro.rate
                  OR c.supplier || E'\n' || c.supplier_plan_id = ANY ($6::text[]))
           ORDER BY c.id LIMIT $7""",
        since.price_change,
        to.price_change,
        list(rates),
        list(rates.values()),
        least,
        list(also),
        MOST,
    )
    return [Moved(**{**dict(row), "countries": tuple(row["countries"])}) for row in rows]


async def cheapest_moved(connection: Connection, rates: Rates, since: Marks, to: Marks) -> list[CheapestMoved]:
    """Plans whose cheapest cost for sale changed between two marks, as far as it was known at both ends."""
    rows = await connection.fetch(
        f"""WITH worth AS (SELECT * FROM unnest($5::text[], $6::numeric[]) AS w (currency, rate)),
           prices AS (SELECT DISTINCT ON (supplier, supplier_plan_id) supplier, supplier_plan_id, plan_id, old,
                             old_currency FROM price_changes WHERE id > $1 AND id <= $2
                      ORDER BY supplier, supplier_plan_id, id),
           events AS (SELECT DISTINCT ON (supplier, supplier_plan_id) supplier, supplier_plan_id, plan_id, kind
                      FROM offer_events WHERE id > $3 AND id <= $4
                        AND at > (SELECT coalesce(evaluated_at, now()) FROM alert_state) - interval '{_EVENTS_BACK}'
                      ORDER BY supplier, supplier_plan_id, id),
           touched AS (SELECT plan_id FROM prices UNION SELECT plan_id FROM events LIMIT {MOST}),
           stands AS (
               SELECT o.plan_id, s.mode, o.name, o.coverage,
                      CASE WHEN o.gone_at IS NULL AND o.visible AND coalesce(o.stock, 1) > 0 AND o.suspect IS NULL
                           THEN o.cost * r.rate END AS new,
                      CASE WHEN e.kind IN ('new', 'back', 'in_stock') THEN NULL
                           WHEN e.kind IS NULL AND (o.gone_at IS NOT NULL OR coalesce(o.stock, 1) <= 0) THEN NULL
                           WHEN NOT o.visible THEN NULL
                           WHEN p.supplier IS NOT NULL THEN p.old * ro.rate
                           WHEN o.suspect IS NOT NULL THEN NULL
                           ELSE o.cost * r.rate END AS old
               FROM touched t JOIN offers o ON o.plan_id = t.plan_id JOIN suppliers s ON s.name = o.supplier
               LEFT JOIN prices p ON p.supplier = o.supplier AND p.supplier_plan_id = o.supplier_plan_id
               LEFT JOIN events e ON e.supplier = o.supplier AND e.supplier_plan_id = o.supplier_plan_id
               LEFT JOIN worth r ON r.currency = o.currency LEFT JOIN worth ro ON ro.currency = p.old_currency)
           SELECT plan_id, mode, min(name) AS name, min(old) AS old, min(new) AS new,
                  min(coverage) AS countries
           FROM stands
           GROUP BY plan_id, mode HAVING min(old) > 0 AND min(new) <> min(old)""",  # noqa: S608 - our own words
        since.price_change,
        to.price_change,
        since.offer_event,
        to.offer_event,
        list(rates),
        list(rates.values()),
    )
    return [CheapestMoved(**{**dict(row), "countries": tuple(row["countries"])}) for row in rows]


async def attention(pool: Pool) -> list[Attention]:
    """Orders that need an operator, the longest first, ``MOST_ORDERS`` at most."""
    rows = await pool.fetch(
        """SELECT o.id, o.mode, s.name AS storefront, o.updated_at AS since, a.supplier, a.why
           FROM (SELECT id, mode, storefront_id, updated_at FROM orders WHERE status = 'needs_review'
                 ORDER BY updated_at LIMIT $1) AS o
           JOIN storefronts s ON s.id = o.storefront_id
           LEFT JOIN LATERAL (SELECT supplier, coalesce(error, state) AS why FROM attempts
                              WHERE order_id = o.id ORDER BY n DESC LIMIT 1) AS a ON true
           ORDER BY o.updated_at""",
        MOST_ORDERS,
    )
    return [Attention(**dict(row)) for row in rows]


async def late_charges(pool: Pool) -> list[Attention]:
    """Orders with a failed purchase that was charged later and that no operator settled, ``MOST_ORDERS`` at most.

    ``since`` is when the charge was seen. One that was refunded in full needs nobody.
    """
    rows = await pool.fetch(
        """SELECT o.id, o.mode, s.name AS storefront, e.at AS since, l.supplier, 'charged after it had failed' AS why
           FROM (SELECT order_id, max(id) AS id, max(at) AS at FROM order_events
                 WHERE type = 'charged_after_failure' GROUP BY order_id) AS e
           JOIN orders o ON o.id = e.order_id JOIN storefronts s ON s.id = o.storefront_id
           JOIN LATERAL (SELECT a.supplier FROM attempts a JOIN ledger l ON l.attempt_id = a.id
                         WHERE a.order_id = o.id AND a.state = 'failed' GROUP BY a.id, a.supplier
                         HAVING sum(CASE l.kind WHEN 'charge' THEN l.amount ELSE -l.amount END) > 0 LIMIT 1) l ON true
           WHERE NOT EXISTS (SELECT FROM order_events w WHERE w.order_id = e.order_id AND w.id > e.id
                             AND w.type = 'late_charge_settled')
           ORDER BY e.at LIMIT $1""",
        MOST_ORDERS,
    )
    return [Attention(**dict(row)) for row in rows]


async def charged_more(pool: Pool) -> list[StoppedOffer]:
    """Offers that are stopped because more was charged for them than listed, ``MOST_OFFERS`` at most."""
    rows = await pool.fetch(
        """SELECT m.supplier, m.supplier_plan_id, o.plan_id, s.mode,
                  coalesce(o.name, g.texts -> g.locale ->> 'name', m.supplier_plan_id) AS name, m.note
           FROM offer_marks m JOIN suppliers s ON s.name = m.supplier
           LEFT JOIN offers o ON o.supplier = m.supplier AND o.supplier_plan_id = m.supplier_plan_id
           LEFT JOIN goods g ON g.supplier = m.supplier AND g.sku = m.supplier_plan_id
           WHERE m.why = 'stopped' AND (m.until IS NULL OR m.until > now()) ORDER BY m.created_at LIMIT $1""",
        MOST_OFFERS,
    )
    return [StoppedOffer(**dict(row)) for row in rows]


async def other_lists(pool: Pool) -> list[OtherList]:
    """How every supplier's goods and numbers were read last."""
    rows = await pool.fetch(
        """SELECT supplier, 'goods' AS what, state, error, good_at, 0 AS quarantined FROM goods_walks
           UNION ALL
           SELECT l.supplier, 'numbers', CASE WHEN l.error IS NULL THEN 'ok' ELSE 'failed' END, l.error, l.last_good_at,
                  (SELECT count(*)::int FROM number_tiers t WHERE t.supplier = l.supplier AND t.suspect IS NOT NULL)
           FROM number_lists l ORDER BY 1, 2"""
    )
    return [OtherList(**dict(row)) for row in rows]


async def price_guard(pool: Pool) -> list[GuardFigures]:
    """What the price guard holds back of every configured supplier that was synced within a day."""
    rows = await pool.fetch(
        """
        SELECT s.name AS supplier, coalesce(s.quarantined, last.error) AS reason, last.suspect, last.mapped,
               coalesce(earlier.suspect, 0) AS suspect_before
        FROM suppliers s
        CROSS JOIN LATERAL (
            SELECT at, suspect, mapped, error FROM sync_run_suppliers
            WHERE supplier = s.name AND state IN ('ok', 'quarantined') AND at > now() - interval '1 day'
            ORDER BY at DESC LIMIT 1) AS last
        CROSS JOIN LATERAL (
            SELECT min(suspect) AS suspect FROM sync_run_suppliers
            WHERE supplier = s.name AND state = 'ok' AND at > now() - interval '1 day' AND at < last.at) AS earlier
        WHERE s.configured ORDER BY 1
        """
    )
    return [GuardFigures(**dict(row)) for row in rows]
