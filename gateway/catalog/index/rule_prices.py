"""The rows of a snapshot under a rule set: which rule prices each, and which cannot be sold for that.

Prices are worked out for each pair of a rule and a cost that there is, its *slot*. Slots are numbered by
rule, then by cost, so within a rule prices ascend. Where one rule prices everything a slot is a cost.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from gateway.catalog.index.layout import Array
from gateway.catalog.index.snapshot import Snapshot
from gateway.catalog.index.tables import LIMB, SCOPES
from gateway.pricing.price_rules import NoRate, PriceRule, margin_of, minor_price_column, minor_prices
from gateway.pricing.pricing_rules import Rule, RuleSet
from schemas.money import Money, currency_digits
from schemas.plan import nominal_mb

MAX_SETS = 8  # how many rule sets of one snapshot are remembered
_CLOSE = 1e-9  # what floats cannot tell apart is told apart exactly
_MOST_PAIRS = 2**23  # for so many pairs of rule and cost there is room for a table
_FEW = 16  # a list this many times shorter than all rows is worth going through by itself


class Segment(NamedTuple):
    """The slots of one rule: its number in the set, and where they begin and end."""

    number: int
    start: int
    end: int


class RulePrices:
    """A snapshot's rows under a rule set. Immutable but for ``views``, which are by currency.

    ``slots`` is the slot of each row, -1 without a cost. ``even`` says that prices ascend with costs, and so with
    rows. ``thin`` are the rows whose price does not cover what they may come to cost, ``unrated`` those whose rule
    has amounts in a currency without a rate (None: there are none); neither can be sold.
    """

    def __init__(self, snapshot: Snapshot, rules: RuleSet) -> None:
        self.snapshot = snapshot
        self.rules = rules
        self.views: OrderedDict[str, Any] = OrderedDict()
        costs = len(snapshot.columns["cost_low"])
        which = rule_of_rows(snapshot, rules)
        first = int(which[0]) if len(which) else len(rules.rules)
        self.even = not len(which) or bool((which == first).all())
        self.slots: Array = snapshot.cost
        self.slot_cost: Array = np.arange(costs)
        self.segments = [Segment(first, 0, costs)]
        if not self.even:
            self.slots, self.slot_cost, self.segments = _slots(snapshot, which, len(rules.rules) + 1, costs)
        unusable = {segment.number for segment in self.segments if not self._usable(segment.number)}
        self.unrated = np.isin(which, list(unusable)) if unusable else None
        self._priced = [segment for segment in self.segments if segment.number not in unusable]
        self.thin = self._thin()

    def rule(self, number: int) -> PriceRule:
        """What the rule with this number makes of a cost; its percentage alone where its amounts have no rate."""
        rule = self.rules.price_rule(number)
        if self._usable(number):
            return rule
        return PriceRule(rule.percent, rounding=rule.rounding)

    def number_of(self, slot: int) -> int:
        """The number of the rule that a slot is priced by."""
        return next(segment.number for segment in self.segments if slot < segment.end)

    def cost_of(self, slot: int) -> Money:
        """The cost of a slot, in base currency."""
        snapshot = self.snapshot
        whole = snapshot.whole_costs[int(self.slot_cost[slot])]
        return Money(Decimal(whole).scaleb(-snapshot.scale), snapshot.rates.base)

    def explanation(self, slot: int) -> str:
        """How the price of a slot comes about, in base currency."""
        number = self.number_of(slot)
        if not self._usable(number):
            return f"{self.rules.describe(number)}; no exchange rate for its amounts"
        snapshot = self.snapshot
        return self.rules.explain(number, self.cost_of(slot), snapshot.rates, snapshot.rates.base)

    def margin_of(self, slot: int) -> Decimal:
        """The minimum margin of a slot's rule, in base currency."""
        return margin_of(self.rule(self.number_of(slot)), self.snapshot.rates)

    def minor(self, currency: str) -> Array:
        """The price of each slot in minor units of ``currency``. Raises ``NoRate`` when that has none."""
        snapshot = self.snapshot
        snapshot.rates.of(currency)
        prices = np.empty(len(self.slot_cost), dtype=np.int64)
        high = bool(snapshot.columns["cost_high"].any())  # more digits than a machine's number holds
        for number, start, end in self.segments:
            terms = (snapshot.scale, self.rule(number), snapshot.rates, currency)
            costs = self.slot_cost[start:end]
            if high:
                whole = snapshot.whole_costs
                prices[start:end] = minor_prices([whole[cost] for cost in costs.tolist()], *terms)
            else:
                prices[start:end] = minor_price_column(snapshot.columns["cost_low"].take(costs), *terms)
        return prices

    def _usable(self, number: int) -> bool:
        try:
            rule = self.rules.price_rule(number)
            margin_of(rule, self.snapshot.rates)
            self.snapshot.rates.of(rule.currency or self.snapshot.rates.base)
        except NoRate:
            return False
        return True

    def _thin(self) -> Array | None:
        """The rows whose own price less the minimum margin is below what the supplier may charge."""
        snapshot = self.snapshot
        if not len(self.slot_cost):
            return None
        minor = self.minor(snapshot.rates.base)
        by_tolerance: dict[Decimal, Array] = {}
        for tolerance in {snapshot.tolerance.get(name, Decimal(0)) for name in snapshot.suppliers}:
            slots = np.zeros(len(minor), dtype=np.bool_)
            for segment in self._priced:
                slots[segment.start : segment.end] = self._thin_slots(minor, segment, tolerance)
            by_tolerance[tolerance] = slots
        if not any(slots.any() for slots in by_tolerance.values()):
            return None
        rows = np.zeros(snapshot.rows, dtype=np.bool_)
        for tolerance, slots in by_tolerance.items():
            names = [snapshot.tolerance.get(name, Decimal(0)) == tolerance for name in snapshot.suppliers]
            mine = np.array(names, dtype=np.bool_).take(snapshot.supplier[: snapshot.priced_end])
            rows[: snapshot.priced_end] |= mine & slots.take(self.slots[: snapshot.priced_end])
        return rows if rows.any() else None

    def _thin_slots(self, minor: Array, segment: Segment, tolerance: Decimal) -> Array:
        snapshot = self.snapshot
        margin = Fraction(margin_of(self.rule(segment.number), snapshot.rates))
        factor = 1 + Fraction(tolerance)
        unit, below = 10**snapshot.scale, 10 ** currency_digits(snapshot.rates.base)
        at = self.slot_cost[segment.start : segment.end]
        prices = minor[segment.start : segment.end]
        columns = snapshot.columns
        costs = columns["cost_low"].take(at) / unit + columns["cost_high"].take(at) * (LIMB / unit)
        may, most = costs * float(factor), prices / below - float(margin)
        doubt = (np.abs(may) + np.abs(prices / below) + abs(float(margin))) * _CLOSE
        thin: Array = may > most + doubt
        for place in np.flatnonzero(~thin & (may > most - doubt)).tolist():
            cost = Fraction(snapshot.whole_costs[int(at[place])], unit)
            thin[place] = cost * factor > Fraction(int(prices[place]), below) - margin
        return thin


