"""Orders that come at a rate, whether or not those before are answered.

Callers of a closed loop wait for each other's answers, so that a service that falls behind is asked less. Customers do
not: what is looked for here is the highest rate at which the 99th percentile, counted from when an order was due, stays
below a second.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable

STEP = 1.12  # from one rate to the next
SECONDS = 6.0  # of orders at each rate
LIMIT_SECONDS = 1.0
MISSES = 2  # rates in a row that were too high: one alone may be the machine's
_FIRST = 30.0


class WrongAnswerError(Exception):
    """What was asked for did not come, but a refusal, or that it takes longer."""


async def highest_rate(call: Callable[[int], Awaitable[None]], *, pause: float) -> float:
    """The highest of a ladder of rates, in orders a second, that ``call`` bears; 0 when not even the first.

    ``pause`` are the seconds between two rates, for what a service does about orders after they were answered.
    """
    best, missed, rate = 0.0, 0, _FIRST
    while missed < MISSES:
        slowest = await _quantile_at(rate, call)
        if slowest < LIMIT_SECONDS:
            best, missed = rate, 0
        else:
            missed += 1
        rate *= STEP
        await asyncio.sleep(pause)
    return best


async def _quantile_at(rate: float, call: Callable[[int], Awaitable[None]]) -> float:
    """The 99th percentile in seconds, counted from when each order was due, at an even rate."""
    seconds: list[float] = []
    wrong: list[str] = []
    begin = time.perf_counter() + 0.1

    async def order(number: int) -> None:
        due = begin + number / rate
        await asyncio.sleep(due - time.perf_counter())
        try:
            await call(number)
        except WrongAnswerError as error:
            seconds.append(math.inf)
            wrong.append(str(error)[:300])
        else:
            seconds.append(time.perf_counter() - due)

    await asyncio.gather(*map(order, range(int(rate * SECONDS))))
    if wrong:
        print(f"{len(wrong)} of {len(seconds)} at {rate:.0f}/s got another answer: {wrong[0]}", flush=True)
    return sorted(seconds)[int(len(seconds) * 0.99)]
