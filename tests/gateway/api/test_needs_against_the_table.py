"""Hundreds of needs, each answered as one who reads the table of offers by hand would answer it.

What decides here is written anew from the rules, and takes nothing from the gateway but its database and its answers.
"""

from __future__ import annotations

import json
import math
import random
from collections import Counter, defaultdict
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from gateway.api import state
from gateway.catalog.publish import publish

SEED = 20261122
NEEDS = 500
MARKUP = Fraction(110, 100)
ASSUMED_MB_PER_DAY = 1000
NEAR = 3
WORTH = {"USD": Fraction(1), "USDT": Fraction(1), "EUR": Fraction(5, 4)}
_OFFERS = """
SELECT o.plan_id, o.supplier, o.supplier_plan_id, o.coverage, o.data::text, o.days, o.networks::text,
       o.features::text, o.cost, o.currency,
       o.visible AND o.suspect IS NULL AND o.cost IS NOT NULL AND o.stock IS DISTINCT FROM 0
           AND s.state = 'active' AND s.quarantined IS NULL
           AND NOT EXISTS (SELECT FROM offer_marks m WHERE m.supplier = o.supplier
                           AND m.supplier_plan_id = o.supplier_plan_id) AS sold
FROM offers o JOIN suppliers s ON s.name = o.supplier WHERE o.gone_at IS NULL AND s.mode = 'test'
"""
# What a sync never leaves in so small a catalogue, so that each part of the choice decides something.
_DISTURBED = """
UPDATE offers SET stock = 0 WHERE ('x' || substr(md5(id), 1, 2))::bit(8)::int < 40;
UPDATE offers SET suspect = 'moved: by a test', suspect_since = now(), cost = cost / 50
WHERE ('x' || substr(md5(id), 3, 2))::bit(8)::int < 20;
UPDATE offers SET currency = 'EUR' WHERE ('x' || substr(md5(id), 5, 2))::bit(8)::int < 60;
INSERT INTO offer_marks (supplier, supplier_plan_id, why)
SELECT supplier, supplier_plan_id, 'stopped' FROM offers WHERE ('x' || substr(md5(id), 7, 2))::bit(8)::int < 10;
INSERT INTO fx_rates (base, currency, rate, as_of, source, kind)
VALUES ('USD', 'EUR', 1.25, (now() AT TIME ZONE 'UTC')::date, 'test', 'set');
UPDATE catalog_state SET content = content + 1;
"""


