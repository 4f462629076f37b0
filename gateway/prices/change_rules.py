"""What moved in the suppliers' offers: the kinds of change, which of them a reader wants, how large each is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, TypeAlias

import msgspec

from schemas.money import Money

# "price" is a cost that appeared, went, or changed its currency without a rate to compare by.
ChangeKind: TypeAlias = Literal["up", "down", "price", "new", "gone", "stock"]
KINDS: tuple[ChangeKind, ...] = ("up", "down", "price", "new", "gone", "stock")
PRICE_KINDS: frozenset[str] = frozenset({"up", "down", "price"})
# How each kind of event stands in the feed.
EVENT_KINDS: Mapping[str, ChangeKind] = {
    "new": "new",
    "back": "new",
    "gone": "gone",
    "in_stock": "stock",
    "out_of_stock": "stock",
}

NEWS_USUALLY = timedelta(days=1)
NEWS_LONGEST = timedelta(days=30)


class ChangeFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which changes a reader wants; what is empty or None wants all.

    Thresholds are for moved prices: ``min_percent`` of what the offer cost before, ``min_amount`` in base
    currency, both of them when both are given. A price that cannot be compared meets no threshold.
    """

    kinds: frozenset[ChangeKind] = frozenset()
    suppliers: tuple[str, ...] = ()
    mode: str | None = None
    country: str | None = None
    plan_id: str | None = None
    since: datetime | None = None
    min_percent: Decimal | None = None
    min_amount: Decimal | None = None

    @property
    def prices(self) -> bool:
        """Whether moved prices are wanted at all."""
        return not self.kinds or bool(self.kinds & PRICE_KINDS)

    @property
    def events(self) -> bool:
        """Whether anything but moved prices is wanted."""
        return not self.kinds or bool(self.kinds - PRICE_KINDS)

    @property
    def picks(self) -> bool:
        """Whether rows have to be looked at one by one, beyond whose they are and when."""
        return bool(
            (self.kinds and self.kinds != PRICE_KINDS)
            or self.mode
            or self.country
            or self.min_percent is not None
            or self.min_amount is not None
        )


def news_since(last_visit: datetime | None, now: datetime) -> datetime:
    """From when on changes are news to a visitor: the end of their last visit, at most 30 days ago; else a day ago."""
    return now - NEWS_USUALLY if last_visit is None else min(max(last_visit, now - NEWS_LONGEST), now)


class Move(msgspec.Struct, frozen=True):
    """How far a cost moved: up, down, or "price"; by how much in base currency, by which share (0.1: a tenth up)."""

    kind: ChangeKind
    amount: Money | None = None
    share: Decimal | None = None


def move(old: Money | None, new: Money | None) -> Move:
    """From one cost to another, both in base currency; None is a cost that is not known or has no rate."""
    if old is None or new is None or old.amount == new.amount:
        return Move("price")
    amount = new - old
    share = None if old.amount == 0 else amount.amount / old.amount
    return Move("up" if amount.amount > 0 else "down", amount, share)
