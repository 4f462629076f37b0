"""Alerts, their rules and channels as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from schemas.api import CountryCode, SupplierName, UrlPath
from schemas.examples import AT, example

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
    "stale_rates",
]
Name = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+\Z")]
ChannelKind: TypeAlias = Literal["email", "webhook", "slack", "telegram"]
BotToken = Annotated[str, Meta(max_length=200, pattern=r"^[0-9]{1,20}:[A-Za-z0-9_-]{20,150}\Z")]
ChannelId = Annotated[str, Meta(pattern=r"^ach_[0-9a-f]{1,40}\Z")]
Threshold = Annotated[str, Meta(pattern=r"^[0-9]{1,9}(\.[0-9]{1,4})?\Z", max_length=14, examples=["25"])]


class Alert(msgspec.Struct, frozen=True):
    """An alert that a rule raised.

    Attributes:
        id: The alert's id.
        rule_id: The rule that raised it.
        rule: The rule's name.
        kind: What the rule looks at.
        level: `bad` needs an operator now, `warn` soon.
        subject: What it is about, in the words of the rule.
        title: What is the matter, in one line.
        detail: More of it.
        supplier: The supplier that it is about; null for none.
        mode: Live or test; null where it is about neither.
        link: Its page of the console.
        flapping: Whether it came and went often; it then ends only after some quiet.
        raised_at: When it was raised.
        cleared_at: When it ended; null while it is open.
        cleared_why: Why it ended; null while it is open.
    """

    id: Annotated[str, example("alt_5c1f0a9be2d44b77a010")]
    rule_id: Annotated[str, example("alr_1f0a9be2d44b77a0")]
    rule: Annotated[str, example("A cost moved by 25 %")]
    kind: Annotated[AlertKind, example("price_move")]
    level: Annotated[Literal["warn", "bad"], example("warn")]
    subject: Annotated[str, example("pikasim\nJP_5GB_30D")]
    title: Annotated[str, example("pikasim: Japan 5GB 30Days: cost up 40 %")]
    detail: Annotated[str, example("from 5.00 to 7.00 USD")]
    supplier: Annotated[str | None, example("pikasim")]
    mode: Annotated[Literal["live", "test"] | None, example("live")]
    link: Annotated[UrlPath, example("/console/plans/jp-5gb-30d-3f21a0c44d10/history")]
    flapping: bool
    raised_at: datetime
    cleared_at: datetime | None
    cleared_why: str | None


class AlertRuleRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An alert rule to store.

    Attributes:
        name: The rule's name.
        kind: What it watches.
        threshold: From where on it raises an alert: percent for moved prices, percent of the cost for margins, an
            amount of base currency for balances, days for days left, percent of orders that succeed for failing
            suppliers, minutes for late syncs (null: two intervals) and for how long an order has needed attention.
        direction: Which moves of a price raise an alert.
        about: Whether the cost of an offer or the price of a plan is looked at.
        supplier: Only this supplier; null: all of them.
        country: Only plans that cover this country; null: all of them.
        channels: The ids of the channels that are notified; every one when none is named.
        enabled: Whether the rule is evaluated.
    """

    name: Annotated[Name, example("Costs in Japan rose by 15 %")]
    kind: Annotated[AlertKind, example("price_move")]
    threshold: Annotated[Threshold | None, example("15")] = None
    direction: Annotated[Literal["any", "up", "down"], example("up")] = "any"
    about: Annotated[Literal["offer", "plan"], example("offer")] = "offer"
    supplier: SupplierName | None = None
    country: Annotated[CountryCode | None, example("JP")] = None
    channels: Annotated[list[ChannelId], Meta(max_length=20)] = []
    enabled: bool = True


class AlertRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule of alerts.

    Attributes:
        id: The rule's id.
        name: The rule's name.
        kind: What it looks at.
        threshold: From where on it tells; null where it needs none.
        direction: Which moves of a price it tells of.
        about: Whether the cost of an offer or the price of a plan is looked at.
        supplier: Only this supplier; null: all of them.
        country: Only plans that cover this country; null: all of them.
        channels: The ids of the channels that are notified; empty: every one.
        enabled: Whether the rule is evaluated.
        trouble: Why the last evaluation could not look at all of it; null when it could.
    """

    id: Annotated[str, example("alr_1f0a9be2d44b77a0")]
    name: Annotated[str, example("Costs in Japan rose by 15 %")]
    kind: Annotated[AlertKind, example("price_move")]
    threshold: Annotated[str | None, example("15")]
    direction: Annotated[Literal["any", "up", "down"], example("up")]
    about: Annotated[Literal["offer", "plan"], example("offer")]
    supplier: Annotated[SupplierName | None, example(None)]
    country: CountryCode | None
    channels: Annotated[list[str], example([])]
    enabled: Annotated[bool, example(True)]
    trouble: str | None


class AlertChannelRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where alerts are to go.

    Attributes:
        name: The channel's name.
        kind: E-mail, a webhook, Slack or Telegram.
        recipients: The addresses of an e-mail channel, or the one chat of a Telegram channel: its id (`-1001234567890`)
            or a channel's name (`@alerts`).
        url: The URL of a webhook, or of an incoming webhook of Slack; the latter is a secret and never shown again.
        token: The token of the Telegram bot that sends the messages. It is never shown again.
    """

    name: Annotated[Name, example("On call")]
    kind: Annotated[ChannelKind, example("webhook")]
    recipients: Annotated[list[Annotated[str, Meta(max_length=254)]], Meta(max_length=20)] = []
    url: Annotated[Annotated[str, Meta(max_length=2048)] | None, example("https://ops.example.com/alerts")] = None
    token: BotToken | None = None


class AlertChannelSecret(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a channel needs to send, anew. A webhook takes neither field: its new secret is made and answered.

    Attributes:
        url: The URL of an incoming webhook of Slack.
        token: The token of a Telegram bot.
    """

    url: Annotated[str, Meta(max_length=2048)] | None = None
    token: BotToken | None = None


class AlertChannel(msgspec.Struct, frozen=True, kw_only=True):
    """Where alerts go.

    Attributes:
        id: The channel's id.
        name: The channel's name.
        kind: E-mail, a webhook, Slack or Telegram.
        recipients: The addresses of an e-mail channel, or the chat of a Telegram channel.
        url: The URL of a webhook; null for the other kinds.
        lacks_secret: Whether the secret that the channel needs to send is not stored: the URL of Slack, the token of a
            Telegram bot, what a webhook is signed with.
        enabled: Whether messages are sent.
        created_at: When the channel was created.
        last_ok_at: When a message last arrived; null when none did.
        failing_since: Since when no message arrives; null when the last try did.
        last_error: Why the last try failed; null when it arrived.
        waiting: How many messages are still tried.
    """

    id: Annotated[str, example("ach_5c1f0a9be2d44b77")]
    name: Annotated[str, example("On call")]
    kind: Annotated[ChannelKind, example("webhook")]
    recipients: Annotated[list[str], example([])]
    url: Annotated[str | None, example("https://ops.example.com/alerts")]
    lacks_secret: bool
    enabled: Annotated[bool, example(True)]
    created_at: datetime
    last_ok_at: Annotated[datetime | None, example(AT)]
    failing_since: datetime | None
    last_error: str | None
    waiting: int


class AlertChannelMade(AlertChannel, frozen=True, kw_only=True):
    """A new channel, or one with a new secret.

    Attributes:
        secret: What a webhook is signed with, by Standard Webhooks, shown this once; null for the other kinds.
    """

    secret: Annotated[str | None, example("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")]


class AlertTest(msgspec.Struct, frozen=True):
    """What came of a test message: whether it arrived, and what the other side said.

    Attributes:
        arrived: Whether the message arrived.
        said: What the other side said.
        ms: How long it took, in milliseconds.
    """

    arrived: Annotated[bool, example(True)]
    said: Annotated[str, example("HTTP 204")]
    ms: Annotated[int, example(212)]


class AlertTry(msgspec.Struct, frozen=True):
    """One try at a message.

    Attributes:
        at: When it was sent.
        arrived: Whether it arrived.
        said: What the other side said.
        ms: How long it took, in milliseconds.
    """

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
