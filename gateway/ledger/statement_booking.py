"""Statement lines of known attempts that the ledger lacks: written once, under the order's lock."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import structlog

from gateway.kit.pool import Connection
from gateway.ledger import supplier_statement_rows
from gateway.ledger.ledger_view_rules import as_movement
from gateway.ledger.reconcile_rules import Movement
from gateway.orders import ledger_rows, order_state_rows, settling_rows
from gateway.orders.order_rows import AttemptRow
from gateway.orders.rules.states import AttemptState
from gateway.orders.settling_rows import AttemptWrite, Writes
from gateway.orders.statement_booking_rules import StatementLine, to_book
from gateway.suppliers.deps import Deps
from schemas.account import TransactionKind
from schemas.money import Money

log = structlog.get_logger(__name__)

# A refund or an operator's decision may come long after the purchase.
LOOKBACK = timedelta(days=30)


async def book_statements(deps: Deps, supplier: str) -> int:
    """Write what a supplier's statements say of known attempts and the ledger lacks; how many rows were written.

    To be called after a whole read: half of one may show a charge without its refund.
    """
    written = 0
    for attempt_id in await supplier_statement_rows.unbooked(deps.pool, supplier, deps.clock() - LOOKBACK):
        async with deps.pool.acquire() as connection, connection.transaction():
            written += await _book(deps, connection, attempt_id)
    return written


async def _book(deps: Deps, connection: Connection, attempt_id: str) -> int:
    locked = await order_state_rows.lock_attempt(connection, attempt_id)
    if locked is None:
        return 0
    order, attempt = locked
    failed = attempt.state is AttemptState.FAILED
    lines = await _lines(connection, attempt)
    found = to_book(lines, await ledger_rows.rows_of(connection, attempt_id), failed=failed)
    writes = Writes(order, deps.clock())
    ops: dict[str, Any] = {"supplier": attempt.supplier, "n": attempt.n}
    if found.charge is not None and (
        await ledger_rows.charge(connection, attempt, found.charge, writes.now, correct=False) == "new"
    ):
        writes.attempt = AttemptWrite(attempt.id, attempt.supplier, attempt.kind, charged=found.charge)
        writes.add_event("charged_after_failure", **ops, note=str(found.charge))
        log.warning("charged_after_failure", supplier=attempt.supplier, attempt=attempt.id, order=order.id)
    for line in found.refunds:
        if await ledger_rows.refund(connection, attempt, line.amount, writes.now, line.key):
            writes.add_event("refund_recorded", **ops, note=str(line.amount))
            log.info("refund_recorded", supplier=attempt.supplier, attempt=attempt.id, order=order.id)
    if not writes.empty:
        await settling_rows.write(connection, writes)
    return len(writes.events)


async def _lines(connection: Connection, attempt: AttemptRow) -> list[StatementLine]:
    found = []
    for key, line in await supplier_statement_rows.of_attempt(
        connection, attempt.supplier, attempt.id, attempt.supplier_order_id
    ):
        amount = Money(line.amount, line.currency)
        moved = as_movement(TransactionKind(line.kind), amount, line.at, line.supplier_order_id, line.reference, None)
        if isinstance(moved, Movement) and moved.amount.amount:
            found.append(StatementLine(key, moved.kind, moved.amount))
    return found
