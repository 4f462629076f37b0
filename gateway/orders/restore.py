"""A database that was restored from a backup: nothing is bought on it before an operator knows what happened since.

``restored`` is run once, before anything else; ``poll_restored`` when a worker starts; ``release`` lets orders go on
when ``reconcile`` is clean.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date

import msgspec
import structlog

from gateway.access import audit_rows
from gateway.access.user_rows import Visitor
from gateway.checkouts import checkout_rows
from gateway.checkouts.cases import auto_resolve
from gateway.kit.pool import DATABASE_DOWN, Connection
from gateway.kit.problem import Problem
from gateway.ledger import reconcile_rows
from gateway.orders import order_state_rows, restore_rows
from gateway.orders.order_rows import AttemptRow, OrderRow
from gateway.orders.process import process_order
from gateway.orders.restored_orders import ask_operator, to_operator
from gateway.orders.rules.states import AttemptState
from gateway.suppliers import selling_rows
from gateway.suppliers.deps import Deps

log = structlog.get_logger(__name__)

_RETRY_SECONDS = 5.0


class Restored(msgspec.Struct, frozen=True):
    """From which day (UTC) on the books are to be compared, and what becomes of the orders that were pending.

    ``needs_review`` are with an operator now; ``polled_first`` have an attempt that the backup knows.
    """

    day: date
    needs_review: tuple[str, ...]
    polled_first: tuple[str, ...]


async def restored(deps: Deps, note: str = "") -> Restored:
    """Keep all sending off from now on until ``reconcile`` is clean, and take the pending orders out of the queue.

    To be called on a database that was restored, before anything else runs on it; again, it goes on where it was
    broken off. Polling, settling and answering go on; nothing is bought, topped up or cancelled at a supplier.
    """
    day = (await reconcile_rows.last_entry(deps.pool) or deps.clock()).astimezone(UTC).date()
    await selling_rows.stop(deps.pool, selling_rows.ALL, "restored", f"{day.isoformat()} {note}".strip())
    await restore_rows.analyze(deps.pool)
    review, polled = [], []
    for order_id in await restore_rows.pending(deps.pool):
        async with deps.pool.acquire() as connection, connection.transaction():
            order = await order_state_rows.lock(connection, order_id)
            if order is None or order.status not in {"pending", "cancel_pending"}:
                continue
            now = deps.clock()
            if _to_be_polled(await order_state_rows.attempts_of(connection, order_id)) is not None:
                await restore_rows.poll_first(connection, order_id, now)
                polled.append(order_id)
            else:
                await to_operator(deps, connection, order, now)
                review.append(order_id)
    return Restored(day, tuple(review), tuple(polled))


async def poll_restored(deps: Deps, stop: asyncio.Event) -> None:
    """Poll what the backup knows as sent, once; what the supplier does not tell the end of goes to an operator.

    For the worker's start, until it is done or ``stop`` is set. A database that is away is waited for.
    """
    while not stop.is_set():
        try:
            for order_id in await restore_rows.to_poll(deps.pool):
                if stop.is_set():
                    return
                await _poll(deps, order_id)
        except DATABASE_DOWN as error:
            log.warning("restored_orders_poll_failed", error=type(error).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _RETRY_SECONDS)
        else:
            return


async def _poll(deps: Deps, order_id: str) -> None:
    try:
        await process_order(deps, order_id, poll=True)
    except DATABASE_DOWN:
        raise
    except Exception:
        log.exception("restored_order_poll_failed", order=order_id)
    async with deps.pool.acquire() as connection, connection.transaction():
        order = await order_state_rows.lock(connection, order_id)
        if order is None or order.review_reason != "restored":
            return
        attempt = _to_be_polled(await order_state_rows.attempts_of(connection, order_id))
        if attempt is not None and attempt.state is AttemptState.ACCEPTED:
            await restore_rows.known_there(connection, order_id)
            return
    await ask_operator(deps, order_id)


def _to_be_polled(tries: Sequence[AttemptRow]) -> AttemptRow | None:
    """The attempt that a supplier can tell the end of: the cancel of what was delivered, else the purchase."""
    live = [attempt for attempt in tries if attempt.now.live and attempt.state is not AttemptState.SUCCEEDED]
    kind = (
        "cancel"
        if any(attempt.state is AttemptState.SUCCEEDED for attempt in tries if attempt.kind != "cancel")
        else None
    )
    return next((attempt for attempt in live if kind is None or attempt.kind == kind), None)


async def release(deps: Deps, order_id: str | None, by: Visitor | str, note: str = "") -> list[str] | Problem:
    """Let an order (None: all) that a restore left to an operator go on as pending: it is bought as usual.

    The orders that go on. Problems: not_found; conflict, while ``reconcile`` is not clean, or where the order does not
    need review because of a restore.
    """
    if "restored" in (await selling_rows.stops(deps.pool)).get(selling_rows.ALL, []):
        return Problem(
            "conflict", "the statements are not compared yet: run `esim-gateway reconcile` until it is clean"
        )
    released = []
    for released_id in await restore_rows.awaiting_release(deps.pool) if order_id is None else [order_id]:
        async with deps.pool.acquire() as connection, connection.transaction():
            order = await order_state_rows.lock(connection, released_id)
            problem = _not_releasable(order, await order_state_rows.attempts_of(connection, released_id))
            if problem is not None and order_id is not None:
                return problem
            if problem is None and order is not None:
                await _release(deps, connection, order, by, note)
                released.append(released_id)
    return released


def _not_releasable(order: OrderRow | None, tries: Sequence[AttemptRow]) -> Problem | None:
    if order is None:
        return Problem("not_found", "there is no such order")
    if order.status != "needs_review" or order.review_reason != "restored":
        what = "only one that needs review because of a restore is released"
        return Problem("conflict", f"the order is {order.status}; {what}")
    if any(attempt.state is AttemptState.CHARGED_UNDELIVERABLE for attempt in tries):
        return Problem("conflict", "a supplier was paid for it and did not deliver; resolve it")
    return None


async def _release(deps: Deps, connection: Connection, order: OrderRow, by: Visitor | str, note: str) -> None:
    now = deps.clock()
    await restore_rows.release(connection, order.id, now)
    name = by.name if isinstance(by, Visitor) else by
    await order_state_rows.add_event(connection, order.id, now, "released", by=name, note=note or None)
    if order.checkout_id is not None and await checkout_rows.lock(connection, order.checkout_id) is not None:
        await auto_resolve(connection, order.checkout_id, frozenset({"undeliverable"}), now)
    await audit_rows.record(connection, by, "order.released", f"order:{order.id}", {"note": note} if note else {})
