"""Orders as their storefront, or an operator, sees them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from gateway.inventory import delivery_rules, esim_rows
from gateway.inventory.esims import ordered_esim, page_url
from gateway.items.item_rules import ITEM_KINDS
from gateway.kit.pages import price_of
from gateway.orders import item_presenter, order_view_rows
from gateway.orders.admit import Admitted
from gateway.orders.order_rows import NewOrder
from gateway.orders.order_view_rows import OrderRow, StorefrontScope
from gateway.orders.rules.states import ANSWERED
from gateway.orders.settle import Settled
from gateway.suppliers.deps import Deps
from schemas.api import Plan, Price
from schemas.ops_orders import OpsOrder
from schemas.orders import Attempt, Failure, Order, OrderBatch, OrderedEsim, OrderedNumber, OrderedVoucher

_BUYING = frozenset({"purchase", "topup"})


async def order(deps: Deps, order_id: str, scope: StorefrontScope, *, with_costs: bool = False) -> Order | None:
    """A storefront's order with what it delivered; None when it has none of that id."""
    row = await order_view_rows.by_id(deps.pool, order_id, scope)
    return None if row is None else (await orders(deps, [row], with_costs=with_costs))[0]


async def batch(deps: Deps, batch_id: str, scope: StorefrontScope, *, with_costs: bool = False) -> OrderBatch | None:
    """A storefront's batch with its orders; None when it has none of that id."""
    rows = await order_view_rows.of_batch(deps.pool, batch_id, scope)
    return OrderBatch(id=batch_id, orders=await orders(deps, rows, with_costs=with_costs)) if rows else None


def placed(deps: Deps, admitted: Admitted, *, waited: bool) -> Order | None:
    """An order that this process has just written, as its storefront sees it, from what was written.

    None where that does not say how it stands after a wait: then it has to be read. Only for orders of eSIMs.
    """
    new, at = admitted.new, admitted.at
    if new is None or at is None or new.kind != "esim":
        return None
    sending = admitted.sending
    settled = None
    if sending is None or not sending.done():
        if waited:
            return None
    else:
        if sending.cancelled() or sending.exception() is not None or (settled := sending.result()) is None:
            return None
        if settled.status not in ANSWERED and settled.writes.attempt is not None:
            return None  # it goes on with another offer, or is polled
    return Order(**_fields(_written(new, at, settled), _delivered_now(deps, settled), None))


def _written(new: NewOrder, at: datetime, settled: Settled | None) -> OrderRow:
    move = None if settled is None else settled.writes.move
    moved_at = at if settled is None or move is None else settled.writes.now
    return OrderRow(
        id=new.id,
        storefront_id=new.storefront_id,
        storefront="",
        mode=new.mode,
        kind=new.kind,
        status="pending" if settled is None else settled.status,
        reference=new.reference,
        plan=new.plan,
        price=new.price,
        target_esim_id=None,
        failure_code=None if move is None else move.failure_code,
        failure_detail=None if move is None else move.failure_detail,
        refund=new.price if move is not None and move.refund else None,
        metadata=new.metadata,
        next_poll_at=None,
        created_at=at,
        updated_at=moved_at,
        fulfilled_at=moved_at if settled is not None and settled.status == "fulfilled" else None,
    )


def _delivered_now(deps: Deps, settled: Settled | None) -> OrderedEsim | None:
    esim = None if settled is None else settled.writes.esim
    if esim is None:
        return None
    code = None if esim.activation_code is None else deps.seal.open_text(esim.activation_code)
    return delivery_rules.ordered_esim(
        esim.id,
        deps.seal.open_text(esim.iccid),
        code,
        confirmation_code_required=esim.confirmation_code_required,
        page_url=None if code is None else page_url(deps, esim.id),
        base_url=deps.settings.public_base_url,
    )


async def orders(deps: Deps, rows: Sequence[OrderRow], *, with_costs: bool = False) -> list[Order]:
    """Orders of one storefront, each with what it delivered; ``with_costs`` adds what only operators see."""
    delivered = await _delivered(deps, rows, with_codes=True)
    bought = await item_presenter.of_orders(deps, rows, with_secrets=True)
    made = await order_view_rows.attempts(deps.pool, [row.id for row in rows]) if with_costs else {}
    return [
        Order(
            **_fields(row, delivered.get(row.id), bought.get(row.id)),
            **(_costs(made.get(row.id, [])) if with_costs else {}),
        )
        for row in rows
    ]


async def ops_order(deps: Deps, order_id: str) -> OpsOrder | None:
    """Any storefront's order as an operator sees it; None when there is none of that id."""
    row = await order_view_rows.by_id(deps.pool, order_id, None)
    return None if row is None else (await ops_orders(deps, [row]))[0]


async def ops_orders(deps: Deps, rows: Sequence[OrderRow]) -> list[OpsOrder]:
    """Orders as an operator sees them: attempts and costs, and no activation code."""
    delivered = await _delivered(deps, rows, with_codes=False)
    bought = await item_presenter.of_orders(deps, rows, with_secrets=False)
    made = await order_view_rows.attempts(deps.pool, [row.id for row in rows])
    return [
        OpsOrder(
            **_fields(row, delivered.get(row.id), bought.get(row.id)),
            **_costs(made.get(row.id, [])),
            storefront=row.storefront,
            mode=row.mode,
            next_look_at=row.next_poll_at,
        )
        for row in rows
    ]


async def _delivered(deps: Deps, rows: Sequence[OrderRow], *, with_codes: bool) -> dict[str, OrderedEsim]:
    """What each order delivered. A top-up shows the eSIM that it went to, without its code."""
    bought = [row.id for row in rows if row.kind == "esim"]
    made = await esim_rows.of_orders(deps.pool, deps.seal, bought) if bought else {}
    found = {order_id: ordered_esim(deps, esim, with_code=with_codes) for order_id, esim in made.items()}
    for target in {row.target_esim_id for row in rows if row.target_esim_id is not None}:
        esim = await esim_rows.get(deps.pool, deps.seal, target)
        if esim is not None:
            presented = ordered_esim(deps, esim, with_code=False)
            found |= {row.id: presented for row in rows if row.target_esim_id == target}
    return found


def _fields(row: OrderRow, esim: OrderedEsim | None, item: OrderedNumber | OrderedVoucher | None) -> dict[str, Any]:
    failure = None
    if row.failure_code is not None:
        failure = msgspec.convert({"code": row.failure_code, "detail": row.failure_detail or ""}, Failure)
    return {
        "id": row.id,
        "kind": row.kind,
        "status": row.status,
        "reference": row.reference,
        "plan": None if row.kind in ITEM_KINDS else msgspec.convert(row.plan, Plan),
        "price": price_of(row.price),
        "esim": esim,
        "number": item if isinstance(item, OrderedNumber) else None,
        "voucher": item if isinstance(item, OrderedVoucher) else None,
        "failure": failure,
        "refund": price_of(row.refund),
        "metadata": row.metadata,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "fulfilled_at": row.fulfilled_at,
    }


def _costs(attempts: list[Attempt]) -> dict[str, Any]:
    """What the order was to cost and did cost, by its last purchase: the one before it failed for certain."""
    buying = [attempt for attempt in attempts if attempt.kind in _BUYING]
    last = buying[-1] if buying else None
    quoted: Price | None = last.listed if last else None
    return {
        "cost_quoted": quoted,
        "cost_charged": last.cost if last else None,
        "supplier": last.supplier if last else None,
        "attempts": attempts,
    }
