from __future__ import annotations

import random
from collections import Counter, defaultdict
from decimal import Decimal

import pytest

from providers.kit import places, units
from providers.simulator import Dirt, Item, SandboxWorld
from schemas.plan import nominal_mb, plan_id

SUPPLIERS = ("beppay", "pikasim", "s2s")


@pytest.fixture(scope="module")
def untouched() -> SandboxWorld:
    """A world that no test changes."""
    return SandboxWorld(SUPPLIERS)


@pytest.fixture
def world() -> SandboxWorld:
    return SandboxWorld(SUPPLIERS)


def _plans(world: SandboxWorld) -> dict[str, dict[str, Item]]:
    """The clean, buyable items of each plan by supplier."""
    plans: dict[str, dict[str, Item]] = defaultdict(dict)
    for supplier in world.suppliers:
        for item in world.items(supplier):
            if item.dirt is None and item.in_stock and item.visible and item.days is not None:
                data = units.declared_from_text(item.data_text)
                assert data is not None
                plans[plan_id(item.countries, data, item.days)][supplier] = item
    return plans


def test_the_same_seed_makes_the_same_world_and_another_another(untouched: SandboxWorld) -> None:
    again, other = SandboxWorld(reversed(SUPPLIERS)), SandboxWorld(SUPPLIERS, seed=8)
    assert all(again.items(name) == untouched.items(name) for name in SUPPLIERS)
    assert all(other.items(name) != untouched.items(name) for name in SUPPLIERS)


def test_making_a_world_leaves_other_random_numbers_alone() -> None:
    random.seed(1)
    expected = random.random()
    random.seed(1)
    SandboxWorld(SUPPLIERS)
    assert random.random() == expected


def test_it_holds_some_thousand_plans_with_prices_in_cents(untouched: SandboxWorld) -> None:
    items = [item for name in SUPPLIERS for item in untouched.items(name)]
    assert 2500 < len(items) < 10_000
    assert all(item.price > 0 and item.price == item.price.quantize(Decimal("0.01")) for item in items if item.price)


def test_every_key_stands_once_at_its_supplier(untouched: SandboxWorld) -> None:
    for name in SUPPLIERS:
        assert max(Counter(item.key for item in untouched.items(name)).values()) == 1


def test_the_words_of_an_item_say_its_numbers(untouched: SandboxWorld) -> None:
    for name in SUPPLIERS:
        for item in untouched.items(name):
            if item.dirt is Dirt.NO_DATA_AMOUNT:
                continue
            data = units.declared_from_text(item.data_text)
            assert data is not None, item
            assert (data.mb, data.unlimited) == (item.mb and nominal_mb(item.mb), item.unlimited)
            stated = data.allowance.mb if data.allowance is not None else None
            assert stated == (item.fair_use_mb and nominal_mb(item.fair_use_mb))


def test_every_place_that_is_no_dirt_is_spelt_understandably(untouched: SandboxWorld) -> None:
    for name in SUPPLIERS:
        for item in untouched.items(name):
            if item.dirt is None and item.region is None:
                assert places.country(item.place) == item.countries[0], item.place
            if item.dirt is Dirt.NO_SUCH_COUNTRY:
                assert places.place(item.place).kind is places.PlaceKind.NO_COUNTRY


@pytest.mark.parametrize("seed", [7, 1, 2026])
def test_antarctica_is_covered_by_nothing(seed: int) -> None:
    world = SandboxWorld(SUPPLIERS, seed)
    assert not [item for name in SUPPLIERS for item in world.items(name) if "AQ" in item.countries]


@pytest.mark.parametrize("seed", [7, 1, 2026])
def test_several_plans_for_japan_are_sold_by_at_least_two_suppliers_at_their_own_prices(seed: int) -> None:
    shared = [
        offers
        for offers in _plans(SandboxWorld(SUPPLIERS, seed)).values()
        if len(offers) > 1 and all(item.countries == ("JP",) for item in offers.values())
    ]
    assert len(shared) >= 5
    assert any(len({item.price for item in offers.values()}) > 1 for offers in shared)


def test_japan_with_korea_is_sometimes_cheapest_as_a_set_of_two(untouched: SandboxWorld) -> None:
    both = [
        item
        for offers in _plans(untouched).values()
        for item in offers.values()
        if {"JP", "KR"} <= set(item.countries) and (item.days or 0) >= 10 and (item.mb is None or item.mb >= 3072)
    ]
    cheapest = min(both, key=lambda item: item.price or Decimal("Infinity"))
    assert cheapest.countries == ("JP", "KR")
    assert len({item.countries for item in both}) > 3


