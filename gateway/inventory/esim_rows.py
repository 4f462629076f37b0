"""Delivered eSIMs. ICCID, activation code and status are sealed; an ICCID is found by its keyed digest.

Every question of a storefront carries the storefront and its mode: another's eSIM is not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import msgspec
import structlog

from gateway.access.key_rows import Mode
from gateway.inventory import esim_life_rules
from gateway.kit.pages import PageRequest, columns
from gateway.kit.pool import Connection, Pool
from gateway.kit.sealing import Seal, Unsealable
from schemas.esim import EsimStatus, ProfileState, ServiceState
from schemas.order import Delivery
from schemas.page import Page

log = structlog.get_logger(__name__)

PREFIX = "esim_"
# A look at a supplier that was claimed and never came to an end is claimed again after so long.
CLAIM = timedelta(minutes=10)
FIRST_POLL = timedelta(minutes=10)
_CLAIMING = 0x6573696D

_SELECT = """
    SELECT e.id, e.order_id, e.storefront_id, e.mode, e.supplier, e.supplier_plan_id, e.iccid, e.activation_code,
           e.confirmation_code_required, e.status, e.observed_at, e.next_poll_at, e.usage_notified, e.state_notified,
           e.created_at, o.plan_id, o.plan, o.status AS order_status, o.currency
    FROM esims e JOIN orders o ON o.id = e.order_id
"""


class Esim(msgspec.Struct, frozen=True):
    """One delivered eSIM, opened. ``status`` is what the supplier last said, None before it was first asked.

    ``usage_notified`` is the percentage that was last told to the storefront, ``state_notified`` the state
    ("enabled/active"). ``plan`` is the plan as it was sold, ``currency`` what it was sold in.
    """

    id: str
    order_id: str
    storefront_id: str
    mode: Mode
    supplier: str
    supplier_plan_id: str
    iccid: str
    activation_code: str | None
    confirmation_code_required: bool
    status: EsimStatus | None
    observed_at: datetime | None
    next_poll_at: datetime | None
    usage_notified: int
    state_notified: str | None
    created_at: datetime
    plan_id: str
    plan: dict[str, Any]
    order_status: str
    currency: str


async def holder_of(connection: Connection, seal: Seal, mode: Mode, delivery: Delivery, order_id: str) -> str | None:
    """Another order of the mode that has the very eSIM, whoever supplied it.

    An activation code is delivered once for ever. ICCIDs come back: one decides only where there is no code, and only
    among eSIMs that have not ended.
    """
    if delivery.activation_code is not None:
        found, digests = "code_digest = ANY($1::bytea[])", seal.digests(delivery.activation_code)
    elif delivery.iccid is not None:
        found = "iccid_digest = ANY($1::bytea[]) AND activation_code IS NULL AND NOT ended"
        digests = seal.digests(delivery.iccid)
    else:
        return None
    other_order_id: str | None = await connection.fetchval(
        f"SELECT order_id FROM esims WHERE {found} AND mode = $2 AND order_id <> $3 LIMIT 1",  # noqa: S608 - the words above
        digests,
        mode,
        order_id,
    )
    return other_order_id


async def fill_code_digests(pool: Pool, seal: Seal, most: int = 500) -> int:
    """Give eSIMs from before there was one the digest of their code; how many there were, ``most`` at a time.

    Two that were delivered with the same code: the first keeps it, the other one stays without.
    """
    filled, after = 0, ""
    while rows := await pool.fetch(
        "SELECT id, activation_code FROM esims WHERE activation_code IS NOT NULL AND code_digest IS NULL AND id > $1"
        " ORDER BY id LIMIT $2",
        after,
        most,
    ):
        after = rows[-1]["id"]
        for row in rows:
            try:
                digest = seal.digest(seal.open_text(row["activation_code"]))
                await pool.execute("UPDATE esims SET code_digest = $2 WHERE id = $1", row["id"], digest)
                filled += 1
            except (asyncpg.UniqueViolationError, Unsealable) as error:
                log.warning("esim_code_not_unique", esim=row["id"], error=type(error).__name__)
    return filled


async def find(pool: Pool | Connection, seal: Seal, storefront_id: str, mode: Mode, name: str) -> Esim | None:
    """The storefront's eSIM of that id or ICCID (the newest one: ICCIDs come back); None when it has none."""
    by_id = name.startswith(PREFIX)
    row = await pool.fetchrow(
        f"""{_SELECT} WHERE e.storefront_id = $1 AND e.mode = $2
            AND {"e.id = $3" if by_id else "e.iccid_digest = ANY($3::bytea[])"}
            ORDER BY e.created_at DESC, e.id LIMIT 1""",
        storefront_id,
        mode,
        name if by_id else seal.digests(name),
    )
    return None if row is None else _esim(row, seal)


async def get(connection: Pool | Connection, seal: Seal, esim_id: str) -> Esim | None:
    """The eSIM of that id, whoever it belongs to: for jobs and for who proved otherwise that it may be seen."""
    row = await connection.fetchrow(f"{_SELECT} WHERE e.id = $1", esim_id)
    return None if row is None else _esim(row, seal)


async def of_orders(pool: Pool | Connection, seal: Seal, order_ids: Sequence[str]) -> dict[str, Esim]:
    """The eSIMs of these orders, by order id; the caller has seen to it that the orders may be seen."""
    rows = await pool.fetch(f"{_SELECT} WHERE e.order_id = ANY($1)", list(order_ids))
    return {row["order_id"]: _esim(row, seal) for row in rows}


async def by_ids(connection: Pool | Connection, seal: Seal, ids: Sequence[str]) -> dict[str, Esim]:
    """These eSIMs by id, whoever they belong to: for operators."""
    rows = await connection.fetch(f"{_SELECT} WHERE e.id = ANY($1)", list(ids))
    return {row["id"]: _esim(row, seal) for row in rows}


