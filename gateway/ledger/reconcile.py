"""Our ledger beside the suppliers' own books, for a day or for all days since a restore."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

import msgspec

from gateway.checkouts import payment_audit_rows
from gateway.checkouts.payment_audit_rows import Unaccounted
from gateway.ledger import reconcile_rows
from gateway.ledger.balance_sum_rules import Charged, Reading, unexplained_fall
from gateway.ledger.reconcile_rules import (
    Booked,
    Day,
    Difference,
    Known,
    Movement,
    MovementKind,
    differences,
    is_explained,
)
from gateway.orders import number_polls
from gateway.pricing.price_rules import NoRate
from gateway.pricing.rates import rates_now
from gateway.suppliers import balance_rows, selling_rows
from gateway.suppliers.accounts import Account
from gateway.suppliers.deps import Deps
from providers.contract import Capability
from schemas.account import Transaction, TransactionKind
from schemas.errors import GatewayError
from schemas.money import Money
from schemas.order import SupplierOrder

# Clocks differ, and what is booked at midnight stands in either day.
MARGIN = timedelta(days=1)
_SIDES: dict[TransactionKind, MovementKind] = {TransactionKind.CHARGE: "charge", TransactionKind.REFUND: "refund"}


class Compared(msgspec.Struct, frozen=True):
    """How one supplier's books were compared; ``error`` says why they could not be."""

    supplier: str
    state: str  # compared, failed, not_possible
    movements: int = 0
    differences: tuple[Difference, ...] = ()
    error: str | None = None


class Reconciled(msgspec.Struct, frozen=True):
    """The comparison of some days (UTC). ``clean``: all suppliers were compared, and only open attempts differ.

    ``payments`` are captured payments, of any day, without a fulfilled order and without anybody who looks at them.
    """

    first: date
    last: date
    suppliers: tuple[Compared, ...]
    clean: bool
    sending_resumed: bool = False
    payments: tuple[Unaccounted, ...] = ()


async def reconcile(deps: Deps, first: date, last: date, only: Sequence[str] = ()) -> Reconciled:
    """Compare the days from ``first`` to ``last`` (UTC), all suppliers that sell or ``only`` these.

    When all are compared, nothing is left to explain and the days reach from a restore until today, sending is
    switched on again. What belongs to one attempt that is still open is named, and is no fault: it is followed.
    """
    day = Day(datetime.combine(first, time(), UTC), datetime.combine(last + timedelta(days=1), time(), UTC))
    sellers = [
        account
        for name, account in sorted(deps.accounts.items())
        if Capability.ORDERS in account.manifest.capabilities and (not only or name in only)
    ]
    compared = tuple(await asyncio.gather(*(_compare(deps, account, day) for account in sellers)))
    paid = () if only else tuple(await payment_audit_rows.unaccounted(deps.pool))
    clean = all(report.state == "compared" and not _wrong(report) for report in compared) and all(
        payment.open for payment in paid
    )
    resumed = False
    restored = await reconcile_rows.restored_as_of(deps.pool)
    today = deps.clock().astimezone(UTC).date()
    if clean and not only and restored is not None and first <= restored and last >= today:
        resumed = await selling_rows.go_on(deps.pool, selling_rows.ALL, "restored")
    return Reconciled(first, last, compared, clean, resumed, paid)


def _wrong(compared: Compared) -> bool:
    return any(difference.what != "not_settled" for difference in compared.differences)


async def _compare(deps: Deps, account: Account, day: Day) -> Compared:
    name, capabilities = account.name, account.manifest.capabilities
    if not capabilities & {Capability.TRANSACTIONS, Capability.ORDER_HISTORY}:
        return Compared(name, "not_possible", error=f"{name} shows neither its transactions nor its orders")
    since = await back_to(deps, name, day)
    try:
        if Capability.NUMBERS in capabilities:  # its answers name no order; this learns which is whose
            await number_polls.poll(deps, account)
        movements = await _movements(account, since)
    except GatewayError as error:
        return Compared(name, "failed", error=str(error))
    ours = await our_entries(deps, name, movements, day, Day(since, day.end + MARGIN))
    found = differences(name, day, movements, ours.booked, ours.known, ours.explained)
    if Capability.TRANSACTIONS not in capabilities and (fell := await _balance_sum(deps, name, day, movements, ours)):
        found.append(fell)
    return Compared(name, "compared", sum(day.has(movement.at) for movement in movements), tuple(found))


