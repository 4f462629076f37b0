"""Attempts: the row that is committed before a supplier is asked to sell, and what is recorded after."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID, uuid4

import asyncpg
import msgspec

from gateway.items import item_rules
from gateway.items.item_rules import ItemWanted
from gateway.kit.durability import DURABLE
from gateway.kit.pool import Connection, Pool
from gateway.kit.sealing import Seal
from gateway.orders.order_rows import AttemptRow, Bound, OrderRow
from gateway.orders.rules.states import AttemptKind, AttemptState
from gateway.selling.choosing_rules import Candidate
from providers.contract import SupplierSettings

SEND_SECONDS = 15.0  # from the committed attempt to the first byte; S2S's signature holds for 300

_BEGIN = f"""
    WITH moved AS (
        UPDATE orders SET step = step + 1, polls = 0, next_poll_at = $3, updated_at = $4
        WHERE id = $1 AND step = $2 AND status IN ('pending', 'cancel_pending')
          AND NOT EXISTS (SELECT FROM selling_stops WHERE supplier IN ('', $5)
                          AND ($6 <> 'cancel' OR reason = 'restored'))
          AND ($6 = 'cancel' OR NOT EXISTS (SELECT FROM suppliers WHERE name = $5 AND state <> 'active'))
          AND {DURABLE}
        RETURNING id
    ), begun AS (
        INSERT INTO attempts (id, order_id, n, kind, supplier, supplier_plan_id, state, run_id, iccid, email,
            signed_at, deadline, quiescent_at, provision_by, listed, currency, cost_base, why, started_at, item)
        SELECT $7, id, 1 + (SELECT count(*) FROM attempts WHERE order_id = $1), $6, $5, $8, 'sending', $9,
            $10, $11, $4, $3, $12, $13, $14, $15, $16, $17, $4, $19 FROM moved RETURNING order_id, n
    )
    INSERT INTO order_events (order_id, at, type, detail)
    SELECT order_id, $4, CASE $6 WHEN 'cancel' THEN 'cancel_sent' ELSE 'attempt_started' END,
           jsonb_build_object('ops', $18::jsonb || jsonb_build_object('n', n)) FROM begun RETURNING true
"""  # noqa: S608 - our own words


_MAY_SELL = f"""
    SELECT NOT EXISTS (SELECT FROM selling_stops WHERE supplier IN ('', $1))
       AND NOT EXISTS (SELECT FROM suppliers WHERE name = $1 AND state <> 'active') AND {DURABLE}