@dataclass(frozen=True)
class Row:
    """One offer as it stands in the table, with its cost in USD."""

    plan_id: str
    supplier: str
    supplier_plan_id: str
    countries: frozenset[str]
    data: dict[str, Any]
    days: int
    networks: list[dict[str, Any]]
    features: dict[str, Any]
    cost: Fraction
    sold: bool

    @property
    def fast_in(self) -> set[str]:
        return {network["country"] for network in self.networks if network["generation"] == "5G"}

    def reached_by(self, operator: str) -> set[str]:
        """The countries in which it has that operator's network, by words of its name."""
        asked = set(operator.casefold().split())
        return {one["country"] for one in self.networks if asked <= set(one["operator"].casefold().split())}

    @property
    def goes_on(self) -> bool:
        after = self.data["after"]
        return self.data["unlimited"] or after["kbps"] is not None or after["cut_off"] is False

    def full_speed(self, days: int | None) -> Fraction:
        """Nominal MB; infinite amounts are larger than any that is asked for."""
        over = days or self.days
        if self.data["unlimited"]:
            stated = self.data["allowance"]
            if stated is None:
                return Fraction(ASSUMED_MB_PER_DAY * over)
            mb, per = stated["mb"], stated["per"]
        else:
            mb, per = self.data["mb"], {"never": "total", "daily": "day", "monthly": "month"}[self.data["reset"]]
        if mb is None:
            return Fraction(10**15)
        return Fraction(mb * {"total": 1, "day": over, "month": max(1, over // 30)}[per])

    def price(self, worth: Fraction) -> Decimal:
        """In a currency of which one unit is worth so many USD, to its cents."""
        return Decimal(math.ceil(self.cost * MARKUP / worth * 100)) / 100


def lacks(row: Row, need: dict[str, Any]) -> list[str]:
    """The things of the need that the offer does not have; each country by itself."""
    days, data = need.get("days"), need.get("data_mb")
    missing = ["countries" for code in need["countries"] if code not in row.countries]
    if need.get("unlimited") and not row.goes_on:
        missing.append("unlimited")
    if days is not None and row.days < days:
        missing.append("days")
    if data is not None and row.full_speed(days) < nominal(data):
        missing.append("data_mb")
    asked = need.get("features", {})
    return missing + [name for name, value in asked.items() if not has(row, name, value, need["countries"])]


def has(row: Row, name: str, value: Any, countries: list[str]) -> bool:
    """Whether the offer is known to have a feature."""
    stated = row.features.get
    if name == "network":
        return row.fast_in.issuperset(countries)
    if name == "operator":
        return row.reached_by(value).issuperset(countries)
    if name == "not_exit_country":
        avoided, known = set(value.split(",")), stated("exit_country")
        return known not in avoided if known else avoided <= set(stated("not_exit_countries") or ())
    if name == "voice_minutes":
        return bool(stated("voice_unlimited")) or (stated(name) or 0) >= value
    return bool(stated(name) == value)


def nominal(asked: int) -> Fraction:
    """All amounts that are asked for here are whole halves of 1,024 MB, or below 1 GB."""
    return Fraction(asked) if asked < 1000 else Fraction(asked * 1000, 1024)


def random_need(chance: random.Random, countries: list[str], operators: list[str]) -> dict[str, Any]:
    """As shops ask: mostly one country that is sold, some days, some data."""
    need: dict[str, Any] = {"countries": chance.sample(countries, chance.choice((1, 1, 1, 1, 2, 3)))}
    if chance.random() < 0.8:
        need["days"] = chance.choice((1, 3, 7, 10, 15, 30, 31, 60, 180))
    if chance.random() < 0.7:
        need["data_mb"] = chance.choice((300, 500, 1024, 1536, 3072, 5120, 10240, 20480, 51200, 307200))
    if chance.random() < 0.15:
        need["unlimited"] = True
    shares = (
        ("topup", True, 0.15), ("voice", True, 0.08), ("sms", True, 0.08), ("network", "5G", 0.15),
        ("exit_country", chance.choice(("HK", "SG", "PL", "FR")), 0.06), ("hotspot", True, 0.06),
        ("not_exit_country", chance.choice(("CN", "HK", "CN,HK")), 0.06), ("kyc_required", False, 0.04),
        ("voice_minutes", chance.choice((20, 100, 500)), 0.04), ("operator", chance.choice(operators), 0.06),
    )  # fmt: skip
    if features := {word: value for word, value, share in shares if chance.random() < share}:
        need["features"] = features
    if chance.random() < 0.3:
        need["currency"] = "EUR"
    return need


def answer(rows: list[Row], need: dict[str, Any]) -> tuple[str, Any]:
    """("chosen", plan and price), ("no_stock", None), or ("no_plan", the nearest plans with what they miss)."""
    worth = WORTH[need.get("currency", "USD")]

    def order(row: Row) -> tuple[Any, ...]:
        return (row.price(worth), row.cost, row.supplier, row.supplier_plan_id)

    meeting = [row for row in rows if not lacks(row, need)]
    if sold := [row for row in meeting if row.sold]:
        best = min(sold, key=order)
        return "chosen", (best.plan_id, best.price(worth))
    if meeting:
        return "no_stock", None
    near: dict[str, tuple[Any, ...]] = {}
    for row in rows:
        missing = lacks(row, need)
        if row.sold and len(missing) <= 2 and not row.countries.isdisjoint(need["countries"]):
            found = (len(missing), *order(row), sorted(set(missing)))
            near[row.plan_id] = min(near.get(row.plan_id, found), found)
    first = sorted((found[:-1], plan_id, found[-1], found[1]) for plan_id, found in near.items())[:NEAR]
    return "no_plan", [(plan_id, missing, price) for _, plan_id, missing, price in first]


@pytest.fixture
async def market(make_api, suppliers):
    """An API on what the sandboxes sell, and the table's rows without the plans on which sandboxes go wrong."""
    api = await make_api(synced=True, suppliers=suppliers.accounts(), scopes=["storefront"])
    await api.pool.execute(_DISTURBED)
    await publish(api.pool, None, api.client.app[state.SETTINGS])
    await api.client.app[state.CATALOG].refresh()
    rows = []
    for row in await api.pool.fetch(_OFFERS):
        if "BV" not in row["coverage"] and row["cost"] is not None:
            cost = Fraction(row["cost"]) * WORTH[row["currency"]]
            words = row["plan_id"], row["supplier"], row["supplier_plan_id"]
            data, networks, features = (json.loads(row[name]) for name in ("data", "networks", "features"))
            rows.append(
                Row(*words, frozenset(row["coverage"]), data, row["days"], networks, features, cost, row["sold"])
            )
    return api, rows


async def test_each_of_500_needs_gets_the_plan_the_price_and_the_nearest_plans_of_the_table(market):
    api, rows = market
    chance = random.Random(SEED)
    countries = sorted({code for row in rows for code in row.countries})
    often = sorted({code for row in rows if len(row.countries) == 1 for code in row.countries})
    operators = sorted({network["operator"] for row in rows for network in row.networks})
    seen: Counter[str] = Counter()
    by_country: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        for code in row.countries:
            by_country[code].append(row)
    for _ in range(NEEDS):
        need = random_need(chance, chance.choice((often, countries)), operators)
        there = {(row.supplier, row.supplier_plan_id): row for code in need["countries"] for row in by_country[code]}
        expected, detail = answer([*there.values()], need)
        got = await api.post("/v1/quotes", json=need)
        body = await got.json()
        if got.status == 201:
            found: tuple[str, Any] = "chosen", (body["plan"]["id"], Decimal(body["price"]["amount"]))
        elif body["code"] == "no_stock":
            found = "no_stock", None
        else:
            found = (
                body["code"],
                [
                    (plan["id"], sorted(one["what"] for one in misses), Decimal(plan["price"]["amount"]))
                    for plan, misses in (near.values() for near in body.get("nearest", ()))
                ],
            )
        assert found == (expected, detail), need
        seen[expected if detail != [] else "nothing near"] += 1
    assert min(seen[what] for what in ("chosen", "no_stock", "no_plan", "nothing near")) >= 3, seen
