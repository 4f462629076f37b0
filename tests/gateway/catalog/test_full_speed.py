"""Needs and lists count data at full speed, whatever a plan is called."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.catalog.index import Choice, Need, NoMatch, PlanQuery
from schemas.plan import AfterFullSpeed, Period
from tests.kit.made_up_market import Item, Market, offer, some_items

SLOW = AfterFullSpeed(512, cut_off=False)
A_GB_A_DAY = offer("slow after", mb=None, days=30, allowance=1024, per=Period.DAY, after=SLOW)
UNSTATED = offer("unlimited", mb=None, days=30)


def chosen(market: Market, **need: object) -> Choice | None:
    found = market.index().choose(Need(countries=("JP",), **need))  # type: ignore[arg-type]
    return None if isinstance(found, NoMatch) else found


def market_of(*offers: object) -> Market:
    return Market([Item("a", each) for each in offers])  # type: ignore[arg-type]


def listed(market: Market, **query: object) -> list[dict]:
    page = market.index().plans(PlanQuery(**query))  # type: ignore[arg-type]
    return msgspec.json.decode(page.body)["data"]


@pytest.mark.parametrize(
    ("need", "met"),
    [
        ({"data_mb": 8192, "days": 8}, True),
        ({"data_mb": 9216, "days": 8}, False),
        ({"data_mb": 102_400, "days": 8}, False),
        ({"data_mb": 30_720}, True),
        ({"data_mb": 31_744}, False),
        ({"unlimited": True}, True),
        ({"unlimited": True, "data_mb": 8192, "days": 8}, True),
        ({"unlimited": True, "data_mb": 102_400, "days": 8}, False),
    ],
)
def test_an_unlimited_plan_counts_by_what_it_states_to_run_at_full_speed(need: dict, met: bool) -> None:
    found = chosen(market_of(A_GB_A_DAY), **need)
    assert (found is not None) is met
    assert found is None or not found.assumed


@pytest.mark.parametrize(("need", "met", "assumed"), [
    ({"data_mb": 7168, "days": 7}, True, True), ({"data_mb": 8192, "days": 7}, False, False),
    ({"data_mb": 30_720}, True, True), ({"days": 7}, True, False), ({}, True, False),
])  # fmt: skip
def test_what_is_not_stated_is_assumed_and_the_answer_says_so(need: dict, met: bool, assumed: bool) -> None:
    found = chosen(market_of(UNSTATED), **need)
    assert (found is not None, found is not None and found.assumed) == (met, assumed)


def test_nothing_assumed_meets_no_amount() -> None:
    market = market_of(UNSTATED)
    market.terms = msgspec.structs.replace(market.terms, assumed_mb_per_day=0)
    assert chosen(market, data_mb=1) is None
    assert chosen(market, days=7) is not None


def test_nothing_limits_data_that_is_unlimited_at_full_speed_and_all_of_slow_data_counts_for_none() -> None:
    boundless, slow = offer("b", mb=None, allowance=-1), offer("s", mb=None, allowance=0, after=SLOW)
    assert chosen(market_of(boundless), data_mb=1_000_000_000) is not None
    assert chosen(market_of(slow), data_mb=1) is None
    assert chosen(market_of(slow), unlimited=True) is not None


def test_a_throttled_daily_plan_goes_on_and_one_that_is_cut_off_does_not() -> None:
    throttled = offer("t", daily=True, after=AfterFullSpeed(cut_off=False))
    cut_off = offer("c", daily=True, days=8, after=AfterFullSpeed(cut_off=True))
    market = market_of(throttled, cut_off, offer("total", days=9))
    assert [plan["validity"]["days"] for plan in listed(market, unlimited=True)] == [7]
    assert [plan["validity"]["days"] for plan in listed(market, unlimited=False, sort="days")] == [8, 9]


def test_the_list_counts_and_sorts_by_full_speed_data_and_prices_a_gb_of_it() -> None:
    five = offer("five", mb=5120, days=30)
    boundless, slow = offer("b", mb=None, days=7, allowance=-1), offer("s", mb=None, days=7, allowance=0, after=SLOW)
    market = market_of(A_GB_A_DAY, UNSTATED, five, boundless, slow)
    assert len(listed(market, min_data_mb=7168, min_days=7)) == 3
    by_data = [plan["data"]["full_speed"] for plan in listed(market, sort="-data")]
    amounts = [full and full["mb"] for full in by_data]
    assert (amounts[0], amounts[3:]) == (None, [5120, 0])
    per_gb = [plan["price_per_gb"] for plan in listed(market, sort="price_per_gb")]
    assert [price is not None for price in per_gb] == [True, True, False, False, False]
    assert per_gb[0]["amount"] == "0.18"  # 5.50 for 30 GB


def test_a_plan_says_what_runs_at_full_speed_and_what_follows() -> None:
    (plan,) = listed(market_of(A_GB_A_DAY))
    assert plan["data"]["full_speed"] == {"mb": 1024, "per": "day"}
    assert plan["data"]["after"] == {"kbps": 512, "cut_off": False}
    assert plan["data"]["fair_use"] == {"after": "throttled", "allowance_mb": 1024, "per_day": True}


NEEDS = st.builds(
    dict,
    data_mb=st.none() | st.integers(1, 40_000),
    days=st.none() | st.integers(1, 30),
    unlimited=st.booleans(),
)


@settings(deadline=None, max_examples=40)  # the machine may be busy
@given(st.integers(0, 10**6), NEEDS)
def test_another_offer_never_makes_an_answer_dearer(seed: int, need: dict) -> None:
    items = some_items(seed, 30)
    before, after = chosen(Market(items[:-1]), **need), chosen(Market(items), **need)
    if before is not None:
        assert after is not None
        assert after.price.amount <= before.price.amount


@settings(deadline=None, max_examples=40)
@given(
    st.none() | st.integers(1, 50_000),
    st.booleans(),
    st.none() | st.integers(-1, 50_000),
    st.integers(1, 50_000),
    NEEDS,
)
def test_a_need_that_a_plan_meets_is_met_by_a_larger_one(
    mb: int | None, daily: bool, allowance: int | None, more: int, need: dict
) -> None:
    small = offer("x", mb=mb, daily=daily, days=30, allowance=None if mb else allowance)
    nominal = small.data.full_speed
    if nominal is None or nominal.mb is None:
        return
    grown = nominal.mb + more
    data = msgspec.structs.replace(
        small.data,
        mb=grown if small.data.mb is not None else None,
        allowance=None if small.data.mb is not None else msgspec.structs.replace(nominal, mb=grown),
    )
    if chosen(market_of(small), **need) is not None:
        assert chosen(market_of(msgspec.structs.replace(small, data=data)), **need) is not None
