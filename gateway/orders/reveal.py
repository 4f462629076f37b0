"""What an order delivered and whoever has it can use: shown only once the audit log has who looked."""

from __future__ import annotations

import msgspec

from gateway.access import audit_rows
from gateway.access.user_rows import Visitor
from gateway.inventory import esim_rows, number_rows, voucher_code_rows
from gateway.kit.pool import Connection
from gateway.kit.problem import Problem
from gateway.orders import order_view_rows
from gateway.orders.order_view_rows import StorefrontScope
from gateway.suppliers.deps import Deps
from schemas.orders import Order


class Secret(msgspec.Struct, frozen=True):
    """Something that was delivered and that whoever has it can use; what it is, and it. None: nothing usable came."""

    what: str
    value: str | None


def secret_of(order: Order) -> str | None:
    """What there is to be shown of a delivered order, in words; None for nothing."""
    if order.esim is not None:
        return "the activation code" if order.kind == "esim" else None
    if order.number is not None:
        return None if order.number.id is None else "the phone number"
    return "the codes" if order.voucher is not None and order.fulfilled_at is not None else None


async def reveal(
    deps: Deps, order_id: str, by: Visitor | str, scope: StorefrontScope | None = None
) -> list[Secret] | Problem:
    """What an order delivered, noted with the name of who looked before it is shown.

    Problem: not_found, where nothing is secret, or with ``scope`` where the order is another storefront's.
    """
    async with deps.pool.acquire() as connection, connection.transaction():
        if scope is not None and await order_view_rows.by_id(connection, order_id, scope) is None:
            return Problem("not_found", "there is no such order")
        found = await _secrets(deps, connection, order_id)
        if not found:
            return Problem("not_found", "the order delivered nothing that is secret")
        await audit_rows.record(connection, by, "order.code_shown", f"order:{order_id}")
    return found


async def _secrets(deps: Deps, connection: Connection, order_id: str) -> list[Secret]:
    esim = (await esim_rows.of_orders(connection, deps.seal, [order_id])).get(order_id)
    if esim is not None:
        return [Secret("ICCID", esim.iccid), Secret("Activation code", esim.activation_code)]
    number = (await number_rows.of_orders(connection, deps.seal, [order_id])).get(order_id)
    if number is not None:
        return [Secret("Phone number", number.phone_number)]
    codes = (await voucher_code_rows.of_orders(connection, deps.seal, [order_id])).get(order_id, ())
    return [
        Secret(f"{what} {n}" if len(codes) > 1 else what, value)
        for n, code in enumerate(codes, 1)
        for what, value in (("PIN", code.pin), ("Serial", code.serial), ("Told", code.told))
        if value is not None
    ]
