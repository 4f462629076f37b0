"""Which plan meets a need, and, when none does, what there was none of."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np

from gateway.catalog.index.filters import filter_of
from gateway.catalog.index.page import Found, Search
from gateway.catalog.index.query import InStock, Need, PlanQuery
from gateway.catalog.index.snapshot import Snapshot
from gateway.catalog.index.stock import Stock
from gateway.catalog.index.views import PriceView
from schemas.features import requirements


class Meeting(NamedTuple):
    """How many plans meet a need, how many of them can be sold, and the two to choose first: by price, then cost."""

    considered: int
    in_stock: int
    best: Found


def meeting(snapshot: Snapshot, view: PriceView, stock: Stock, need: Need) -> Meeting | None:
    """What meets a need; None when no plan does, in stock or not."""
    found = filter_of(snapshot, query_of(need))
    if found is None:
        return None
    search = Search(snapshot, view, stock, found, InStock.ANY)
    plan = None if need.plan_id is None else snapshot.find_plan(need.plan_id)
    rows = search.rows() if plan is None else search.narrow(snapshot.rows_of_plans(np.array([plan])))
    if not len(rows):
        return None
    if search.alike:
        considered, sold = len(rows), rows.compress(stock.live.take(rows))
    else:
        plans = np.unique(snapshot.plan.take(rows))
        stands = search.standing(plans, InStock.TRUE).rows
        considered, sold = len(plans), stands.compress(stands >= 0)
    prices = sold if view.even else view.prices(sold)
    near = sold
    if len(sold) > 2:  # noqa: PLR2004 - the first, and the next best
        near = sold.compress(prices <= np.partition(prices, 1)[1])
    best = near.take(np.lexsort((near, view.prices(near)))[:2])
    return Meeting(considered, len(sold), search.stand(best))


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


def what_is_missing(snapshot: Snapshot, view: PriceView, stock: Stock, need: Need) -> str:
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
    missing = (text for step, text in steps if meeting(snapshot, view, stock, step) is None)
    return next(missing, "no plan meets all of it")
