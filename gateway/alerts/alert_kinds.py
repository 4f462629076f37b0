"""Every kind of alert, declared once: its label, how bad it is, what its threshold counts, the rules to begin with.

A new kind is a word in ``AlertKind`` of the API, an entry here, and a function in ``evaluate`` that finds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal, TypeAlias

import msgspec

from schemas.api_alerts import AlertKind

Level: TypeAlias = Literal["warn", "bad"]


class FirstRule(msgspec.Struct, frozen=True):
    """A rule that a gateway begins with."""

    name: str
    threshold: Decimal | None = None
    about: Literal["offer", "plan"] = "offer"
    enabled: bool = True


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of alert.

    ``label`` names it in lists. ``condition`` says of a rule when it holds, with its ``{figure}``, ``{way}`` and
    ``{about}``; ``without`` says so where the threshold asks for nothing: it is 0, or an ``optional`` one that was left
    out. ``unit`` is what a threshold counts, None where there is none; ``positive`` ones must be above 0, and none may
    exceed ``most``. ``of_health``: evaluated by the processes that serve, because a worker that died cannot
    report it.
    """

    label: str
    condition: str
    without: str | None = None
    level: Level
    unit: str | None = None
    optional: bool = False
    positive: bool = False
    most: Decimal | None = None
    of_health: bool = False
    first: tuple[FirstRule, ...]

    def says(self, figure: str | None, *, way: str = "", about: str = "") -> str:
        """When a rule with this threshold holds, in words."""
        lacking = figure is None or (figure == "0" and not self.optional)
        text = self.without if lacking and self.without is not None else self.condition
        return text.format(figure=figure, way=way, about=about)


KINDS: Mapping[AlertKind, Kind] = {
    "price_move": Kind(
        label="a cost changed",
        condition="the cost {about} moves by {figure} % {way}",
        level="warn",
        unit="percent",
        positive=True,
        first=(
            FirstRule("A cost moved by 25 %", Decimal(25)),
            FirstRule("The cheapest cost of a plan moved by 25 %", Decimal(25), about="plan", enabled=False),
        ),
    ),
    "thin_margin": Kind(
        label="margins are thin or negative",
        condition="offers earn less than {figure} % of their cost, or cannot be sold because of it",
        level="warn",
        unit="percent of the cost",
        first=(FirstRule("Margin under 2 %", Decimal(2)),),
    ),
    "low_balance": Kind(
        label="a balance is low",
        condition="the balance is under {figure} in base currency",
        level="bad",
        unit="in base currency",
        positive=True,
        first=(FirstRule("Balance under 25", Decimal(25)),),
    ),
    "few_days_left": Kind(
        label="the balance lasts for few days",
        condition="the balance lasts for less than {figure} days",
        level="warn",
        unit="days",
        positive=True,
        first=(FirstRule("Money for less than 3 days", Decimal(3)),),
    ),
    "supplier_failing": Kind(
        label="a supplier fails",
        condition="it is paused or stopped, or under {figure} % of an hour's orders succeed",
        level="bad",
        unit="percent of orders that succeed",
        most=Decimal(100),
        first=(FirstRule("Supplier failing", Decimal(80)),),
    ),
    "sync_trouble": Kind(
        label="a sync is late, failed or quarantined",
        condition="its sync failed, is quarantined, or late by {figure} minutes",
        without="its sync failed, is quarantined, or late by two intervals",
        level="warn",
        unit="minutes",
        optional=True,
        first=(FirstRule("Sync late, failed or quarantined"),),
    ),
    "charged_more": Kind(
        label="charged more than listed",
        condition="an offer is stopped because more was charged for it than listed",
        level="bad",
        first=(FirstRule("Charged more than listed"),),
    ),
    "orders_attention": Kind(
        label="an order needs attention",
        condition="an order has needed attention for {figure} minutes",
        without="an order has needed attention",
        level="bad",
        unit="minutes",
        first=(FirstRule("Order needs attention", Decimal(0)),),
    ),
    "payments_attention": Kind(
        label="a payment needs attention",
        condition="a payment has needed attention for {figure} minutes",
        without="a payment has needed attention",
        level="bad",
        unit="minutes",
        first=(FirstRule("Payment needs attention", Decimal(0)),),
    ),
    "statement_differs": Kind(
        label="a supplier's statement differs from the ledger",
        condition="its statement has unexplained differences from the ledger",
        level="bad",
        first=(FirstRule("Supplier statement differs"),),
    ),
    "no_worker": Kind(
        label="no worker is running",
        condition="no worker has been seen for 60 seconds",
        level="bad",
        of_health=True,
        first=(FirstRule("No worker for 60 seconds"),),
    ),
    "orders_overdue": Kind(
        label="orders are overdue",
        condition="orders have waited for 60 seconds past their time",
        level="bad",
        of_health=True,
        first=(FirstRule("Orders overdue"),),
    ),
    "stale_rates": Kind(
        label="exchange rates are old or wait for an operator",
        condition="exchange rates were not fetched lately, are old, or wait for an operator",
        level="warn",
        of_health=True,
        first=(FirstRule("Exchange rates are old"),),
    ),
}
HEALTH_KINDS: frozenset[AlertKind] = frozenset(name for name, kind in KINDS.items() if kind.of_health)
