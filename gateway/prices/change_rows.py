"""The feed of changes: moved prices and other events of offers, merged, the newest first or the oldest first.

Both tables are read in the order of (at, id) from a position on. Where a filter cannot be met by an index the
rows are looked at in bounded chunks, and the position goes on behind what was looked at, so that no filter
costs more than some ten thousand rows a page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from gateway.catalog.successor_rows import OF_PLAN_AND_SUCCESSORS
from gateway.kit.pages import SortKey, SortOrders
from gateway.kit.pool import Connection, Pool
from gateway.prices.change_rules import ChangeFilter

SORTS = SortOrders(
    at=(
        SortKey("at", datetime, descending=True),
        SortKey("src", int, descending=True),
        SortKey("id", int, descending=True),
    )
)
_EVENT, _PRICE = 0, 1
_LAST = 2**63 - 1
_PRICES = """SELECT c.at, 1 AS src, c.id, c.supplier, c.supplier_plan_id, c.plan_id, NULL::text AS event,
    c.old, c.old_currency, c.new, c.new_currency, c.sync_run_id FROM price_changes c"""
_EVENTS = """SELECT c.at, 0 AS src, c.id, c.supplier, c.supplier_plan_id, c.plan_id, c.kind AS event,
    NULL::numeric AS old, NULL::text AS old_currency, c.cost AS new, c.currency AS new_currency, c.sync_run_id
    FROM offer_events c"""
_KIND = """CASE WHEN s.src = 0 THEN CASE s.event WHEN 'back' THEN 'new' WHEN 'in_stock' THEN 'stock'
    WHEN 'out_of_stock' THEN 'stock' ELSE s.event END
    WHEN s.new * rn.rate > s.old * ro.rate THEN 'up' WHEN s.new * rn.rate < s.old * ro.rate THEN 'down'
    ELSE 'price' END"""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the feed: after the row of this moment, of events (0) or prices (1), with this id."""

    at: datetime
    src: int
    id: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows that were wanted among some that were looked at, and the place of the last of those.

    ``edge`` is None when nothing is left behind them.
    """

    rows: list[dict[str, Any]]
    edge: Place | None


Rates = Mapping[str, Decimal]  # what a unit of each currency is worth in base currency
Offers = Sequence[tuple[str, str]]  # supplier and its own id


class _Sql:
    """A statement's arguments as it is written. Limits stand in its words: a plan made without them is a bad one."""

    def __init__(self) -> None:
        self.args: list[Any] = []

    def __call__(self, value: Any) -> str:
        self.args.append(value)
        return f"${len(self.args)}"


async def offers_of(pool: Pool, plan_id: str) -> list[tuple[str, str]]:
    """Every offer that is or was one of this plan's, or of what it became: supplier and its own id."""
    rows = await pool.fetch(
        f"SELECT supplier, supplier_plan_id FROM offers o WHERE {OF_PLAN_AND_SUCCESSORS} LIMIT 1000",  # noqa: S608
        plan_id,
    )
    return [(row[0], row[1]) for row in rows]


async def suppliers(pool: Pool, mode: str | None) -> list[str]:
    """The names of all suppliers, or of those in one mode."""
    rows = await pool.fetch("SELECT name FROM suppliers WHERE $1::text IS NULL OR mode = $1 ORDER BY name", mode)
    return [row[0] for row in rows]


async def chunk(
    connection: Connection | Pool,
    wanted: ChangeFilter,
    rates: Rates,
    *,
    after: Place | None,
    scan_limit: int,
    limit: int,
    offers: Offers | None = None,
    oldest_first: bool = False,
) -> Chunk:
    """At most ``limit`` wanted rows among the next ``scan_limit`` after a place, the newest or the oldest first.

    ``offers`` (supplier, its own id) are those whose changes are looked at, all when None.
    """
    sql = _Sql()
    scanned = _scanned(sql, wanted, offers, after, scan_limit, oldest_first=oldest_first)
    down, up = ("ASC", "DESC") if oldest_first else ("DESC", "ASC")
    rows = await connection.fetch(
        f"""
        WITH scanned AS MATERIALIZED ({scanned}),
        edge AS (SELECT (SELECT count(*) FROM scanned) AS seen, at, src, id FROM scanned
                 ORDER BY at {up}, src {up}, id {up} LIMIT 1)
        SELECT e.seen, e.at AS edge_at, e.src AS edge_src, e.id AS edge_id, j.*
        FROM edge e
        LEFT JOIN ({_judged(sql, wanted, rates)} ORDER BY at {down}, src {down}, id {down} LIMIT {limit:d}) j
        ON true ORDER BY j.at {down}, j.src {down}, j.id {down}
        """,  # noqa: S608 - our own words; values are arguments
        *sql.args,
    )
    if not rows:
        return Chunk([], None)
    first = rows[0]
    edge = Place(first["edge_at"], first["edge_src"], first["edge_id"]) if first["seen"] >= scan_limit else None
    return Chunk([dict(row) for row in rows if row["at"] is not None], edge)


