"""What other rules would do to the prices of a whole catalogue: which rise, which fall, what is no longer sold."""

from __future__ import annotations

from fractions import Fraction

import msgspec
import numpy as np

from gateway.catalog.index.index import Index
from gateway.catalog.index.layout import Array
from gateway.catalog.index.rule_prices import rule_of_rows
from gateway.pricing.price_rules import DECIDING, Deciding, deciding_column
from gateway.pricing.pricing_rules import RuleSet

MOST_EXAMPLES = 50
_NONE = -1


class Spread(msgspec.Struct, frozen=True):
    """How far prices move one way: how many, and at the median and the extreme in minor units and in percent."""

    count: int
    median: int
    most: int
    median_percent: float
    most_percent: float


class Example(msgspec.Struct, frozen=True):
    """A plan whose price changes: the row that is sold for it before and after (None: none), and the prices."""

    plan: int
    row_before: int | None
    row_after: int | None
    before: int | None
    after: int | None
    percent: float | None


class Effect(msgspec.Struct, frozen=True):
    """Prices are of plans that are for sale, in minor units. ``thin`` counts offers: (before, after).

    ``bounds`` tells of the offers for sale afterwards how many prices each part of a rule makes, ``by_rule`` how
    many offers each rule prices, by its number.
    """

    same: int
    rises: Spread | None
    falls: Spread | None
    begin: int
    end: int
    thin: tuple[int, int]
    bounds: dict[Deciding, int]
    by_rule: dict[int, int]
    examples: tuple[Example, ...]


def effect(before: Index, after: Index, currency: str | None = None) -> Effect:
    """The change from one index to another of the same snapshot and standing. Raises ``QueryError``."""
    rows = np.stack((before.stands(), after.stands()))
    views = (before.view(currency), after.view(currency))
    prices = np.zeros(rows.shape, dtype=np.int64)
    for at, view in enumerate(views):
        there = rows[at] != _NONE
        prices[at, there] = view.prices(rows[at, there])
    both = (rows != _NONE).all(axis=0)
    moved = both & (prices[0] != prices[1])
    by = prices[1] - prices[0]
    shares = np.where(moved, by / np.maximum(1, prices[0]), 0.0)
    begin, end = (rows[0] == _NONE) & (rows[1] != _NONE), (rows[0] != _NONE) & (rows[1] == _NONE)
    return Effect(
        same=int((both & ~moved).sum()),
        rises=_spread(by, shares, moved & (by > 0)),
        falls=_spread(by, shares, moved & (by < 0)),
        begin=int(begin.sum()),
        end=int(end.sum()),
        thin=(thin_count(before), thin_count(after)),
        bounds=bounds(after),
        by_rule=offers_by_rule(after),
        examples=tuple(_examples(rows, prices, shares, (end, begin, moved))),
    )


def offers_by_rule(index: Index) -> dict[int, int]:
    """How many offers that can be sold each rule of the set prices, by its number; rules without any are left out."""
    counts = _of_slots(index)
    found = {segment.number: int(counts[segment.start : segment.end].sum()) for segment in index.rule_prices.segments}
    return {number: count for number, count in found.items() if count}


def offers_under(index: Index, rules: RuleSet) -> dict[int, int]:
    """``offers_by_rule`` as another set would have it, of what can be sold now; quick, and remembered."""
    snapshot = index.snapshot

    def count() -> dict[int, int]:
        which = rule_of_rows(snapshot, rules)[np.flatnonzero(index.selectable)]
        found = np.bincount(which, minlength=len(rules.rules) + 1).tolist()
        return {number: count for number, count in enumerate(found) if count}

    return snapshot.memo(("offers under", index.version, rules.digest), count)


def bounds(index: Index) -> dict[Deciding, int]:
    """How many prices of offers that can be sold each part of the rules makes."""
    rule_prices, snapshot = index.rule_prices, index.snapshot
    counts, found = _of_slots(index), np.zeros(len(DECIDING), dtype=np.int64)
    if not snapshot.columns["cost_high"].any():
        for number, start, end in rule_prices.segments:
            costs = snapshot.columns["cost_low"].take(rule_prices.slot_cost[start:end])
            terms = (snapshot.scale, rule_prices.rule(number), snapshot.rates, snapshot.rates.base)
            made = deciding_column(costs, *terms)
            found += np.bincount(made, weights=counts[start:end], minlength=len(DECIDING)).astype(np.int64)
    return {word: int(count) for word, count in zip(DECIDING, found, strict=True)}


def thin_count(index: Index) -> int:
    """How many offers their price alone keeps from sale."""
    thin = index.rule_prices.thin
    return 0 if thin is None else int(thin[: index.snapshot.sold_end].sum())


def _of_slots(index: Index) -> Array:
    """How many rows that can be sold each slot has."""
    rows = np.flatnonzero(index.selectable)
    return np.bincount(index.rule_prices.slots.take(rows), minlength=len(index.rule_prices.slot_cost))


def _spread(by: Array, shares: Array, which: Array) -> Spread | None:
    if not which.any():
        return None
    amounts, parts = np.abs(by[which]), np.abs(shares[which])
    return Spread(
        count=len(amounts),
        median=int(np.median(amounts)),
        most=int(amounts.max()),
        median_percent=_percent(float(np.median(parts))),
        most_percent=_percent(float(parts.max())),
    )


def _examples(rows: Array, prices: Array, shares: Array, which: tuple[Array, Array, Array]) -> list[Example]:
    """What is no longer sold, what is sold again, then the prices that move furthest."""
    end, begin, moved = (np.flatnonzero(rows_of) for rows_of in which)
    far = moved[np.argsort(-np.abs(shares[moved]), kind="stable")]
    chosen = np.concatenate((end, begin, far))[:MOST_EXAMPLES].tolist()
    return [_example(plan, rows[:, plan].tolist(), prices[:, plan].tolist()) for plan in chosen]


def _example(plan: int, rows: list[int], prices: list[int]) -> Example:
    before, after = (None if row == _NONE else price for row, price in zip(rows, prices, strict=True))
    percent = None
    if before is not None and after is not None:
        percent = _percent(float(Fraction(after - before, max(1, before))))
    first, second = (None if row == _NONE else row for row in rows)
    return Example(plan, first, second, before, after, percent)


def _percent(share: float) -> float:
    return round(share * 100, 2)
