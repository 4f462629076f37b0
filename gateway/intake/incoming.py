"""A supplier's webhook: verified, stored once, and taken as a hint to look at the order it names.

Nothing that it says of the order is used. S2S signs neither the order nor its state, and what is signed may still
be old: what became of an order is asked of the supplier.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Literal

import structlog

from gateway.intake import incoming_rows
from gateway.intake.incoming_rows import Named
from gateway.orders import order_state_rows
from gateway.orders.process import poll_failed_attempt
from gateway.suppliers import supplier_check_rows
from gateway.suppliers.accounts import Account
from gateway.suppliers.deps import Deps
from schemas.event import SupplierEvent

log = structlog.get_logger(__name__)

Outcome = Literal["taken", "forged", "unreadable"]  # "forged": not signed by who it claims to come from

_LONGEST_ID = 255


async def receive(deps: Deps, account: Account, headers: Mapping[str, str], body: bytes, now: datetime) -> Outcome:
    """Verify over the raw bytes, store each event once, and have a worker poll the orders.

    That is committed when this returns, so the supplier may be answered. An event
    that was stored before changes nothing. Raises what the database raises: the supplier then sends it again.
    """
    if not account.provider.verify_webhook(headers, body, now):
        return "forged"
    try:
        events = account.provider.parse_webhook(headers, body)
    except ValueError as error:  # msgspec's errors are ValueErrors too
        log.warning("webhook_unreadable", supplier=account.name, error=type(error).__name__)
        return "unreadable"
    for named, key in await _store(deps, account.name, events):
        _poll_failed(deps, account.name, named, key)
    return "taken"


async def _store(deps: Deps, supplier: str, events: Sequence[SupplierEvent]) -> list[tuple[Named, str]]:
    """Have each order polled that an event names; attempts that had failed, each with its event's key."""
    named: list[tuple[Named, str]] = []
    async with deps.pool.acquire() as connection, connection.transaction():
        await supplier_check_rows.heard_good(connection, supplier)
        for event in events:
            key = _key(event.dedupe_key)
            found = await incoming_rows.find_attempt(
                connection, supplier, _plain(event.reference), _plain(event.supplier_order_id)
            )
            attempt_id = None if found is None else found.attempt_id
            settled = found is not None and not found.failed
            new = await incoming_rows.store_once(connection, supplier, key, event.type, attempt_id, settled=settled)
            if new and found is not None:
                await order_state_rows.wake(connection, found.order_id, deps.clock())
                if found.failed:
                    named.append((found, key))
            log.info("webhook", supplier=supplier, type=event.type, new=new, known=found is not None)
    return named


def _poll_failed(deps: Deps, supplier: str, named: Named, key: str) -> None:
    """Poll an attempt that had failed: its order goes on with another one, and no schedule polls it any more."""

    async def poll() -> None:
        await poll_failed_attempt(deps, named.attempt_id)
        await incoming_rows.settled(deps.pool, supplier, key)

    def ended(task: asyncio.Task[None]) -> None:
        deps.running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("webhook_poll_failed", supplier=supplier, order=named.order_id, error=type(error).__name__)

    task = asyncio.create_task(poll(), name=f"poll {named.attempt_id}")
    deps.running.add(task)
    task.add_done_callback(ended)


def _plain(text: str | None) -> str | None:
    """An id that a row can hold, None for anything else."""
    return text if text and len(text) <= _LONGEST_ID and text.isprintable() else None


def _key(text: str) -> str:
    return _plain(text) or blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()
