"""Exchange rates: which row is in force on a day, which fetched rate waits for an operator, what is old. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_UP, Context, Decimal
from fractions import Fraction
from typing import Literal, TypeAlias

import msgspec

# "fixed" are the base currency and the stablecoins: nobody has to say what they are worth.
RateKind: TypeAlias = Literal["fetched", "set", "imported", "shipped", "fixed"]
RateState: TypeAlias = Literal["in_force", "old", "expired"]
# Stablecoins are worth 1 USD until they have a rate of their own.
PEGGED: Mapping[str, str] = {"USDT": "USD", "USDC": "USD"}
# A currency that nobody fetched or set for so long is no longer reported as expired.
FORGOTTEN_DAYS = 90
# The shipped file is older than a day and roughly right: beside it a rate may be off by the daily bound so many times,
# which lets no misplaced decimal point pass.
SHIPPED_STEPS = 7
FETCH_EVERY = timedelta(days=1)
RETRY_AFTER = timedelta(hours=1)
# Up, so that a price in the currency never comes out a minor unit above the exact one, nor a cost below it.
_TO_BASE = Context(prec=12, rounding=ROUND_UP)
_QUOTED = Context(prec=8)


class Rate(msgspec.Struct, frozen=True):
    """What one unit of ``currency`` is worth in the base currency on a day, and who says so."""

    currency: str
    rate: Decimal
    as_of: date
    source: str
    kind: RateKind = "set"


class RateBounds(msgspec.Struct, frozen=True, kw_only=True):
    """``[rates]`` of the settings. ``test_only``: every configured supplier is in test mode."""

    base: str
    test_only: bool = False
    max_move_percent: Decimal = Decimal(10)
    fetch_warn_days: int = 3
    warn_days: int = 6
    no_rate_days: int = 14

    def oldest(self, day: date) -> date:
        """The day of the oldest rate that is in force on ``day``."""
        return day - timedelta(days=min(self.no_rate_days, day.toordinal() - 1))


class SourceState(msgspec.Struct, frozen=True):
    """How fetching from a source goes. ``error`` is of the last try; None when that was well."""

    source: str
    since: datetime  # when it was first tried
    tried_at: datetime
    fetched_at: datetime | None = None
    as_of: date | None = None
    error: str | None = None


class RateReport(msgspec.Struct, frozen=True):
    """Everything known of the rates: ``latest`` is the newest of each currency, also where it is expired."""

    in_force: Mapping[str, Rate]
    latest: Mapping[str, Rate] = {}
    waiting: Mapping[str, Rate] = {}
    sources: Sequence[SourceState] = ()


def rates_in_force(known: Iterable[Rate], shipped: Iterable[Rate], day: date, bounds: RateBounds) -> dict[str, Rate]:
    """The rate of each currency on a day: the newest that is of no later day and not expired.

    The shipped file is the last resort: it fills what is left. While every supplier is in test mode it never expires.
    The base currency is always 1; a stablecoin is its currency unless it has a rate of its own.
    """
    oldest = bounds.oldest(day)
    found = _newest(rate for rate in known if oldest <= rate.as_of <= day)
    since = date.min if bounds.test_only else oldest
    for currency, rate in _newest(rate for rate in shipped if since <= rate.as_of <= day).items():
        found.setdefault(currency, rate)
    found[bounds.base] = Rate(bounds.base, Decimal(1), day, "base currency", "fixed")
    for coin, currency in PEGGED.items():
        if coin not in found and currency in found:
            found[coin] = msgspec.structs.replace(found[currency], currency=coin, source=f"1 {currency}", kind="fixed")
    return found


def moved_percent(before: Decimal, after: Decimal) -> Decimal:
    """How far a rate moved, in percent of what it was; below 0 for a fall."""
    return (after / before - 1) * 100


def must_wait(before: Rate | None, fetched: Rate, bounds: RateBounds) -> bool:
    """Whether a fetched rate moved by more than the bound in a day, so that an operator has to accept it.

    ``before`` is the newest rate, None for a new currency. Days without a rate excuse nothing: else a wrong one would
    be let in by waiting. What would not be in force need not wait: a rate of an older day, or of one of which an
    operator spoke.
    """
    if before is None or fetched.as_of < before.as_of:
        return False
    if fetched.as_of == before.as_of and before.kind in {"set", "imported"}:
        return False
    bound, steps = bounds.max_move_percent / 100, SHIPPED_STEPS if before.kind == "shipped" else 1
    least, most = max(Decimal(0), 1 - bound) ** steps, (1 + bound) ** steps
    return not least <= fetched.rate / before.rate <= most


def state_of(rate: Rate, day: date, bounds: RateBounds, in_force: Mapping[str, Rate]) -> RateState:
    """How a currency's newest rate stands: in force, in force but old, or too old to be used."""
    if rate.currency not in in_force:
        return "expired"
    return "old" if (day - in_force[rate.currency].as_of).days > bounds.warn_days else "in_force"


