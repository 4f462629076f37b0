"""Where webhooks go: a server on loopback that keeps what it gets and answers as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from aiohttp import web
from aiohttp.test_utils import TestServer
from multidict import CIMultiDict
from standardwebhooks import Webhook

from tests.kit.waiting import until


@dataclass
class Receiver:
    """``answers`` are statuses for the next requests; then 204. ``got`` are headers and bodies in order."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    got: list[tuple[CIMultiDict[str], bytes]] = field(default_factory=list)
    hold: asyncio.Event | None = None

    async def take(self, request: web.Request) -> web.Response:
        self.got.append((request.headers.copy(), await request.read()))
        if self.hold is not None:
            await self.hold.wait()
        status = self.answers.pop(0) if self.answers else 204
        return web.Response(status=status, headers={"Location": "/elsewhere"} if 300 <= status < 400 else {})

    async def until(self, count: int) -> list[tuple[CIMultiDict[str], bytes]]:
        """What it got, as soon as there are so many."""
        await until(lambda: len(self.got) >= count)
        return self.got

    def verified(self, secret: str) -> list[dict]:
        """The events, each verified as a storefront would. Raises when one is not ours."""
        return [Webhook(secret).verify(body, headers) for headers, body in self.got]

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.got]


R = TypeVar("R", bound=Receiver)


@asynccontextmanager
async def receiving(kind: type[R] = Receiver) -> AsyncIterator[R]:
    """A receiver on a free port."""
    receiver = kind()
    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", receiver.take)
    async with TestServer(app) as server:
        receiver.url = str(server.make_url("/hook"))
        yield receiver
