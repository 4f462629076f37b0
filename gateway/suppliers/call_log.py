"""What is said about an attempt is kept for people: beside the money, after it, and only as well as it goes.

Purchases hand what was said to a list in memory. A task of its own scrubs it and writes it, many at once; whatever
goes wrong there, and what is lost with a process that is killed, costs a page some detail and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from gateway.suppliers import call_log_rows
from gateway.suppliers.call_log_rows import KeptExchange
from gateway.suppliers.deps import Deps
from providers.kit.call_log import Exchange, listening
from providers.kit.scrub import path_template, scrubbed

log = structlog.get_logger(__name__)

GATHER_SECONDS = 0.5
WRITE_SECONDS = 5.0
AT_ONCE = 50
SHORT_BYTES = 8 * 1024
PAUSE_SECONDS = 0.001
MOST_WAITING = 500


@contextmanager
def record_calls(deps: Deps, attempt_id: str, secrets: tuple[str, ...] = ()) -> Iterator[None]:
    """Have what is said to a supplier in this block kept with the attempt, without these ``secrets``."""

    def listener(exchange: Exchange) -> None:
        unwritten = deps.unwritten
        if len(unwritten.waiting) >= MOST_WAITING:
            unwritten.lost += 1
            return
        unwritten.waiting.append((attempt_id, exchange, secrets))
        if not unwritten.writing:
            unwritten.writing = True
            task = asyncio.get_running_loop().create_task(_write(deps), name="exchanges")
            deps.running.add(task)
            task.add_done_callback(deps.running.discard)

    with listening(listener):
        yield


async def _write(deps: Deps) -> None:
    unwritten = deps.unwritten
    try:
        await asyncio.sleep(GATHER_SECONDS)
        while unwritten.waiting:
            some, unwritten.waiting[:AT_ONCE] = unwritten.waiting[:AT_ONCE], []
            async with asyncio.timeout(WRITE_SECONDS):
                await call_log_rows.write(deps.pool, [await _scrub(*call) for call in some])
    except Exception as error:  # noqa: BLE001 - it is detail for people, and must not trouble an order
        log.warning("supplier_calls_lost", error=type(error).__name__)
    finally:
        unwritten.writing = False


async def _scrub(attempt_id: str, exchange: Exchange, secrets: tuple[str, ...]) -> KeptExchange:
    """One exchange as it is kept, letting the orders of this process go first.

    A long one is scrubbed in a thread. Short ones are not: a thread that computes keeps this one waiting for
    milliseconds whenever it comes back from the network.
    """
    if len(exchange.request or b"") + len(exchange.answer or b"") > SHORT_BYTES:
        return await asyncio.to_thread(_scrubbed, attempt_id, exchange, secrets)
    await asyncio.sleep(PAUSE_SECONDS)
    return _scrubbed(attempt_id, exchange, secrets)


def _scrubbed(attempt_id: str, exchange: Exchange, secrets: tuple[str, ...]) -> KeptExchange:
    request, answer = scrubbed([exchange.request, exchange.answer], exchange.redact, secrets)
    return KeptExchange(
        attempt_id=attempt_id,
        at=exchange.at,
        method=exchange.method,
        path=path_template(exchange.url, exchange.base_path),
        status=exchange.status,
        ms=exchange.ms,
        error=exchange.error,
        request=None if request is None else request.replace("\0", " "),
        answer=None if answer is None else answer.replace("\0", " "),
    )
