"""The state of every supplier now, for console, API and command line alike."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal

from gateway.access.key_rows import Mode
from gateway.catalog.index.blocked import blocked_counts
from gateway.kit.freshness import FreshnessBounds, freshness
from gateway.kit.pool import Pool
from gateway.kit.settings import Settings
from gateway.prices import supplier_figure_rows
from gateway.pricing.price_rules import Rates
from gateway.pricing.rates import rates_now
from gateway.suppliers import fund_rows, supplier_fact_rows
from gateway.suppliers.accounts import check_accounts
from gateway.suppliers.deps import Deps, utc_now
from gateway.suppliers.selling_rows import ALL
from gateway.suppliers.spendable_rules import available_funds_by_supplier
from gateway.suppliers.state_rules import (
    SUCCESS_HOURS,
    StopFact,
    SupplierFacts,
    SupplierState,
    nothing_for_sale,
    supplier_state,
)
from gateway.suppliers.supplier_fact_rows import FactsRow
from schemas.errors import ConfigurationError


async def of_all(deps: Deps) -> dict[str, SupplierState]:
    """Each supplier's state by name, configured or not."""
    tolerances = {name: account.tolerance for name, account in deps.accounts.items()}
    return await states(deps.pool, deps.settings, deps.clock(), tolerances)


async def of_settings(pool: Pool, settings: Settings) -> dict[str, SupplierState]:
    """The same for commands that open no account."""
    tolerances = {}
    with suppress(ConfigurationError):  # one account's fault must not hide the state of the others
        tolerances = {name: manifest.tolerance(own) for name, (manifest, own) in check_accounts(settings).items()}
    return await states(pool, settings, utc_now(), tolerances)


async def states(
    pool: Pool, settings: Settings, now: datetime, tolerances: Mapping[str, Decimal]
) -> dict[str, SupplierState]:
    """The same without accounts; ``tolerances`` are the shares by which they may charge more than they list."""
    since = now - timedelta(hours=SUCCESS_HOURS)
    rows, rates, funds, standing = await asyncio.gather(
        supplier_fact_rows.rows(pool, since, supplier_figure_rows.MOST_ATTEMPTS),
        rates_now(pool, settings),
        fund_rows.load_all(pool),
        supplier_figure_rows.stops(pool),
    )
    available = available_funds_by_supplier(funds, rates, tolerances)
    short = await _without_affordable(pool, available, rates, tolerances)
    stops: dict[str, list[StopFact]] = {}
    for stop in standing:
        stops.setdefault(stop.supplier, []).append(StopFact(stop.reason, stop.note, stop.supplier == ALL))
    bounds = FreshnessBounds(settings.sync.interval_seconds, settings.sync.expire_after_seconds)
    return {
        row.name: supplier_state(
            SupplierFacts(
                configured=row.configured,
                paused=row.state != "active",
                stops=(*stops.get(ALL, ()), *stops.get(row.name, ())),
                no_balance_until=row.no_balance_until,
                available=available.get(row.name),
                affordable=row.name not in short,
                base_currency=rates.base,
                breaker=row.breaker,
                retry_at=row.retry_at,
                last_error=row.last_error,
                freshness=freshness(row.last_good_at, row.last_sync_state, now, bounds),
                last_good_at=row.last_good_at,
                last_sync_state=row.last_sync_state,
                quarantined=row.quarantined,
                succeeded=row.succeeded,
                failed=row.failed,
            ),
            now,
        )
        for row in rows
    }


async def nothing_sells(deps: Deps, mode: Mode) -> str:
    """Why no plan of the mode can be sold, on one line; empty while one can, or where this process has no catalogue."""
    if deps.index is None:
        return ""
    try:
        index = deps.index(mode)
    except LookupError:
        return ""
    if index.has_plan_for_sale:
        return ""
    now = deps.clock()
    known = {row.name: row for row in await supplier_fact_rows.rows(deps.pool, now, 1)}
    here = {name: state for name, state in (await of_all(deps)).items() if _is_sold_in(known.get(name), mode)}
    why_not: dict[str, int] = {}
    for counts in blocked_counts(index).values():
        for reason, count in counts.why_not.items():
            why_not[reason] = why_not.get(reason, 0) + count
    return nothing_for_sale(index.plan_count, 0, here, why_not)


def _is_sold_in(row: FactsRow | None, mode: Mode) -> bool:
    return row is not None and row.configured and row.mode == mode


async def _without_affordable(
    pool: Pool, available: Mapping[str, Decimal], rates: Rates, tolerances: Mapping[str, Decimal]
) -> frozenset[str]:
    most = {name: left / (1 + tolerances.get(name, Decimal(0))) for name, left in available.items()}
    return await supplier_fact_rows.without_affordable(pool, most, rates.worth)