async def by_country(
    connection: Connection | Pool, wanted: ChangeFilter, rates: Rates, scan_limit: int
) -> tuple[list[dict[str, Any]], int]:
    """Counts of each kind for each country, over the newest ``look_at`` changes; and how many there were."""
    sql = _Sql()
    rows = await connection.fetch(
        f"""
        WITH scanned AS MATERIALIZED ({_scanned(sql, wanted, None, None, scan_limit)}),
        weighed AS MATERIALIZED (SELECT plan_id, kind FROM ({_weighed(sql, wanted, rates)}) s),
        -- A plan's offers cover the same countries: counted by plan, then spread over its countries.
        plans AS (SELECT plan_id, {_counts()} FROM weighed GROUP BY plan_id),
        sets AS (
            SELECT c.coverage, {", ".join(f"sum({kind}) AS {kind}" for kind in _COUNTED)} FROM plans p
            CROSS JOIN LATERAL (SELECT o.coverage FROM offers o WHERE o.plan_id = p.plan_id LIMIT 1) AS c
            GROUP BY c.coverage
        ),
        countries AS (
            SELECT country, {", ".join(f"sum({kind})::int AS {kind}" for kind in _COUNTED)}
            FROM sets, unnest(coverage) AS country GROUP BY country
        )
        SELECT (SELECT count(*) FROM scanned) AS seen, c.* FROM (VALUES (1)) AS one (row) LEFT JOIN countries c ON true
        ORDER BY up + down + price + new + gone + stock DESC, country
        """,  # noqa: S608 - our own words; values are arguments
        *sql.args,
    )
    found = [dict(row) for row in rows if row["country"] is not None]
    return [{name: value for name, value in row.items() if name != "seen"} for row in found], rows[0]["seen"]


async def largest(
    connection: Connection | Pool, wanted: ChangeFilter, rates: Rates, scan_limit: int, limit: int
) -> list[dict[str, Any]]:
    """The prices that moved furthest by share, among the newest ``look_at`` changes; no country may be asked for."""
    sql = _Sql()
    scanned = _scanned(sql, wanted, None, None, scan_limit)
    rows = await connection.fetch(
        f"""
        WITH scanned AS MATERIALIZED ({scanned}),
        furthest AS MATERIALIZED (
            SELECT *, abs(new_base::float8 / old_base::float8 - 1) AS share
            FROM ({_weighed(sql, wanted, rates)}) s WHERE src = 1 AND old_base > 0 AND new_base IS NOT NULL
            ORDER BY share DESC, at DESC, id DESC LIMIT {limit:d}
        )
        SELECT f.*, o.id AS offer_id, o.name FROM furthest f
        LEFT JOIN offers o ON o.supplier = f.supplier AND o.supplier_plan_id = f.supplier_plan_id
        ORDER BY share DESC, at DESC, f.id DESC
        """,  # noqa: S608 - as above
        *sql.args,
    )
    return [dict(row) for row in rows]


async def by_supplier(
    connection: Connection | Pool, since: datetime, mode: str | None, suppliers: Sequence[str]
) -> list[dict[str, Any]]:
    """What the accepted syncs of each supplier since then came to, in sum, and how many were not accepted."""
    rows = await connection.fetch(
        """
        SELECT s.name AS supplier, s.mode, s.last_good_at, s.last_sync_state, p.*
        FROM suppliers s CROSS JOIN LATERAL (
            SELECT coalesce(sum(up), 0)::int AS up, coalesce(sum(down), 0)::int AS down,
                   coalesce(sum(new), 0)::int AS new, coalesce(sum(gone), 0)::int AS gone,
                   coalesce(sum(in_stock), 0)::int AS in_stock, coalesce(sum(out_of_stock), 0)::int AS out_of_stock,
                   (count(*) FILTER (WHERE state = 'ok'))::int AS good,
                   (count(*) FILTER (WHERE state = 'failed'))::int AS failed,
                   (count(*) FILTER (WHERE state = 'quarantined'))::int AS quarantined
            FROM sync_run_suppliers r WHERE r.supplier = s.name AND r.at > $1
        ) AS p
        WHERE ($2::text IS NULL OR s.mode = $2) AND (cardinality($3::text[]) = 0 OR s.name = ANY($3::text[]))
          AND (s.configured OR p.good + p.failed + p.quarantined > 0)
        ORDER BY s.name
        """,
        since,
        mode,
        list(suppliers),
    )
    return [dict(row) for row in rows]


_COUNTED = ("up", "down", "price", "new", "gone", "stock")


