"""Exchange rates as JSON: what is in force, what waits for an operator, what is fetched, set and imported."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from schemas.api import CurrencyCode
from schemas.examples import AT, example
from schemas.page import Page

RateKind = Literal["fetched", "set", "imported", "shipped", "fixed"]
RateState = Literal["in_force", "old", "expired"]
SentRate = Annotated[str, Meta(pattern=r"^[0-9]{1,12}(\.[0-9]{1,12})?\Z", max_length=25, examples=["16250"])]
BaseCurrency = Annotated[CurrencyCode, example("USD")]
RupiahCode = Annotated[CurrencyCode, example("IDR")]
RupiahRate = Annotated[str, example("0.0000615384615385")]
RupiahPerBase = Annotated[str, example("16250")]
RateDay = Annotated[date, example("2026-11-20")]
RateOrigin = Annotated[str, example("set by key key_0d41aa of My shop")]
Currencies = Annotated[list[str], example(["IDR"])]


class WaitingRate(msgspec.Struct, frozen=True):
    """A fetched rate that moved too far in a day and waits to be accepted.

    Attributes:
        rate: What one unit is worth in base currency.
        per_base: What one unit of the base currency is worth.
        as_of: The day of the rate.
        source: Where it was fetched.
        moved_percent: How far it moved from the rate in force.
    """

    rate: RupiahRate
    per_base: RupiahPerBase
    as_of: RateDay
    source: Annotated[str, example("ecb rates.example.com")]
    moved_percent: Annotated[float, example(12.5)]


class ExchangeRate(msgspec.Struct, frozen=True, kw_only=True):
    """The newest rate of a currency.

    Attributes:
        currency: The currency.
        rate: What one unit is worth in base currency.
        per_base: What one unit of the base currency is worth.
        as_of: The day of the rate.
        age_days: How many days old it is.
        source: Where it came from.
        kind: How it came; `fixed` is a stablecoin, worth 1 USD until it has a rate of its own.
        state: `old`: in force and to be looked after; `expired`: no longer used.
        waiting: A fetched rate that waits to be accepted; the old one stands until then. Null without one.
    """

    currency: RupiahCode
    rate: RupiahRate
    per_base: RupiahPerBase
    as_of: RateDay
    age_days: Annotated[int, example(1)]
    source: RateOrigin
    kind: Annotated[RateKind, example("set")]
    state: Annotated[RateState, example("in_force")]
    waiting: Annotated[WaitingRate | None, example(None)]


class RateSourceState(msgspec.Struct, frozen=True):
    """How fetching from a source of ``[rates] sources`` goes.

    Attributes:
        source: The source.
        tried_at: When it was last tried.
        fetched_at: When it last brought rates; null when it never did.
        as_of: The day of these rates; null without any.
        error: Why the last try brought none; null when it did.
    """

    source: Annotated[str, example("ecb rates.example.com")]
    tried_at: Annotated[datetime, example(AT)]
    fetched_at: Annotated[datetime | None, example(AT)]
    as_of: Annotated[date | None, example("2026-11-20")]
    error: Annotated[str | None, example(None)]


class ExchangeRatePage(Page[ExchangeRate], frozen=True):
    """All rates, by currency; `warnings` says what is old.

    Attributes:
        base: The base currency.
        sources: How fetching goes.
        warnings: What is old.
    """

    base: BaseCurrency
    sources: list[RateSourceState]
    warnings: Annotated[list[str], example([])]


class StoredRate(msgspec.Struct, frozen=True, kw_only=True):
    """A rate of a day.

    Attributes:
        currency: The currency.
        rate: What one unit is worth in base currency.
        per_base: What one unit of the base currency is worth.
        as_of: The day of the rate.
        source: Where it came from.
        kind: How it came.
        written_at: When it was stored.
    """

    currency: RupiahCode
    rate: RupiahRate
    per_base: RupiahPerBase
    as_of: RateDay
    source: RateOrigin
    kind: Annotated[RateKind, example("set")]
    written_at: Annotated[datetime, example(AT)]


class RateEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `base` is worth `rate` of `currency` from `date` on; today (UTC) by default.

    Attributes:
        base: The currency of which one unit is meant.
        currency: The other currency.
        rate: How many units of the other currency it is worth.
        date: From which day on; today (UTC) by default.
    """

    base: BaseCurrency
    currency: RupiahCode
    rate: SentRate
    date: Annotated[RateDay | None, example("2026-11-20")] = None


class RateSet(msgspec.Struct, frozen=True):
    """What was set.

    Attributes:
        currency: The currency.
        rate: What one unit is worth in base currency.
        per_base: What one unit of the base currency is worth.
        as_of: The day of the rate.
        in_force: False where a rate of a later day stands, or the day is to come.
    """

    currency: RupiahCode
    rate: RupiahRate
    per_base: RupiahPerBase
    as_of: RateDay
    in_force: Annotated[bool, example(True)]


class RateFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of rates: the European Central Bank's XML, CSV with the columns date, base, currency, rate, or TOML.

    Attributes:
        name: The file's name.
        text: What stands in it.
    """

    name: Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+\Z", examples=["rates.csv"])]
    text: Annotated[
        str,
        Meta(min_length=1, max_length=60_000, examples=["date,base,currency,rate\n2026-11-20,USD,IDR,16250\n"]),
    ]


class RateImport(msgspec.Struct, frozen=True):
    """How many rates were imported, of which currencies, and whether others are in force now.

    Attributes:
        rates: How many rates were imported.
        currencies: Of which currencies.
        changed: Whether other rates are in force now.
    """

    rates: Annotated[int, example(1)]
    currencies: Currencies
    changed: Annotated[bool, example(True)]


class RateAcceptRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose waiting rate to accept; with `as_of` only if it is that day's.

    Attributes:
        currency: The currency whose waiting rate to accept.
        as_of: Only if the rate is this day's.
    """

    currency: RupiahCode
    as_of: Annotated[date | None, example("2026-11-20")] = None


class RateAcceptance(msgspec.Struct, frozen=True):
    """The rate that is in force now.

    Attributes:
        currency: The currency.
        rate: What one unit is worth in base currency.
        as_of: The day of the rate.
    """

    currency: RupiahCode
    rate: RupiahRate
    as_of: RateDay


class FetchedSource(msgspec.Struct, frozen=True):
    """What came from a source.

    Attributes:
        source: The source.
        as_of: The day of its rates; null without any.
        rates: How many rates it brought.
        waiting: The currencies whose rates wait to be accepted.
        error: Why it brought none; null when it did.
    """

    source: Annotated[str, example("ecb rates.example.com")]
    as_of: Annotated[date | None, example("2026-11-20")]
    rates: Annotated[int, example(30)]
    waiting: Annotated[list[str], example([])]
    error: Annotated[str | None, example(None)]


class RateUpdate(msgspec.Struct, frozen=True):
    """What each source gave, and whether other rates are in force now.

    Attributes:
        sources: What each source gave.
        changed: Whether other rates are in force now.
    """

    sources: list[FetchedSource]
    changed: Annotated[bool, example(True)]
