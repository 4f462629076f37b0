"""Alerts, their rules and channels as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from schemas.api import CountryCode, SupplierName

AlertKind: TypeAlias = Literal[
    "price_move",
    "thin_margin",
    "low_balance",
    "few_days_left",
    "supplier_failing",
    "sync_trouble",
    "charged_more",
    "orders_attention",
    "payments_attention",
    "statement_differs",
    "no_worker",
    "orders_overdue",
]
Name = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$")]
ChannelId = Annotated[str, Meta(pattern="^ach_[0-9a-f]{1,40}$")]
Threshold = Annotated[str, Meta(pattern=r"^[0-9]{1,9}(\.[0-9]{1,4})?$", max_length=14, examples=["25"])]


class Alert(msgspec.Struct, frozen=True):
    """Something that a rule told of. It stands while ``cleared_at`` is null; ``link`` is its page of the console.

    ``flapping``: it came and went often, and ends only after some quiet.
    """

    id: str
    rule_id: str
    rule: str
    kind: AlertKind
    level: Literal["warn", "bad"]
    subject: str
    title: str
    detail: str
    supplier: str | None
    mode: Literal["live", "test"] | None
    link: str
    flapping: bool
    raised_at: datetime
    cleared_at: datetime | None
    cleared_why: str | None


class AlertRuleRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to tell of.

    ``threshold`` counts percent for moved prices, percent of the cost for margins, an amount of base currency for
    balances, days for days left, percent of orders that succeed for failing suppliers, minutes for late syncs (null:
    two intervals) and for how long an order has needed attention. ``channels`` empty: every one.
    """

    name: Name
    kind: AlertKind
    threshold: Threshold | None = None
    direction: Literal["any", "up", "down"] = "any"
    about: Literal["offer", "plan"] = "offer"
    supplier: SupplierName | None = None
    country: CountryCode | None = None
    channels: Annotated[list[ChannelId], Meta(max_length=20)] = []
    enabled: bool = True


class AlertRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule. ``trouble``: why the last evaluation could not look at all of it."""

    id: str
    name: str
    kind: AlertKind
    threshold: str | None
    direction: Literal["any", "up", "down"]
    about: Literal["offer", "plan"]
    supplier: SupplierName | None
    country: CountryCode | None
    channels: list[str]
    enabled: bool
    trouble: str | None


class AlertChannelRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where alerts go: ``recipients`` for e-mail, ``url`` for a webhook."""

    name: Name
    kind: Literal["email", "webhook"]
    recipients: Annotated[list[Annotated[str, Meta(max_length=254)]], Meta(max_length=20)] = []
    url: Annotated[str, Meta(max_length=2048)] | None = None


class AlertChannel(msgspec.Struct, frozen=True, kw_only=True):
    """Where alerts go. ``failing_since`` is null when the last try arrived; ``waiting`` messages are still tried."""

    id: str
    name: str
    kind: Literal["email", "webhook"]
    recipients: list[str]
    url: str | None
    enabled: bool
    created_at: datetime
    last_ok_at: datetime | None
    failing_since: datetime | None
    last_error: str | None
    waiting: int


class AlertChannelMade(AlertChannel, frozen=True, kw_only=True):
    """A new channel. ``secret`` of a webhook is shown this once: what it is signed with, by Standard Webhooks."""

    secret: str | None


class AlertTest(msgspec.Struct, frozen=True):
    """What came of a test message: whether it arrived, and what the other side said."""

    arrived: bool
    said: str
    ms: int


class AlertTry(msgspec.Struct, frozen=True):
    """One try at a message."""

    at: datetime
    arrived: bool
    said: str
    ms: int


class AlertMessage(msgspec.Struct, frozen=True):
    """A message to one channel: how many alerts it tells of, and its tries."""

    id: str
    created_at: datetime
    status: Literal["pending", "delivered", "failed"]
    next_at: datetime | None
    raised: int
    cleared: int
    attempts: list[AlertTry]


class AlertsTold(msgspec.Struct, frozen=True):
    """What a message says: what rose and what ended in one evaluation. The lists hold the first 50 of each."""

    raised: list[Alert]
    cleared: list[Alert]
    raised_count: int
    cleared_count: int
    standing_count: int