async def _balance_sum(
    deps: Deps, name: str, day: Day, movements: Sequence[Movement], ours: OurBooks
) -> Difference | None:
    """What a supplier's balance fell by beyond all orders that it shows; None when they explain it, or nobody can say.

    While an attempt is open whose order it does not show yet, it may be that one's charge.
    """
    named = {text for movement in movements for text in (movement.supplier_order_id, movement.reference) if text}
    if any(order.open and not {order.attempt, order.supplier_order_id} & named for order in ours.known):
        return None
    rates = await rates_now(deps.pool, deps.settings)
    try:
        readings = [
            Reading(reading.at, rates.to_base(Money(reading.balance, reading.currency)).amount)
            for reading in await balance_rows.between(deps.pool, name, day.start, day.end)
        ]
        charges = [
            Charged(movement.at, rates.to_base(movement.amount).amount)
            for movement in movements
            if movement.kind == "charge"
        ]
    except NoRate:
        return None
    found = unexplained_fall(readings, charges)
    if found is None:
        return None
    fell = Difference(
        what="balance_fell_more",
        supplier=name,
        movement=f"balance:{day.start.date().isoformat()}",
        at=found.at,
        theirs=Money(found.fell.normalize(), rates.base),
        ours=Money(found.charged.normalize(), rates.base),
    )
    return None if is_explained(fell, ours.explained) else fell


async def back_to(deps: Deps, name: str, day: Day) -> datetime:
    """How far a supplier's books have to reach back, so that all of each order of these days is in them."""
    oldest = await reconcile_rows.span(deps.pool, name, day.start, day.end)
    since = day.start - MARGIN
    return since if oldest is None else min(since, oldest - MARGIN)


class OurBooks(msgspec.Struct, frozen=True):
    """What we have of these days to hold against a supplier's movements."""

    booked: list[Booked]
    known: list[Known]
    explained: dict[str, Money]


async def our_entries(
    deps: Deps, name: str, movements: Sequence[Movement], booked_in: Day, started_in: Day, attempts: Sequence[str] = ()
) -> OurBooks:
    """Ledger and attempts of these times, of these attempts, and of whatever the movements are about."""
    ids = {text for movement in movements for text in (movement.supplier_order_id, movement.reference) if text}
    rows = await reconcile_rows.booked(deps.pool, name, attempts, booked_in)
    known = await reconcile_rows.known(deps.pool, name, [*ids, *(row.attempt for row in rows)], started_in)
    of_known = [*attempts, *(order.attempt for order in known)]
    booked = await reconcile_rows.booked(deps.pool, name, of_known, booked_in)
    return OurBooks(booked, known, await reconcile_rows.explained(deps.pool, name))


async def _movements(account: Account, since: datetime) -> list[Movement]:
    """The supplier's movements with our references, by its transactions; without those, by its orders."""
    provider, capabilities = account.provider, account.manifest.capabilities
    listed: list[SupplierOrder] = []
    if Capability.ORDER_HISTORY in capabilities:
        listed = [order async for order in provider.order_history(since)]
    if Capability.TRANSACTIONS not in capabilities:
        if Capability.NUMBERS in capabilities:
            listed += [order async for order in provider.number_orders(since)]
        return [moved for order in listed if (moved := _charge(order)) is not None]
    references = {order.supplier_order_id: order.reference for order in listed}
    return [
        Movement(
            kind=side,
            amount=Money(abs(line.amount.amount), line.amount.currency),
            at=line.at,
            supplier_order_id=line.supplier_order_id,
            reference=references.get(line.supplier_order_id),
            movement_id=line.supplier_transaction_id,
        )
        async for line in provider.transactions(since)
        if (side := _side(line)) is not None
    ]


def _side(line: Transaction) -> MovementKind | None:
    """Which way money moved; None for our own deposits. Fees and corrections are taken or given like the rest."""
    if line.kind is TransactionKind.DEPOSIT or not line.amount.amount:
        return None
    return _SIDES.get(line.kind, "charge" if line.amount.amount < 0 else "refund")


def _charge(order: SupplierOrder) -> Movement | None:
    if order.charged is None or order.created_at is None or not order.charged.amount:
        return None
    return Movement(
        kind="charge",
        amount=order.charged,
        at=order.created_at,
        supplier_order_id=order.supplier_order_id,
        reference=order.reference,
    )


async def explain(deps: Deps, report: Reconciled, supplier: str, movement: str, note: str) -> bool:
    """Note why a difference of a report is as it is, by its amount now; False when the report has no such one."""
    for difference in (found for part in report.suppliers for found in part.differences):
        amount = difference.theirs or difference.ours
        if (difference.supplier, difference.movement) == (supplier, movement) and amount is not None:
            await reconcile_rows.explain(deps.pool, supplier, movement, amount, note)
            return True
    return False
