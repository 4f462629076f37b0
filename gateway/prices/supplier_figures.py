"""Suppliers in figures, as console, API and command line show them; and the switches that people turn."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from gateway.access import audit_rows
from gateway.access.key_rows import Mode
from gateway.access.user_rows import Visitor
from gateway.catalog.index import Index
from gateway.catalog.index.blocked import BlockedCounts, blocked_counts
from gateway.kit.freshness import FreshnessBounds, freshness
from gateway.kit.pages import PageRequest
from gateway.kit.problem import Problem
from gateway.prices import supplier_figure_rows, supplier_states
from gateway.prices.supplier_figure_rows import Attempts, Stop, Syncs
from gateway.suppliers import balances, selling_rows, supplier_list_rows
from gateway.suppliers.accounts import Account
from gateway.suppliers.deps import Deps
from schemas.api_suppliers import OrderFigures, StopShown, Supplier, SupplierBalance, SupplierFigures, SyncFigures
from schemas.page import Page

HOURS = 24
ALL = selling_rows.ALL
_NONE = BlockedCounts(0, 0, {})


async def figures(
    deps: Deps, page_request: PageRequest, mode: Mode | None = None, hours: int = HOURS
) -> Page[SupplierFigures]:
    """Suppliers by name, each with its figures."""
    found = await supplier_list_rows.suppliers(deps.pool, page_request, await _context(deps), mode)
    return found.of(await _of(deps, found.data, hours))


async def figures_of(deps: Deps, name: str, hours: int = HOURS) -> SupplierFigures | None:
    """One supplier, None when there is none of that name."""
    found = await supplier_list_rows.supplier(deps.pool, name, await _context(deps))
    return None if found is None else (await _of(deps, [found], hours))[0]


async def listed(deps: Deps, page_request: PageRequest) -> Page[Supplier]:
    """Suppliers by name, each with its state and our money there."""
    found = await supplier_list_rows.suppliers(deps.pool, page_request, await _context(deps))
    names = [supplier.name for supplier in found.data]
    money = await balances.of_accounts(deps, names)
    return found.map(lambda supplier: msgspec.structs.replace(supplier, balance=money[supplier.name].balance))


async def account(deps: Deps, name: str) -> Supplier | None:
    """One supplier with its state, None when there is none of that name."""
    return await supplier_list_rows.supplier(deps.pool, name, await _context(deps))


async def _of(deps: Deps, suppliers: Sequence[Supplier], hours: int) -> list[SupplierFigures]:
    now = deps.clock()
    names = [supplier.name for supplier in suppliers]
    attempts, syncs, open_now, stops, money = await asyncio.gather(
        supplier_figure_rows.attempts(deps.pool, names, now - timedelta(hours=hours)),
        supplier_figure_rows.syncs(deps.pool, names),
        supplier_figure_rows.open_counts(deps.pool, names),
        supplier_figure_rows.stops(deps.pool),
        balances.of_accounts(deps, names),
    )
    blocked = _blocked_counts(deps)
    bounds = FreshnessBounds(deps.settings.sync.interval_seconds, deps.settings.sync.expire_after_seconds)
    return [
        SupplierFigures(
            supplier=msgspec.structs.replace(supplier, balance=money[supplier.name].balance),
            freshness=_age(supplier, now, bounds),
            orders=_orders(attempts[supplier.name], hours),
            syncs=_syncs(syncs[supplier.name]),
            open_attempts=open_now.get(supplier.name, 0),
            selectable=None if blocked is None else blocked.get((supplier.mode, supplier.name), _NONE).selectable,
            why_not=None if blocked is None else blocked.get((supplier.mode, supplier.name), _NONE).why_not,
            stops=[stop_shown(stop) for stop in stops if stop.supplier in (ALL, supplier.name)],
            balance=money[supplier.name],
        )
        for supplier in suppliers
    ]


async def balance_of_all(deps: Deps, page_request: PageRequest) -> Page[SupplierBalance]:
    """Our money at each supplier, by name."""
    found = await supplier_list_rows.suppliers(deps.pool, page_request, supplier_list_rows.SupplierContext())
    names = [supplier.name for supplier in found.data]
    money = await balances.of_accounts(deps, names)
    return found.of(money[name] for name in names)


async def set_paused(deps: Deps, name: str, actor: Visitor | str, *, paused: bool) -> Problem | None:
    """Take a supplier's offers out of the selection, or put them back, within two seconds everywhere."""
    word = "paused" if paused else "active"
    async with deps.pool.acquire() as connection, connection.transaction():
        if not await supplier_list_rows.set_supplier_state(connection, name, word):
            return Problem("not_found", "there is no such supplier")
        action = "supplier.paused" if paused else "supplier.resumed"
        await audit_rows.record(connection, actor, action, f"supplier:{name}")
    return None


async def _context(deps: Deps) -> supplier_list_rows.SupplierContext:
    return supplier_list_rows.SupplierContext(
        capabilities(deps.accounts), per_minute(deps.accounts), await supplier_states.of_all(deps)
    )


def capabilities(accounts: Mapping[str, Account]) -> dict[str, tuple[str, ...]]:
    """What each account's supplier can do, in alphabetical order."""
    return {
        name: tuple(sorted(capability.value for capability in account.manifest.capabilities))
        for name, account in accounts.items()
    }


def per_minute(accounts: Mapping[str, Account]) -> dict[str, int | None]:
    """How often each account may be asked, None where only the supplier's own word counts."""
    return {
        name: account.settings.requests_per_minute or account.manifest.limits.requests_per_minute
        for name, account in accounts.items()
    }


def stop_shown(stop: Stop) -> StopShown:
    """A stop as the API writes it."""
    return msgspec.convert(
        {"reason": stop.reason, "note": stop.note, "everything": stop.supplier == ALL, "created_at": stop.created_at},
        StopShown,
    )


def _blocked_counts(deps: Deps) -> dict[tuple[str, str], BlockedCounts] | None:
    """Counts of offers by mode and supplier, None where this process has no catalogue."""
    if deps.index is None:
        return None
    modes: tuple[Mode, ...] = ("live", "test")
    try:
        indexes: list[Index] = [deps.index(mode) for mode in modes]
    except LookupError:
        return None
    return {(index.mode, name): counts for index in indexes for name, counts in blocked_counts(index).items()}


def _age(supplier: Supplier, now: datetime, bounds: FreshnessBounds) -> Literal["fresh", "stale", "expired"]:
    last = supplier.last_sync
    return freshness(last.good_at if last else None, last.state if last else None, now, bounds).value


def _orders(found: Attempts, hours: int) -> OrderFigures:
    return OrderFigures(
        hours=hours,
        attempts=found.attempts,
        succeeded=found.succeeded,
        failed=found.failed,
        open=found.open,
        success_rate=_share(found.succeeded, found.succeeded + found.failed),
        p50_ms=found.p50_ms,
        p95_ms=found.p95_ms,
    )


def _syncs(found: Syncs) -> SyncFigures:
    return SyncFigures(found.syncs, found.ok, _share(found.ok, found.syncs), found.p50_ms, found.p95_ms)


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
