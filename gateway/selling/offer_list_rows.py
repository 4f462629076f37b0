"""Offers with everything that decides whether one may be sold, and how their prices changed, for operators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from gateway.kit.pages import PageRequest, columns, money_of, price_of
from gateway.kit.pool import Pool
from schemas.api_changes import PriceChange
from schemas.money import Money
from schemas.page import Page
from schemas.plan import TRIGGER_COUNTRY, DataAllowance


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
    quarantined: bool
    paused: bool
    no_balance: bool
    last_good_at: datetime | None
    last_sync_state: str | None


_OFFERS = """
    SELECT o.id, o.plan_id, o.supplier, o.supplier_plan_id, o.name, o.coverage, o.data, o.days,
           o.cost, o.currency, o.stock, o.visible,
           o.suspect IS NOT NULL AS suspect,
           s.quarantined IS NOT NULL AS quarantined,
           s.state <> 'active' OR NOT s.configured
               OR EXISTS (SELECT FROM selling_stops t WHERE t.supplier IN ('', s.name)) AS paused,
           coalesce(s.no_balance_until > now(), false) AS no_balance,
           s.last_good_at, s.last_sync_state,
           ARRAY(SELECT m.why FROM offer_marks m
                 WHERE m.supplier = o.supplier AND m.supplier_plan_id = o.supplier_plan_id
                   AND (m.until IS NULL OR m.until > now())) AS marks
    FROM offers o JOIN suppliers s ON s.name = o.supplier
"""


async def price_changes(
    pool: Pool, page_request: PageRequest, supplier_name: str | None, plan_id: str | None
) -> Page[PriceChange]:
    """Price changes, the newest first."""
    rows = await pool.fetch(
        """SELECT id, supplier, supplier_plan_id, plan_id, old, new, old_currency, new_currency, at, sync_run_id
           FROM price_changes
           WHERE id < $1
             AND ($2::text IS NULL OR supplier = $2) AND ($3::text IS NULL OR plan_id = $3)
           ORDER BY id DESC LIMIT $4""",
        *page_request.before(int),
        supplier_name,
        plan_id,
        page_request.fetch,
    )
    return page_request.page(rows, columns("id")).map(_price_change)


async def offers(
    pool: Pool,
    page_request: PageRequest,
    supplier_name: str | None,
    plan_id: str | None,
    *,
    suspect: bool,
    triggers: bool,
) -> Page[OfferRow]:
    """Offers that stand, by id; with ``suspect`` only those whose price is, with ``triggers`` those of triggers too."""
    rows = await pool.fetch(
        _OFFERS
        + """WHERE o.id > $1 AND o.gone_at IS NULL
             AND ($2::text IS NULL OR o.supplier = $2) AND ($3::text IS NULL OR o.plan_id = $3)
             AND (NOT $4 OR o.suspect IS NOT NULL)
             AND ($6 OR s.mode <> 'test' OR o.coverage <> ARRAY[$7::text])
           ORDER BY o.id LIMIT $5""",
        *page_request.after(str),
        supplier_name,
        plan_id,
        suspect,
        page_request.fetch,
        triggers,
        TRIGGER_COUNTRY,
    )
    return page_request.page(rows, columns("id")).map(_offer)


async def offer(pool: Pool, offer_id: str) -> OfferRow | None:
    """One offer that stands, None when there is none."""
    row = await pool.fetchrow(_OFFERS + "WHERE o.id = $1 AND o.gone_at IS NULL", offer_id)
    return None if row is None else _offer(row)


def _price_change(row: asyncpg.Record) -> PriceChange:
    return PriceChange(
        supplier=row["supplier"],
        supplier_plan_id=row["supplier_plan_id"],
        plan_id=row["plan_id"],
        old=price_of(money_of(row["old"], row["old_currency"])),
        new=price_of(money_of(row["new"], row["new_currency"])),
        at=row["at"],
        sync_run_id=row["sync_run_id"],
    )


def _offer(row: asyncpg.Record) -> OfferRow:
    fields: dict[str, Any] = dict(row)
    cost = money_of(fields.pop("cost"), fields.pop("currency"))
    fields["coverage"] = tuple(sorted(fields["coverage"]))
    fields["data"] = msgspec.convert(fields["data"], DataAllowance)
    return OfferRow(**{**fields, "marks": tuple(fields["marks"])}, cost=cost)