def rule_prices_of(snapshot: Snapshot, rules: RuleSet) -> RulePrices:
    """The rows of a snapshot under a rule set, worked out once; the least used of too many sets is let go."""
    known: OrderedDict[str, RulePrices] = snapshot.memo("rule sets", OrderedDict)
    found = known.get(rules.digest)
    if found is None or found.rules != rules:  # names may differ although prices do not
        found = known[rules.digest] = RulePrices(snapshot, rules)
        if len(known) > MAX_SETS:
            known.popitem(last=False)
    known.move_to_end(rules.digest)
    return found


def rule_of_rows(snapshot: Snapshot, rules: RuleSet) -> Array:
    """The number of the rule that prices each row."""
    which = np.full(snapshot.rows, len(rules.rules), dtype=np.uint8 if len(rules.rules) < 2**8 else np.uint16)
    for number in reversed(range(len(rules.rules))):  # the first that matches has the last word
        rows = _matching(snapshot, rules.rules[number], rules.places[number])
        which[slice(None) if rows is None else rows] = number
    return which


def _matching(snapshot: Snapshot, rule: Rule, places: frozenset[str] | None) -> Array | None:
    """The rows that a rule matches; None for all."""
    when = rule.when
    rows: Array | None = None
    if when.plan_ids:
        plans = [plan for plan in map(snapshot.find_plan, {*when.plan_ids, *when.successors}) if plan is not None]
        rows = snapshot.rows_of_plans(np.array(sorted(plans), dtype=np.int64))
    for column, will in _wanted(snapshot, rule, places):
        if rows is None and column is snapshot.cover and int(snapshot.sizes["cover"] @ will) * _FEW < snapshot.rows:
            rows = snapshot.rows_of_covers(np.flatnonzero(will))
        elif rows is None:
            rows = np.flatnonzero(will.take(column))
        else:
            rows = rows.compress(will.take(column.take(rows)))
    return rows


