import re
import subprocess
import sys
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.money import Money
from schemas.plan import (
    AfterFullSpeed,
    Basis,
    DataAllowance,
    Features,
    FullSpeed,
    Network,
    Offer,
    Period,
    Reset,
    Scope,
    Starts,
    Validity,
    plan_id,
    scope_of,
)

codes = st.text(alphabet="ABCDEFGHIJ", min_size=2, max_size=2)
coverages = st.lists(codes, min_size=1, max_size=120, unique=True).map(lambda found: tuple(sorted(found)))
fixed = st.builds(
    DataAllowance,
    mb=st.integers(1, 2**31 - 1),
    declared=st.just("x"),
    reset=st.sampled_from(Reset),
)
unlimited = st.builds(
    DataAllowance,
    mb=st.none(),
    declared=st.just("Unlimited"),
    unlimited=st.just(True),
    allowance=st.none() | st.builds(FullSpeed, st.none() | st.integers(0, 10_000), st.sampled_from(Period)),
    after=st.builds(AfterFullSpeed, st.none() | st.integers(1, 4999), st.none() | st.booleans()),
    tier=st.sampled_from([None, "Lite", "Plus"]),
)
allowances = fixed | unlimited
days = st.integers(1, 3650)

GB = DataAllowance(mb=1000, declared="1 GB")


def identity(coverage, data, days):
    stated = data.allowance if data.unlimited else None
    boundless = stated is not None and stated.mb is None
    also = (data.after.grade, data.tier) if data.unlimited else None
    return frozenset(coverage), data.mb, data.unlimited, data.reset, days, boundless or stated, also


@given(coverages, allowances, days, coverages, allowances, days)
def test_two_ids_are_equal_exactly_when_the_plans_are(c1, a1, d1, c2, a2, d2):
    same = identity(c1, a1, d1) == identity(c2, a2, d2)
    assert (plan_id(c1, a1, d1) == plan_id(c2, a2, d2)) is same


@given(coverages, allowances, days, st.randoms())
def test_the_order_of_countries_and_repeats_do_not_matter(coverage, data, day, chance):
    shuffled = [*coverage, *coverage]
    chance.shuffle(shuffled)
    assert plan_id(tuple(shuffled), data, day) == plan_id(coverage, data, day)


@given(coverages, allowances, days)
def test_an_id_is_short_and_fit_for_a_path(coverage, data, day):
    found = plan_id(coverage, data, day)
    assert re.fullmatch(r"[a-z0-9][a-z0-9.-]*-\d+d-[0-9a-f]{12}", found)
    assert len(found) <= 80


@given(coverages, fixed, days)
def test_how_the_amount_is_written_counted_or_ended_is_no_part_of_the_plan(coverage, data, day):
    other = msgspec.structs.replace(
        data, declared="else", bytes=5, basis=Basis.DECIMAL, after=AfterFullSpeed(cut_off=True)
    )
    assert plan_id(coverage, other, day) == plan_id(coverage, data, day)


@pytest.mark.parametrize(
    "other",
    [
        (("KR",), GB, 7),
        (("JP", "KR"), GB, 7),
        (("JP",), DataAllowance(mb=1024, declared="1.024 GB"), 7),
        (("JP",), DataAllowance(mb=1000, declared="1 GB", reset=Reset.DAILY), 7),
        (("JP",), DataAllowance(mb=None, declared="Unlimited", unlimited=True), 7),
        (("JP",), GB, 8),
    ],
)
def test_each_part_of_the_identity_makes_another_plan(other):
    assert plan_id(*other) != plan_id(("JP",), GB, 7)


def test_a_stated_allowance_makes_another_unlimited_plan():
    def unlimited_with(allowance):
        return plan_id(("JP",), DataAllowance(mb=None, declared="Unlimited", unlimited=True, allowance=allowance), 7)

    stated = [None, FullSpeed(None), FullSpeed(0), FullSpeed(2000), *(FullSpeed(2000, per) for per in Period)]
    assert len({unlimited_with(allowance) for allowance in stated}) == 6


def test_what_follows_and_the_tier_make_another_unlimited_plan():
    def unlimited_with(after=AfterFullSpeed(), tier=None):  # noqa: B008 - immutable
        return plan_id(("JP",), DataAllowance(None, "Unlimited", unlimited=True, after=after, tier=tier), 7)

    afters = [
        AfterFullSpeed(),
        AfterFullSpeed(512),
        AfterFullSpeed(1000),
        AfterFullSpeed(cut_off=False),
        AfterFullSpeed(cut_off=True),
    ]
    assert len({*map(unlimited_with, afters), *(unlimited_with(tier=tier) for tier in ("Lite", "Plus"))}) == 7
    assert unlimited_with(AfterFullSpeed(128, cut_off=False)) == unlimited_with(AfterFullSpeed(999))


@pytest.mark.parametrize("none", [{}, {"voice": True, "sms": True}, {"voice_minutes": 0, "sms_unlimited": False}])
def test_no_minutes_and_sms_are_one_whether_null_zero_or_false(none):
    assert Features(**none).included == ()
    assert plan_id(("JP",), GB, 7, included=Features(**none).included) == plan_id(("JP",), GB, 7)


def test_minutes_and_sms_make_another_plan():
    stated = [
        {"voice_minutes": 100},
        {"voice_minutes": 200},
        {"voice_unlimited": True},
        {"sms_count": 100},
        {"sms_unlimited": True},
        {"voice_minutes": 100, "sms_count": 100},
    ]
    ids = {plan_id(("JP",), GB, 7, included=Features(**facts).included) for facts in stated}
    assert len(ids | {plan_id(("JP",), GB, 7)}) == 7
    assert plan_id(("JP",), GB, 7, included=Features(**stated[-1]).included).startswith("jp-1gb-100minutes-100sms-7d-")


