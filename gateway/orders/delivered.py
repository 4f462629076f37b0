"""What was delivered, kept by its kind: whose it is already, and the rows that hold it. Under the order's lock."""

from __future__ import annotations

from datetime import datetime

from gateway.inventory import esim_rows, number_rows, voucher_code_rows
from gateway.inventory.number_rows import NewNumber
from gateway.items.item_rules import Delivered, NumberItem, VoucherCodes, item_of
from gateway.kit.pool import Connection
from gateway.orders.order_rows import AttemptRow, OrderRow
from gateway.suppliers.deps import Deps
from schemas.order import Delivery, NumberDelivery


async def holder_of(
    deps: Deps, connection: Connection, order: OrderRow, attempt: AttemptRow, delivery: Delivered
) -> str | None:
    """Another order that has the very eSIM, number or PIN already.

    Of two orders that are settled with one eSIM at the same moment the second meets a unique index; with one number or
    code it sees the first, for it waits under a lock until the first one's transaction ends.
    """
    if not isinstance(delivery, Delivery):
        await voucher_code_rows.lock_deliveries_of(connection, attempt.supplier)
    match delivery:
        case Delivery():
            return await esim_rows.holder_of(connection, deps.seal, order.mode, delivery, order.id)
        case NumberDelivery():
            return await number_rows.holder_of(
                connection, deps.seal, attempt.supplier, delivery.phone_number, attempt.order_id, deps.clock()
            )
        case VoucherCodes():
            return await voucher_code_rows.holder_of(
                connection, deps.seal, attempt.supplier, delivery.codes, attempt.order_id
            )


def label_of(delivery: Delivered) -> str:
    """What it is, in words, without saying which."""
    match delivery:
        case NumberDelivery():
            return "this number"
        case VoucherCodes():
            return "one of these codes"
        case _:
            return "this eSIM"


async def keep(
    deps: Deps, connection: Connection, order: OrderRow, attempt: AttemptRow, delivery: Delivered | None, now: datetime
) -> str | None:
    """Write an order's number or codes; the number's id, None for codes. Raises ``ValueError`` for anything else."""
    item = item_of(order.plan)
    if isinstance(item, NumberItem) and isinstance(delivery, NumberDelivery):
        new = NewNumber(
            order_id=order.id,
            storefront_id=order.storefront_id,
            mode=order.mode,
            supplier=attempt.supplier,
            attempt_id=attempt.id,
            country=item.country,
            tier_id=item.tier_id,
            delivery=delivery,
        )
        return await number_rows.add(connection, deps.seal, new, now)
    if isinstance(delivery, VoucherCodes):
        await voucher_code_rows.add(connection, deps.seal, order.id, attempt.supplier, delivery.codes, now)
        return None
    raise ValueError(f"nothing that an order of kind {order.kind} could deliver")
