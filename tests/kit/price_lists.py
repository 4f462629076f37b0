"""Price lists for tests of the price guard: offers as its rules take them, a few by hand or many like a supplier's."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from random import Random
from typing import Any

import numpy as np

from gateway.pricing.market_rules import OFFER, Offers

COUNTRIES = tuple("AE AR AT AU BE BR CA CH CL CN CO CZ DE DK EG ES FI FR GB GR HK HU ID IE IL IN IT JP KE KR".split())  # noqa: SIM905 - read as a list of words
AMOUNTS = (500, 1000, 3000, 5000, 10_000, 20_000, 50_000)
DAYS = (1, 7, 15, 30)


def offers(rows: Iterable[dict[str, Any]]) -> Offers:
    """Offers of one plan of 1 GB for 7 days in Japan for 5.00, each as far as a row does not say otherwise.

    ``of`` is the provider's number, and the supplier's where ``supplier`` is not given.
    """
    rows = list(rows)
    made = np.zeros(len(rows), dtype=OFFER)
    for at, row in enumerate(rows):
        mb, days, where = row.get("mb", 1000), row.get("days", 7), row.get("where", "JP")
        made[at] = (
            hashlib.blake2b(repr((at, row)).encode(), digest_size=12).digest(),
            row.get("supplier", row["of"]),
            row["of"],
            hash((mb, days, where)),
            hash(where),
            mb,
            days,
            float(row.get("cost", 5)),
            row.get("stated", True),
            row.get("counts", True),
            row.get("judged", True),
            row.get("suspect", 0),
        )
    return made


def price_list(of: int, seed: int = 1, share: float = 0.8) -> list[dict[str, Any]]:
    """What one provider sells: dearer with data and days, in each country at its own level, and nothing of it odd."""
    chance = Random(f"{seed} {of}")
    return [
        {"of": of, "where": where, "mb": mb, "days": days, "cost": round(worth(where, mb, days) * near(chance), 2)}
        for where in COUNTRIES
        for mb in AMOUNTS
        for days in DAYS
        if chance.random() < share
    ]


def worth(where: str, mb: float, days: int) -> float:
    """What a plan is worth: the first gigabyte from 1.2 to 4 by country, further ones less."""
    per_gb: float = 1.2 + 2.8 * COUNTRIES.index(where) / len(COUNTRIES)
    return 0.8 + per_gb * float((mb / 1000) ** 0.72) * float((days / 30) ** 0.15)


def near(chance: Random) -> float:
    """How far a supplier's price is from what a plan is worth."""
    return chance.uniform(0.8, 1.3)


def times(rows: Sequence[dict[str, Any]], factor: float) -> list[dict[str, Any]]:
    """The same list with every cost multiplied, in whole cents and never under one."""
    return [{**row, "cost": max(0.01, round(row["cost"] * factor, 2))} for row in rows]
