"""What operators look at: suppliers, sync runs, items that could not be mapped, price changes, offers.

Every list is read in its own order from a position on. A position is a tuple of texts, and any tuple is
one: what stands before it was shown, whether or not that row still exists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar

import asyncpg
import msgspec

from gateway.core.supplier_state import UNKNOWN, SupplierState
from gateway.store.pool import Connection, Pool
from schemas.api import (
    Breaker,
    LastSync,
    Price,
    PriceChange,
    Supplier,
    SupplierRateLimit,
    SyncRun,
    SyncRunSupplier,
    UnmappedItem,
)
from schemas.money import Money
from schemas.plan import TRIGGER_COUNTRY, DataAllowance

T = TypeVar("T")
Position = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rows(Generic[T]):
    """Some rows of a list, and the position after them when there are more."""

    rows: list[T]
    after: Position | None


@dataclass(frozen=True, slots=True)
class SupplierContext:
    """What a supplier's row does not say, by name: its capabilities, calls a minute, and its state.

    A state that is not there stands for none that is known: ok.
    """

    capabilities: Mapping[str, Sequence[str]] = field(default_factory=dict)
    per_minute: Mapping[str, int | None] = field(default_factory=dict)
    states: Mapping[str, SupplierState] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OfferRow:
    """An offer with everything that decides whether it may be sold."""

    id: str
    plan_id: str
    supplier: str
    supplier_plan_id: str
    name: str
    coverage: tuple[str, ...]
    data: DataAllowance
    days: int
    cost: Money | None
    stock: int | None
    visible: bool
    suspect: bool
    marks: tuple[str, ...]
    paused: bool
    no_balance: bool
    last_good_at: datetime | None
    last_sync_state: str | None


_SUPPLIERS = """
    SELECT s.name, s.provider, s.mode, s.configured, s.last_sync_at, s.last_good_at, s.last_sync_state,
           coalesce(o.offers, 0) AS offers,
           (SELECT count(*)::int FROM set_aside a WHERE a.supplier = s.name) AS set_aside,
           coalesce(b.state, 'closed') AS breaker, coalesce(b.failures, 0) AS failures, b.retry_at, b.last_error,
           l.reported_limit, l.remaining, l.resets_at, l.blocked_until
    FROM suppliers s
    LEFT JOIN supplier_breakers b ON b.supplier = s.name
    LEFT JOIN supplier_limits l ON l.supplier = s.name
    LEFT JOIN (SELECT supplier, count(*)::int AS offers FROM offers WHERE gone_at IS NULL GROUP BY supplier) AS o
        ON o.supplier = s.name
"""


_OFFERS = """
    SELECT o.id, o.plan_id, o.supplier, o.supplier_plan_id, o.name, o.coverage, o.data, o.days,
           o.cost, o.currency, o.stock, o.visible,
           o.suspect IS NOT NULL AS suspect,
           s.state <> 'active' OR NOT s.configured
               OR EXISTS (SELECT FROM selling_stops t WHERE t.supplier IN ('', s.name)) AS paused,
           coalesce(s.no_balance_until > now(), false) AS no_balance,
           s.last_good_at, s.last_sync_state,
           ARRAY(SELECT m.why FROM offer_marks m
                 WHERE m.supplier = o.supplier AND m.supplier_plan_id = o.supplier_plan_id
                   AND (m.until IS NULL OR m.until > now())) AS marks
    FROM offers o JOIN suppliers s ON s.name = o.supplier