def _wanted(snapshot: Snapshot, rule: Rule, places: frozenset[str] | None) -> Iterator[tuple[Array, Array]]:
    """Columns, and which of their values will do."""
    when = rule.when
    if places is not None:
        yield snapshot.cover, _within(snapshot, places)
    if when.supplier is not None:
        yield snapshot.supplier, np.array([name == when.supplier for name in snapshot.suppliers], dtype=np.bool_)
    kinds = np.ones(snapshot.kinds, dtype=np.bool_)
    if when.scope is not None:
        kinds &= snapshot.columns["kind_scope"] == SCOPES.index(when.scope.value)
    if when.unlimited is not None:
        kinds &= snapshot.unlimited == when.unlimited
    if when.min_data_mb is not None:
        kinds &= snapshot.unlimited | (snapshot.kind_total >= nominal_mb(when.min_data_mb))
    if when.max_data_mb is not None:
        kinds &= ~snapshot.unlimited & (snapshot.kind_total <= nominal_mb(when.max_data_mb))
    if not kinds.all():
        yield snapshot.kind, kinds


def _within(snapshot: Snapshot, places: frozenset[str]) -> Array:
    """For each coverage, whether it lies within these countries."""
    inside = np.array([code in places for code in snapshot.country_codes], dtype=np.bool_)
    starts, members = snapshot.columns["cover_countries_at"], snapshot.columns["cover_countries"]
    outside = np.add.reduceat(~inside.take(members), starts[:-1], dtype=np.int64) if len(members) else starts[:-1]
    return np.asarray(outside == 0)


def _slots(snapshot: Snapshot, which: Array, rules: int, costs: int) -> tuple[Array, Array, list[Segment]]:
    """(slot of each row, cost of each slot, segments) of the pairs of rule and cost that there are."""
    end = snapshot.priced_end
    pair = which[:end].astype(np.int64) * costs + snapshot.cost[:end]
    if rules * costs > _MOST_PAIRS:
        pairs, place_of_row = np.unique(pair, return_inverse=True)
    else:
        there = np.zeros(rules * costs, dtype=np.bool_)
        there[pair] = True
        pairs = np.flatnonzero(there)
        place: Array = np.empty(rules * costs, dtype=np.int32)
        place[pairs] = np.arange(len(pairs), dtype=np.int32)
        place_of_row = place.take(pair)
    slots: Array = np.full(snapshot.rows, -1, dtype=np.int32)
    slots[:end] = place_of_row.astype(np.int32)
    bounds = pairs.searchsorted(np.arange(rules + 1) * costs).tolist()
    segments = [Segment(number, bounds[number], bounds[number + 1]) for number in range(rules)]
    return slots, pairs % costs, [segment for segment in segments if segment.end > segment.start]
