"""A supplier account whose rate a test hands out: on a driven clock, or token by token."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from gateway.suppliers.deps import Deps
from providers.kit.rate_limiter import Lease, MemoryRateLimiter
from providers.kit.supplier_rate import Priority, SupplierRateLimiter
from providers.loader import open_provider
from tests.kit.waiting import until


class TokenDispenser(MemoryRateLimiter):
    """A limiter that has just the tokens that a test grants; reads need none."""

    def __init__(self, supplier: str) -> None:
        super().__init__(supplier, 1, pause=_until_set)
        self.waits = 0  # how often somebody began to wait
        self._granted = 0

    def grant(self, tokens: int) -> None:
        """Let so many purchases go."""
        self._granted += tokens
        self._not_before.clear()
        self._changed.set()

    @property
    def waiting(self) -> int:
        """How many purchases wait now."""
        return self._queue.count(Priority.PURCHASE)

    async def until_waiting(self, purchases: int) -> None:
        """Return when so many purchases wait."""
        await until(lambda: self.waiting == purchases)

    async def until_waited_again(self, times: int = 2) -> None:
        """Return when purchases came to wait so many more times: each time they decided anew."""
        seen = self.waits
        await until(lambda: self.waits >= seen + times)

    async def _wait_turn(self, priority: Priority, *args: object, **more: object) -> float | None:
        self.waits += 1
        return await super()._wait_turn(priority, *args, **more)  # type: ignore[arg-type]

    async def _lease(self, priority: Priority, wanted: int) -> Lease:
        if priority is not Priority.PURCHASE:
            return Lease(wanted)
        if self._granted == 0:
            return Lease(0, 3600)
        self._granted -= 1
        return Lease(1)


async def _until_set(event: asyncio.Event, _seconds: float) -> None:
    await event.wait()


async def meter(deps: Deps, supplier: str, limiter: SupplierRateLimiter) -> None:
    """Have an account's calls go through this limiter from now on."""
    account = deps.accounts[supplier]
    provider = open_provider(account.manifest, supplier, account.settings, limiter)
    deps.accounts[supplier] = replace(account, provider=provider, limiter=limiter, before=account.provider)
    await account.limiter.close()
