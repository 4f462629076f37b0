"""A load generator: so many requests over so many connections, one after the other on each, then it ends.

It runs in a process of its own, so that what it costs is not taken for the server's.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from functools import partial
from typing import cast

import uvloop


class Connection(asyncio.Protocol):
    """Sends its questions one by one, each when the answer before it is whole."""

    def __init__(self, questions: list[bytes], done: asyncio.Future[int]) -> None:
        self.questions = iter(questions)
        self.done = done
        self.bad = 0
        self.left = b""
        self.seconds: list[float] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.ask()

    def ask(self) -> None:
        question = next(self.questions, None)
        if question is None:
            self.transport.close()
            self.done.set_result(self.bad)
        else:
            self.sent_at = time.perf_counter()
            self.transport.write(question)

    def data_received(self, data: bytes) -> None:
        if self.left:
            data = self.left + data
        end = data.find(b"\r\n\r\n")
        if end >= 0:
            head = data[: end + 2].lower()
            at = head.find(b"content-length: ") + 16
            length = int(head[at : head.find(b"\r\n", at)])
            if len(data) >= end + 4 + length:
                self.seconds.append(time.perf_counter() - self.sent_at)
                self.left = b""
                self.bad += data[9:12] != b"200"
                self.ask()
                return
        self.left = data

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError("the server closed a connection"))


async def load(port: int, paths: list[str], count: int, connections: int, key: str) -> dict[str, float]:
    """Requests per second, milliseconds of an answer, and how many were not 200. ``paths`` go round."""
    loop = asyncio.get_running_loop()
    head = (
        f"Host: 127.0.0.1:{port}\r\nAuthorization: Bearer {key}\r\nAccept: application/json\r\nUser-Agent: load\r\n\r\n"
    )
    questions = [f"GET {paths[n % len(paths)]} HTTP/1.1\r\n{head}".encode() for n in range(count)]
    waits, made = [], []
    began = time.perf_counter()
    for number in range(connections):
        done = loop.create_future()
        waits.append(done)
        mine = questions[number::connections]
        _, connection = await loop.create_connection(partial(Connection, mine, done), "127.0.0.1", port)
        made.append(connection)
    bad = sum(await asyncio.gather(*waits))
    rate = count / (time.perf_counter() - began)
    seconds = sorted(each for connection in made for each in connection.seconds)
    p50, p99 = (seconds[int(len(seconds) * part)] * 1e3 for part in (0.5, 0.99))
    return {"per_second": rate, "bad": bad, "p50_ms": p50, "p99_ms": p99}


if __name__ == "__main__":
    arguments = json.load(sys.stdin)
    print(json.dumps(uvloop.run(load(**arguments))))