async def newest_first(pool: Pool, seal: Seal, storefront_id: str, mode: Mode, page_request: PageRequest) -> Page[Esim]:
    """The eSIMs of a storefront, the newest first."""
    rows = await pool.fetch(
        f"""{_SELECT} WHERE e.storefront_id = $1 AND e.mode = $2
            AND ($3::text IS NULL OR (e.created_at, e.id) < (
                SELECT l.created_at, l.id FROM esims l WHERE l.id = $3 AND l.storefront_id = $1 AND l.mode = $2))
            ORDER BY e.created_at DESC, e.id DESC LIMIT $4""",  # noqa: S608 - the words above
        storefront_id,
        mode,
        *page_request.before(str),
        page_request.fetch,
    )
    return page_request.page(rows, columns("id")).map(lambda row: _esim(row, seal))


# -- looking at suppliers ------------------------------------------------------------------------------------------


async def suppliers_due(pool: Pool, now: datetime) -> list[str]:
    """Suppliers of which an eSIM is due to be looked at."""
    return [row[0] for row in await pool.fetch("SELECT DISTINCT supplier FROM esims WHERE next_poll_at <= $1", now)]


async def claim_due(pool: Pool, supplier: str, now: datetime, most: int, seconds: float) -> list[str]:
    """Ids of eSIMs that are due, the longest due first; no other process gets them until the claim runs out.

    At most so many within ``seconds``, by all processes together.
    """
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1, hashtext($2))", _CLAIMING, supplier)
        # As a subquery of IN it may be run again for every row of the outer table, and then locks more than the limit.
        rows = await connection.fetch(
            """WITH due AS (
                   SELECT id FROM esims WHERE supplier = $1 AND next_poll_at <= $2
                   ORDER BY next_poll_at FOR UPDATE SKIP LOCKED LIMIT greatest(0, $3 - (
                       SELECT count(*) FROM esims WHERE supplier = $1 AND claimed_at > $2::timestamptz - $5::interval))
               )
               UPDATE esims e SET next_poll_at = $2 + $4, claimed_at = $2 FROM due WHERE e.id = due.id
               RETURNING e.id""",
            supplier,
            now,
            most,
            CLAIM,
            timedelta(seconds=seconds),
        )
    return [row[0] for row in rows]


async def lock(connection: Connection, seal: Seal, esim_id: str) -> Esim | None:
    """The eSIM, held until the end of the caller's transaction."""
    row = await connection.fetchrow(f"{_SELECT} WHERE e.id = $1 FOR UPDATE OF e", esim_id)
    return None if row is None else _esim(row, seal)


async def observe(
    connection: Connection,
    seal: Seal,
    esim_id: str,
    status: EsimStatus,
    *,
    next_poll_at: datetime | None,
    usage_notified: int,
    state_notified: str | None,
) -> None:
    """Write what a supplier said, what of it was told, and when to look again. Under ``lock``.

    Another amount of used data than before is kept with its time.
    """
    await connection.execute(
        """WITH seen AS (
               UPDATE esims SET status = $2, observed_at = $3, next_poll_at = $4, usage_notified = $5,
                      state_notified = $6, ended = ended OR $7
               WHERE id = $1
           )
           INSERT INTO esim_usage (esim_id, at, used_mb, total_mb)
           SELECT $1, $3, $8::bigint, $9::bigint WHERE $8::bigint IS NOT NULL AND NOT EXISTS (
               SELECT FROM (SELECT used_mb, total_mb FROM esim_usage WHERE esim_id = $1 ORDER BY at DESC LIMIT 1) l
               WHERE l.used_mb = $8 AND l.total_mb IS NOT DISTINCT FROM $9)
           ON CONFLICT DO NOTHING""",
        esim_id,
        seal.seal(msgspec.json.encode(status)),
        status.observed_at,
        next_poll_at,
        usage_notified,
        state_notified,
        status.service_state in {ServiceState.REVOKED, ServiceState.EXPIRED}
        or status.profile_state is ProfileState.DELETED,
        esim_life_rules.used_mb(status.data),
        None if status.data is None else status.data.total_mb,
    )


async def end(connection: Connection, order_id: str) -> str | None:
    """The eSIM of a cancelled order is polled no more, and its ICCID may come back; its id."""
    ended: str | None = await connection.fetchval(
        "UPDATE esims SET next_poll_at = NULL, ended = true WHERE order_id = $1 RETURNING id", order_id
    )
    return ended


async def set_poll_at(connection: Pool | Connection, esim_id: str, at: datetime | None) -> None:
    """Look at the eSIM at that time, or never again by itself."""
    await connection.execute("UPDATE esims SET next_poll_at = $2 WHERE id = $1", esim_id, at)


def _esim(row: Any, seal: Seal) -> Esim:
    values = dict(row)
    code, status = values["activation_code"], values["status"]
    values["iccid"] = seal.open_text(values["iccid"])
    values["activation_code"] = seal.open_text(code) if code is not None else None
    values["status"] = msgspec.json.decode(seal.open(status), type=EsimStatus) if status is not None else None
    return Esim(**values)


async def sealed_iccid(connection: Connection | Pool, esim_id: str | None) -> bytes:
    """The sealed ICCID of an eSIM that exists."""
    sealed: bytes = await connection.fetchval("SELECT iccid FROM esims WHERE id = $1", esim_id)
    return sealed


async def sealed_iccid_of(connection: Connection | Pool, order_id: str) -> bytes | None:
    """The sealed ICCID of the eSIM that an order delivered; None before it did."""
    sealed: bytes | None = await connection.fetchval("SELECT iccid FROM esims WHERE order_id = $1", order_id)
    return sealed
