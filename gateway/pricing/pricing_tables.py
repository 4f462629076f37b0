"""Pricing rules and their effects as tables of plain values, and their conditions in words."""

from __future__ import annotations

from decimal import Decimal

from gateway.kit.sheet import Sheet
from schemas.api import Price
from schemas.api_pricing import PricingPreview, PricingRule, PricingRulePage

_MB_PER_GB = 1024
_FEW = 12


def conditions(rule: PricingRule) -> str:
    """What an offer must be for the rule, in words; "everything" when it need not be anything."""
    words = [f"storefront {rule.storefront}"] if rule.storefront is not None else []
    if rule.supplier is not None:
        words.append(f"supplier {rule.supplier}")
    if rule.countries:
        more = len(rule.countries) - _FEW
        words.append("within " + " ".join(rule.countries[:_FEW]) + (f" and {more} more" if more > 0 else ""))
    if rule.region is not None:
        words.append(f"region {rule.region}")
    if rule.scope is not None:
        words.append(f"scope {rule.scope}")
    if rule.min_data_mb is not None:
        words.append(f"from {data(rule.min_data_mb)}")
    if rule.max_data_mb is not None:
        words.append(f"up to {data(rule.max_data_mb)}")
    if rule.unlimited is not None:
        words.append("unlimited" if rule.unlimited else "not unlimited")
    if rule.plan_ids:
        words.append(rule.plan_ids[0] if len(rule.plan_ids) == 1 else f"{len(rule.plan_ids)} plans")
    return ", ".join(words) or "everything"


def data(megabytes: int) -> str:
    """An amount of data in words: "5 GB", "500 MB"."""
    if megabytes < _MB_PER_GB:
        return f"{megabytes} MB"
    return f"{Decimal(megabytes) / _MB_PER_GB:.4g} GB"


def of_rules(found: PricingRulePage) -> Sheet:
    """A line for each rule, the default last."""
    columns = [
        *("position", "id", "name", "state", "for", "percent", "fixed", "minimum margin", "floor", "ceiling"),
        *("rounding", "currency", "valid from", "valid until"),
    ]
    rows: list[list[str | int | Decimal | None]] = [
        [
            *(one.position, one.id, one.name, one.state, conditions(one), Decimal(one.percent), Decimal(one.fixed)),
            *(_decimal(amount) for amount in (one.minimum_margin, one.floor, one.ceiling)),
            *(one.rounding, one.currency),
            *(None if at is None else at.isoformat() for at in (one.valid_from, one.valid_until)),
        ]
        for one in found.data
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
    return Sheet(columns, rows)


def of_examples(found: PricingPreview) -> Sheet:
    """A line for each plan whose price would change most."""
    columns = [
        "plan",
        "name",
        "supplier",
        "cost",
        "currency",
        "before",
        "after",
        "percent",
        "rule before",
        "rule after",
    ]
    return Sheet(
        columns,
        [
            [
                *(one.plan_id, one.name, one.supplier, _of(one.cost_base), found.currency),
                *(_of(one.before), _of(one.after), None if one.percent is None else Decimal(str(one.percent))),
                *(one.rule_before, one.rule_after),
            ]
            for one in found.examples
        ],
    )


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _of(price: Price | None) -> Decimal | None:
    return None if price is None else Decimal(price.amount)
