"""What the flows of orders work with, made once in a process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol

from gateway.access.key_rows import Mode
from gateway.catalog.index import Index
from gateway.kit.group_commit import GroupCommit
from gateway.kit.pool import Pool
from gateway.kit.remembered import Remembered
from gateway.kit.sealing import Seal
from gateway.kit.settings import Settings
from gateway.orders.offer_memory import OfferMemory
from gateway.orders.watch import OrderWatch
from gateway.suppliers.accounts import Account
from gateway.suppliers.payment_accounts import PaymentAccount
from providers.kit.call_log import Exchange


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


class FindIndex(Protocol):
    """Gives the catalogue of a mode, for a storefront or (None) for those without rules of their own."""

    def __call__(self, mode: Mode, storefront_id: str | None = None) -> Index:
        """That catalogue as it stands now."""
        ...


@dataclass(slots=True)
class Unwritten:
    """What was said and is not written yet, with the attempt that it was about."""

    waiting: list[tuple[str, Exchange, tuple[str, ...]]] = field(default_factory=list)
    writing: bool = False
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Deps:
    """A process's pool, supplier accounts, settings and keys.

    ``accounts`` change when a supplier's key was rotated; ``payments`` are those at payment suppliers. ``index``
    gives the catalogue of a mode where the process has one; orders are chosen from PostgreSQL and do without.
    ``inline`` says that this process processes what it admits; workers take over when it does not get to it.
    ``running`` is what is in flight: ``orders.process.drain`` waits for it. ``waiting`` are tasks of it that only wait
    for a supplier's rate, and may be cancelled. ``watch`` wakes requests that wait for an order; ``memory`` is what
    fast admission chooses from. ``unwritten`` is what was said to suppliers and is about to be kept. ``group_commit``
    writes orders that are admitted, or answered, at the same moment in one transaction. ``remembered`` is what pages
    may show again for a while.
    """

    pool: Pool
    accounts: MutableMapping[str, Account]
    settings: Settings
    seal: Seal
    index: FindIndex | None = None
    clock: Callable[[], datetime] = utc_now
    inline: bool = True
    running: set[asyncio.Task[Any]] = field(default_factory=set)
    waiting: set[asyncio.Task[Any]] = field(default_factory=set)
    watch: OrderWatch = field(default_factory=OrderWatch)
    memory: OfferMemory = field(default_factory=OfferMemory)
    remembered: Remembered = field(default_factory=Remembered)
    unwritten: Unwritten = field(default_factory=Unwritten)
    payments: Mapping[str, PaymentAccount] = field(default_factory=dict)
    group_commit: GroupCommit = field(init=False)

    def tolerance(self, supplier: str) -> Decimal:
        """The share by which a supplier may charge more than it lists; none where it has no account any more."""
        account = self.accounts.get(supplier)
        return Decimal(0) if account is None else account.tolerance

    def __post_init__(self) -> None:
        object.__setattr__(self, "group_commit", GroupCommit(self.pool))
