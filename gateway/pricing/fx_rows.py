"""Exchange rates as rows: dated, with their source; those that wait; and how fetching from each source went."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from gateway.kit.pages import PageRequest, SortKey, SortOrders
from gateway.kit.pool import Connection, Pool
from gateway.pricing.rate_rules import Rate, SourceState
from schemas.page import Page

SORTS = SortOrders(of=(SortKey("as_of", date, descending=True),))
# The newest rate of each currency from the day $2 to the day $3; ``base`` is $1. Rows of the kind "shipped" are of
# older releases, which copied the shipped file here.
NEWEST = """
    SELECT DISTINCT ON (currency) currency, rate, as_of, source, kind FROM fx_rates
    WHERE base = $1 AND as_of BETWEEN $2 AND $3 AND kind <> 'shipped' ORDER BY currency, as_of DESC
"""


async def newest(connection: Connection | Pool, base: str, since: date, day: date) -> list[Rate]:
    """The newest rate of each currency between two days."""
    return [Rate(**row) for row in await connection.fetch(NEWEST, base, since, day)]


async def waiting(connection: Connection | Pool, base: str) -> dict[str, Rate]:
    """The rates that wait for an operator, by currency."""
    rows = await connection.fetch(
        "SELECT currency, rate, as_of, source, 'fetched' AS kind FROM waiting_rates WHERE base = $1 ORDER BY currency",
        base,
    )
    return {row["currency"]: Rate(**row) for row in rows}


async def history(
    connection: Connection | Pool, base: str, currency: str, page_request: PageRequest
) -> Page[dict[str, Any]]:
    """Every rate of a currency with the time at which it was written, the newest first or as the page is sorted."""
    arguments: list[Any] = [base, currency]
    keyset = SORTS.keyset(page_request, arguments)
    rows = await connection.fetch(
        f"""SELECT currency, rate, as_of, source, kind, written_at FROM fx_rates
            WHERE base = $1 AND currency = $2 AND kind <> 'shipped' AND {keyset.condition}
            ORDER BY {keyset.order} LIMIT ${len(arguments) + 1}""",  # noqa: S608 - our own words
        *arguments,
        page_request.fetch,
    )
    return page_request.page(rows, keyset.key).map(dict)


async def lock(connection: Connection) -> None:
    """Be the only one who writes rates until this transaction ends; reading goes on."""
    await connection.execute("LOCK TABLE fx_rates IN SHARE ROW EXCLUSIVE MODE")


async def write(connection: Connection, base: str, rates: Sequence[Rate]) -> None:
    """Write rates, after which none of the same or an older day waits any more.

    A fetched one leaves what an operator said of the same day; that of an operator replaces any.
    """
    await connection.executemany(
        """
        INSERT INTO fx_rates AS f (base, currency, rate, as_of, source, kind) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (base, currency, as_of) DO UPDATE SET rate = excluded.rate, source = excluded.source,
            kind = excluded.kind, written_at = now()
        WHERE (f.kind IN ('fetched', 'shipped') OR excluded.kind <> 'fetched')
          AND (f.rate, f.source, f.kind) IS DISTINCT FROM (excluded.rate, excluded.source, excluded.kind)
        """,
        [(base, rate.currency, rate.rate, rate.as_of, rate.source, rate.kind) for rate in rates],
    )
    await connection.executemany(
        "DELETE FROM waiting_rates WHERE base = $1 AND currency = $2 AND as_of <= $3",
        [(base, rate.currency, rate.as_of) for rate in rates],
    )


async def hold(connection: Connection, base: str, rates: Sequence[Rate]) -> None:
    """Let fetched rates wait for an operator, instead of those of the same currencies that waited before."""
    await connection.executemany(
        """INSERT INTO waiting_rates (base, currency, rate, as_of, source) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (base, currency) DO UPDATE SET rate = excluded.rate, as_of = excluded.as_of,
               source = excluded.source, fetched_at = now()""",
        [(base, rate.currency, rate.rate, rate.as_of, rate.source) for rate in rates],
    )


async def note_in_force(connection: Connection | Pool, digest: str) -> bool:
    """Make it a new version of the catalogue when other rates are in force than the last noted; whether they are."""
    row = await connection.fetchrow(
        "UPDATE catalog_state SET content = content + 1, rates = $1 WHERE rates IS DISTINCT FROM $1 RETURNING true",
        digest,
    )
    return row is not None


async def sources(connection: Connection | Pool, names: Collection[str]) -> list[SourceState]:
    """How fetching went, of those of these sources that were tried."""
    rows = await connection.fetch(
        """SELECT source, since, tried_at, fetched_at, as_of, error FROM rate_sources
           WHERE source = ANY ($1::text[]) ORDER BY array_position($1::text[], source)""",
        list(names),
    )
    return [SourceState(**row) for row in rows]


async def note_source(connection: Connection, source: str, at: datetime, as_of: date | None, error: str | None) -> None:
    """Note a try at a source: the day of its rates, or why there are none."""
    await connection.execute(
        """
        INSERT INTO rate_sources AS s (source, since, tried_at, fetched_at, as_of, error)
        VALUES ($1, $2, $2, CASE WHEN $4::text IS NULL THEN $2::timestamptz END, $3, $4)
        ON CONFLICT (source) DO UPDATE SET tried_at = excluded.tried_at, error = excluded.error,
            fetched_at = coalesce(excluded.fetched_at, s.fetched_at), as_of = coalesce(excluded.as_of, s.as_of)
        """,
        source,
        at,
        as_of,
        error,
    )
