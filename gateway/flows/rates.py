"""Exchange rates of today."""

from __future__ import annotations

from datetime import UTC, datetime

from gateway.core.pricing import Rates, rates_on
from gateway.store import fx
from gateway.store.pool import Pool


async def current_rates(pool: Pool, base: str) -> Rates:
    """What money is worth today."""
    known = await fx.current(pool, base)
    today = datetime.now(UTC).date()
    return rates_on(today, base, [(rate.currency, rate.rate, rate.as_of) for rate in known.values()])