def test_europe_is_another_set_at_each_supplier(untouched: SandboxWorld) -> None:
    sizes = {name: {len(i.countries) for i in untouched.items(name) if i.place == "Europe"} for name in SUPPLIERS}
    assert sizes == {"beppay": {33}, "pikasim": {35}, "s2s": {39}}
    assert max(len(i.countries) for i in untouched.items("pikasim") if (i.region or "").startswith("Europe")) == 42


def test_every_kind_of_plan_is_there(untouched: SandboxWorld) -> None:
    for name in SUPPLIERS:
        items = untouched.items(name)
        assert any(item.daily for item in items)
        assert any(item.unlimited and item.fair_use_mb is None for item in items)
        assert any(item.unlimited and item.fair_use_mb for item in items)
        assert any(len(item.countries) >= 100 for item in items)
        assert any(network.generation == "5G" for item in items for network in item.networks)
        assert {True, False} == {item.topup for item in items} == {item.sms for item in items}
        assert any(item.voice for item in items)
        assert len({item.exit_country for item in items}) > 3
        assert any(not item.visible for item in items)
        assert any(item.stock == 0 for item in items)
        assert {item.dirt for item in items} == {None, *Dirt}


def test_nothing_changes_by_itself(world: SandboxWorld) -> None:
    before = world.items("s2s")
    assert world.items("s2s") == before
    assert world.changes("s2s") == 0


def test_a_price_changes_when_it_is_told_to(world: SandboxWorld) -> None:
    world.set_price("s2s", "JP-1GB-7D", Decimal("9.99"))
    found = world.item("s2s", "JP-1GB-7D")
    assert found is not None
    assert found.price == Decimal("9.99")
    assert world.changes("s2s") == 1
    assert world.changes("pikasim") == 0
    assert [item.key for item in world.items("s2s")] == [item.key for item in SandboxWorld(SUPPLIERS).items("s2s")]


def test_drift_moves_a_share_of_the_prices_within_bounds_and_always_the_same(world: SandboxWorld) -> None:
    before = {item.key: item.price for item in world.items("beppay")}
    moved = world.drift("beppay", share=0.1, by=0.2)
    after = {item.key: item.price for item in world.items("beppay")}
    assert moved == SandboxWorld(SUPPLIERS).drift("beppay", share=0.1, by=0.2)
    assert {key for key in before if before[key] != after[key]} == set(moved)
    assert 0.08 * len(before) < len(moved) <= 0.1 * len(before) + 1
    for key in moved:
        old, new = before[key], after[key]
        assert old is not None
        assert new is not None
        assert abs(new - old) <= old * Decimal("0.2") + Decimal("0.01")
    assert world.drift("beppay", share=0.1, by=0.2) != moved


def test_stock_runs_out_when_it_is_told_to_and_by_selling(world: SandboxWorld) -> None:
    key = "JP-1GB-7D"
    assert world.sell("pikasim", key)
    found = world.item("pikasim", key)
    assert found is not None
    assert found.stock is None
    world.set_stock("pikasim", key, 1)
    assert world.sell("pikasim", key)
    assert not world.sell("pikasim", key)
    assert not world.sell("pikasim", "no-such-key")
    found = world.item("pikasim", key)
    assert found is not None
    assert not found.in_stock


def test_what_is_removed_is_gone_until_a_reset(world: SandboxWorld) -> None:
    everything = world.items("s2s")
    world.remove("s2s", [everything[0].key, everything[5].key])
    assert len(world.items("s2s")) == len(everything) - 2
    assert world.item("s2s", everything[0].key) is None
    assert world.changes("s2s") == 2
    world.reset("s2s")
    assert world.items("s2s") == everything


def test_an_unknown_key_changes_nothing(world: SandboxWorld) -> None:
    before = world.items("s2s")
    with pytest.raises(KeyError):
        world.remove("s2s", [before[0].key, "no-such-key"])
    with pytest.raises(KeyError):
        world.set_price("s2s", "no-such-key", Decimal(1))
    with pytest.raises(KeyError):
        world.set_stock("s2s", "no-such-key", 0)
    assert world.items("s2s") == before


def test_a_supplier_that_nobody_foresaw_has_a_catalogue_too() -> None:
    world = SandboxWorld((*SUPPLIERS, "zeta"))
    assert len(world.items("zeta")) > 500
    assert world.items("s2s") == SandboxWorld(SUPPLIERS).items("s2s")
