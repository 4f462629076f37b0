"""Our money at the suppliers: asked for now and then behind everything else, and how long it lasts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import structlog

from gateway.core.pricing import NoRate, Rates
from gateway.core.runway import LOOKED_BACK, days_left, spent_per_day
from gateway.flows.accounts import Account
from gateway.flows.mappings import rates as rates_now
from gateway.store import balances
from gateway.store.balances import Known, Spent
from gateway.store.ops import price_of
from gateway.store.pool import Pool
from providers.contract import Capability
from providers.gate import Priority
from schemas.api_suppliers import SupplierBalance
from schemas.errors import GatewayError
from schemas.money import Money

log = structlog.get_logger(__name__)

LOOK_EVERY = timedelta(minutes=10)
LOOK_SECONDS = 60.0


async def look_if_due(pool: Pool, accounts: Mapping[str, Account], now: datetime) -> list[str]:
    """Ask every supplier for its balance that nobody asked for ``LOOK_EVERY``; the names of those asked.

    They are asked with the lowest priority under their rate. One that does not tell is noted with the reason.
    """
    able = [name for name, account in accounts.items() if Capability.BALANCE in account.manifest.capabilities]
    due = await balances.claim(pool, able, now, LOOK_EVERY)
    await asyncio.gather(*(_look(pool, accounts[name], now) for name in due))
    return due


async def _look(pool: Pool, account: Account, now: datetime) -> None:
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            found = await account.provider.balance(Priority.USAGE)
    except (GatewayError, TimeoutError) as error:
        words = str(error) or "no answer in time"
        log.info("balance_not_told", supplier=account.name, error=words)
        await balances.keep_error(pool, account.name, words, now)
    else:
        await balances.keep(pool, account.name, found, now)


async def of_accounts(
    pool: Pool, accounts: Mapping[str, Account], names: Sequence[str], base: str, now: datetime
) -> dict[str, SupplierBalance]:
    """Our money at each of these accounts with its age, and how many days it lasts."""
    known = await balances.known(pool, names)
    spent = await balances.spent(pool, names, now - LOOKED_BACK)
    first = await balances.first_charges(pool, names)
    rates = await rates_now(pool, base)
    return {
        name: _told(accounts.get(name), known[name], spent.get(name, ()), first.get(name), rates, now) for name in names
    }


async def history(pool: Pool, supplier: str, now: datetime, days: int = 14, points: int = 56) -> list[balances.Seen]:
    """What the account held over the last days, oldest first."""
    return await balances.history(pool, supplier, now - timedelta(days=days), points)


def _told(
    account: Account | None,
    known: Known,
    spent: Sequence[Spent],
    first_at: datetime | None,
    rates: Rates,
    now: datetime,
) -> SupplierBalance:
    seen = known.seen
    per_day = None
    if (total := _sum(spent, rates, seen.currency if seen is not None else rates.base)) is not None:
        rate = spent_per_day(total.amount, first_at, now)
        per_day = None if rate is None else Money(rate, total.currency)
    left = None
    if seen is not None:
        left = days_left(seen.spendable, None if per_day is None else per_day.amount)
    return SupplierBalance(
        supplier=known.supplier,
        balance=price_of(None if seen is None else Money(seen.balance, seen.currency)),
        spendable=price_of(None if seen is None else Money(seen.spendable, seen.currency)),
        at=None if seen is None else seen.at,
        asked_at=known.asked_at,
        error=known.error,
        spent_per_day=price_of(None if per_day is None else per_day.rounded_half_up()),
        days_left=None if left is None else float(left),
        why_none=None if seen is not None else _why_none(account, known),
    )


def _why_none(account: Account | None, known: Known) -> str:
    if account is None:
        return "this account is not configured any more"
    if Capability.BALANCE not in account.manifest.capabilities:
        note = account.manifest.capability_notes.get(Capability.BALANCE)
        return note or f"{account.manifest.title} has no call for it"
    return known.error or "not asked for yet; a worker asks every ten minutes"


def _sum(spent: Sequence[Spent], rates: Rates, currency: str) -> Money | None:
    """What was spent as one amount, None when a currency has no rate."""
    try:
        total = sum((rates.to_base(Money(one.amount, one.currency)).amount for one in spent), start=Decimal(0))
        return Money(total / rates.of(currency), currency)
    except NoRate:
        return None