def rate_warnings(report: RateReport, now: datetime, bounds: RateBounds) -> list[str]:
    """What is old about the rates, in words that do not change from minute to minute; empty when nothing is."""
    day = now.date()
    found = [_source_warning(source) for source in report.sources if _is_late(source, now, bounds)]
    own = _own(report)
    if not own:
        shipped = [rate.as_of for rate in report.in_force.values() if rate.kind == "shipped"]
        used = f"those shipped with this release, of {max(shipped)}, are in use" if shipped else "there are none"
        found.append(f"nobody fetched or set exchange rates: {used}")
    old = [rate for rate in own if state_of(rate, day, bounds, report.in_force) == "old"]
    if old:
        found.append("old rates: " + _dated(old))
    expired = [
        rate
        for rate in report.latest.values()
        if rate.currency not in report.in_force and (day - rate.as_of).days <= FORGOTTEN_DAYS
    ]
    if expired:
        found.append(f"no rate, the last is older than {bounds.no_rate_days} days: " + _dated(expired))
    return found


def only_shipped(report: RateReport) -> bool:
    """Whether nobody fetched, set or imported a rate, or all of those are expired."""
    return not _own(report)


def fetch_is_due(state: SourceState | None, now: datetime) -> bool:
    """Whether a source is to be fetched now: once a day, and an hour after a try that failed."""
    if state is None:
        return True
    if state.error is not None:
        return now - state.tried_at >= RETRY_AFTER
    return now - state.tried_at >= FETCH_EVERY


def convert(
    quoted_in: str, figures: Mapping[str, Fraction], base: str, worth: Mapping[str, Decimal]
) -> dict[str, Decimal]:
    """What one unit of each currency is worth in ``base``, of figures that say how much one ``quoted_in`` buys.

    ``worth`` are rates that are known already, for a list that does not have the base currency. Raises ``ValueError``
    when they do not help either.
    """
    unit = Fraction(1) if quoted_in == base else figures.get(base) or worth.get(quoted_in)
    if unit is None:
        raise ValueError(f"it has no rate of the base currency {base}")
    found = {currency: Fraction(unit) / figure for currency, figure in figures.items()} | {quoted_in: Fraction(unit)}
    return {currency: rounded_up(rate) for currency, rate in found.items() if currency != base}


def rounded_up(rate: Fraction) -> Decimal:
    """A rate as it is stored."""
    return _TO_BASE.divide(Decimal(rate.numerator), Decimal(rate.denominator))


def per_base(rate: Decimal) -> Decimal:
    """How much of a currency one unit of the base currency buys, as people quote it."""
    return _QUOTED.divide(Decimal(1), rate).normalize()


def _newest(rates: Iterable[Rate]) -> dict[str, Rate]:
    found: dict[str, Rate] = {}
    for rate in rates:
        if rate.currency not in found or rate.as_of > found[rate.currency].as_of:
            found[rate.currency] = rate
    return dict(sorted(found.items()))


def _own(report: RateReport) -> list[Rate]:
    return [rate for rate in report.in_force.values() if rate.kind not in {"shipped", "fixed"}]


def _is_late(source: SourceState, now: datetime, bounds: RateBounds) -> bool:
    return now - (source.fetched_at or source.since) > timedelta(days=bounds.fetch_warn_days)


def _source_warning(source: SourceState) -> str:
    last = "were never fetched" if source.fetched_at is None else f"were last fetched on {source.fetched_at:%Y-%m-%d}"
    return f"the rates of {source.source} {last}" + (f": {source.error}" if source.error else "")


def _dated(rates: Collection[Rate]) -> str:
    return ", ".join(f"{rate.currency} of {rate.as_of}" for rate in rates)
