"""The offers of a plan with everything that decides whether one may be sold now: admission and failover choose here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from gateway.access.key_rows import Mode
from gateway.kit.pool import Connection, Pool
from gateway.suppliers import fund_rows
from gateway.suppliers.spendable_rules import Funds
from schemas.money import Money
from schemas.plan import DataAllowance, Features, Network

_OFFERS = """
    SELECT o.supplier, o.supplier_plan_id, o.plan_id, o.name, o.coverage, o.data, o.days, o.starts, o.networks,
           o.features, o.cost, o.currency, o.stock, o.supplier_product_id, o.visible, o.suspect IS NOT NULL AS suspect,
           s.quarantined IS NOT NULL AS quarantined,
           s.state <> 'active' OR NOT s.configured
               OR EXISTS (SELECT FROM selling_stops t WHERE t.supplier IN ('', s.name)) AS paused,
           coalesce(s.no_balance_until > now(), false) AS no_balance, s.last_good_at, s.last_sync_state,
           ARRAY(SELECT m.why FROM offer_marks m
                 WHERE m.supplier = o.supplier AND m.supplier_plan_id = o.supplier_plan_id
                   AND (m.until IS NULL OR m.until > now())) AS marks,
           extract(epoch FROM least(
               CASE WHEN s.no_balance_until > now() THEN s.no_balance_until END,
               (SELECT min(m.until) FROM offer_marks m
                WHERE m.supplier = o.supplier AND m.supplier_plan_id = o.supplier_plan_id AND m.until > now())
           ) - now())::float8 AS stands_seconds,
           (SELECT p.updated_at FROM plans p WHERE p.id = o.plan_id) AS updated_at,
           (SELECT ARRAY[content, overlay, pricing] FROM catalog_state) AS version
    FROM offers o JOIN suppliers s ON s.name = o.supplier
    WHERE o.gone_at IS NULL AND s.mode = $1
"""
_ADMITTED = """ AND (o.plan_id = $2 OR EXISTS (
    SELECT FROM plan_successors s WHERE s.plan_id = $2 AND s.offer_id = o.id AND s.at >= (
        SELECT coalesce(c.created_at, r.created_at) FROM orders r LEFT JOIN checkouts c ON c.id = r.checkout_id
        WHERE r.id = $3)))"""


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """One stored offer. ``stands_seconds``: so long until a mark or a block of it ends by the clock, None for ever."""

    supplier: str
    supplier_plan_id: str
    plan_id: str
    name: str
    coverage: tuple[str, ...]
    data: DataAllowance
    days: int
    starts: str
    networks: tuple[Network, ...]
    features: Features
    cost: Money | None
    stock: int | None
    supplier_product_id: str | None
    visible: bool
    suspect: bool
    paused: bool
    no_balance: bool
    last_good_at: datetime | None
    last_sync_state: str | None
    marks: tuple[str, ...]
    updated_at: datetime | None
    funds: Funds | None = None
    stands_seconds: float | None = None
    quarantined: bool = False
    version: tuple[int, int, int] = (0, 0, 0)


async def of_plan(connection: Connection | Pool, mode: Mode, plan_id: str, order_id: str | None = None) -> list[Stored]:
    """The offers of a plan at suppliers of that mode.

    With an order those, too, that had the plan's id when it, or its checkout, was admitted.
    """
    if order_id is None:
        rows = await connection.fetch(_OFFERS + " AND o.plan_id = $2", mode, plan_id)
    else:
        rows = await connection.fetch(_OFFERS + _ADMITTED, mode, plan_id, order_id)
    return await _with_funds(connection, rows)


async def of_plan_without_funds(connection: Connection | Pool, mode: Mode, plan_id: str) -> list[Stored]:
    """``of_plan`` in one statement, for who knows the funds."""
    return [_stored(row, None) for row in await connection.fetch(_OFFERS + " AND o.plan_id = $2", mode, plan_id)]


async def was_there(connection: Connection | Pool, plan_id: str) -> bool:
    """Whether the plan was in the catalogue once."""
    return bool(await connection.fetchval("SELECT true FROM plans WHERE id = $1", plan_id))


async def of_coverage(connection: Connection | Pool, supplier: str, supplier_plan_id: str) -> list[Stored]:
    """The supplier's offers with the same coverage as one of them, that one among them."""
    mode = await connection.fetchval("SELECT mode FROM suppliers WHERE name = $1", supplier)
    rows = await connection.fetch(
        _OFFERS  # noqa: S608 - the words above
        + """ AND o.supplier = $2 AND o.coverage = (SELECT coverage FROM offers
              WHERE supplier = $2 AND supplier_plan_id = $3)""",
        mode,
        supplier,
        supplier_plan_id,
    )
    return await _with_funds(connection, rows)


async def observe_cost(connection: Connection, supplier: str, key: str, cost: Money, now: datetime) -> None:
    """Take over a cost that a look at one plan told between two syncs; recorded as a change of price, once.

    The digest is made void, so that the next sync compares the whole offer again.
    """
    row = await connection.fetchrow(
        """UPDATE offers o SET cost = $3, good_cost = $3, good_currency = $4, prior_good_cost = old.good_cost,
                  prior_good_currency = old.good_currency, digest = decode(repeat('00', 24), 'hex'), changed_at = $5
           FROM (SELECT id, cost, currency, good_cost, good_currency FROM offers
                 WHERE supplier = $1 AND supplier_plan_id = $2 FOR UPDATE) AS old
           WHERE o.id = old.id AND old.currency = $4 AND old.cost <> $3
           RETURNING o.plan_id, old.cost AS before""",
        supplier,
        key,
        cost.amount,
        cost.currency,
        now,
    )
    if row is None:
        return
    await connection.execute(
        """INSERT INTO price_changes (supplier, supplier_plan_id, plan_id, old, new, old_currency, new_currency, at,
               sync_run_id) VALUES ($1, $2, $3, $4, $5, $6, $6, $7, 'order')""",
        supplier,
        key,
        row["plan_id"],
        row["before"],
        cost.amount,
        cost.currency,
        now,
    )
    await connection.execute("UPDATE plans SET updated_at = $2 WHERE id = $1", row["plan_id"], now)
    await connection.execute("UPDATE catalog_state SET content = content + 1")


async def _with_funds(connection: Connection | Pool, rows: Sequence[Any]) -> list[Stored]:
    funds = await fund_rows.load(connection, sorted({row["supplier"] for row in rows}))
    return [_stored(row, funds.get(row["supplier"])) for row in rows]


def _stored(row: Any, known: Funds | None) -> Stored:
    values = dict(row)
    currency = values.pop("currency")
    return Stored(
        **values
        | {
            "coverage": tuple(sorted(values["coverage"])),
            "data": msgspec.convert(values["data"], DataAllowance),
            "networks": msgspec.convert(values["networks"], tuple[Network, ...]),
            "features": msgspec.convert(values["features"], Features),
            "cost": None if values["cost"] is None else Money(values["cost"], currency),
            "marks": tuple(values["marks"]),
            "version": tuple(values["version"]),
            "funds": known,
        }
    )