@pytest.mark.parametrize("fact", [{"hotspot": True}, {"kyc_required": True}, {"exit_country": "HK"}, {"usage": True}])
def test_other_facts_are_no_part_of_the_plan(fact):
    made = Offer("x", "x", ("JP",), GB, Validity(7), None, features=Features(**fact))
    assert made.plan_id == plan_id(("JP",), GB, 7)


def test_an_unlimited_plan_without_a_stated_allowance_is_its_provider_s_own():
    unstated = DataAllowance(None, "Unlimited", unlimited=True)
    stated = DataAllowance(None, "Unlimited", unlimited=True, allowance=FullSpeed(1000, Period.DAY))
    assert len({plan_id(("JP",), unstated, 7, provider) for provider in ("a", "b")}) == 2
    assert len({plan_id(("JP",), stated, 7, provider) for provider in ("a", "b")}) == 1
    assert len({plan_id(("JP",), GB, 7, provider) for provider in ("a", "b")}) == 1


@given(coverages, allowances, allowances, days)
def test_two_offers_of_one_plan_have_the_same_data_at_full_speed(coverage, data, other, day):
    if plan_id(coverage, data, day) == plan_id(coverage, other, day):
        assert data.counted_mb(day, 1000) == other.counted_mb(day, 1000)


@pytest.mark.parametrize(
    ("coverage", "data", "day", "begins"),
    [
        (("JP",), GB, 7, "jp-1gb-7d-"),
        (("KR", "JP"), DataAllowance(mb=1500, declared="1.5 GB"), 30, "jp-kr-1.5gb-30d-"),
        (("JP",), DataAllowance(mb=512, declared="512 MB", reset=Reset.DAILY), 5, "jp-512mb-daily-5d-"),
        (("DE", "ES", "FR", "IT"), DataAllowance(mb=None, declared="U", unlimited=True), 1, "4countries-unlimited-1d-"),
        (("JP",), DataAllowance(mb=2_000_000 * 1000, declared="2000000 GB"), 1, "jp-2000000gb-1d-"),
    ],
)
def test_an_id_can_be_read(coverage, data, day, begins):
    assert plan_id(coverage, data, day).startswith(begins)


def test_an_id_is_the_same_in_every_process():
    code = (
        "from schemas.plan import DataAllowance, plan_id;"
        "print(plan_id(('KR', 'JP'), DataAllowance(mb=1000, declared='1 GB'), 7))"
    )
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "1"}).stdout
    assert found.strip() == plan_id(("JP", "KR"), GB, 7)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (GB, "jp-1gb-7d-bc57f8e1631d"),
        (DataAllowance(1100, "1.1 GB"), "jp-1126mb-7d-4ca1aae365b5"),
        (DataAllowance(1500, "1.5 GB"), "jp-1.5gb-7d-6bfafc3450cf"),
        (DataAllowance(500, "0.5 GB"), "jp-500mb-7d-44e70a5a7bab"),
        (DataAllowance(5000, "5 GB/day", reset=Reset.DAILY), "jp-5gb-daily-7d-ed9f4bdd62f2"),
        (DataAllowance(None, "Unlimited", unlimited=True), "jp-unlimited-7d-63e3de124f2f"),
        (
            DataAllowance(None, "Unlimited", unlimited=True, allowance=FullSpeed(2000, Period.DAY)),
            "jp-unlimited-7d-a399fbda1ee3",
        ),
        (
            DataAllowance(None, "Unlimited", unlimited=True, allowance=FullSpeed(50_000)),
            "jp-unlimited-7d-13d0bfa19eb8",
        ),
    ],
)
def test_an_id_never_changes_between_releases(data, found):
    # Storefronts keep these ids: a new value here breaks every one of them.
    assert plan_id(("JP",), data, 7) == found


def test_equal_offers_of_two_suppliers_are_one_plan():
    ours = Offer("JP_7D_1GB", "Japan 7 Days 1GB", ("JP",), GB, Validity(7, Starts.INSTALL), Money(Decimal(5), "USD"))
    theirs = Offer("x1", "JAPAN", ("JP",), GB, Validity(7), None, (Network("JP", "Docomo"),), Features(topup=True))
    assert ours.plan_id == theirs.plan_id == plan_id(("JP",), GB, 7)


@given(allowances, days)
def test_a_day_s_or_month_s_amount_counts_for_each_and_any_other_once(data, day):
    total = data.total_mb(day)
    if data.unlimited:
        assert total is None
    else:
        times = {Reset.NEVER: 1, Reset.DAILY: day, Reset.MONTHLY: max(1, day // 30)}[data.reset]
        assert total == data.mb * times


@pytest.mark.parametrize(
    ("countries", "scope"),
    [(1, Scope.COUNTRY), (2, Scope.REGION), (99, Scope.REGION), (100, Scope.GLOBAL), (200, Scope.GLOBAL)],
)
def test_the_number_of_countries_alone_makes_the_scope(countries, scope):
    assert scope_of(tuple(f"{n:03}" for n in range(countries))) is scope


@given(coverages, allowances, days)
def test_an_offer_is_the_same_after_its_way_through_json(coverage, data, day):
    offer = Offer("id", "name", coverage, data, Validity(day), Money.of("1.10", "USD"), (Network("JP", "A", "5G"),))
    assert msgspec.json.decode(msgspec.json.encode(offer), type=Offer) == offer
