"""Plans that come near a need which no plan meets: those that miss one thing first, then two, the cheapest first.

Each country that is asked for is a thing of its own; a plan that covers none of them is near to nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import compress
from typing import Any, NamedTuple

import numpy as np

from gateway.catalog.index import feature_masks
from gateway.catalog.index.amounts import counted
from gateway.catalog.index.layout import Array
from gateway.catalog.index.query import Missed, Need
from gateway.catalog.index.snapshot import Snapshot
from gateway.catalog.index.views import PriceView
from schemas.features import FactRule, requirements
from schemas.plan import nominal_mb, shown_mb

MOST_PLANS = 3
MOST_MISSED = 2


class NearPlan(NamedTuple):
    """A plan, the row that would be sold for it, and what it misses."""

    plan: int
    row: int
    missed: tuple[Missed, ...]


class _Condition(NamedTuple):
    """One thing that is asked for: of each row whether it has it, and what each row has instead."""

    what: str
    wanted: Any
    met: Array
    has: list[Any]


def nearest(snapshot: Snapshot, view: PriceView, need: Need, selectable: Array) -> list[NearPlan]:
    """At most three plans with an offer among the ``selectable`` rows (a mask); none for a need that names a plan."""
    if need.plan_id is not None:
        return []
    rows = np.flatnonzero(selectable)
    if not need.triggers:
        rows = rows.compress(~snapshot.kind_trigger.take(snapshot.kind.take(rows)))
    codes = tuple(dict.fromkeys(need.countries))
    covered = np.zeros((len(codes), snapshot.covers), dtype=np.bool_)
    for at, code in enumerate(codes):
        if (number := snapshot.country(code)) is not None:
            covered[at] = snapshot.covering(number)
    if codes:
        rows = rows.compress(covered.any(axis=0).take(snapshot.cover.take(rows)))
    missing = (~covered).sum(axis=0).take(snapshot.cover.take(rows))
    for condition in _conditions(snapshot, need, rows):
        missing = missing + ~condition.met
    near = np.flatnonzero((missing > 0) & (missing <= MOST_MISSED))
    rows, missing = rows.take(near), missing.take(near)
    order = np.lexsort((rows, view.prices(rows), missing))
    plans = snapshot.plan.take(rows.take(order))
    firsts = np.sort(np.unique(plans, return_index=True)[1])[:MOST_PLANS]
    best = rows.take(order.take(firsts))
    conditions = list(_conditions(snapshot, need, best))
    found = []
    for at, row in enumerate(best.tolist()):
        here = covered[:, snapshot.cover[row]].tolist()
        missed = [Missed(part.what, part.wanted, part.has[at]) for part in conditions if not part.met[at]]
        if not all(here):
            missed.insert(0, Missed("countries", [*codes], [*compress(codes, here)]))
        found.append(NearPlan(int(snapshot.plan[row]), row, tuple(missed)))
    return found


def _conditions(snapshot: Snapshot, need: Need, rows: Array) -> Iterator[_Condition]:
    """What is asked besides the countries, in the order in which people ask."""
    kinds, features, networks = snapshot.kind.take(rows), snapshot.feature.take(rows), snapshot.network.take(rows)
    if need.unlimited:
        yield _Condition("unlimited", True, snapshot.kind_goes_on.take(kinds), [False] * len(rows))
    if need.days is not None:
        days = snapshot.kind_days.take(kinds)
        yield _Condition("days", need.days, days >= need.days, days.tolist())
    if need.data_mb is not None:
        amounts = counted(snapshot, need.days).take(kinds)
        enough = amounts >= nominal_mb(need.data_mb)
        yield _Condition("data_mb", need.data_mb, enough, [shown_mb(amount) for amount in amounts.tolist()])
    for requirement in requirements(need.wanted):
        name, rule, value = requirement
        mask = feature_masks.having(snapshot, requirement, need.countries)
        if isinstance(rule, FactRule):
            has = [rule.has(stated) for stated in snapshot.features]
            yield _Condition(name, value, mask.take(features), [has[at] for at in features.tolist()])
        else:
            yield _Condition(name, value, mask.take(networks), [None] * len(rows))
