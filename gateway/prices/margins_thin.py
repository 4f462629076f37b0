"""Offers that earn little or nothing, counted for each supplier, from the catalogue on this machine."""

from __future__ import annotations

import asyncio
from datetime import datetime
from decimal import Decimal

import msgspec
import numpy as np

from gateway.catalog import snapshot_files as files
from gateway.catalog import snapshot_rows
from gateway.catalog.index.affordable import standing_in
from gateway.catalog.index.build import WHY_NOT
from gateway.catalog.index.index import Index
from gateway.catalog.index.layout import SnapshotFile
from gateway.catalog.index.overlay import Overlay
from gateway.catalog.index.snapshot import Snapshot
from gateway.catalog.index.tables import LIMB
from gateway.kit.freshness import FreshnessBounds
from gateway.pricing import pricing_rule_rows
from gateway.pricing.pricing import sets_now
from gateway.pricing.pricing_rules import RuleSet
from gateway.suppliers.deps import Deps
from schemas.plan import WhyNot

_CLOSE = 1e-9
_HELD = WHY_NOT.index(WhyNot.THIN_MARGIN)


class ThinMargins(msgspec.Struct, frozen=True):
    """One supplier's offers that earn too little: ``kept_back`` are not sold for it, ``thin`` are sold all the same."""

    mode: str
    supplier: str
    kept_back: int
    thin: int
    least_percent: float | None

    def summary(self, percent: Decimal) -> str:
        """The counts for people."""
        parts = [f"{self.thin:,} offers earn less than {percent:f} % of their cost"] if self.thin else []
        if self.kept_back:
            parts.append(f"{self.kept_back:,} are not sold because their price may not cover their cost")
        return "; ".join(parts)


async def thin_margins(deps: Deps, percent: Decimal, now: datetime) -> list[ThinMargins] | None:
    """Suppliers with offers that earn less than so many percent of their cost, or too little to be sold.

    By the prices of a storefront without rules of its own. None where this machine has no catalogue.
    """
    found = []
    for mode in snapshot_rows.MODES:
        index = await _index(deps, mode, now)
        if index is None:
            return None
        found.append(index)
    return [thin for index in found for thin in await asyncio.to_thread(thin_of, index, percent)]


def thin_of(index: Index, percent: Decimal) -> list[ThinMargins]:
    """The same of one catalogue."""
    snapshot, view = index.snapshot, index.view(None)
    columns = snapshot.columns
    costs = (columns["cost_low"] + columns["cost_high"].astype(np.float64) * LIMB) / 10.0**snapshot.scale
    prices = view.minor / 10.0**view.digits
    earned = (
        np.where(costs[view.rule_prices.slot_cost] > 0, prices / costs[view.rule_prices.slot_cost] - 1, np.inf) * 100
    )
    rows = np.flatnonzero(index.selectable)
    shares = earned[view.slots.take(rows)]
    low = shares < float(percent) - _CLOSE
    size = len(snapshot.suppliers)
    thin = np.bincount(snapshot.supplier[rows[low]], minlength=size)
    blocked = (index.why_not >> _HELD) & 1
    if index.rule_prices.thin is not None:
        blocked |= index.rule_prices.thin
    kept_back = np.bincount(snapshot.supplier, weights=blocked, minlength=size)
    least = np.full(size, np.inf)
    np.minimum.at(least, snapshot.supplier[rows[low]], shares[low])
    return [
        ThinMargins(
            index.mode,
            name,
            int(kept_back[at]),
            int(thin[at]),
            round(float(least[at]), 2) if thin[at] else None,
        )
        for at, name in enumerate(snapshot.suppliers)
        if thin[at] or kept_back[at]
    ]


async def _index(deps: Deps, mode: str, now: datetime) -> Index | None:
    """The catalogue that this process serves, or the one in the state folder as it stands now."""
    if deps.index is not None:
        return deps.index("live" if mode == "live" else "test")
    state = await snapshot_rows.state(deps.pool)
    version = state.newest.versions.get(mode) if state.newest is not None else None
    if version is None:
        return None
    file = await asyncio.to_thread(files.open_or_refuse, files.path_of(deps.settings.state_dir, mode, version))
    if file is None:
        return None
    bounds = FreshnessBounds(deps.settings.sync.interval_seconds, deps.settings.sync.expire_after_seconds)
    overlay = await snapshot_rows.overlay(deps.pool)
    rules = sets_now(await pricing_rule_rows.rules(deps.pool), deps.settings, now).of(None)
    return await asyncio.to_thread(_made, file, overlay, now, bounds, rules)


def _made(file: SnapshotFile, overlay: Overlay, now: datetime, bounds: FreshnessBounds, rules: RuleSet) -> Index:
    snapshot = Snapshot(file)
    return Index(snapshot, standing_in(snapshot, overlay, now, bounds), rules)
