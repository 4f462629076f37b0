"""Alerts in the database: what stands, what was raised, and how far changes were looked at."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import asyncpg
import msgspec

from gateway.alerts.alert_kinds import KINDS
from gateway.alerts.alert_rules import ActiveAlert, Raised, Resolved, Unchanged
from gateway.catalog.catalog_state_rows import WRITER_LOCK
from gateway.kit.pages import FIRST_PAGE, PageRequest, SortKey, SortOrders
from gateway.kit.pool import Connection, Pool
from schemas.api_alerts import Alert
from schemas.page import Page

LOCK = 7_310_577_310
HEALTH_LOCK = 7_310_577_311
_LOCK_WAIT = "2s"
_COLUMNS = """id, rule_id, rule_name AS rule, kind, level, subject, title, detail, supplier, mode, link, flapping,
    raised_at, cleared_at, cleared_why"""

SORTS = SortOrders(
    raised=(SortKey("raised_at", datetime, descending=True), SortKey("id", str, descending=True)),
)
_STATES = {None: "true", "standing": "cleared_at IS NULL", "cleared": "cleared_at IS NOT NULL"}


class Marks(msgspec.Struct, frozen=True):
    """The last change of a price and the last other event of an offer that were looked at."""

    price_change: int
    offer_event: int


async def try_only_one(connection: Connection) -> bool:
    """Be the only one who evaluates until this transaction ends; False when another does."""
    return bool(await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", LOCK))


async def try_only_one_on_health(connection: Connection) -> bool:
    """Be the only one who evaluates rules on health until this transaction ends; False when another does."""
    return bool(await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", HEALTH_LOCK))


async def marks(connection: Connection | Pool) -> Marks:
    """How far changes were looked at. Where nothing was noted yet, all there is counts as seen."""
    row = await connection.fetchrow("SELECT price_change, offer_event FROM alert_state")
    if row is None:
        row = await connection.fetchrow(
            """WITH made AS (
                   INSERT INTO alert_state (price_change, offer_event)
                   SELECT coalesce((SELECT max(id) FROM price_changes), 0),
                          coalesce((SELECT max(id) FROM offer_events), 0)
                   ON CONFLICT DO NOTHING RETURNING price_change, offer_event)
               SELECT * FROM made UNION ALL SELECT price_change, offer_event FROM alert_state LIMIT 1"""
        )
    return Marks(**dict(row)) if row is not None else Marks(0, 0)


async def horizon(pool: Pool) -> Marks | None:
    """The last changes of which it is certain that none before them is still to be committed.

    None while somebody writes the catalogue; the next look will tell.
    """
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_WAIT}'")
        if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", WRITER_LOCK):
            return None
        try:
            async with connection.transaction():
                await connection.execute("LOCK TABLE price_changes IN SHARE MODE")
                row = await connection.fetchrow(
                    """SELECT coalesce((SELECT max(id) FROM price_changes), 0) AS price_change,
                              coalesce((SELECT id FROM offer_events ORDER BY at DESC, id DESC LIMIT 1), 0)
                                  AS offer_event"""
                )
        except asyncpg.LockNotAvailableError:
            return None
    return None if row is None else Marks(**dict(row))


async def looked_to(connection: Connection, to: Marks, now: datetime) -> None:
    """Note how far changes were looked at, and when."""
    await connection.execute(
        "UPDATE alert_state SET price_change = $1, offer_event = $2, evaluated_at = $3",
        to.price_change,
        to.offer_event,
        now,
    )


async def evaluated_at(pool: Pool) -> datetime | None:
    """When rules were last evaluated, None when they never were."""
    found: datetime | None = await pool.fetchval("SELECT evaluated_at FROM alert_state")
    return found


async def active(connection: Connection | Pool, kinds: Sequence[str]) -> list[ActiveAlert]:
    """Every alert of these kinds that stands."""
    rows = await connection.fetch(
        """SELECT id, rule_id, subject, title, detail, raised_at, seen_at, flapping, baseline, value
           FROM alerts WHERE cleared_at IS NULL AND kind = ANY($1::text[])""",
        list(kinds),
    )
    return [ActiveAlert(**dict(row)) for row in rows]


async def raised_lately(
    connection: Connection | Pool, keys: Sequence[tuple[str, str]], since: datetime
) -> dict[tuple[str, str], int]:
    """How often each rule and subject was raised since then; those that never were are left out."""
    rows = await connection.fetch(
        """SELECT a.rule_id, a.subject, count(*)::int AS n
           FROM unnest($1::text[], $2::text[]) AS k (rule_id, subject)
           JOIN alerts a ON a.rule_id = k.rule_id AND a.subject = k.subject AND a.raised_at >= $3
           GROUP BY 1, 2""",
        [key[0] for key in keys],
        [key[1] for key in keys],
        since,
    )
    return {(row["rule_id"], row["subject"]): row["n"] for row in rows}


async def write(
    connection: Connection,
    raised: Sequence[Raised],
    kept: Sequence[Unchanged],
    resolved: Sequence[Resolved],
    now: datetime,
) -> dict[tuple[str, str, bool], Alert]:
    """Write an evaluation down; the alerts that rose (True) and ended (False), by rule and subject."""
    written: dict[tuple[str, str, bool], Alert] = {}
    if kept:
        fields = [(k.alert.id, k.alert.title, k.alert.detail, k.alert.value, k.alert.seen_at) for k in kept]
        await connection.executemany(
            "UPDATE alerts SET title = $2, detail = $3, value = $4, seen_at = $5 WHERE id = $1", fields
        )
    if resolved:
        rows = await connection.fetch(
            f"""UPDATE alerts a SET cleared_at = $3, cleared_why = c.why
                FROM unnest($1::text[], $2::text[]) AS c (of, why) WHERE a.id = c.of RETURNING {_COLUMNS}""",  # noqa: S608 - our own words
            [alert.alert.id for alert in resolved],
            [alert.why for alert in resolved],
            now,
        )
        written |= {(row["rule_id"], row["subject"], False): _alert(row) for row in rows}
    return written | await _raise(connection, raised, now)


async def _raise(connection: Connection, raised: Sequence[Raised], now: datetime) -> dict[tuple[str, str, bool], Alert]:
    if not raised:
        return {}
    found = [alert.finding for alert in raised]
    rows = await connection.fetch(
        f"""INSERT INTO alerts (id, rule_id, rule_name, kind, level, subject, title, detail, supplier, mode, link,
                                baseline, value, flapping, raised_at, seen_at)
            SELECT *, $15, $15 FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
                $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::numeric[], $13::numeric[],
                $14::bool[])
            RETURNING {_COLUMNS}""",  # noqa: S608 - our own words
        [f"alt_{secrets.token_hex(10)}" for _ in raised],
        [alert.rule.id for alert in raised],
        [alert.rule.name for alert in raised],
        [alert.rule.kind for alert in raised],
        [KINDS[alert.rule.kind].level for alert in raised],
        [alert.subject for alert in found],
        [alert.title[:400] for alert in found],
        [alert.detail[:2_000] for alert in found],
        [alert.supplier for alert in found],
        [alert.mode for alert in found],
        [alert.link for alert in found],
        [alert.baseline for alert in found],
        [alert.value for alert in found],
        [alert.flapping for alert in raised],
        now,
    )
    return {(row["rule_id"], row["subject"], True): _alert(row) for row in rows}


async def newest(
    pool: Pool,
    page_request: PageRequest = FIRST_PAGE,
    *,
    state: Literal["standing", "cleared"] | None = None,
    kind: str | None = None,
    supplier: str | None = None,
) -> Page[Alert]:
    """Alerts, the newest first or as the page is sorted."""
    arguments: list[Any] = [kind, supplier]
    keyset = SORTS.keyset(page_request, arguments)
    rows = await pool.fetch(
        f"""SELECT {_COLUMNS} FROM alerts
            WHERE {_STATES[state]} AND ($1::text IS NULL OR kind = $1) AND ($2::text IS NULL OR supplier = $2)
              AND {keyset.condition}
            ORDER BY {keyset.order} LIMIT ${len(arguments) + 1}""",  # noqa: S608 - our own words
        *arguments,
        page_request.fetch,
    )
    return page_request.page(rows, keyset.key).map(_alert)


async def counts(pool: Connection | Pool) -> Mapping[str, int]:
    """How many alerts of each level stand."""
    rows = await pool.fetch("SELECT level, count(*)::int AS n FROM alerts WHERE cleared_at IS NULL GROUP BY level")
    return {row["level"]: row["n"] for row in rows}


def _alert(row: asyncpg.Record) -> Alert:
    return msgspec.convert(dict(row), Alert)
