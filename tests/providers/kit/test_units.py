from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.kit import units
from schemas.plan import AfterAllowance, Basis, FairUse, Reset, SetAsideReason

GIB, GB, MIB, MB = 2**30, 10**9, 2**20, 10**6
THROTTLED, CUT_OFF = AfterAllowance.THROTTLED, AfterAllowance.CUT_OFF


@pytest.mark.parametrize(
    ("count", "mb", "declared"),
    [
        (1 * GIB, 1024, "1 GB"),
        (5 * GIB, 5120, "5 GB"),
        (3 * GIB // 2, 1536, "1.5 GB"),
        (1 * GB, 1024, "1 GB"),
        (5 * GB, 5120, "5 GB"),
        (20 * GB, 20480, "20 GB"),
        (5 * GIB // 2 + GIB // 100, 2560, "2.5 GB"),  # 0.4 % off
        (512 * MIB, 512, "0.5 GB"),
        (500 * MIB, 500, "500 MB"),
        (500 * MB, 500, "500 MB"),
        (100 * MIB, 100, "100 MB"),
        (100 * MB, 100, "100 MB"),
        (1000 * MIB, 1000, "1000 MB"),
        (1280 * MIB, 1280, "1280 MB"),
        (300 * MIB + 3 * MIB, 303, "303 MB"),
        (1, 1, "1 MB"),
    ],
)
def test_bytes_become_the_amount_that_was_declared(count: int, mb: int, declared: str) -> None:
    found = units.declared_from_bytes(count)
    assert found is not None
    assert (found.mb, found.declared, found.bytes) == (mb, declared, count)


def test_bytes_name_their_basis() -> None:
    binary, decimal = units.declared_from_bytes(5 * GIB), units.declared_from_bytes(5 * GB)
    assert binary is not None
    assert decimal is not None
    assert (binary.basis, decimal.basis) == (Basis.BINARY, Basis.DECIMAL)


def test_half_a_percent_is_the_bound() -> None:
    inside, outside = units.declared_from_bytes(GIB + GIB // 200), units.declared_from_bytes(GIB + GIB // 199)
    assert inside is not None
    assert outside is not None
    assert inside.mb == 1024
    assert outside.mb != 1024


def test_from_a_hundred_gigabytes_on_the_suppliers_own_number_decides() -> None:
    without, own = units.declared_from_bytes(240 * GB), units.declared_from_bytes(240 * GB, gb=Decimal(240))
    assert without is not None
    assert own is not None
    assert without.declared == "223.5 GB"
    assert (own.declared, own.basis) == ("240 GB", Basis.DECIMAL)


def test_below_a_hundred_gigabytes_the_bytes_decide() -> None:
    found = units.declared_from_bytes(5 * GIB, gb=Decimal(6))
    assert found is not None
    assert found.mb == 5 * 1024


@pytest.mark.parametrize("count", [0, -1])
def test_no_bytes_are_no_amount(count: int) -> None:
    assert units.declared_from_bytes(count) is None


@given(st.integers(min_value=1, max_value=2000))
def test_whole_binary_gigabytes_are_themselves(gigabytes: int) -> None:
    found = units.declared_from_bytes(gigabytes * GIB)
    assert found is not None
    assert found.mb == gigabytes * 1024


@given(st.integers(min_value=1, max_value=2**50))
def test_bytes_are_never_far_from_what_they_declare(count: int) -> None:
    found = units.declared_from_bytes(count)
    assert found is not None
    assert found.mb is not None
    nearest = min(abs(count - found.mb * MIB), abs(count - found.mb * GB // 1024), abs(count - found.mb * MB))
    assert nearest <= max(count // 199, MIB)


@pytest.mark.parametrize(
    ("text", "mb", "daily"),
    [
        ("5GB", 5120, False),
        ("5 GB", 5120, False),
        ("0.5 GB", 512, False),
        ("512 MB", 512, False),
        ("500 MB", 500, False),
        ("1001 GB", 1001 * 1024, False),
        ("1 TB", 1024 * 1024, False),
        ("1,5GB", 1536, False),
        ("1,024 MB", 1024, False),
        ("10 gib", 10240, False),
        ("500MB/day", 500, True),
        ("500MB/Day", 500, True),
        ("1GB Daily", 1024, True),
        ("2GB per day", 2048, True),
        ("1 GB a day", 1024, True),
        ("1GB / day, then 128 kbps", 1024, True),
        ("5G network 10GB", 10240, False),
        ("3GB 1 Day", 3072, False),
        ("5 GB + unlimited calls", 5120, False),
        ("３ＧＢ", 3072, False),
    ],
)
def test_a_text_states_an_amount(text: str, mb: int, daily: bool) -> None:
    found = units.declared_from_text(text)
    assert found is not None
    assert (found.mb, found.reset is Reset.DAILY, found.unlimited) == (mb, daily, False)
    assert found.declared.endswith("/day") is daily


def test_half_a_gigabyte_is_512_mb_and_500_mb_is_another() -> None:
    assert units.declared_from_text("0.5 GB") == units.declared_from_text("512 MB")
    assert units.declared_from_gb(Decimal("0.5")) == units.declared_from_text("512MB")
    assert units.declared_from_text("500 MB") != units.declared_from_text("512 MB")


@pytest.mark.parametrize(
    ("text", "fair_use"),
    [
        ("Unlimited", None),
        ("unlimited data", None),
        ("Unlimited (2GB/day high speed then throttled)", FairUse(THROTTLED, 2048, per_day=True)),
        ("Unlimited (1 GB per day)", FairUse(None, 1024, per_day=True)),
        ("Unlimited, 50GB at full speed", FairUse(THROTTLED, 50 * 1024, per_day=False)),
        ("Unlimited, reduced speed", FairUse(THROTTLED)),
    ],
)
def test_unlimited_keeps_the_fair_use_that_is_stated(text: str, fair_use: FairUse | None) -> None:
    found = units.declared_from_text(text)
    assert found is not None
    assert (found.unlimited, found.mb, found.reset, found.fair_use) == (True, None, Reset.NEVER, fair_use)


@pytest.mark.parametrize(
    "text", ["", "data", "5G", "5 credits", "0GB", "0 MB", "10GB + 5GB", "GB", "-", "9999999 TB", "x" * 300 + "5GB"]
)
def test_a_text_without_one_amount_states_none(text: str) -> None:
    assert units.declared_from_text(text) is None


@given(st.text(max_size=250))
def test_any_text_has_an_answer(text: str) -> None:
    found = units.declared_from_text(text)
    assert found is None or found.unlimited or (found.mb or 0) > 0


@given(st.integers(min_value=1, max_value=2_000_000))
def test_what_is_shown_reads_back_as_the_same_amount(mb: int) -> None:
    found = units.declared_from_text(units.declared_text(mb))
    assert found is not None
    assert found.mb == mb


@given(st.integers(min_value=1, max_value=500))
def test_text_number_and_bytes_of_the_same_plan_agree(gigabytes: int) -> None:
    texts = units.declared_from_text(f"{gigabytes}GB")
    number = units.declared_from_gb(Decimal(gigabytes))
    count = units.declared_from_bytes(gigabytes * GIB, gb=Decimal(gigabytes))
    assert texts is not None
    assert number is not None
    assert count is not None
    assert texts.mb == number.mb == count.mb
    assert texts.declared == number.declared == count.declared


def test_what_follows_the_allowance_is_shown_and_does_not_change_the_amount() -> None:
    cut = units.declared_from_bytes(GIB, daily=True, after=CUT_OFF)
    assert cut is not None
    assert (cut.mb, cut.declared, cut.reset) == (1024, "1 GB/day", Reset.DAILY)
    assert cut.fair_use == FairUse(after=CUT_OFF)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "0", "-1"])
def test_a_number_of_gigabytes_that_is_none_states_none(number: str) -> None:
    assert units.declared_from_gb(Decimal(number)) is None


@pytest.mark.parametrize(
    ("number", "unit", "days"),
    [
        (7, "DAY", 7),
        ("30", "DAY", 30),
        (Decimal(15), "day", 15),
        (1, "MONTH", 30),
        (12, "months", 360),
        ("1000", "DAYS", 1000),
        (7, "HOUR", SetAsideReason.UNKNOWN_UNIT),
        (1, "YEAR", SetAsideReason.UNKNOWN_UNIT),
        (7, "", SetAsideReason.UNKNOWN_UNIT),
        (None, "DAY", SetAsideReason.NO_VALIDITY),
        ("", "DAY", SetAsideReason.NO_VALIDITY),
        ("seven", "DAY", SetAsideReason.NO_VALIDITY),
        (0, "DAY", SetAsideReason.NO_VALIDITY),
        (-3, "DAY", SetAsideReason.NO_VALIDITY),
        ("1.5", "DAY", SetAsideReason.NO_VALIDITY),
        ("1e9", "DAY", SetAsideReason.NO_VALIDITY),
        ("NaN", "DAY", SetAsideReason.NO_VALIDITY),
        ("9" * 5000, "DAY", SetAsideReason.NO_VALIDITY),
    ],
)
def test_durations_are_days_or_a_reason(number: object, unit: str, days: int | SetAsideReason) -> None:
    assert units.days(number, unit) == days