"""  # noqa: S608 - our own words


class NewAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """One try that is about to be sent by the run ``run_id``, and by no other. ``iccid`` is sealed.

    ``item`` is what is bought where that is no eSIM, without the answers to a product's fields.
    """

    id: str
    order_id: str
    kind: AttemptKind
    supplier: str
    supplier_plan_id: str
    run_id: UUID
    signed_at: datetime
    deadline: datetime
    quiescent_at: datetime
    provision_by: datetime | None
    listed: Decimal | None = None
    currency: str | None = None
    cost_base: Decimal | None = None
    iccid: bytes | None = None
    email: str | None = None
    why: str = ""
    item: ItemWanted | None = None

    def row(self, n: int) -> AttemptRow:
        """Its row as it stands once it is written, the ``n``-th of its order, and not sent yet."""
        return AttemptRow(
            id=self.id,
            order_id=self.order_id,
            n=n,
            kind=self.kind,
            supplier=self.supplier,
            supplier_plan_id=self.supplier_plan_id,
            state=AttemptState.SENDING,
            run_id=self.run_id,
            iccid=self.iccid,
            email=self.email,
            signed_at=self.signed_at,
            deadline=self.deadline,
            quiescent_at=self.quiescent_at,
            provision_by=self.provision_by,
            listed=self.listed,
            charged=None,
            currency=self.currency,
            cost_base=self.cost_base,
            supplier_order_id=None,
            error_code=None,
            error=None,
            started_at=self.signed_at,
            item=self.item,
        )


def new_attempt(
    order_id: str,
    kind: Literal["purchase", "topup"],
    candidate: Candidate,
    settings: SupplierSettings,
    *,
    why: str,
    iccid: bytes | None,
    now: datetime,
) -> NewAttempt:
    """A try at an offer, whose time to send runs from ``now`` on; ``iccid`` is sealed."""
    deadline, quiescent_at = _bounds(settings, now)
    return NewAttempt(
        id=f"att_{secrets.token_hex(12)}",
        order_id=order_id,
        kind=kind,
        supplier=candidate.supplier,
        supplier_plan_id=candidate.supplier_plan_id,
        run_id=uuid4(),
        signed_at=now,
        deadline=deadline,
        quiescent_at=quiescent_at,
        provision_by=now + timedelta(seconds=settings.provisioning_seconds),
        listed=candidate.cost.amount,
        currency=candidate.cost.currency,
        cost_base=candidate.cost_base,
        iccid=iccid,
        why=why,
        item=candidate.item,
    )


def new_cancel(
    seal: Seal, order: OrderRow, purchase: AttemptRow, settings: SupplierSettings, iccid: str, now: datetime
) -> NewAttempt:
    """The one request to take an eSIM back."""
    deadline, quiescent_at = _bounds(settings, now)
    return NewAttempt(
        id=f"att_{secrets.token_hex(12)}",
        order_id=order.id,
        kind="cancel",
        supplier=purchase.supplier,
        supplier_plan_id=purchase.supplier_plan_id,
        run_id=uuid4(),
        signed_at=now,
        deadline=deadline,
        quiescent_at=quiescent_at,
        provision_by=None,
        iccid=seal.seal(iccid),
        why="the storefront cancelled",
    )


def _bounds(settings: SupplierSettings, now: datetime) -> tuple[datetime, datetime]:
    """Until when an attempt may be sent, and from when on its absence means something."""
    deadline = now + timedelta(seconds=SEND_SECONDS)
    over = deadline + timedelta(seconds=settings.timeout_seconds)
    return deadline, max(over, now + timedelta(seconds=settings.quiescence_seconds))


async def begin(
    connection: Connection,
    order: OrderRow,
    new: NewAttempt,
    ops: dict[str, Any],
    *,
    alone_for: timedelta | None,
    apart: timedelta | None = None,
) -> Literal["begun", "moved", "busy", "alike"]:
    """Commit to one try. "moved": the order did, another try lives, or nothing may be sold; "busy": another call runs.

    Only the caller that gets "begun" may send, once. ``alone_for`` None lets a supplier's calls overlap; else, for a
    number, it is how long a call may be under way, and no other number's call of the account may be. ``apart`` (in a
    transaction only) is how long after its deadline an attempt whose order is not known keeps others of the very same
    item back, for which nobody could say afterwards which is which: "alike".
    """
    if alone_for is not None or apart is not None:
        await connection.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('one call at ' || $1, 0))", new.supplier
        )
        if alone_for is not None and await connection.fetchval(
            "SELECT true FROM attempts WHERE supplier = $1 AND kind <> 'cancel' AND item->>'kind' = 'number'"
            " AND call_ended_at IS NULL AND deadline + $2 > $3 LIMIT 1",
            new.supplier,
            alone_for,
            new.signed_at,
        ):
            return "busy"
        if apart is not None and await connection.fetchval(
            "SELECT true FROM attempts WHERE supplier = $1 AND item - 'country_name' = $2 AND supplier_order_id IS NULL"
            " AND state IN ('sending', 'unknown', 'accepted', 'charged_undeliverable')"
            " AND greatest(deadline + $3, quiescent_at) > $4 LIMIT 1",
            new.supplier,
            # The name of a country is the supplier's to change; country and tier are what an order is told by.
            {name: value for name, value in (item_rules.stored(new.item) or {}).items() if name != "country_name"},
            apart,
            new.signed_at,
        ):
            return "alike"
    try:
        made = await connection.fetchval(
            _BEGIN,
            order.id,
            order.step,
            new.deadline,
            new.signed_at,
            new.supplier,
            new.kind,
            new.id,
            new.supplier_plan_id,
            new.run_id,
            new.iccid,
            new.email,
            new.quiescent_at,
            new.provision_by,
            new.listed,
            new.currency,
            new.cost_base,
            new.why,
            ops,
            item_rules.stored(new.item),
        )
    except asyncpg.UniqueViolationError:
        return "moved"
    return "begun" if made else "moved"


async def may_sell(connection: Connection | Pool, supplier: str) -> bool:
    """Whether no switch and no pause stops the supplier, and the database keeps what it commits."""
    return bool(await connection.fetchval(_MAY_SELL, supplier))


async def owner_of(connection: Connection, attempt: AttemptRow, supplier_order_id: str) -> str | None:
    """Another attempt that has this supplier order already."""
    other: str | None = await connection.fetchval(
        "SELECT id FROM attempts WHERE supplier = $1 AND supplier_order_id = $2 AND kind = $3 AND id <> $4",
        attempt.supplier,
        supplier_order_id,
        attempt.kind,
        attempt.id,
    )
    return other


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedAttempt:
    """An attempt that only the supplier has, as an operator found it there; ``number`` counts the order's attempts."""

    id: str
    order: OrderRow
    number: int
    supplier: str
    offer: Bound
    quiescent_at: datetime
    provision_by: datetime
    supplier_order_id: str | None
    item: Any


async def is_known_order(connection: Connection, supplier: str, supplier_order_id: str) -> bool:
    """Whether that order of a supplier belongs to an attempt."""
    found = await connection.fetchval(
        "SELECT true FROM attempts WHERE supplier = $1 AND supplier_order_id = $2 AND kind <> 'cancel'",
        supplier,
        supplier_order_id,
    )
    return bool(found)


async def cheapest_of(connection: Connection, supplier: str, plan_id: str | None) -> Bound | None:
    """A supplier's cheapest offer of a plan, for sale or not."""
    row = await connection.fetchrow(
        "SELECT supplier_plan_id, cost, currency FROM offers WHERE supplier = $1 AND (plan_id = $2 OR id IN"
        " (SELECT offer_id FROM plan_successors WHERE plan_id = $2)) ORDER BY cost",
        supplier,
        plan_id,
    )
    return None if row is None else Bound(supplier, row["supplier_plan_id"], row["cost"], row["currency"])


async def link(connection: Connection, found: LinkedAttempt) -> None:
    """Write it as one of unknown outcome, which is then polled."""
    order = found.order
    await connection.execute(
        """INSERT INTO attempts (id, order_id, n, kind, supplier, supplier_plan_id, state, run_id, iccid, signed_at,
               deadline, quiescent_at, provision_by, listed, currency, supplier_order_id, why, started_at,
               call_ended_at, item)
           SELECT $1, $2, $3, $4, $5, $6, 'unknown', $7,
                  (SELECT iccid FROM esims WHERE id = $8), $9, $10, $10, $15, $11, $12, $13, $14, $9, $10, $16""",
        found.id,
        order.id,
        found.number,
        "topup" if order.kind == "topup" else "purchase",
        found.supplier,
        found.offer.supplier_plan_id,
        uuid4(),
        order.target_esim_id,
        order.created_at,
        found.quiescent_at,
        found.offer.cost,
        found.offer.currency,
        found.supplier_order_id,
        "adopted from the supplier's books",
        found.provision_by,
        found.item,
    )
