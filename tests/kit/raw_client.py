"""A client that sends what it is told, byte by byte, and reads answers one at a time."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

import orjson


@dataclass(frozen=True)
class RawAnswer:
    """Status and body of an answer."""

    status: int
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return orjson.loads(self.body)


class RawClient:
    """One TCP connection. Everything that is waited for is waited for a minute at most."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    @asynccontextmanager
    async def to(cls, host: str, port: int, local: str = "127.0.0.1") -> AsyncIterator[Self]:
        """A connection for the length of the block, from a ``local`` address."""
        client = cls(*await asyncio.open_connection(host, port, local_addr=(local, 0)))
        try:
            yield client
        finally:
            client._writer.close()

    async def send(self, data: bytes) -> None:
        """Send these bytes."""
        self._writer.write(data)
        await self._writer.drain()

    async def answer(self) -> RawAnswer:
        """The next answer; its body must have a Content-Length."""
        async with asyncio.timeout(60):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in head[1:-2])
            body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        return RawAnswer(int(head[0].split()[1]), body)

    @property
    def has_answer(self) -> bool:
        """Whether something arrived that was not read, or the connection was closed."""
        return bool(self._reader._buffer) or self._reader.at_eof()  # type: ignore[attr-defined]

    async def closed(self) -> bool:
        """Whether the other side closes the connection without saying more."""
        async with asyncio.timeout(60):
            try:
                return not await self._reader.read()
            except ConnectionResetError:
                return True

    async def reset(self) -> None:
        """Go away as a process does that dies."""
        linger = struct.pack("ii", 1, 0)
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._writer.transport.abort()
