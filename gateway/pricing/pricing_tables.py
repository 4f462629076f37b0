"""Pricing rules and their effects as tables of plain values, and their conditions in words."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from gateway.kit.sheet import Column, Sheet, columns
from providers.kit.units import declared_text
from schemas.api_pricing import PricingRule, PricingRulePage
from schemas.plan import nominal_mb

_FEW = 12


def conditions(rule: PricingRule) -> str:
    """What an offer must be for the rule, in words; "everything" when it need not be anything."""
    parts = [f"storefront {rule.storefront}"] if rule.storefront is not None else []
    if rule.supplier is not None:
        parts.append(f"supplier {rule.supplier}")
    if rule.countries:
        more = len(rule.countries) - _FEW
        parts.append("within " + " ".join(rule.countries[:_FEW]) + (f" and {more} more" if more > 0 else ""))
    if rule.region is not None:
        parts.append(f"region {rule.region}")
    if rule.scope is not None:
        parts.append(f"scope {rule.scope}")
    if rule.min_data_mb is not None:
        parts.append(f"from {data(rule.min_data_mb)}")
    if rule.max_data_mb is not None:
        parts.append(f"up to {data(rule.max_data_mb)}")
    if rule.unlimited is not None:
        parts.append("unlimited" if rule.unlimited else "not unlimited")
    if rule.plan_ids:
        parts.append(rule.plan_ids[0] if len(rule.plan_ids) == 1 else f"{len(rule.plan_ids)} plans")
    return ", ".join(parts) or "everything"


def data(megabytes: int) -> str:
    """An amount of data as it is asked for, in words: "5 GB", "300 MB"."""
    return declared_text(nominal_mb(megabytes))


def dates(rule: PricingRule) -> str | None:
    """When a rule holds, in words, unless that is now and for ever."""
    parts = [] if rule.state == "in_force" else [str(rule.state)]
    for word, at in (("from", rule.valid_from), ("until", rule.valid_until)):
        if at is not None:
            parts.append(f"{word} {at:%Y-%m-%d %H:%M}")
    return " ".join(parts) or None


def _if_rule(show: Callable[[PricingRule], str | None], default: str | None) -> Callable[[Any], str | None]:
    return lambda row: show(row) if isinstance(row, PricingRule) else default


RULES = columns(
    "position",
    Column("rule", lambda row: row.words.partition(": ")[2] or row.words),
    Column("for", _if_rule(conditions, "everything else")),
    Column("dates", _if_rule(dates, None)),
    "id",
)
"""Rules, and the default behind them, for a terminal."""


def of_rules(found: PricingRulePage) -> Sheet:
    """A line for each rule, the default last."""
    titles = [
        *("position", "id", "name", "state", "for", "percent", "fixed", "minimum margin", "floor", "ceiling"),
        *("rounding", "currency", "valid from", "valid until"),
    ]
    rows: list[list[str | int | Decimal | None]] = [
        [
            *(rule.position, rule.id, rule.name, rule.state, conditions(rule)),
            *(Decimal(rule.percent), Decimal(rule.fixed)),
            *(_decimal(amount) for amount in (rule.minimum_margin, rule.floor, rule.ceiling)),
            *(rule.rounding, rule.currency),
            *(None if at is None else at.isoformat() for at in (rule.valid_from, rule.valid_until)),
        ]
        for rule in found.data
    ]
    last = found.default
    figures = (Decimal(last.percent), Decimal(last.fixed), Decimal(last.minimum_margin))
    rows.append(
        [
            None,
            None,
            "default",
            "in_force",
            "everything",
            *figures,
            None,
            None,
            last.rounding,
            last.currency,
            None,
            None,
        ]
    )
    return Sheet(titles, rows)


EXAMPLES = columns(
    "plan=plan_id:csv, name, supplier, cost=cost_base:amount",
    Column("currency", lambda row: (row.before or row.after or row.cost_base).currency, ["csv"]),
    "before:amount, after:amount, percent, rule before=rule_before:csv, rule after=rule_after:csv",
)
"""Plans whose price would change most."""


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
