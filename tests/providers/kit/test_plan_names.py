from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.kit import places, plan_names, units
from schemas.plan import AfterFullSpeed, FullSpeed, Period, plan_id


@pytest.mark.parametrize(
    ("text", "declared", "days", "place"),
    [
        ("10GB Europe Data", "10 GB", None, "Europe"),
        ("USA 5GB 30 Days", "5 GB", 30, "USA"),
        ("Japan 7 Days 1GB", "1 GB", 7, "Japan"),
        ("Unlimited", "Unlimited", None, ""),
        ("500MB/day", "0.5 GB/day", None, ""),
        ("5G Japan 3GB 1 Month", "3 GB", 30, "Japan"),
        ("eSIM Guinea-Bissau 1GB 7D", "1 GB", 7, "Guinea-Bissau"),
        ("1GB per day Italy 7 Days", "1 GB/day", 7, "Italy"),
        ("Japan & South Korea 3GB 10-Day Plan", "3 GB", 10, "Japan & South Korea"),
        ("Europe (33 countries) 5 GB, 30 days", "5 GB", 30, "Europe"),
        ("Congo-the Democratic Republic of the 1GB 7 Days", "1 GB", 7, "Congo-the Democratic Republic of the"),
        ("Côte d’Ivoire", None, None, "Côte d’Ivoire"),
        ("Japan (Docomo) 5GB 7 Days", "5 GB", 7, "Japan (Docomo)"),
        ("[Data Only] Spain (mainland only) 5GB", "5 GB", None, "Spain (mainland only)"),
        ("Forfait données Japon 5GB", "5 GB", None, "Japon"),
        ("Data plan for Japan 5GB", "5 GB", None, "Japan"),
        ("", None, None, ""),
    ],
)
def test_a_name_gives_its_parts(text: str, declared: str | None, days: int | None, place: str) -> None:
    found = plan_names.parse(text)
    assert (found.data.declared if found.data else None, found.days, found.place) == (declared, days, place)


def test_a_name_states_the_fair_use_of_an_unlimited_plan() -> None:
    found = plan_names.parse("Japan Unlimited (2GB/day high speed then throttled) 10 Days")
    assert found.unlimited
    assert not found.daily
    assert found.data is not None
    assert (found.data.allowance, found.data.after) == (FullSpeed(2000, Period.DAY), AfterFullSpeed(cut_off=False))
    assert (found.place, found.days) == ("Japan", 10)


def test_a_daily_amount_is_seen() -> None:
    assert plan_names.parse("Japan 500MB/day 5 Days").daily


@pytest.mark.parametrize(
    ("text", "days", "place"),
    [
        ("Spain 1GB 2 Weeks", 14, "Spain"),
        ("24 hours 1GB France", 1, "France"),
        ("1GB 1 Year Japan", 365, "Japan"),
        ("1GB/Tag Italien 7 Tage", 7, "Italien"),
        ("Japan 1GB per 24h 5 days", 5, "Japan"),
        ("Up to 30 days Japan 10GB", 30, "Japan"),
        ("Japan 20+10 GB 30 Days", 30, "Japan"),
        ("日本 每天1GB 7天", 7, "日本"),
    ],
)
def test_amounts_and_durations_are_no_part_of_the_place(text: str, days: int, place: str) -> None:
    found = plan_names.parse(text)
    assert (found.days, found.place) == (days, place)


@pytest.mark.parametrize(("text", "unit"), [("Spain 1GB 90 minutes", "MINUTE"), ("Japan 1GB 7-15 days", "")])
def test_a_duration_that_is_no_number_of_days_names_its_unit_where_that_is_why(text: str, unit: str) -> None:
    found = plan_names.parse(text)
    assert (found.days, found.unknown_unit) == (None, unit)


def test_two_durations_are_none() -> None:
    assert plan_names.parse("Japan 1GB 7 Days 10 Days").days is None


def test_a_name_beyond_the_cap_says_nothing() -> None:
    assert plan_names.parse("Japan 1GB 7 Days " + "x" * 500) == plan_names.Parsed()


@given(st.text(max_size=250))
def test_any_name_has_an_answer(text: str) -> None:
    found = plan_names.parse(text)
    assert found.days is None or found.days > 0


@given(
    st.sampled_from(places.country_codes()),
    st.integers(min_value=1, max_value=200),
    st.integers(min_value=1, max_value=365),
)
def test_a_display_name_reads_back_as_the_plan(code: str, gigabytes: int, days: int) -> None:
    data = units.declared_from_text(f"{gigabytes} GB")
    assert data is not None
    found = plan_names.parse(plan_names.plan_name((code,), data, days))
    assert found.data is not None
    assert (found.data.mb, found.days, places.country(found.place)) == (data.mb, days, code)


@pytest.mark.parametrize(
    ("coverage", "text", "days", "name"),
    [
        (("JP",), "1GB", 7, "Japan 1 GB, 7 days"),
        (("JP",), "512MB", 1, "Japan 0.5 GB, 1 day"),
        (("JP", "KR"), "3GB", 10, "Japan, South Korea 3 GB, 10 days"),
        (("US",), "500MB/day", 5, "United States 0.5 GB a day, 5 days"),
        (("FR",), "Unlimited", 7, "France unlimited, 7 days"),
        (("FR",), "Unlimited (2GB/day)", 7, "France unlimited (2 GB a day at full speed), 7 days"),
        (("FR",), "Unlimited 512 kbps", 7, "France unlimited (under 1 Mbps), 7 days"),
        (("FR",), "Unlimited 10 Mbps", 7, "France unlimited (all at full speed), 7 days"),
        (("FR",), "Unlimited Lite", 7, "France unlimited Lite, 7 days"),
        (
            ("FR",),
            "1GB/day then unlimited 2 Mbps",
            7,
            "France unlimited (1 GB a day at full speed, then 1 Mbps or more), 7 days",
        ),
        (("FR",), "200GB Monthly", 365, "France 200 GB a month, 365 days"),
        (("AE", "BH", "KW", "OM"), "5GB", 30, "Gulf states (4 countries) 5 GB, 30 days"),
        (("AR", "JP", "KE", "NO"), "5GB", 30, "4 countries 5 GB, 30 days"),
    ],
)
def test_a_plan_is_called_by_what_it_is(coverage: tuple[str, ...], text: str, days: int, name: str) -> None:
    data = units.declared_from_text(text)
    assert data is not None
    assert plan_names.plan_name(coverage, data, days) == name


def test_offers_of_one_plan_have_one_name() -> None:
    by_text, by_bytes = units.declared_from_text("5GB"), units.declared_from_bytes(5 * 10**9)
    assert by_text is not None
    assert by_bytes is not None
    assert plan_id(("JP",), by_text, 7) == plan_id(("JP",), by_bytes, 7)
    assert plan_names.plan_name(("JP",), by_text, 7) == plan_names.plan_name(("JP",), by_bytes, 7)
