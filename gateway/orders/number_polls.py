"""What suppliers say of delivered numbers now: expiry, autorenew, and which of their orders each one is."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import timedelta

import structlog

from gateway.inventory import number_rows
from gateway.inventory.number_rows import HeldNumber
from gateway.items import number_list_rows
from gateway.orders.settle import settle
from gateway.suppliers.accounts import Account
from gateway.suppliers.deps import Deps
from providers.contract import Capability
from schemas.errors import GatewayError
from schemas.order import SupplierOrder

log = structlog.get_logger(__name__)

POLL_EVERY = timedelta(hours=1)
POLL_SECONDS = 120.0
BEFORE = timedelta(days=1)
# An order and the attempt that made it are dated alike; numbers come back, and then to another's order.
ALIKE = timedelta(hours=1)


async def poll_if_due(deps: Deps) -> list[str]:
    """Read the orders of numbers again where nobody did for an hour; the names of the suppliers that were asked.

    Where a number was bought lately and its order is not known, each minute: the books name it by its order.
    """
    due = await number_list_rows.claim_refresh(deps.pool, sellers(deps), POLL_EVERY)
    await asyncio.gather(*(_quietly(deps, deps.accounts[name]) for name in due))
    return due


def sellers(deps: Deps) -> list[str]:
    """The accounts that sell numbers."""
    return [
        name for name, account in sorted(deps.accounts.items()) if Capability.NUMBERS in account.manifest.capabilities
    ]


async def poll(deps: Deps, account: Account) -> int:
    """Read a supplier's orders of numbers, and write what it says of ours; how many of ours it told of.

    Raises what the supplier raises.
    """
    now = deps.clock()
    pending = await number_rows.held_at(deps.pool, deps.seal, account.name, now)
    if not pending:
        return 0
    by_order = {number.supplier_order_id: number for number in pending if number.supplier_order_id is not None}
    by_digits: dict[str, list[HeldNumber]] = defaultdict(list)
    for number in pending:
        by_digits[number.digits].append(number)
    found = 0
    async for order in account.provider.number_orders(min(number.bought_at for number in pending) - BEFORE):
        own = by_order.get(order.supplier_order_id or "") or _by_number(order, by_digits)
        if own is not None and order.number is not None:
            await _write(deps, own, order)
            found += 1
    return found


def _by_number(order: SupplierOrder, by_digits: dict[str, list[HeldNumber]]) -> HeldNumber | None:
    """The number of ours that an order delivered, told by the number and the time: one, or none."""
    if order.number is None or order.created_at is None:
        return None
    alike = [
        number
        for number in by_digits.get(number_rows.same(order.number.phone_number), ())
        if number.supplier_order_id is None and abs(number.bought_at - order.created_at) <= ALIKE
    ]
    return alike[0] if len(alike) == 1 else None


async def _write(deps: Deps, own: HeldNumber, order: SupplierOrder) -> None:
    assert order.number is not None  # noqa: S101 - as the caller saw
    async with deps.pool.acquire() as connection, connection.transaction():
        if own.supplier_order_id is None:
            await settle(deps, connection, own.attempt_id, order)
        await number_rows.observed(connection, own.id, order.number, deps.clock())


async def _quietly(deps: Deps, account: Account) -> None:
    try:
        async with asyncio.timeout(POLL_SECONDS):
            await poll(deps, account)
    except (GatewayError, TimeoutError) as error:
        log.info("number_poll_failed", supplier=account.name, error=str(error) or "no answer in time")
