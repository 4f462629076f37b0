"""Our money at the suppliers: asked for now and then behind everything else, and how long it lasts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import structlog

from gateway.kit.pages import price_of
from gateway.kit.pool import Pool
from gateway.pricing.price_rules import NoRate, Rates
from gateway.pricing.rates import rates_now
from gateway.suppliers import balance_rows, fund_rows
from gateway.suppliers.accounts import Account
from gateway.suppliers.balance_rows import KnownBalance, Seen, Spent, Wallet
from gateway.suppliers.days_left_rules import LOOKBACK, days_left, spent_per_day
from gateway.suppliers.deps import Deps
from gateway.suppliers.spendable_rules import available_funds_by_supplier, ends_refusal
from providers.contract import Capability
from providers.kit.supplier_rate import Priority
from schemas.api import Price
from schemas.api_suppliers import SupplierBalance, SupplierWallet
from schemas.errors import GatewayError
from schemas.money import Money

log = structlog.get_logger(__name__)

POLL_EVERY = timedelta(minutes=10)
POLL_WHEN_WATCHED = timedelta(seconds=45)  # where money is waited for: with every look of the schedule
TIMEOUT_SECONDS = 60.0
SPENT_SECONDS = 60.0  # so long is remembered what two weeks cost: a shop may have a million charges in them


async def poll_if_due(pool: Pool, accounts: Mapping[str, Account], now: datetime) -> list[str]:
    """Ask every supplier for its balance that nobody asked for ``LOOK_EVERY``; the names of those asked.

    Where money is waited for (a deposit was begun, or a purchase was refused for want of it) each call of this asks.
    They are asked with the lowest priority under their rate. One that does not tell is noted with the reason.
    """
    due = await balance_rows.claim(pool, with_balance(accounts), now, POLL_EVERY, POLL_WHEN_WATCHED)
    await asyncio.gather(*(_poll(pool, accounts[name], now, Priority.USAGE) for name in due))
    return due


async def poll_now(
    pool: Pool, accounts: Mapping[str, Account], names: Sequence[str], now: datetime, *, by_operator: bool = False
) -> dict[str, str | None]:
    """Ask these suppliers at once, whether or not a breaker is open; those that cannot tell are passed over.

    By supplier: None when it told, else why not. ``by_operator``: a balance that covers what was refused ends the
    refusal's pause although it is no more than was known before.
    """
    able = set(with_balance(accounts))
    polled = [name for name in names if name in able]
    errors = await asyncio.gather(
        *(_poll(pool, accounts[name], now, Priority.SETTLE, by_operator=by_operator) for name in polled)
    )
    return dict(zip(polled, errors, strict=True))


def with_balance(accounts: Mapping[str, Account]) -> list[str]:
    """The accounts whose supplier tells our balance."""
    return [name for name, account in accounts.items() if Capability.BALANCE in account.manifest.capabilities]


async def _poll(
    pool: Pool, account: Account, now: datetime, priority: Priority, *, by_operator: bool = False
) -> str | None:
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            found = await account.provider.balance(priority)
    except (GatewayError, TimeoutError) as error:
        message = str(error) or "no answer in time"
        log.info("balance_poll_failed", supplier=account.name, error=message)
        await balance_rows.keep_error(pool, account.name, message, now)
        return message
    before = (await fund_rows.load(pool, [account.name])).get(account.name)
    await balance_rows.keep(pool, account.name, found, now)
    refusal = await balance_rows.last_refusal(pool, account.name)
    # What was refused while the balance was being read may have been refused with that very money.
    is_news = refusal is None or refusal.at <= now
    cost = None if refusal is None else refusal.cost
    if is_news and ends_refusal(None if by_operator else before, found.spendable, cost):
        await balance_rows.clear_no_balance(pool, account.name)
    return None


async def of_accounts(deps: Deps, names: Sequence[str], pool: Pool | None = None) -> dict[str, SupplierBalance]:
    """Our money at each of these accounts with its age, and how many days it lasts."""
    pool, accounts, now = pool or deps.pool, deps.accounts, deps.clock()
    every = sorted({*accounts, *names})
    known, spent, first, rates, funds = await asyncio.gather(
        balance_rows.known(pool, names),
        deps.remembered.get(("spent", *every), SPENT_SECONDS, lambda: balance_rows.spent(pool, every, now - LOOKBACK)),
        balance_rows.first_charges(pool, names),
        rates_now(pool, deps.settings),
        fund_rows.load(pool, names),
    )
    left = available_funds_by_supplier(funds, rates, {name: account.tolerance for name, account in accounts.items()})
    return {
        name: _presented(
            accounts.get(name), known[name], spent.get(name, ()), first.get(name), rates, now, left.get(name)
        )
        for name in names
    }


async def history(
    pool: Pool, supplier: str, now: datetime, days: int = 14, points: int = 56
) -> list[balance_rows.Seen]:
    """What the account held over the last days, oldest first."""
    return await balance_rows.history(pool, supplier, now - timedelta(days=days), points)


def _presented(
    account: Account | None,
    known: KnownBalance,
    spent: Sequence[Spent],
    first_at: datetime | None,
    rates: Rates,
    now: datetime,
    available: Decimal | None,
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
        room=None if available is None else price_of(Money(available, rates.base).rounded_half_up()),
        reserved=_part(seen, None if seen is None else seen.parts.reserved),
        credit=_part(seen, None if seen is None else seen.parts.credit),
        wallets=[] if seen is None else [_wallet(wallet) for wallet in seen.parts.wallets],
        at=None if seen is None else seen.at,
        asked_at=known.asked_at,
        error=known.error,
        spent_per_day=price_of(None if per_day is None else per_day.rounded_half_up()),
        days_left=None if left is None else float(left),
        why_none=None if seen is not None else _why_none(account, known),
    )


def _part(seen: Seen | None, amount: Decimal | None) -> Price | None:
    return None if seen is None or amount is None else price_of(Money(amount, seen.currency))


def _wallet(wallet: Wallet) -> SupplierWallet:
    return SupplierWallet(wallet.name, f"{Money(wallet.amount, wallet.currency).padded().amount:f}", wallet.currency)


def _why_none(account: Account | None, known: KnownBalance) -> str:
    if account is None:
        return "this account is not configured any more"
    if Capability.BALANCE not in account.manifest.capabilities:
        note = account.manifest.capability_notes.get(Capability.BALANCE)
        return note or f"{account.manifest.title} has no call for it"
    return known.error or "not asked for yet; a worker asks every ten minutes"


def _sum(spent: Sequence[Spent], rates: Rates, currency: str) -> Money | None:
    """What was spent as one amount, None when a currency has no rate."""
    try:
        total = sum((rates.to_base(Money(entry.amount, entry.currency)).amount for entry in spent), start=Decimal(0))
        return Money(total / rates.of(currency), currency)
    except NoRate:
        return None