"""


async def suppliers(
    pool: Pool,
    limit: int,
    after: Position | None,
    context: SupplierContext,
    mode: str | None = None,
) -> Rows[Supplier]:
    """Supplier accounts by name, those of a mode; those that are configured no longer stay while they have offers."""
    rows = await pool.fetch(
        _SUPPLIERS
        + """WHERE s.name > $1 AND (s.configured OR o.offers > 0)
                 AND ($3::text IS NULL OR s.mode = $3)
             ORDER BY s.name LIMIT $2""",
        _part(after, 0),
        limit + 1,
        mode,
    )
    return _page([_supplier(row, context) for row in rows], limit, lambda s: (s.name,))


async def supplier(pool: Pool, name: str, context: SupplierContext) -> Supplier | None:
    """One supplier account, None when there is none of that name."""
    row = await pool.fetchrow(_SUPPLIERS + "WHERE s.name = $1", name)
    return None if row is None else _supplier(row, context)


async def is_supplier(connection: Connection | Pool, name: str) -> bool:
    """Whether there is an account of that name, configured or not."""
    return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM suppliers WHERE name = $1)", name))


async def set_supplier_state(pool: Connection | Pool, name: str, state: str) -> bool:
    """Set "active" or "paused"; False when there is no such supplier. A change tells every process to look again."""
    row = await pool.fetchrow(
        """WITH changed AS (UPDATE suppliers SET state = $2 WHERE name = $1 AND state <> $2)
           SELECT name FROM suppliers WHERE name = $1""",
        name,
        state,
    )
    return row is not None


async def sync_runs(pool: Pool, limit: int, after: Position | None) -> Rows[SyncRun]:
    """Sync runs, the newest first."""
    rows = await pool.fetch(
        """SELECT id, started_at, ended_at, state FROM sync_runs
           WHERE $1 = '' OR id < $1 ORDER BY id DESC LIMIT $2""",
        _part(after, 0),
        limit + 1,
    )
    parts = await pool.fetch(
        """SELECT run_id, supplier, state, total, mapped, set_aside, other_products, new, changed, gone, up, down,
                  in_stock, out_of_stock, suspect, warnings, error, ms
           FROM sync_run_suppliers WHERE run_id = ANY($1) ORDER BY supplier""",
        [row["id"] for row in rows],
    )
    by_run: dict[str, list[SyncRunSupplier]] = {}
    for part in parts:
        fields = dict(part)
        by_run.setdefault(fields.pop("run_id"), []).append(SyncRunSupplier(**fields))
    runs = [SyncRun(**row, suppliers=by_run.get(row["id"], [])) for row in rows]
    return _page(runs, limit, lambda run: (run.id,))


async def unmapped(
    pool: Pool, limit: int, after: Position | None, supplier_name: str | None, reason: str | None
) -> Rows[UnmappedItem]:
    """Items that no rule understood, by supplier and its own id."""
    rows = await pool.fetch(
        """SELECT supplier, supplier_plan_id, name, reason, detail, raw, first_seen_at FROM set_aside
           WHERE (supplier, supplier_plan_id) > ($1, $2)
             AND ($3::text IS NULL OR supplier = $3) AND ($4::text IS NULL OR reason = $4)
           ORDER BY supplier, supplier_plan_id LIMIT $5""",
        _part(after, 0),
        _part(after, 1),
        supplier_name,
        reason,
        limit + 1,
    )
    items = [msgspec.convert(dict(row), UnmappedItem) for row in rows]
    return _page(items, limit, lambda item: (item.supplier, item.supplier_plan_id))


async def price_changes(
    pool: Pool, limit: int, after: Position | None, supplier_name: str | None, plan_id: str | None
) -> Rows[PriceChange]:
    """Price changes, the newest first."""
    last = _part(after, 0)
    rows = await pool.fetch(
        """SELECT id, supplier, supplier_plan_id, plan_id, old, new, old_currency, new_currency, at, sync_run_id
           FROM price_changes
           WHERE ($1::bigint IS NULL OR id < $1)
             AND ($2::text IS NULL OR supplier = $2) AND ($3::text IS NULL OR plan_id = $3)
           ORDER BY id DESC LIMIT $4""",
        None if after is None else int(last) if last.isascii() and last.isdecimal() and len(last) < 19 else 0,  # noqa: PLR2004 - a bigint's digits
        supplier_name,
        plan_id,
        limit + 1,
    )
    shown = rows[:limit]
    changes = [
        PriceChange(
            supplier=row["supplier"],
            supplier_plan_id=row["supplier_plan_id"],
            plan_id=row["plan_id"],
            old=price_of(_money(row["old"], row["old_currency"])),
            new=price_of(_money(row["new"], row["new_currency"])),
            at=row["at"],
            sync_run_id=row["sync_run_id"],
        )
        for row in shown
    ]
    return Rows(changes, (str(shown[-1]["id"]),) if len(rows) > limit else None)


async def offers(
    pool: Pool,
    limit: int,
    after: Position | None,
    supplier_name: str | None,
    plan_id: str | None,
    *,
    suspect: bool,
    triggers: bool,
) -> Rows[OfferRow]:
    """Offers that stand, by id; with ``suspect`` only those whose price is, with ``triggers`` those of triggers too."""
    rows = await pool.fetch(
        _OFFERS
        + """WHERE o.id > $1 AND o.gone_at IS NULL
             AND ($2::text IS NULL OR o.supplier = $2) AND ($3::text IS NULL OR o.plan_id = $3)
             AND (NOT $4 OR o.suspect IS NOT NULL)
             AND ($6 OR s.mode <> 'test' OR o.coverage <> ARRAY[$7::text])
           ORDER BY o.id LIMIT $5""",
        _part(after, 0),
        supplier_name,
        plan_id,
        suspect,
        limit + 1,
        triggers,
        TRIGGER_COUNTRY,
    )
    return _page([_offer(row) for row in rows], limit, lambda offer: (offer.id,))


async def offer(pool: Pool, offer_id: str) -> OfferRow | None:
    """One offer that stands, None when there is none."""
    row = await pool.fetchrow(_OFFERS + "WHERE o.id = $1 AND o.gone_at IS NULL", offer_id)
    return None if row is None else _offer(row)


def price_of(money: Money | None) -> Price | None:
    """Money as the API writes it."""
    return None if money is None else Price(f"{money.padded().amount:f}", money.currency)


def _supplier(row: asyncpg.Record, context: SupplierContext) -> Supplier:
    name = row["name"]
    judged = context.states.get(name, UNKNOWN)
    last = LastSync(row["last_sync_state"], row["last_sync_at"], row["last_good_at"]) if row["last_sync_at"] else None
    return Supplier(
        name=name,
        provider=row["provider"],
        mode=row["mode"],
        state=judged.state,
        configured=row["configured"],
        capabilities=list(context.capabilities.get(name, ())),
        last_sync=last,
        offers=row["offers"],
        set_aside=row["set_aside"],
        balance=None,
        breaker=Breaker(row["breaker"], row["failures"], row["retry_at"], row["last_error"]),
        rate_limit=SupplierRateLimit(
            context.per_minute.get(name),
            row["reported_limit"],
            row["remaining"],
            row["resets_at"],
            row["blocked_until"],
        ),
        problems=judged.problems,
    )


def _offer(row: asyncpg.Record) -> OfferRow:
    fields: dict[str, Any] = dict(row)
    cost = _money(fields.pop("cost"), fields.pop("currency"))
    fields["coverage"] = tuple(sorted(fields["coverage"]))
    fields["data"] = msgspec.convert(fields["data"], DataAllowance)
    return OfferRow(**{**fields, "marks": tuple(fields["marks"])}, cost=cost)


def _money(amount: Decimal | None, currency: str | None) -> Money | None:
    return None if amount is None or currency is None else Money(amount, currency)


def _part(after: Position | None, place: int) -> str:
    return after[place] if after is not None and place < len(after) else ""


def _page(found: list[T], limit: int, position: Any) -> Rows[T]:
    shown = found[:limit]
    return Rows(shown, position(shown[-1]) if len(found) > limit else None)
