"""What is left of the price of each offer: price less fees less cost, in base currency, the worst first."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from gateway.catalog.index.index import Index
from gateway.catalog.index.layout import Array
from gateway.catalog.index.tables import LIMB, SCOPES
from schemas.money import Money, currency_digits
from schemas.plan import Scope


class Fees(msgspec.Struct, frozen=True):
    """What is paid for being paid: a share of the price in percent, and an amount in base currency."""

    percent: Decimal = Decimal(0)
    fixed: Decimal = Decimal(0)

    def of(self, price: Money) -> Money:
        """The fees on a price in base currency, halves up."""
        exact = price.amount * self.percent / 100 + self.fixed
        step = Decimal(1).scaleb(-currency_digits(price.currency))
        return Money(exact.quantize(step, ROUND_HALF_UP), price.currency)


class MarginQuery(msgspec.Struct, frozen=True):
    """Which offers. ``rule`` is a rule's number in the set. ``below`` is a share of the price in percent.

    Without ``everything`` only what is for sale, and what its price keeps from sale. ``triggers`` shows the plans on
    which a sandbox goes wrong on purpose, too.
    """

    supplier: str | None = None
    country: str | None = None
    region: str | None = None
    scope: Scope | None = None
    rule: int | None = None
    negative: bool = False
    thin: bool = False
    below: Decimal | None = None
    everything: bool = False
    triggers: bool = False


class Ranked(NamedTuple):
    """Rows with their margins and prices as floats, by ``first`` and then by ``value``.

    The worst first: ``first`` is 0 for negative and thin ones, and ``value`` the margin.
    """

    rows: Array
    first: Array
    value: Array
    margins: Array
    prices: Array

    def take(self, which: Array) -> Ranked:
        """Those of the rows."""
        return Ranked(*(column.take(which) for column in self))


def ranked(index: Index, fees: Fees, query: MarginQuery) -> Ranked:
    """The offers that are asked for, in order: negative and thin ones, then the others, each by margin, then row."""
    snapshot, rule_prices = index.snapshot, index.rule_prices
    every: Ranked = snapshot.memo(("margins", rule_prices.rules.digest, fees), lambda: _every(index, fees))
    return every.take(np.flatnonzero(_will(index, every, query)))


def sorted_by(found: Ranked, column: Literal["price", "margin", "percent"], *, descending: bool) -> Ranked:
    """The same offers by a figure of theirs, then by row."""
    figures = found.prices if column == "price" else found.margins
    if column == "percent":
        figures = figures / np.maximum(found.prices, 1e-9)
    value = -figures if descending else figures
    order = np.lexsort((found.rows, value))
    return found._replace(first=np.zeros_like(found.first), value=value).take(order)


def rank_of(found: Ranked, first: int, value: float, row: int | None) -> int:
    """How many of them stand up to this place; ``row`` None: the one that stood there has left."""
    passed = (found.first < first) | ((found.first == first) & (found.value < value))
    count = int(passed.sum())
    if row is not None:
        there = np.flatnonzero(found.rows[count:] == row)
        if len(there):
            return count + int(there[0]) + 1
    return count


def _every(index: Index, fees: Fees) -> Ranked:
    snapshot, rule_prices = index.snapshot, index.rule_prices
    end = snapshot.priced_end
    minor = index.view().minor
    below, unit = 10 ** currency_digits(index.base_currency), 10**snapshot.scale
    columns = snapshot.columns
    costs = columns["cost_low"].take(rule_prices.slot_cost) / unit + columns["cost_high"].take(
        rule_prices.slot_cost
    ) * (LIMB / unit)
    # A fee is whole minor units, as a reader would.
    charged = np.floor(minor * float(fees.percent) / 100 + float(fees.fixed) * below + 0.5)
    left = (minor - charged) / below - costs
    slots = rule_prices.slots[:end]
    margins, prices = left.take(slots), (minor / below).take(slots)
    worst = margins < -1e-9  # noqa: PLR2004 - what floats make of nothing is no loss
    if rule_prices.thin is not None:
        worst |= rule_prices.thin[:end]
    first = np.where(worst, 0, 1).astype(np.int8)
    order = np.lexsort((np.arange(end), margins, first)).astype(np.int32)
    return Ranked(order, first[order], margins[order], margins[order], prices[order])


def _will(index: Index, every: Ranked, query: MarginQuery) -> Array:
    rule_prices, rows = index.rule_prices, every.rows
    thin = np.zeros(len(rows), dtype=np.bool_) if rule_prices.thin is None else rule_prices.thin.take(rows)
    will = _there(index, rows, query)
    if not query.everything:
        will &= (rows < index.snapshot.sold_end) & (index.selectable.take(rows) | thin)
    if not query.triggers:
        will &= ~index.snapshot.kind_trigger.take(index.snapshot.kind.take(rows))
    if query.rule is not None:
        slots = rule_prices.slots.take(rows)
        mine = [(segment.start, segment.end) for segment in rule_prices.segments if segment.number == query.rule]
        start, end = mine[0] if mine else (0, 0)
        will &= (slots >= start) & (slots < end)
    if query.negative:
        will &= every.margins < 0
    if query.thin:
        will &= thin
    if query.below is not None:
        will &= every.margins < every.prices * float(query.below) / 100
    return will


def _there(index: Index, rows: Array, query: MarginQuery) -> Array:
    """Which of the rows are of this supplier, place and scope."""
    snapshot = index.snapshot
    will = np.ones(len(rows), dtype=np.bool_)
    if query.supplier is not None:
        names = np.array([name == query.supplier for name in snapshot.suppliers], dtype=np.bool_)
        will &= names.take(snapshot.supplier.take(rows))
    if query.country is not None:
        number = snapshot.country(query.country)
        will &= False if number is None else snapshot.covering(number).take(snapshot.cover.take(rows))
    if query.region is not None:
        number = snapshot.region(query.region)
        will &= False if number is None else snapshot.covering(number).take(snapshot.cover.take(rows))
    if query.scope is not None:
        kinds = snapshot.columns["kind_scope"] == SCOPES.index(query.scope.value)
        will &= kinds.take(snapshot.kind.take(rows))
    return will
