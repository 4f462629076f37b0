"""Limiters of one account as several processes have them, on one driven clock."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.suppliers.limit_rows import SharedRateLimiter
from tests.kit.driven_clock import DrivenClock
from tests.kit.rate_limiter_contract import wait_until


@pytest.fixture
def clock():
    return DrivenClock()


@pytest.fixture
async def limiters():
    """Those that ``opened`` made."""
    made: list[SharedRateLimiter] = []
    yield made
    for limiter in made:
        await limiter.close()


@pytest.fixture
def opened(pool, clock, limiters):
    """Limiters of one account as several processes have them, on a clock that stands still until it is moved."""

    def opened(per_minute, *, on=None, name="demo"):
        made = SharedRateLimiter(
            on or pool, name, per_minute, clock=clock, pause=clock.pause, database_clock=clock.database
        )
        limiters.append(made)
        return made

    return opened


@pytest.fixture
def advance(pool, clock, limiters):
    async def advance(seconds: float) -> None:
        # What is being read now would be taken for what stands in the rows after they were moved.
        for limiter in limiters:
            await wait_until(lambda limiter=limiter: limiter._refreshing is None or limiter._refreshing.done())
        clock.now += seconds
        back = timedelta(seconds=seconds)
        await pool.execute(
            "UPDATE supplier_breakers SET retry_at = retry_at - $1::interval, changed_at = changed_at - $1", back
        )
        await pool.execute("UPDATE supplier_limits SET blocked_until = blocked_until - $1::interval", back)

    return advance
