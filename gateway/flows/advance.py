"""One step after another for an order: choose, commit the attempt, send once, record; or look what became of it."""

from __future__ import annotations

import asyncio

from gateway.flows.deps import Deps


async def advance(deps: Deps, order_id: str, *, look: bool = False) -> None:
    """Bring an order as far as it comes now. Idempotent, and safe from any number of processes at once.

    ``look`` asks the supplier now, though the schedule would wait (a webhook came, a person asked).
    """
    raise NotImplementedError


def begin(deps: Deps, order_id: str, *, look: bool = False) -> asyncio.Task[None]:
    """``advance`` in a task of its own, which no disconnect cancels; await it through ``asyncio.shield``."""
    raise NotImplementedError


async def wait(deps: Deps, order_id: str, seconds: float) -> None:
    """Advance and follow an order until it has come to rest, or for ``seconds``."""
    raise NotImplementedError


async def drain(deps: Deps, seconds: float) -> None:
    """Wait for what is in flight, at the end of a process."""
    raise NotImplementedError
