"""Exchange rates of today."""

from __future__ import annotations

from datetime import UTC, datetime

from gateway.kit.pool import Pool
from gateway.pricing import fx_rows
from gateway.pricing.price_rules import Rates, rates_on


async def current_rates(pool: Pool, base: str) -> Rates:
    """What money is worth today."""
    known = await fx_rows.current(pool, base)
    today = datetime.now(UTC).date()
    return rates_on(today, base, [(rate.currency, rate.rate, rate.as_of) for rate in known.values()])
