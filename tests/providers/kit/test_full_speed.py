"""What a text says of data at full speed: what limits it, and what follows. Labelled by hand before it was read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.kit import plan_names, units
from schemas.plan import AfterFullSpeed, DataAllowance, FullSpeed, Period, Reset

NOTHING = AfterFullSpeed()
THROTTLED, CUT_OFF = AfterFullSpeed(cut_off=False), AfterFullSpeed(cut_off=True)


def at(kbps: int) -> AfterFullSpeed:
    return AfterFullSpeed(kbps, cut_off=False)


def total(mb: int | None) -> FullSpeed:
    return FullSpeed(mb, Period.TOTAL)


def day(mb: int) -> FullSpeed:
    return FullSpeed(mb, Period.DAY)


def month(mb: int) -> FullSpeed:
    return FullSpeed(mb, Period.MONTH)


@pytest.mark.parametrize(
    ("text", "unlimited", "full_speed", "after"),
    [
        # "unlimited" belongs to its noun
        ("5GB + Unlimited incoming calls", False, total(5000), NOTHING),
        ("5GB, unlimited calls", False, total(5000), NOTHING),
        ("10 GB + unlimited local calls and SMS", False, total(10_000), NOTHING),
        ("3GB & unlimited texts", False, total(3000), NOTHING),
        ("5GB + unlimited WhatsApp", False, total(5000), NOTHING),
        ("5GB unlimited TikTok & Instagram", False, total(5000), NOTHING),
        ("10GB (unlimited hotspot)", False, total(10_000), NOTHING),
        ("2GB + unlimited nights", False, total(2000), NOTHING),
        ("2GB + unlimited night data", False, total(2000), NOTHING),
        ("2GB, unlimited data at night", False, total(2000), NOTHING),
        ("20GB with calls unlimited", False, total(20_000), NOTHING),
        ("SMS: unlimited, 6GB", False, total(6000), NOTHING),
        ("5 GB, not unlimited", False, total(5000), NOTHING),
        ("5 GB (non-unlimited)", False, total(5000), NOTHING),
        ("5GB, llamadas ilimitadas", False, total(5000), NOTHING),
        ("5 Go, appels illimités", False, total(5000), NOTHING),
        ("5 ГБ, безлимитные звонки", False, total(5000), NOTHING),
        ("5GB 无限通话", False, total(5000), NOTHING),
        ("Unlimited calls", None, None, NOTHING),
        ("Unlimited data", True, None, NOTHING),
        ("Unlimited", True, None, NOTHING),
        ("Unlimited calls, SMS and data", True, None, NOTHING),
        ("Unlimited data & calls", True, None, NOTHING),
        ("Unlimited 5G data", True, None, NOTHING),
        ("Internet illimité", True, None, NOTHING),
        ("datos ilimitados", True, None, NOTHING),
        ("Daten unbegrenzt", True, None, NOTHING),
        ("безлимитный интернет", True, None, NOTHING),
        ("无限流量", True, None, NOTHING),
        ("データ無制限", True, None, NOTHING),
        ("데이터 무제한", True, None, NOTHING),
        # a speed beside "unlimited"
        ("Unlimited 512 kbps", True, total(0), at(512)),
        ("Unlimited data at 1 Mbps", True, total(0), at(1000)),
        ("Unlimited (384kbps)", True, total(0), at(384)),
        ("Unlimited 2.5 Mbps", True, total(0), at(2500)),
        ("Unlimited 4999 kbps", True, total(0), at(4999)),
        ("Unlimited 5 Mbps", True, total(None), NOTHING),
        ("Unlimited 10Mbit/s", True, total(None), NOTHING),
        ("Unlimited at 8 Mbps", True, total(None), NOTHING),
        ("1GB/day then unlimited at 10 Mbps", True, total(None), NOTHING),
        ("Unlimited up to 20 Mbps (FUP 2GB/day)", True, day(2000), NOTHING),
        ("1 GB a day, then unlimited at 128 kbps", True, day(1000), at(128)),
        ("1GB/day then unlimited 512kbps", True, day(1000), at(512)),
        ("Unlimited (2GB/day high speed then 1 Mbps)", True, day(2000), at(1000)),
        ("5GB then unlimited at 256 kbit/s", True, total(5000), at(256)),
        ("Unlimited: 3GB/Tag, danach 1 Mbit/s", True, day(3000), at(1000)),
        ("500MB/day at 10 Mbps, then unlimited at 128 kbps", True, day(500), at(128)),
        ("每天1GB，之后128kbps无限流量", True, day(1000), at(128)),
        # a speed or a word beside an amount
        ("1GB/day (512kbps)", False, day(1000), at(512)),
        ("1GB/day, then 512 kbps", False, day(1000), at(512)),
        ("10 GB then 128kbps", False, total(10_000), at(128)),
        ("10 GB (10 Mbps)", False, total(10_000), NOTHING),
        ("10 GB up to 150 Mbps", False, total(10_000), NOTHING),
        ("1GB daily, then throttled", False, day(1000), THROTTLED),
        ("1GB daily, reduced speed", False, day(1000), THROTTLED),
        ("1GB daily, cut off", False, day(1000), CUT_OFF),
        ("5 GB, 1 MB/s", False, total(5000), NOTHING),  # megabytes a second are 8 Mbps
        # what is stated without a speed
        ("Unlimited (2GB/day high speed then throttled)", True, day(2000), THROTTLED),
        ("Unlimited (1 GB per day)", True, day(1000), NOTHING),
        ("Unlimited, 50GB at full speed", True, total(50_000), THROTTLED),
        ("Unlimited, reduced speed", True, None, THROTTLED),
        ("Unlimited, no throttling", True, total(None), NOTHING),
        ("Unlimited full-speed data", True, total(None), NOTHING),
        ("Unlimited data without speed limit", True, total(None), NOTHING),
        ("Unlimited, 100 GB a month at full speed", True, month(100_000), THROTTLED),
        # months
        ("200GB Monthly Plan", False, month(200_000), NOTHING),
        ("5 GB/month", False, month(5000), NOTHING),
        ("5 GB monatlich", False, month(5000), NOTHING),
        ("10 GB al mes", False, month(10_000), NOTHING),
        ("10 Go par mois", False, month(10_000), NOTHING),
        ("每月10GB", False, month(10_000), NOTHING),
        ("5 GB weekly", False, total(5000), NOTHING),
        ("5 GB 1 month", False, total(5000), NOTHING),
    ],
)
def test_full_speed_data_and_what_follows_it(
    text: str, unlimited: bool | None, full_speed: FullSpeed | None, after: AfterFullSpeed
) -> None:
    found = units.declared_from_text(text)
    if unlimited is None:
        assert found is None
        return
    assert found is not None
    assert (found.unlimited, found.full_speed, found.after) == (unlimited, full_speed, after)
    assert found.mb == (None if unlimited else full_speed and full_speed.mb)


@pytest.mark.parametrize(
    ("text", "tier"),
    [
        ("Unlimited Lite", "Lite"),
        ("Unlimited Essential", "Essential"),
        ("unlimited PLUS 10 days", "Plus"),
        ("Lite Unlimited", "Lite"),
        ("Unlimited - Max", "Max"),
        ("Unlimited (Pro)", "Pro"),
        ("Japan Unlimited Premium 7 Days", "Premium"),
        ("Japan Unlimited 7 Days Plus", "Plus"),
        ("Japan 5GB 7 Days Lite", "Lite"),
        ("Unlimited", None),
        ("Japan Unlimited 7 Days", None),
        ("Plus Unlimited Japan", "Plus"),
        ("Lite plan Japan 5GB", None),
        ("Europe Plus 5GB 7 Days", None),
        ("5GB 7 Days Europe Plus", None),  # perhaps another region than Europe
        ("5GB 7 Days Zorblax Plus", None),  # who is to say what Zorblax is
        ("Unlimited platinum-like", None),
    ],
)
def test_a_tier_stands_beside_unlimited_or_last_in_a_name_that_is_understood(text: str, tier: str | None) -> None:
    data = plan_names.parse(text).data
    assert (data.tier if data is not None else None) == tier


def test_a_tier_is_no_part_of_the_place() -> None:
    assert plan_names.parse("Japan Unlimited Plus 7 Days").place == "Japan"
    assert plan_names.parse("Japan Unlimited 7 Days Plus").place == "Japan"
    assert plan_names.parse("Europe Plus 5GB 7 Days").place == "Europe Plus"


@pytest.mark.parametrize(
    ("text", "days", "reset", "declared", "per"),
    [
        ("200GB Monthly Plan for 12 Months", 365, Reset.MONTHLY, "200 GB/month", Period.MONTH),
        ("200GB Monthly Plan for 2 Months", 60, Reset.MONTHLY, "200 GB/month", Period.MONTH),
        ("200GB Monthly Plan", 30, Reset.NEVER, "200 GB", Period.TOTAL),
        ("5GB/month", 7, Reset.NEVER, "5 GB", Period.TOTAL),
        ("5GB/day", 365, Reset.DAILY, "5 GB/day", Period.DAY),
    ],
)
def test_monthly_over_more_than_one_month_is_each_month_s_amount(
    text: str, days: int, reset: Reset, declared: str, per: Period
) -> None:
    data = units.declared_from_text(text)
    assert data is not None
    found = units.over_days(data, days)
    assert found.full_speed is not None
    assert (found.reset, found.declared, found.full_speed.per) == (reset, declared, per)


@pytest.mark.parametrize(
    ("full_speed", "days", "mb"),
    [
        (total(5000), 90, 5000),
        (day(1000), 8, 8000),
        (month(200_000), 365, 2_400_000),
        (month(200_000), 59, 200_000),
        (month(200_000), 60, 400_000),
        (month(200_000), 7, 200_000),
        (total(None), 7, None),
        (total(0), 7, 0),
    ],
)
def test_full_speed_data_counts_over_days(full_speed: FullSpeed, days: int, mb: int | None) -> None:
    assert full_speed.over(days) == mb


ALLOWANCES = st.builds(
    FullSpeed, st.none() | st.integers(0, 10**6), st.sampled_from([Period.TOTAL, Period.DAY, Period.MONTH])
)


@given(ALLOWANCES, st.integers(1, 400), st.integers(1, 400))
def test_more_days_or_more_a_day_are_never_less_data(full_speed: FullSpeed, days: int, more: int) -> None:
    data = DataAllowance(None, "Unlimited", unlimited=True, allowance=full_speed)
    assert data.counted_mb(days, 1000) <= data.counted_mb(days + more, 1000)
    if full_speed.mb is not None:
        larger = DataAllowance(None, "", unlimited=True, allowance=FullSpeed(full_speed.mb + more, full_speed.per))
        assert data.counted_mb(days, 1000) <= larger.counted_mb(days, 1000)
    endless = DataAllowance(None, "", unlimited=True, allowance=FullSpeed(None))
    assert data.counted_mb(days, 1000) <= endless.counted_mb(days, 1000)
