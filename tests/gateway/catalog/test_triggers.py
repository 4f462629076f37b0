"""Plans on which a sandbox goes wrong on purpose: out of every list and choice that does not ask for them."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import numpy as np
import pytest

from gateway.catalog.index import Choice, Index, InStock, Need, NoMatch, PlanQuery, matrix
from gateway.catalog.index.margins import Fees, MarginQuery, ranked
from gateway.catalog.index.matrix import Bucket
from gateway.catalog.index.overlay import Overlay
from schemas import api
from tests.kit.made_up_market import ALL_WELL, Item, Market, offer

TRIGGER = Item("a", offer("trigger", countries="BV", cost="1.00"))
JAPAN = Item("a", offer("japan", cost="4.00"))  # the same amount and days
WIDE = Item("b", offer("wide", countries="BV JP", cost="9.00"))
EVERYTHING = {one.offer.plan_id for one in (TRIGGER, JAPAN, WIDE)}
SOLD = EVERYTHING - {TRIGGER.offer.plan_id}


def index_of(mode: str) -> Index:
    return Market([TRIGGER, JAPAN, WIDE], mode=mode, overlay=_overlay(mode)).index()


@pytest.fixture
def index() -> Index:
    return index_of("test")


def listed(index: Index, **asked: object) -> set[str]:
    page = msgspec.json.decode(index.plans(PlanQuery(**asked)).body, type=api.PlanList)
    return {plan.id for plan in page.data}


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"countries": ("BV",)},
        {"min_data_mb": 1024},
        {"in_stock": InStock.ANY},
        {"sort": "-price_per_gb"},
        {"q": "bv"},
        {"max_price": Decimal(100)},
    ],
    ids=repr,
)
def test_a_list_has_them_only_when_it_is_asked_for_them(index: Index, asked: dict[str, object]) -> None:
    found = listed(index, **asked)
    assert found <= SOLD
    assert listed(index, **asked, triggers=True) == found | {TRIGGER.offer.plan_id}


def test_other_plans_of_the_same_amount_and_days_stay_in_the_list(index: Index) -> None:
    assert listed(index) == SOLD
    assert listed(index, countries=("BV",)) == {WIDE.offer.plan_id}


def test_one_is_found_by_its_id(index: Index) -> None:
    assert msgspec.json.decode(index.plan(TRIGGER.offer.plan_id))["countries"] == ["BV"]
    chosen = index.choose(Need(plan_id=TRIGGER.offer.plan_id))
    assert isinstance(chosen, Choice)
    assert chosen.plan_id == TRIGGER.offer.plan_id


def test_no_need_is_met_by_one_that_it_does_not_ask_for(index: Index) -> None:
    chosen = index.choose(Need(countries=("BV",)))
    assert isinstance(chosen, Choice)
    assert (chosen.plan_id, chosen.considered) == (WIDE.offer.plan_id, 1)
    asked = index.choose(Need(countries=("BV",), triggers=True))
    assert isinstance(asked, Choice)
    assert asked.plan_id == TRIGGER.offer.plan_id
    alone = Market([TRIGGER], mode="test", overlay=_overlay("test")).index().choose(Need(countries=("BV",)))
    assert alone == NoMatch("no_plan", "no plan covers BV")


def test_countries_are_counted_without_them(index: Index) -> None:
    rows = {row["code"]: row["plan_count"] for row in msgspec.json.decode(index.countries())["data"]}
    assert rows == {"BV": 1, "JP": 2}
    alone = Market([TRIGGER, JAPAN], mode="test", overlay=_overlay("test")).index()
    assert [row["code"] for row in msgspec.json.decode(alone.countries())["data"]] == ["JP"]


def test_the_matrix_and_margins_leave_them_out(index: Index) -> None:
    snapshot = index.snapshot
    row = snapshot.find_row("a", "trigger")
    for triggers, cell in ((False, matrix.NONE), (True, row)):
        cells = matrix.cells(snapshot, index.selectable, Bucket(triggers=triggers), ["BV"])
        assert cells[0, snapshot.suppliers.index("a")] == cell
        assert (row in ranked(index, Fees(), MarginQuery(triggers=triggers)).rows) is triggers
    alone = Market([TRIGGER, JAPAN], mode="test", overlay=_overlay("test")).index().snapshot
    assert [code for code, _ in matrix.places(alone, None, ())] == ["JP"]
    assert [code for code, _ in matrix.places(alone, None, (), triggers=True)] == ["BV", "JP"]


def test_in_live_mode_there_are_none() -> None:
    live = index_of("live")
    assert not np.any(live.snapshot.kind_trigger)
    assert listed(live) == listed(live, triggers=True) == EVERYTHING


def _overlay(mode: str) -> Overlay:
    return Overlay(tuple(msgspec.structs.replace(state, mode=mode) for state in ALL_WELL))
