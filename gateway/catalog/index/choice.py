"""Which plan meets a need, and, when none does, what there was none of."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np

from gateway.catalog.index.filters import Filter, filter_of
from gateway.catalog.index.layout import Array
from gateway.catalog.index.query import InStock, Need, PlanQuery
from gateway.catalog.index.snapshot import Snapshot
from gateway.catalog.index.stock import Blocked, standing
from gateway.catalog.index.views import PriceView
from schemas.features import requirements


def plans_for(snapshot: Snapshot, need: Need) -> tuple[Array, Filter] | None:
    """All plans that meet a need, whether or not they are in stock, and the filter they met; None for none."""
    found = filter_of(snapshot, query_of(need), None)
    if found is None:
        return None
    if need.plan_id is not None:
        plan = snapshot.find_plan(need.plan_id)
        if plan is None:
            return None
        found = replace(found, source=snapshot.rows_of(snapshot.rows_of_plans(np.array([plan]))))
    rows = found.narrow(snapshot, found.source.between(found.kinds, 0, snapshot.rows))
    plans = np.unique(snapshot.plan[rows])
    return (plans, found) if len(plans) else None


def query_of(need: Need) -> PlanQuery:
    """The list of plans that would do."""
    return PlanQuery(
        countries=need.countries,
        min_data_mb=need.data_mb,
        unlimited=True if need.unlimited else None,
        min_days=need.days,
        wanted=need.wanted,
        triggers=need.triggers or need.plan_id is not None,
    )


def cheapest(
    snapshot: Snapshot, view: PriceView, plans: Array, found: Filter, blocked: Blocked | None
) -> tuple[Array, Array, Array]:
    """(plans, rows, counts) of those that can be sold, the one to choose first: the lowest price, then cost."""
    rows, counts = standing(snapshot, plans, found, blocked, InStock.TRUE)
    live = np.flatnonzero(rows >= 0)
    there = rows[live]
    order = live[np.argsort(there, kind="stable") if view.even else np.lexsort((there, view.prices(there)))]
    return plans[order], rows[order], counts[order]


def what_is_missing(snapshot: Snapshot, need: Need) -> str:
    """The first thing, in the order in which people ask, that no plan has together with those before."""
    where = " and ".join(need.countries) or "any country"
    steps: list[tuple[Need, str]] = []
    partial = Need(countries=need.countries, triggers=need.triggers)
    steps.append((partial, f"no plan covers {where}"))
    if need.unlimited:
        partial = msgspec.structs.replace(partial, unlimited=True)
        steps.append((partial, f"no plan for {where} has unlimited data"))
    if need.days is not None:
        partial = msgspec.structs.replace(partial, days=need.days)
        steps.append((partial, f"no such plan for {where} lasts {need.days} days"))
    if need.data_mb is not None:
        partial = msgspec.structs.replace(partial, data_mb=need.data_mb)
        steps.append((partial, f"no such plan for {where} holds {need.data_mb} MB"))
    for name, rule, value in requirements(need.wanted):
        partial = msgspec.structs.replace(partial, wanted=msgspec.structs.replace(partial.wanted, **{name: value}))
        steps.append((partial, f"no such plan for {where} has {rule.phrase.format(value)}"))
    return next((text for step, text in steps if plans_for(snapshot, step) is None), "no plan meets all of it")
