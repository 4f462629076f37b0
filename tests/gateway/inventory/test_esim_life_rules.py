from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.inventory.esim_life_rules import LATEST, SOONEST, THRESHOLDS, news, next_poll, used_percent
from schemas.esim import DataUsage, EsimStatus, ProfileState, ServiceState

AT = datetime(2026, 11, 20, 10, tzinfo=UTC)


def status(used=0, total=1000, minutes=0, profile="enabled", service="active", **more):
    data = None if used is None else DataUsage(total, used, total - used)
    return EsimStatus(
        "8944", ProfileState(profile), ServiceState(service), AT + timedelta(minutes=minutes), data, **more
    )


@pytest.mark.parametrize(("used", "told", "threshold"), [(749, 0, None), (750, 0, 75), (899, 75, None), (900, 75, 90)])
def test_a_threshold_is_told_when_it_is_passed_and_once(used, told, threshold):
    assert news(status(used), told, "enabled/active").threshold == threshold


def test_of_several_thresholds_passed_at_once_the_highest_is_told():
    assert news(status(1000), 0, None).threshold == 100


def test_more_data_takes_back_what_was_told_so_that_it_is_told_again():
    added = news(status(1000, total=5000), 100, "enabled/active")
    assert (added.threshold, added.usage_notified) == (None, 0)
    assert news(status(3750, total=5000), added.usage_notified, "enabled/active").threshold == 75


def test_a_supplier_that_names_no_figures_tells_the_end_by_its_word():
    assert news(status(None, service="depleted"), 0, None).threshold == 100
    assert news(status(None), 90, None).usage_notified == 90


def test_the_first_look_at_an_unused_esim_is_no_news():
    assert news(status(profile="released", service="not_active"), 0, None).state is None


def test_a_change_of_either_state_is_told_with_what_it_was_before():
    told = news(status(profile="enabled", service="active"), 0, "enabled/not_active")
    assert (told.state, told.previous) == ("enabled/active", "enabled/not_active")


def test_a_state_that_the_supplier_does_not_know_keeps_what_was_known():
    assert news(status(profile="unknown", service="active"), 0, "enabled/active").state is None
    told = news(status(profile="unknown", service="depleted"), 0, "enabled/active")
    assert told.state == "enabled/depleted"


@pytest.mark.parametrize(
    ("data", "percent"),
    [
        (None, None),
        (DataUsage(None, 5, None), None),
        (DataUsage(0, 0, 0), None),
        (DataUsage(1000, None, 100), 90),
        (DataUsage(1000, 999, None), 99),
        (DataUsage(1000, 1200, None), 100),
        (DataUsage(1000, None, 2000), 0),
    ],
)
def test_the_share_used_is_of_what_the_supplier_names(data, percent):
    assert used_percent(data) == percent


@pytest.mark.parametrize("over", [{"service": "expired"}, {"service": "revoked"}, {"profile": "deleted"}])
def test_an_esim_that_is_over_is_not_looked_at_again(over):
    assert next_poll(status(**over), None) is None


def test_what_does_not_move_is_looked_at_ever_more_rarely():
    assert next_poll(status(minutes=30), status()) == timedelta(minutes=60)
    assert next_poll(status(minutes=600), status()) == LATEST


def test_what_moves_is_looked_at_a_quarter_of_the_way_to_the_next_threshold():
    # 100 MB in an hour; 350 MB are left to 75 %, so 3.5 hours, of which a quarter.
    assert next_poll(status(400, minutes=60), status(300)) == timedelta(minutes=52.5)


def test_a_first_look_is_followed_soon():
    assert next_poll(status(), None) == SOONEST


@given(st.integers(0, 2000), st.integers(0, 2000), st.integers(1, 10_000))
def test_a_look_is_never_too_soon_nor_too_late(used, before, minutes):
    wait = next_poll(status(used, minutes=minutes), status(before))
    assert wait is not None
    assert SOONEST <= wait <= LATEST


@given(st.lists(st.integers(0, 1000), max_size=20))
def test_along_a_life_without_more_data_no_threshold_is_told_twice(moves):
    told, seen = [], 0
    for used in sorted(moves):
        found = news(status(used), seen, "enabled/active")
        seen = found.usage_notified
        if found.threshold is not None:
            told.append(found.threshold)
    assert told == sorted(set(told))
    assert set(told) <= set(THRESHOLDS)
