"""What prices are compared for, as it stands in an address: read, offered as choices, and written again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlencode

from aiohttp import web

from gateway.catalog.index import Index
from gateway.catalog.index.matrix import Bucket, Per
from gateway.console.forms import Form, query_form
from gateway.pricing.pricing_tables import data as data_in_words
from providers.kit import places
from schemas.plan import MB_PER_GB, Scope

UNLIMITED = "unlimited"
_AMOUNTS = (500, *(MB_PER_GB * gb for gb in (1, 2, 3, 5, 10, 20, 30, 50, 100)))
_DAYS = (1, 3, 5, 7, 10, 15, 30, 60, 90, 180, 365)
_USUAL = {"data_mb": "1024", "days": "7"}
_MOST_MB, _MOST_DAYS = 1_000_000_000, 10_000
Choices = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Filters:
    """The filters of the pages about prices. ``countries`` None means that what was typed names none."""

    bucket: Bucket
    per: Per
    region: str | None
    typed: str
    countries: tuple[str, ...] | None
    form: Form

    def address(self, path: str, **more: str | None) -> str:
        """A page for the same bucket; ``more`` adds to its query."""
        bucket = self.bucket
        data = UNLIMITED if bucket.unlimited else _text(bucket.data_mb)
        query: dict[str, str | None] = {"data_mb": data, "days": _text(bucket.days)}
        query["scope"] = None if bucket.scope is None else bucket.scope.value
        query["exact"] = "1" if bucket.exact else None
        query["triggers"] = "1" if bucket.triggers else None
        query |= more
        return f"{path}?{urlencode({name: value for name, value in query.items() if value is not None})}"

    @property
    def description(self) -> str:
        """The bucket in words: "at least 5 GB for at least 30 days"."""
        bucket = self.bucket
        least = "just " if bucket.exact else "at least "
        data = "unlimited data" if bucket.unlimited else "any amount of data"
        if bucket.data_mb is not None:
            data = least + data_in_words(bucket.data_mb)
        days = "any time" if bucket.days is None else f"{least}{bucket.days} {'day' if bucket.days == 1 else 'days'}"
        return f"{data}, for {days}"

    @property
    def choices(self) -> dict[str, Choices]:
        """What the lists of the form offer; a value of the address that is none of them stands among them."""
        bucket = self.bucket
        amounts = sorted({*_AMOUNTS} | ({bucket.data_mb} if bucket.data_mb is not None else set()))
        days = sorted({*_DAYS} | ({bucket.days} if bucket.days is not None else set()))
        return {
            "data_mb": [("", "any"), *((str(mb), data_in_words(mb)) for mb in amounts), (UNLIMITED, "unlimited")],
            "days": [("", "any"), *((str(day), str(day)) for day in days)],
            "scope": [("country", "one country"), ("region", "regional"), ("global", "global")],
            "per": [("plan", "per plan"), ("gb", "per GB"), ("day", "per day")],
        }

    @property
    def chosen(self) -> dict[str, str]:
        """What stands in the form."""
        bucket = self.bucket
        return {
            "data_mb": UNLIMITED if bucket.unlimited else _text(bucket.data_mb),
            "days": _text(bucket.days),
            "scope": "" if bucket.scope is None else bucket.scope.value,
            "per": self.per,
            "region": self.region or "",
        }


def read(request: web.Request, index: Index) -> Filters:
    """The filters of a request. What cannot be is left out: an address that somebody typed still shows a page.

    Without a word on data and days it is 1 GB for 7 days.
    """
    form = query_form(request)
    for name, usual in _USUAL.items():
        form.typed.setdefault(name, usual)
    unlimited = form.typed["data_mb"] == UNLIMITED
    scope = form.choice("scope", [scope.value for scope in Scope], required=False)
    bucket = Bucket(
        data_mb=None if unlimited else form.whole("data_mb", least=1, most=_MOST_MB),
        days=form.whole("days", least=1, most=_MOST_DAYS),
        unlimited=unlimited,
        exact=form.ticked("exact"),
        scope=Scope(scope) if scope else None,
        everything=form.ticked("all"),
        triggers=form.ticked("triggers"),
    )
    per = form.choice("per", ("plan", "gb", "day"), required=False) or "plan"
    region = form.text("region", most=60)
    typed = form.text("country")
    known = index.snapshot.region(region) is not None
    return Filters(bucket, cast("Per", per), region if known else None, typed, _countries(typed), form)


def _countries(typed: str) -> tuple[str, ...] | None:
    if not typed:
        return ()
    return places.countries(typed) or places.countries(typed.upper()) or None


def _text(value: int | None) -> str:
    return "" if value is None else str(value)
