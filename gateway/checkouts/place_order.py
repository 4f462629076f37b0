"""The order of a paid checkout, placed in the transaction that takes its payment: never one without the other."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import asyncpg
import msgspec

from gateway.catalog.index.margins import Fees
from gateway.checkouts import checkout_rows, payment_rows
from gateway.checkouts import checkout_rules as judging
from gateway.checkouts.cases import auto_resolve, emit_event
from gateway.checkouts.checkout_rows import CheckoutRow
from gateway.checkouts.checkout_rules import Review
from gateway.checkouts.payment_rows import PaymentRow
from gateway.kit.pool import Connection
from gateway.orders import admission_rows
from gateway.orders.admit import new_id
from gateway.orders.order_rows import NewOrder
from gateway.orders.rules.schedule import CONTINUES
from gateway.suppliers import spend_rows
from gateway.suppliers.deps import Deps
from schemas.money import Money
from schemas.notice import NoticeType


async def take(
    deps: Deps,
    connection: Connection,
    row: CheckoutRow,
    payment: PaymentRow | None,
    now: datetime,
    *,
    decided: bool = False,
) -> str | Review:
    """Take a payment for a checkout and place its order, unless that was done; the order's id.

    Under the checkout's lock. ``decided``: an operator wants it, whatever the day's limit, and without the reference
    where another order has it. Without ``payment`` an operator answers for the money. A review says why no order can be
    placed, and nothing is taken then.
    """
    order_id = row.order_id
    if order_id is None:
        placed = await _place(deps, connection, row, now, decided=decided)
        if isinstance(placed, Review):
            return placed
        order_id = placed
    if payment is not None:
        await payment_rows.settle(connection, payment.id, now, accepted=row.accepted is None)
    await checkout_rows.move(
        connection,
        row.id,
        now=now,
        state="paid",
        next_poll_at=judging.first_poll(now),
        link_id=None if payment is None else payment.link_id,
        fee_base=fee(deps, row),
        paid_at=now if payment is None else payment.paid_at,
    )
    await auto_resolve(connection, row.id, frozenset({"payment_not_seen"}), now)
    await checkout_rows.add_event(
        connection, row.id, now, "paid", order=order_id, payment=None if payment is None else payment.payment_id
    )
    if row.state != "paid":
        await emit_event(deps, connection, row, NoticeType.CHECKOUT_PAID, "paid", order_id=order_id)
    return order_id


def fee(deps: Deps, row: CheckoutRow) -> Decimal:
    """What being paid costs of a checkout's price, in base currency: the account's own fees, else ``[pricing]``'s."""
    account = deps.payments.get(row.account)
    own = None if account is None else account.settings
    pricing = deps.settings.pricing
    percent = getattr(own, "fee_percent", None)
    fixed = getattr(own, "fee_fixed", None)
    fees = Fees(pricing.fee_percent if percent is None else percent, pricing.fee_fixed if fixed is None else fixed)
    return fees.of(Money(row.price_base, row.base_currency)).amount


async def _place(deps: Deps, connection: Connection, row: CheckoutRow, now: datetime, *, decided: bool) -> str | Review:
    new = _order(row)
    try:
        async with connection.transaction():
            await _add(deps, connection, new, now, decided=decided)
    except _OverLimit:
        return Review("order_refused", "the storefront's daily spend limit is reached")
    except asyncpg.UniqueViolationError as error:
        if row.reference is None or error.constraint_name == "orders_checkout_id_key":
            raise
        if not decided:
            return Review("order_refused", "another order was placed with its reference meanwhile")
        await _add(deps, connection, msgspec.structs.replace(new, reference=None), now, decided=True)
    return new.id


async def _add(deps: Deps, connection: Connection, new: NewOrder, now: datetime, *, decided: bool) -> None:
    due = now + CONTINUES if deps.inline else now
    await admission_rows.admit(connection, new, None, None, now, next_poll_at=due)
    limit = await spend_rows.limit_of(connection, new.storefront_id)
    if limit is None:
        return
    most = Decimal("Infinity") if decided else limit
    if not await spend_rows.spend(connection, "storefront", new.storefront_id, new.price_base, most, now, new.id):
        raise _OverLimit


def _order(row: CheckoutRow) -> NewOrder:
    """The order as it was frozen when the checkout was opened."""
    return NewOrder(
        id=new_id(),
        storefront_id=row.storefront_id,
        mode=row.mode,
        kind="esim",
        reference=row.reference,
        plan_id=row.plan_id,
        plan=row.plan,
        price=row.money,
        price_base=row.price_base,
        max_cost=Money(row.max_cost, row.base_currency),
        wanted=row.wanted,
        only_suppliers=[],
        ignore_suppliers=[],
        metadata=row.metadata,
        email=row.email,
        email_digest=row.email_digest,
        customer_language=row.customer_language or row.language,
        checkout_id=row.id,
    )


class _OverLimit(Exception):  # noqa: N818 - undoes what was written
    pass
