"""The clients of ``benchmarks.attacks``, in a process of their own.

    python -m benchmarks.attack_clients KIND PORT KEY

They run until standard input ends and then print what answers they got, by status, as JSON.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import itertools
import json
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

import uvloop

SLOW_CLIENTS = 300
SLOW_ADDRESSES = 12  # of loopback, so that each stays below what one address may have
BOMB_CLIENTS = 4
BOMB = gzip.compress(bytes(60 * 2**20), 9)  # 61 kB
LOGINS_AT_ONCE = 120
READERS = 10

Answers = Counter[str]
_numbers = itertools.count(1)


async def _exchange(port: int, data: bytes, answers: Answers, *, local: str = "127.0.0.1", drip: bytes = b"") -> None:
    """Send this, then ``drip`` byte by byte a second, and count the status of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(local, 0))
    answer = asyncio.create_task(reader.readuntil(b"\r\n"))
    try:
        writer.write(data)
        for byte in drip:
            await asyncio.wait([answer], timeout=1)
            if answer.done():
                break
            writer.write(bytes([byte]))
        line = await asyncio.wait_for(answer, 120)
        answers[line.split()[1].decode()] += 1
    finally:
        answer.cancel()
        writer.close()


async def slow_body(number: int, port: int, key: str, answers: Answers) -> None:
    """Begin an order and send its body a byte a second; once refused, come back after about a second."""
    head = (
        f"POST /v1/orders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nIdempotency-Key: slow-{number}\r\n"
        "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    )
    local = f"127.0.0.{2 + number % SLOW_ADDRESSES}"
    try:
        await _exchange(port, head.encode(), answers, local=local, drip=b" " * 120)
    finally:
        await asyncio.sleep(0.5 + number / SLOW_CLIENTS)  # not all in the same moment


async def gzip_bomb(_number: int, port: int, _key: str, answers: Answers) -> None:
    """Send a small body that inflates to 60 MiB."""
    head = "POST /v1/quotes HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Type: application/json\r\n"
    await _exchange(port, f"{head}Content-Length: {len(BOMB)}\r\n\r\n".encode() + BOMB, answers)
    await asyncio.sleep(1)


async def log_in(_number: int, port: int, _key: str, answers: Answers) -> None:
    """Try a password, as another person from another address each time."""
    number = next(_numbers)
    address = f"198.{18 + number // 65536 % 2}.{number // 256 % 256}.{number % 256}"
    body = urlencode({"name": f"somebody{number}", "password": "a password that is not right"})
    head = (
        f"POST /console/login HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {address}\r\nConnection: close\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    )
    await _exchange(port, head.encode(), answers)


async def read_orders(_number: int, port: int, key: str, answers: Answers) -> None:
    """Ask for what only the database knows."""
    head = f"GET /v1/orders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n"
    began = asyncio.get_running_loop().time()
    await _exchange(port, head.encode(), answers)
    slowest = asyncio.get_running_loop().time() - began
    answers["slowest_ms"] = max(answers["slowest_ms"], int(slowest * 1000))
    await asyncio.sleep(0.05)


KINDS: dict[str, tuple[int, Callable[[int, int, str, Answers], Awaitable[None]]]] = {
    "slow_bodies": (SLOW_CLIENTS, slow_body),
    "gzip_bombs": (BOMB_CLIENTS, gzip_bomb),
    "logins": (LOGINS_AT_ONCE, log_in),
    "readers": (READERS, read_orders),
}


async def run(kind: str, port: int, key: str) -> None:
    """Attack until standard input ends."""
    count, attack = KINDS[kind]
    answers: Answers = Counter()

    async def again(number: int) -> None:
        while True:
            try:
                await attack(number, port, key, answers)
            except (OSError, asyncio.IncompleteReadError):
                answers["closed"] += 1
                await asyncio.sleep(0.1)

    tasks = [asyncio.create_task(again(number)) for number in range(count)]
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
    print(json.dumps(answers), flush=True)
    for task in tasks:
        task.cancel()
    with contextlib.suppress(Exception):
        await asyncio.gather(*tasks, return_exceptions=True)


if __name__ == "__main__":
    uvloop.run(run(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
