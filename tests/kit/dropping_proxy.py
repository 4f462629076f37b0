"""A connection that breaks: a proxy that passes requests on, and drops the client when the answer comes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

_KEY = re.compile(rb"^idempotency-key: *(\S+)", re.IGNORECASE | re.MULTILINE)


@dataclass
class DroppingProxy:
    """``drops`` is how many answers to spending requests it still drops; ``keys`` are their Idempotency-Keys."""

    host: str
    port: int
    url: str = ""
    drops: int = 0
    keys: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a client."""
        answers, upstream = await asyncio.open_connection(self.host, self.port)
        spending = asyncio.Event()
        sending = asyncio.create_task(self._send(reader, upstream, spending))
        try:
            while answer := await answers.read(2**16):
                if self.drops and spending.is_set():
                    self.drops -= 1
                    return
                spending.clear()
                writer.write(answer)
                await writer.drain()
        finally:
            sending.cancel()
            upstream.close()
            writer.close()

    async def _send(
        self, reader: asyncio.StreamReader, upstream: asyncio.StreamWriter, spending: asyncio.Event
    ) -> None:
        while data := await reader.read(2**16):
            if found := _KEY.search(data):
                self.keys.append(found[1].decode())
                spending.set()
            upstream.write(data)
            await upstream.drain()
        upstream.close()


@asynccontextmanager
async def dropping_proxy(host: str, port: int) -> AsyncIterator[DroppingProxy]:
    """A proxy in front of a server, at a port that the kernel chose."""
    proxy = DroppingProxy(host, port)
    async with await asyncio.start_server(proxy.serve, "127.0.0.1", 0) as server:
        proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield proxy
