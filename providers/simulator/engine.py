"""What every simulator is: triggers in force, webhooks, and work in the background."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine, Iterable
from enum import StrEnum
from typing import Any, ClassVar, Generic, TypeVar

from aiohttp import web

from providers.simulator.account import SandboxAccount
from providers.simulator.sales import SupplierRefusal
from providers.simulator.triggers import (
    BaseTrigger,
    DisruptionList,
    SpoiltAnswer,
    UnansweredRequest,
    spoil_afterwards,
    spoil_instead,
)
from providers.simulator.webhooks import WebhookRules, WebhookSender

T = TypeVar("T", bound=BaseTrigger)
# What is done to the answer of a request.
SPOIL: web.RequestKey[SpoiltAnswer] = web.RequestKey("spoil", SpoiltAnswer)


class Simulator(Generic[T]):
    """One simulated supplier. Webhooks are signed with the secret of ``account``; ``seed`` is that of what is random.

    A subclass names the type of its triggers, and adds what the supplier keeps and does.
    """

    trigger_type: ClassVar[type[BaseTrigger]]

    def __init__(
        self, webhooks: WebhookRules | None, account: SandboxAccount | None = None, seed: str | None = None
    ) -> None:
        self.account = account
        self.triggers: DisruptionList[T] = DisruptionList()
        self._seed = seed
        self._random = random.Random(seed)
        self._tasks: set[asyncio.Task[Any]] = set()
        self.webhooks = WebhookSender(webhooks, self._secret, self._spawn, self._random.random)

    def reset(self) -> None:
        """Begin again: no triggers, no notifications, nothing in the background."""
        for task in self._tasks:
            task.cancel()
        self.webhooks.reset()
        self.triggers.clear()
        self._random.seed(self._seed)

    async def close(self) -> None:
        """End what goes on in the background."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.webhooks.close()

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and not isinstance(
            error := task.exception(), SupplierRefusal | UnansweredRequest | None
        ):
            raise error  # reaches the loop's exception handler, which writes it down

    def _secret(self) -> str:
        return self.account.secret if self.account else ""


def refuse_unanswered(struck: Iterable[StrEnum]) -> None:
    """Raise ``UnansweredRequest`` where a trigger has nothing done and the caller not told so."""
    if (spoil := spoil_instead(struck)) is not None:
        raise UnansweredRequest(spoil)


def spoil_answer(request: web.Request, struck: Iterable[StrEnum]) -> None:
    """Have the answer spoilt where a trigger has it done and the caller not told so."""
    if (spoil := spoil_afterwards(struck)) is not None:
        request[SPOIL] = spoil
