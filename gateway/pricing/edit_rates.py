"""Exchange rates: listed, fetched, set, imported and accepted, with an entry in the audit log."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

from gateway.access import audit_rows
from gateway.access.user_rows import Visitor
from gateway.kit.pages import PageRequest
from gateway.kit.pool import Pool
from gateway.kit.problem import Problem
from gateway.kit.settings import Settings
from gateway.pricing import fx_rows
from gateway.pricing.rate_files import RateListError, rates_of, read_file, shipped
from gateway.pricing.rate_rules import (
    Rate,
    moved_percent,
    per_base,
    rate_warnings,
    rounded_up,
    state_of,
)
from gateway.pricing.rates import bounds_of, note_rates, rate_report, rates_now, today
from schemas.api_rates import (
    ExchangeRate,
    ExchangeRatePage,
    RateAcceptance,
    RateEntry,
    RateImport,
    RateSet,
    RateSourceState,
    StoredRate,
    WaitingRate,
)
from schemas.page import Page

Actor = Visitor | str


# -- reading


async def every(pool: Pool, settings: Settings) -> ExchangeRatePage:
    """The rate of each currency, how old it is, what waits, and how fetching goes."""
    bounds, day = bounds_of(settings), today()
    report = await rate_report(pool, settings)
    newest = {rate.currency: rate for rate in shipped(bounds.base)} | {**report.latest, **report.in_force}
    rows = [
        ExchangeRate(
            currency=currency,
            rate=rate_text(rate.rate),
            per_base=rate_text(per_base(rate.rate)),
            as_of=rate.as_of,
            age_days=(day - rate.as_of).days,
            source=rate.source,
            kind=rate.kind,
            state=state_of(rate, day, bounds, report.in_force),
            waiting=_waiting(report.waiting.get(currency), rate),
        )
        for currency, rate in sorted(newest.items())
        if currency != bounds.base
    ]
    return ExchangeRatePage(
        rows,
        has_more=False,
        next_cursor=None,
        base=bounds.base,
        sources=[
            RateSourceState(state.source, state.tried_at, state.fetched_at, state.as_of, state.error)
            for state in report.sources
        ],
        warnings=rate_warnings(report, datetime.now(UTC), bounds),
    )


async def history(pool: Pool, settings: Settings, currency: str, page_request: PageRequest) -> Page[StoredRate]:
    """Every rate that a currency had, the newest first."""
    found = await fx_rows.history(pool, settings.base_currency, currency, page_request)
    return found.map(
        lambda row: StoredRate(
            currency=row["currency"],
            rate=rate_text(row["rate"]),
            per_base=rate_text(per_base(row["rate"])),
            as_of=row["as_of"],
            source=row["source"],
            kind=row["kind"],
            written_at=row["written_at"],
        )
    )


def rate_text(rate: Decimal) -> str:
    """A rate as it is written, without needless zeros."""
    return f"{rate.normalize():f}"


def _waiting(rate: Rate | None, before: Rate) -> WaitingRate | None:
    if rate is None:
        return None
    moved = round(float(moved_percent(before.rate, rate.rate)), 2)
    return WaitingRate(rate_text(rate.rate), rate_text(per_base(rate.rate)), rate.as_of, rate.source, moved)


# -- an operator's word


async def set_rate(pool: Pool, settings: Settings, actor: Actor, sent: RateEntry) -> RateSet | Problem:
    """What one ``base`` buys of a currency, from a day on. Problems: conflict, no_rate (neither is known)."""
    figure, base = Fraction(Decimal(sent.rate)), settings.base_currency
    if sent.base == sent.currency or not figure:
        what = "must be above 0, between two currencies"
        return Problem("conflict", f"rate: {what}", (("/rate", what),))
    known = (await rates_now(pool, settings)).worth
    if sent.currency == base:  # "EUR USD 1.08" where costs are counted in USD
        currency, worth = sent.base, figure
    elif sent.base in known:
        currency, worth = sent.currency, Fraction(known[sent.base]) / figure
    elif sent.currency in known:
        currency, worth = sent.base, Fraction(known[sent.currency]) * figure
    else:
        what = f"neither {sent.base} nor {sent.currency} has an exchange rate: set one of them against {base} first"
        return Problem("no_rate", what, (("/base", what),))
    rate = Rate(currency, rounded_up(worth), sent.date or today(), f"set by {_name(actor)}", "set")
    async with pool.acquire() as connection, connection.transaction():
        await fx_rows.lock(connection)
        await fx_rows.write(connection, base, [rate])
        detail = {"base": sent.base, "currency": sent.currency, "rate": sent.rate, "date": rate.as_of.isoformat()}
        await audit_rows.record(connection, actor, "rate.set", f"rate:{currency}", detail)
        await note_rates(connection, settings)
        stands = (await rate_report(connection, settings)).in_force.get(currency)
    per = rate_text(per_base(rate.rate))
    return RateSet(currency, rate_text(rate.rate), per, rate.as_of, stands is not None and stands.as_of == rate.as_of)


async def import_rates(pool: Pool, settings: Settings, actor: Actor, name: str, text: str) -> RateImport | Problem:
    """The rates of a file, as if each were set. Problems: invalid (it cannot be read, or knows no rate of ours)."""
    known = (await rates_now(pool, settings)).worth
    rates: list[Rate] = []
    try:
        for found in read_file(text):
            rates += rates_of(found, settings.base_currency, known, found.source or name, "imported")
    except RateListError as error:
        return Problem("invalid", f"{name}: {error}", (("/text", str(error)),))
    currencies = sorted({rate.currency for rate in rates})
    async with pool.acquire() as connection, connection.transaction():
        await fx_rows.lock(connection)
        await fx_rows.write(connection, settings.base_currency, rates)
        detail = {"file": name, "rates": len(rates), "currencies": currencies}
        await audit_rows.record(connection, actor, "rates.imported", "rates", detail)
        changed = await note_rates(connection, settings)
    return RateImport(len(rates), currencies, changed)


async def accept(
    pool: Pool, settings: Settings, actor: Actor, currency: str, as_of: date | None = None
) -> RateAcceptance | Problem:
    """Let a rate that waits be in force. Problems: not_found (none waits), conflict (one of another day does)."""
    async with pool.acquire() as connection, connection.transaction():
        await fx_rows.lock(connection)
        rate = (await fx_rows.waiting(connection, settings.base_currency)).get(currency)
        if rate is None:
            return Problem("not_found", f"no rate of {currency} waits to be accepted")
        if as_of not in {None, rate.as_of}:
            return Problem("conflict", f"the rate of {currency} that waits now is of {rate.as_of}: look at it first")
        before = (await rates_now(connection, settings)).worth.get(currency)
        await fx_rows.write(connection, settings.base_currency, [rate])
        detail = {"rate": rate_text(rate.rate), "date": rate.as_of.isoformat(), "source": rate.source}
        detail |= {} if before is None else {"before": rate_text(before)}
        await audit_rows.record(connection, actor, "rate.accepted", f"rate:{currency}", detail)
        await note_rates(connection, settings)
    return RateAcceptance(currency, rate_text(rate.rate), rate.as_of)


def _name(actor: Actor) -> str:
    return (actor.name if isinstance(actor, Visitor) else actor)[:100]
