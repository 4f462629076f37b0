"""What stops selling, and what is learnt from refusals: stops, marks on offers, suppliers without our money."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec

from gateway.kit.pages import FIRST_PAGE, PageRequest
from gateway.kit.pool import Connection, Pool
from schemas.page import Page

Reason = Literal["person", "restored", "account"]
ALL = ""
_STOP = "nullif(supplier, '') AS supplier, reason, note, created_at AS since"


class Stop(msgspec.Struct, frozen=True):
    """A stop in force; ``supplier`` None means all of them."""

    supplier: str | None
    reason: Reason
    note: str
    since: datetime


async def stop(connection: Connection | Pool, supplier: str, reason: Reason, note: str = "") -> Stop:
    """Sell nothing more of a supplier, or of any (``ALL``), until ``go_on``."""
    rows = await connection.fetch(
        f"""INSERT INTO selling_stops (supplier, reason, note) VALUES ($1, $2, $3)
            ON CONFLICT (supplier, reason) DO UPDATE SET note = excluded.note RETURNING {_STOP}""",  # noqa: S608 - the words above
        supplier,
        reason,
        note,
    )
    return msgspec.convert(dict(rows[0]), Stop)


async def go_on(connection: Connection | Pool, supplier: str, reason: Reason | None = None) -> bool:
    """Lift a stop, or all of the supplier's; False when there was none."""
    status = await connection.execute(
        "DELETE FROM selling_stops WHERE supplier = $1 AND ($2::text IS NULL OR reason = $2)", supplier, reason
    )
    return not str(status).endswith(" 0")


async def stops(connection: Connection | Pool) -> dict[str, list[str]]:
    """The stops in force: reasons by supplier."""
    found: dict[str, list[str]] = {}
    for row in await connection.fetch("SELECT supplier, reason FROM selling_stops ORDER BY 1, 2"):
        found.setdefault(row["supplier"], []).append(row["reason"])
    return found


async def by_operators(connection: Connection | Pool) -> list[Stop]:
    """The stops that operators made, that of all suppliers first, then by name; none of accounts that are no more."""
    rows = await connection.fetch(
        f"""SELECT {_STOP} FROM selling_stops t
            WHERE reason = 'person'
              AND (t.supplier = '' OR EXISTS (SELECT FROM suppliers s WHERE s.name = t.supplier AND s.configured))
            ORDER BY t.supplier"""  # noqa: S608 - the words above
    )
    return [msgspec.convert(dict(row), Stop) for row in rows]


async def in_force(pool: Pool, page_request: PageRequest = FIRST_PAGE) -> Page[Stop]:
    """The stops, that of all suppliers first, then by name."""
    rows = await pool.fetch(
        f"""SELECT {_STOP} FROM selling_stops t
            WHERE (t.supplier, t.reason) > ($1, $2) ORDER BY t.supplier, t.reason LIMIT $3""",  # noqa: S608 - the words above
        *page_request.after(str, str),
        page_request.fetch,
    )
    page = page_request.page(rows, lambda row: (row["supplier"] or ALL, row["reason"]))
    return page.map(lambda row: msgspec.convert(dict(row), Stop))


async def mark_out_of_stock(connection: Connection, supplier: str, key: str, until: datetime, note: str) -> None:
    """The supplier has none of it: not sold until then."""
    await connection.execute(
        "INSERT INTO offer_marks (supplier, supplier_plan_id, why, until, note) VALUES ($1, $2, 'out_of_stock', $3, $4)"
        " ON CONFLICT (supplier, supplier_plan_id, why) DO UPDATE SET until = excluded.until, created_at = now()",
        supplier,
        key,
        until,
        note,
    )


async def stop_offer(connection: Connection, supplier: str, key: str, charged: Decimal | None, note: str) -> None:
    """It was charged more than it is listed for: not sold until a sync lists as much, or an operator releases it.

    ``charged`` None (it was in another currency) leaves it to an operator.
    """
    await connection.execute(
        "INSERT INTO offer_marks (supplier, supplier_plan_id, why, note, charged) VALUES ($1, $2, 'stopped', $3, $4)"
        " ON CONFLICT (supplier, supplier_plan_id, why) DO UPDATE SET"
        " note = excluded.note, charged = greatest(offer_marks.charged, excluded.charged)",
        supplier,
        key,
        note,
        charged,
    )


async def barred(connection: Connection | Pool, supplier: str) -> frozenset[str]:
    """The supplier's plans that a mark keeps from sale now."""
    rows = await connection.fetch(
        "SELECT supplier_plan_id FROM offer_marks WHERE supplier = $1 AND (until IS NULL OR until > now())", supplier
    )
    return frozenset(row["supplier_plan_id"] for row in rows)


class SellingState(msgspec.Struct, frozen=True):
    """Whether a supplier sells at all now: not paused or stopped, and with our money."""

    paused: bool
    no_balance: bool


async def selling_states(connection: Connection | Pool, suppliers: Collection[str]) -> dict[str, SellingState]:
    """How these suppliers stand; one that is not known is paused."""
    rows = await connection.fetch(
        """SELECT s.name, s.state <> 'active' OR NOT s.configured
                  OR EXISTS (SELECT FROM selling_stops t WHERE t.supplier IN ('', s.name)) AS paused,
                  coalesce(s.no_balance_until > now(), false) AS no_balance
           FROM suppliers s WHERE s.name = ANY($1)""",
        list(suppliers),
    )
    known = {row["name"]: SellingState(row["paused"], row["no_balance"]) for row in rows}
    return {name: known.get(name, SellingState(paused=True, no_balance=False)) for name in suppliers}


async def marks(
    connection: Connection | Pool, keys: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], tuple[str, ...]]:
    """What keeps these (supplier, its key) from sale now, by the words of ``offer_marks``."""
    rows = await connection.fetch(
        """SELECT m.supplier, m.supplier_plan_id, array_agg(m.why ORDER BY m.why) AS why FROM offer_marks m
           JOIN unnest($1::text[], $2::text[]) AS k (supplier, key)
             ON (m.supplier, m.supplier_plan_id) = (k.supplier, k.key)
           WHERE m.until IS NULL OR m.until > now() GROUP BY 1, 2""",
        [supplier for supplier, _ in keys],
        [key for _, key in keys],
    )
    return {(row["supplier"], row["supplier_plan_id"]): tuple(row["why"]) for row in rows}


async def cool_down(connection: Connection, supplier: str, until: datetime) -> None:
    """Our money there does not suffice: leave it alone until then."""
    await connection.execute("UPDATE suppliers SET no_balance_until = $2 WHERE name = $1", supplier, until)


async def stops_of(connection: Connection | Pool, supplier: str) -> list[tuple[str, str]]:
    """What stops one supplier alone: each reason with its note."""
    rows = await connection.fetch(
        "SELECT reason, note FROM selling_stops WHERE supplier = $1 ORDER BY reason", supplier
    )
    return [(row["reason"], row["note"]) for row in rows]
