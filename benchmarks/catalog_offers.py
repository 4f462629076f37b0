"""A large made-up catalogue with the shape of the real ones: 70 % one country, 25 % regional, 5 % global."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from pathlib import Path
from typing import Any

import msgspec

from gateway.catalog.index import Index, layout
from gateway.catalog.index.build import SnapshotBuilder, Terms
from gateway.catalog.index.geography import Geography, Region
from gateway.catalog.index.overlay import Overlay, SupplierState, state_of
from gateway.catalog.index.snapshot import Snapshot
from gateway.catalog.index.tables import finish
from gateway.kit.freshness import FreshnessBounds
from gateway.pricing.price_rules import PriceRule, Rates
from gateway.pricing.pricing_rules import only
from schemas.plan import DataAllowance, Features, FullSpeed, Network, Period, Reset, plan_id

SHARED_FOLDER = "BENCH_FOLDER"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SUPPLIERS = tuple(f"supplier{n:02}" for n in range(20))
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CODES = tuple(a + b for a in _LETTERS[:10] for b in _LETTERS[:20])  # 200 places, the first the best known
REGIONS = tuple(Region(f"region{n}", f"Region {n}", CODES[n::8]) for n in range(8))
RULES = only(PriceRule())
TERMS = Terms(Rates("USD", {"EUR": Decimal("1.08"), "JPY": Decimal("0.0066")}))
BOUNDS = FreshnessBounds(900, 86400)
_AMOUNTS = (
    100,
    200,
    300,
    500,
    *tuple(int(1000 * gb) for gb in (1, 1.5, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 50, 100)),
)
_DAYS = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 15, 20, 21, 25, 28, 30, 45, 60, 90, 180, 365)


def geography() -> Geography:
    """Names that cost nothing to make: the places are made up."""

    def region_of(coverage: tuple[str, ...]) -> str | None:
        if len(coverage) < 2:
            return None
        for region in REGIONS:
            members = set(region.countries)
            if sum(code in members for code in coverage) >= 0.8 * len(coverage):
                return region.code
        return None

    def plan_name(coverage: tuple[str, ...], data: DataAllowance, days: int, included: tuple[str, ...]) -> str:
        place = f"Country {coverage[0]}" if len(coverage) == 1 else f"{len(coverage)} countries"
        return f"{place} {', '.join((data.declared, *included, f'{days} days'))}"

    return Geography(lambda code: f"Country {code}", REGIONS, region_of, plan_name)


def rows(count: int, seed: int = 1) -> Iterator[tuple[Any, ...]]:
    """Offers as the database gives them."""
    dice = random.Random(seed)
    weights = list(accumulate(1 / (n + 8) for n in range(len(CODES))))
    regional = []
    for number in range(1500):
        pool = REGIONS[number % len(REGIONS)].countries if number % 3 else CODES
        regional.append(tuple(sorted(dice.sample(pool, min(len(pool), dice.randint(10, 40))))))
    worldwide = [tuple(sorted(dice.sample(CODES, dice.randint(100, 180)))) for _ in range(60)]
    networks: dict[tuple[str, ...], list[str]] = {}
    features = {supplier: _features(number) for number, supplier in enumerate(SUPPLIERS)}
    allowances: dict[tuple[int, bool, bool], tuple[DataAllowance, str]] = {}
    for number in range(count):
        which = dice.random()
        coverage: tuple[str, ...] = (dice.choices(CODES, cum_weights=weights)[0],)
        if which >= 0.70:
            coverage = dice.choice(regional if which < 0.95 else worldwide)
        if coverage not in networks:
            networks[coverage] = [_networks(coverage, dice) for _ in range(3)]
        days = dice.choice(_DAYS)
        kind = (dice.choice(_AMOUNTS), dice.random() < 0.12, dice.random() < 0.15)
        if kind not in allowances:
            made = _allowance(*kind)
            allowances[kind] = (made, msgspec.json.encode(made).decode())
        data, data_json = allowances[kind]
        size = 2 if data.mb is None else data.mb / 1000 * (days if data.reset is Reset.DAILY else 1)
        cents = int(40 + 90 * (size**0.8) * (1 + days / 60) * (1 + len(coverage) / 60) * dice.uniform(0.6, 1.8))
        supplier = SUPPLIERS[number % len(SUPPLIERS)]
        yield (
            supplier,
            f"{coverage[0]}-{number}",
            f"{coverage[0]} {data.declared} {days} days",
            plan_id(coverage, data, days),
            coverage,
            data_json,
            days,
            "install" if number % 3 else "first_use",
            dice.choice(networks[coverage]),
            dice.choice(features[supplier]),
            f"{cents // 100}.{cents % 100:02}",
            "EUR" if number % 20 == 0 else "USD",
            0 if dice.random() < 0.03 else None,
            dice.random() < 0.98,
            dice.random() < 0.005,
        )


def _features(number: int) -> list[str]:
    """What the offers of the supplier with this number can do: one or two ways, as it is with real ones."""
    return [
        msgspec.json.encode(Features(topup, number % 7 == 3, None, exit_country)).decode()
        for topup in ((True, False), (True,), (None,))[number % 3]
        for exit_country in ((None,), ("HK", "SG"), ("AA",), (None,))[number % 4]
    ]


def _networks(coverage: tuple[str, ...], dice: random.Random) -> str:
    reached = [Network(code, f"Operator {dice.randint(1, 3)}", dice.choice(("4G", "5G"))) for code in coverage]
    return msgspec.json.encode(reached).decode()


def _allowance(mb: int, unlimited: bool, daily: bool) -> DataAllowance:
    if unlimited:
        allowance = FullSpeed(mb, Period.DAY) if mb < 5000 and daily else None
        text = "unlimited" if allowance is None else f"unlimited ({mb} MB a day at full speed)"
        return DataAllowance(None, text, unlimited=True, allowance=allowance)
    text = f"{mb} MB" if mb < 1000 else f"{mb / 1000:g} GB"
    if daily and mb < 6000:
        return DataAllowance(mb, f"{text} a day", reset=Reset.DAILY)
    return DataAllowance(mb, text)


def build_file(count: int, folder: Path | None = None) -> Path:
    """A snapshot file of so many offers; made anew when the folder (of this run of all parts, or this) has none."""
    place = os.environ.get(SHARED_FOLDER) or folder or tempfile.gettempdir()
    path = Path(place) / f"bench-{count}-{layout.LAYOUT}.snap"
    if path.exists():
        return path
    builder = SnapshotBuilder("live", TERMS, geography())
    plans: set[str] = set()
    for row in rows(count):
        builder.add(*row)
        plans.add(row[3])
    start = int((NOW - timedelta(days=3)).timestamp() * 1e6)
    touched = {plan: start + at * 500_000 for at, plan in enumerate(sorted(plans))}
    meta, arrays = finish(builder, touched, {})
    layout.write(path, layout.encode(meta, "bench", arrays)[1])
    return path


def all_well() -> Overlay:
    """Every supplier in good health, nothing marked."""
    return Overlay(tuple(SupplierState(name, "live", last_good_at=NOW, last_sync_state="ok") for name in SUPPLIERS))


def open_index(path: Path, overlay: Overlay | None = None) -> Index:
    """The catalogue of a file, all well or under another overlay."""
    snapshot = Snapshot(layout.open_file(path))
    return Index(snapshot, state_of(overlay or all_well(), "live", NOW, BOUNDS), RULES)
