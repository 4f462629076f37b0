"""A storefront as the hands of a storm use it: it sends what it wants under one key until it is answered."""

from __future__ import annotations

import asyncio
import itertools
import random
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.chaos.machine import Machine

AFTER_A_REFUSAL = 0.3  # in seconds: who has no money at a supplier has none a moment later
_REQUEST_SECONDS = 8.0
_INSIST_SECONDS = 100.0
_ONCE_MORE = 0.1
_WHAT = {"plan_id": "esim", "topup_plan_id": "topup", "number": "number", "good_id": "voucher"}


@dataclass
class Wanted:
    """One order or checkout (``what`` it is for) as a storefront wants it, and what it was told: ``made`` is its id."""

    key: str
    what: str
    made: str | None = None
    problem: str | None = None
    answers: list[int | str] = field(default_factory=list)


@dataclass
class Storefront:
    """One key at the API. ``told_of`` are customers' e-mail addresses and telephone numbers."""

    machine: Machine
    api_key: str
    chance: random.Random
    wanted: list[Wanted] = field(default_factory=list)
    emails: list[str] = field(default_factory=list)
    phones: list[str] = field(default_factory=list)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _http: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """For as long as it does business."""
        async with aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {self.api_key}"},
            timeout=aiohttp.ClientTimeout(total=_REQUEST_SECONDS),
            connector=aiohttp.TCPConnector(force_close=True),
        ) as self._http:
            yield

    def customer(self) -> dict[str, str]:
        """A new one."""
        email = f"traveller.{next(self._numbers)}.{self.chance.randrange(10**9)}@customers.example.org"
        self.emails.append(email)
        return {"email": email}

    def phone(self) -> str:
        """A new one's telephone number."""
        self.phones.append(f"+9715{next(self._numbers):08d}")
        return self.phones[-1]

    def reference(self) -> str:
        """A word of the storefront's own, used once."""
        return f"ref-{next(self._numbers)}"

    async def insist(self, path: str, body: Any) -> Wanted:
        """Send it under a new key until there is an answer; ``made`` when it stands."""
        what = "checkout" if path == "/v1/checkouts" else next((name for name in _WHAT if name in body), "other")
        wanted = Wanted(f"key-{next(self._numbers)}", _WHAT.get(what, what))
        self.wanted.append(wanted)
        loop = asyncio.get_running_loop()
        end = loop.time() + _INSIST_SECONDS
        while loop.time() < end:
            try:
                async with self.http.post(
                    self.machine.url + path, json=body, headers={"Idempotency-Key": wanted.key}
                ) as answer:
                    told = await answer.json(content_type=None)
                    wanted.answers.append(answer.status)
                    if answer.status in {200, 201, 202}:
                        wanted.made = told["id"]
                        # Now and then it is sent once more, as storefronts do.
                        if self.chance.random() >= _ONCE_MORE or len(wanted.answers) > 20:
                            return wanted
                    elif answer.status not in {429, 500, 503}:
                        wanted.problem = str(told.get("code"))
                        return wanted
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
                wanted.answers.append(type(error).__name__)
            await asyncio.sleep(0.5)
        return wanted

    async def get(self, path: str, headers: dict[str, str] | None = None) -> Any:
        """What is there, None when it cannot be had now."""
        try:
            async with self.http.get(self.machine.url + path, headers=headers) as answer:
                return await answer.json() if answer.ok else None
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            return None

    async def post_once(self, path: str) -> None:
        """Ask for it, whatever comes of that."""
        try:
            async with self.http.post(self.machine.url + path) as answer:
                await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError):
            return

    @property
    def http(self) -> aiohttp.ClientSession:
        """Its connections, while it is open."""
        assert self._http is not None
        return self._http


@dataclass
class Hands(ABC):
    """Many hands that each do one thing after another until ``rest`` is used up."""

    storefront: Storefront
    rest: int

    async def run(self, hands: int, seconds: float) -> None:
        """Spread over about so many seconds."""
        if self.rest > 0:
            pace = hands * seconds / self.rest / 2
            await asyncio.gather(*(self._hand(pace) for _ in range(hands)))

    async def _hand(self, pace: float) -> None:
        while self.rest > 0:
            self.rest -= 1
            await self.one()
            await asyncio.sleep(pace * self.storefront.chance.uniform(0.5, 1.5))

    @abstractmethod
    async def one(self) -> None:
        """One thing."""