def _counts() -> str:
    return ", ".join(f"count(*) FILTER (WHERE kind = '{kind}') AS {kind}" for kind in _COUNTED)


def _scanned(
    sql: _Sql,
    wanted: ChangeFilter,
    offers: Offers | None,
    after: Place | None,
    scan_limit: int,
    *,
    oldest_first: bool = False,
) -> str:
    """The next rows of both tables in the feed's order, whatever they are."""
    sources = []
    for wants, select, src in ((wanted.prices, _PRICES, _PRICE), (wanted.events, _EVENTS, _EVENT)):
        if wants:
            sources.append(_source(sql, select, src, wanted, offers, after, scan_limit, oldest_first=oldest_first))
    both = " UNION ALL ".join(f"({source})" for source in sources)
    way = "ASC" if oldest_first else "DESC"
    return f"SELECT * FROM ({both}) AS both_of_them ORDER BY at {way}, src {way}, id {way} LIMIT {scan_limit:d}"  # noqa: S608


def _source(
    sql: _Sql,
    select: str,
    src: int,
    wanted: ChangeFilter,
    offers: Offers | None,
    after: Place | None,
    scan_limit: int,
    *,
    oldest_first: bool,
) -> str:
    conditions = []
    way, beyond = ("ASC", ">") if oldest_first else ("DESC", "<")
    if after is not None:
        # Of one moment prices come before events, and behind them where the oldest come first: either way an id
        # below all is right for the one table, and one above all for the other.
        last_id = after.id if src == after.src else (0 if src > after.src else _LAST)
        conditions.append(f"(c.at, c.id) {beyond} ({sql(after.at)}, {sql(last_id)}::bigint)")
    if wanted.since is not None:
        conditions.append(f"c.at > {sql(wanted.since)}")
    last = f"ORDER BY c.at {way}, c.id {way} LIMIT {scan_limit:d}"
    if offers is not None:
        keys = f"unnest({sql([o[0] for o in offers])}::text[], {sql([o[1] for o in offers])}::text[]) AS k (a, b)"
        conditions.append("c.supplier = k.a AND c.supplier_plan_id = k.b")
        if wanted.suppliers:
            conditions.append(f"c.supplier = ANY({sql(list(wanted.suppliers))}::text[])")
    elif wanted.suppliers:
        keys = f"unnest({sql(list(wanted.suppliers))}::text[]) AS k (a)"
        conditions.append("c.supplier = k.a")
    else:
        return f"{select}{_where(conditions)} {last}"
    inner = f"{select}{_where(conditions)} {last}"
    return f"SELECT c.* FROM {keys} CROSS JOIN LATERAL ({inner}) AS c {last}"  # noqa: S608 - our own words


def _judged(sql: _Sql, wanted: ChangeFilter, rates: Rates) -> str:
    """What was scanned, with its offer and its worth, as far as it is wanted."""
    country = [] if wanted.country is None else [f"o.coverage @> ARRAY[{sql(wanted.country)}::text]"]
    return f"""SELECT w.*, o.id AS offer_id, o.name FROM ({_weighed(sql, wanted, rates)}) AS w
        LEFT JOIN offers o ON o.supplier = w.supplier AND o.supplier_plan_id = w.supplier_plan_id
        {_where(country)}"""  # noqa: S608 - our own words; values are arguments


def _weighed(sql: _Sql, wanted: ChangeFilter, rates: Rates) -> str:
    """What was scanned, with its kind and its worth, as far as it is wanted; whatever its countries."""
    worth = f"unnest({sql(list(rates))}::text[], {sql(list(rates.values()))}::numeric[])"
    conditions = []
    if wanted.kinds:
        conditions.append(f"kind = ANY({sql(sorted(wanted.kinds))}::text[])")
    if wanted.mode is not None:
        conditions.append(f"mode = {sql(wanted.mode)}")
    if wanted.min_percent is not None:
        least = f"{sql(wanted.min_percent)}::numeric * old_base"
        conditions.append(f"(src = 0 OR abs(new_base - old_base) * 100 >= {least})")
    if wanted.min_amount is not None:
        conditions.append(f"(src = 0 OR abs(new_base - old_base) >= {sql(wanted.min_amount)})")
    return f"""SELECT * FROM (
        SELECT s.*, {_KIND} AS kind, p.mode, s.old * ro.rate AS old_base, s.new * rn.rate AS new_base
        FROM scanned s
        JOIN suppliers p ON p.name = s.supplier
        LEFT JOIN {worth} AS ro (currency, rate) ON ro.currency = s.old_currency
        LEFT JOIN {worth} AS rn (currency, rate) ON rn.currency = s.new_currency
        OFFSET 0  -- judged once, and joined before anything is left out: guesses of how much that is go wrong
    ) AS told{_where(conditions)}"""  # noqa: S608 - our own words; values are arguments


def _where(conditions: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""
