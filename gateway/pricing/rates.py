"""The exchange rates in force, for everything that compares or converts money."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import msgspec

from gateway.kit.pool import Connection, Pool
from gateway.kit.problem import Problem
from gateway.kit.settings import Settings
from gateway.pricing import fx_rows
from gateway.pricing.price_rules import NoRate, Rates
from gateway.pricing.rate_files import shipped
from gateway.pricing.rate_rules import (
    FORGOTTEN_DAYS,
    Rate,
    RateBounds,
    RateReport,
    rate_warnings,
    rates_in_force,
)


def bounds_of(settings: Settings) -> RateBounds:
    """``[rates]`` of the settings, and what else the rules on rates ask."""
    rates = settings.rates
    return RateBounds(
        base=settings.base_currency,
        test_only=all(values.get("mode") == "test" for values in settings.suppliers.values()),
        max_move_percent=rates.max_move_percent,
        fetch_warn_days=rates.fetch_warn_days,
        warn_days=rates.warn_days,
        no_rate_days=rates.no_rate_days,
    )


def today() -> date:
    """The day by which rates are in force: that of UTC."""
    return datetime.now(UTC).date()


async def rates_now(connection: Connection | Pool, settings: Settings) -> Rates:
    """What one unit of each currency is worth in base currency now; the base currency is among them."""
    bounds, day = bounds_of(settings), today()
    return rates_of_rows(await fx_rows.newest(connection, bounds.base, bounds.oldest(day), day), settings, day)


def rates_of_rows(known: Iterable[Rate], settings: Settings, day: date) -> Rates:
    """The rates of a day, of rows that were read beside something else."""
    bounds = bounds_of(settings)
    found = rates_in_force(known, shipped(bounds.base), day, bounds)
    return Rates(bounds.base, {currency: rate.rate for currency, rate in sorted(found.items())})


async def latest_rates(connection: Connection | Pool, settings: Settings) -> list[Rate]:
    """The newest rate of each currency, also where it is expired, unless it is forgotten."""
    bounds, day = bounds_of(settings), today()
    oldest = min(bounds.oldest(day), day - timedelta(days=FORGOTTEN_DAYS))
    return await fx_rows.newest(connection, bounds.base, oldest, day)


async def rate_report(connection: Connection | Pool, settings: Settings) -> RateReport:
    """Everything known of the rates now: in force, expired not long ago, waiting, and how fetching goes."""
    bounds = bounds_of(settings)
    rows = await latest_rates(connection, settings)
    in_force = rates_in_force(rows, shipped(bounds.base), today(), bounds)
    waiting = await fx_rows.waiting(connection, bounds.base)
    sources = await fx_rows.sources(connection, [source.name for source in settings.rates.sources])
    return RateReport(in_force, {rate.currency: rate for rate in rows}, waiting, sources)


async def stale_rates(connection: Connection | Pool, settings: Settings) -> str | None:
    """What is old about the rates, in a line; None when nothing is."""
    report = await rate_report(connection, settings)
    return "; ".join(rate_warnings(report, datetime.now(UTC), bounds_of(settings))) or None


async def note_rates(connection: Connection | Pool, settings: Settings) -> bool:
    """Make it a new version of the catalogue when other rates are in force than before; whether they are.

    Called after each change of rates, and now and then: a rate comes into force, or expires, by the calendar alone.
    """
    found = await rates_now(connection, settings)
    digest = hashlib.blake2b(msgspec.json.encode(found, order="sorted"), digest_size=16).hexdigest()
    return await fx_rows.note_in_force(connection, digest)


def no_rate(error: NoRate, pointer: str = "/currency") -> Problem:
    """The answer to who asks for a currency without a rate."""
    return Problem("no_rate", f"{pointer.split('/')[1]}: {error.advice}", ((pointer, error.advice),))
