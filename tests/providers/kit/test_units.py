from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from providers.kit import units
from schemas.plan import AfterFullSpeed, Basis, DataAllowance, Reset, SetAsideReason, nominal_mb, shown_mb

GIB, GB, MIB, MB = 2**30, 10**9, 2**20, 10**6
CONTRADICTORY, NO_AMOUNT = SetAsideReason.CONTRADICTORY, SetAsideReason.NO_DATA_AMOUNT


def in_bytes(count: int, *stated: str, basis: Basis = Basis.BINARY) -> DataAllowance:
    found = units.declared_from_bytes(count, basis=basis, stated=[Decimal(number) for number in stated])
    assert isinstance(found, DataAllowance), found
    return found


# --- numbers of MB --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "nominal"),
    [
        (512, 500),
        (256, 250),
        (1024, 1000),
        (1536, 1500),
        (512_000, 500_000),
        (1500, 1500),
        (1000, 1000),
        (500, 500),
        (1, 1),
        (100, 100),
        (250, 250),
        (768, 768),
        (1280, 1280),
        (2048, 2000),
        (2560, 2500),
        (3072, 3000),
        (5000, 5000),
        (5120, 5000),
        (10_240, 10_000),
        (15_360, 15_000),
        (20_480, 20_000),
        (102_400, 100_000),
        (999, 999),
    ],
)
def test_a_number_of_mb_is_read_by_how_it_was_counted(number: int, nominal: int) -> None:
    assert nominal_mb(number) == nominal


@pytest.mark.parametrize(
    ("nominal", "shown"),
    [(1, 1), (250, 250), (500, 500), (999, 999), (1000, 1024), (1100, 1126), (1500, 1536), (5000, 5120)],
)
def test_the_api_shows_an_amount_unchanged_below_one_gb_and_with_1024_from_there_on(nominal: int, shown: int) -> None:
    assert shown_mb(nominal) == shown


@given(st.integers(min_value=1, max_value=10_000_000))
def test_different_amounts_are_shown_as_different_numbers_in_their_order(nominal: int) -> None:
    assert shown_mb(nominal) < shown_mb(nominal + 1)


@given(st.integers(min_value=2, max_value=2_000_000))
def test_a_whole_or_half_gb_as_the_api_shows_it_is_read_as_itself(halves: int) -> None:
    assert nominal_mb(shown_mb(halves * 500)) == halves * 500


# --- bytes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "mb"),
    [
        (1 * GIB, 1000),
        (5 * GIB, 5000),
        (3 * GIB // 2, 1500),
        (1 * GB, 1000),
        (15 * GB, 15_000),
        (20 * GB, 20_000),
        (50 * GB, 50_000),
        (512 * MIB, 500),
        (500 * MIB, 500),
        (500 * MB, 500),
        (10_000 * MIB, 10_000),
        (100 * MIB, 100),
        (100 * MB, 100),
        (50 * MIB, 50),
        (750 * MIB, 750),
        (250 * MB, 250),
        (1000 * MIB, 1000),
        (3000 * MIB, 3000),
        (11 * GIB // 10, 1100),
        (30 * GB, 30_000),
        (100 * GIB, 100_000),
        (300 * GB, 300_000),
        (1000 * GIB, 1_000_000),
        (GIB + GIB // 20_000, 1000),  # 0.005 % off
        (5 * GB - 400_000, 5000),  # 0.008 % off
        (7 * GIB // 4, 1750),
        (303 * MIB, 295),  # no multiple of 50 MB: rounded down, of 2^30 bytes a GB
        (333 * MB, 310),
        (10 * GIB + GIB // 4, 10_250),
        (10_300 * MIB, 10_058),  # from 10 GB on multiples of 0.5 GB only
        (MIB + MIB // 20, 1),
    ],
)
def test_bytes_become_the_amount_that_was_meant(count: int, mb: int) -> None:
    assert (in_bytes(count).mb, in_bytes(count).bytes) == (mb, count)


@pytest.mark.parametrize(
    ("count", "stated", "mb"),
    [
        (15 * GB, "15", 15_000),
        (50 * GB, "50", 50_000),
        (240 * GB, "240", 240_000),
        (240 * GIB, "240", 240_000),
        (10_000 * MIB, "10", 10_000),
        (10_000 * MIB, "9.77", 10_000),  # a multiple is that amount; what is stated agrees
        (500 * MIB, "0.49", 500),
        (500 * MIB, "0.5", 500),
        (33 * GB // 10 + 12_345_678, "3.3", 3300),
        (GIB * 777 // 1000, "0.75", 750),  # within 8 %
        (GIB * 777 // 1000, "0.8", 800),
        (GIB * 29 // 100, "0.29", 290),
        (160 * MIB, "0.2", 156),  # rounds to 0.2, and 0.2 GB is more than there is
        (23 * GIB + GIB // 7, "23", 23_000),
        (GB + 7 * MB, "1", 1000),
        (1024, "0", None),
    ],
)
def test_a_stated_number_decides_where_the_bytes_are_no_multiple(count: int, stated: str, mb: int | None) -> None:
    found = units.declared_from_bytes(count, basis=Basis.BINARY, stated=[Decimal(stated)])
    assert (found.mb if isinstance(found, DataAllowance) else None) == mb


@pytest.mark.parametrize(
    ("count", "stated"),
    [
        (500 * MIB, "500"),
        (3 * GIB, "99"),
        (3 * GIB, "5"),
        (5 * GIB, "3"),
        (50 * GB, "51"),
        (1 * GIB, "0.5"),
        (1 * GIB, "1024"),
        (1 * GB, "10"),
        (1 * GIB, "1.1"),
        (10 * GIB, "9"),
        (20 * GB, "2"),
        (GIB * 777 // 1000, "0.65"),
        (5 * MIB, "5"),
    ],
)
def test_a_stated_number_that_is_further_apart_contradicts_the_bytes(count: int, stated: str) -> None:
    found = units.declared_from_bytes(count, basis=Basis.BINARY, stated=[Decimal(stated)])
    assert found is CONTRADICTORY


def test_any_of_several_stated_numbers_may_contradict() -> None:
    assert in_bytes(5 * GIB, "5", "5.0").mb == 5000
    assert units.declared_from_bytes(5 * GIB, stated=[Decimal(5), Decimal(10)]) is CONTRADICTORY


def test_the_manifest_s_basis_decides_what_is_rounded_down() -> None:
    odd = 1_234_567_890
    assert in_bytes(odd, basis=Basis.BINARY).mb == 1149
    assert in_bytes(odd, basis=Basis.DECIMAL).mb == 1234


def test_bytes_name_the_basis_that_they_fit() -> None:
    assert (in_bytes(5 * GIB).basis, in_bytes(5 * GB).basis) == (Basis.BINARY, Basis.DECIMAL)


@pytest.mark.parametrize("count", [0, -1, 1, 1000])
def test_too_few_bytes_are_no_amount(count: int) -> None:
    assert units.declared_from_bytes(count) is NO_AMOUNT


@given(
    st.integers(min_value=1, max_value=2**50),
    st.lists(st.decimals(min_value=0, max_value=2000, places=2), max_size=2),
    st.sampled_from([Basis.BINARY, Basis.DECIMAL]),
)
@example(499 * GB // 10, [Decimal(50)], Basis.BINARY)
def test_no_amount_is_more_than_the_bytes(count: int, stated: list[Decimal], basis: Basis) -> None:
    found = units.declared_from_bytes(count, basis=basis, stated=stated)
    if isinstance(found, DataAllowance):
        assert found.mb is not None
        assert found.mb * MB * 10_000 <= count * 10_001


@given(st.integers(min_value=1, max_value=1000))
def test_text_number_and_bytes_of_the_same_plan_agree(gigabytes: int) -> None:
    text = units.declared_from_text(f"{gigabytes}GB")
    count = in_bytes(gigabytes * GIB, str(gigabytes))
    assert text is not None
    assert (text.mb, text.declared) == (count.mb, count.declared)


# --- texts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "mb"),
    [
        ("5GB", 5000),
        ("5 GB", 5000),
        ("0.5 GB", 500),
        ("512 MB", 500),
        ("500 MB", 500),
        ("256MB", 250),
        ("1000 MB", 1000),
        ("1 TB", 1_000_000),
        ("1,5GB", 1500),
        ("1.1 GB", 1100),
        ("10 gib", 10_000),
        ("5G network 10GB", 10_000),
        ("3GB 1 Day", 3000),
        ("5 GB + unlimited calls", 5000),
        ("３ＧＢ", 3000),
        # a dot or comma before three digits and MB groups thousands
        ("1.000 MB", 1000),
        ("1,024 MB", 1000),
        ("10.240 MB", 10_000),
        ("1,000,000 MB", 1_000_000),
        ("0.500 MB", None),
        ("2.048MB", 2000),
        ("20,480 MB", 20_000),
        ("1.500 MB", 1500),
        ("1.500 GB", 1500),
        ("0,256 GB", 256),
        ("12,5 MB", 12),
        ("100.000 MB", 100_000),
        # sums
        ("20+10 GB", 30_000),
        ("20 GB + 10 GB", 30_000),
        ("20GB+10GB", 30_000),
        ("10GB + 5GB", 15_000),
        ("5 GB + 500 MB", 5500),
        ("10 GB (+2 GB bonus)", 12_000),
        ("Japan 3+1GB 7 days", 4000),
        ("1.5+0.5GB", 2000),
        ("1GB+1GB+1GB", 3000),
        ("500+500 MB", 1000),
        ("50 GB + 5 GB roaming", 55_000),
        ("Top 3+ 10GB", 10_000),
        ("5G+10GB", 10_000),
        # other writers and languages
        ("10 Gigabytes", 10_000),
        ("1 gigabyte", 1000),
        ("5 Go", 5000),
        ("500 Mo", 500),
        ("5 ГБ", 5000),
        ("500 МБ", 500),
        ("3 Гб интернета", 3000),
        ("10ギガ", 10_000),
        ("5기가", 5000),
        ("每天1GB流量", 1000),
        ("20 gigas", 20_000),
        ("٥ GB", 5000),
        ("5 جيجابايت", 5000),
        ("1 Mo", None),  # a month
        ("12 mo", None),
    ],
)
def test_a_text_states_an_amount(text: str, mb: int | None) -> None:
    found = units.declared_from_text(text)
    assert (found.mb if found is not None else None) == mb


@pytest.mark.parametrize(
    "text",
    [
        "500MB/day", "500MB/Day", "500 MB daily", "500MB per day", "500 MB a day", "500MB / day, then 128 kbps",
        "500MB per 24h", "500MB/24h", "500 MB every 24 hours", "500MB/Tag", "500 MB pro Tag", "500 MB täglich",
        "500 Mo/jour", "500 Mo par jour", "500 MB quotidiens", "500MB/día", "500 MB al día", "500 MB por día",
        "500 MB diarios", "500 MB por dia", "500 MB diário", "500 MB al giorno", "500MB/giorno", "500 MB per dag",
        "500 MB dagelijks", "500 МБ/день", "500 МБ в день", "500 МБ в сутки", "500 МБ ежедневно", "每天500MB",
        "500MB/天", "每日500MB", "毎日500MB", "500MB/日", "매일 500MB", "하루 500MB", "500 MB/gün", "günlük 500 MB",
        "500 MB dziennie", "500 MB يوميا", "Each day 500MB", "500MB Everyday",
    ],
)  # fmt: skip
def test_a_day_s_amount_is_read_in_the_languages_of_the_feeds(text: str) -> None:
    found = units.declared_from_text(text)
    assert found is not None
    assert (found.mb, found.reset, found.declared) == (500, Reset.DAILY, "0.5 GB/day")


@pytest.mark.parametrize(
    "text",
    [
        "500MB 1 day",
        "500 MB for 1 day",
        "500MB day pass",
        "500MB 1 Tag",
        "500MB 3 jours",
        "500MB 24 hours",
        "500MB 7天",
    ],
)
def test_a_duration_is_no_day_s_amount(text: str) -> None:
    found = units.declared_from_text(text)
    assert found is not None
    assert found.reset is Reset.NEVER


@pytest.mark.parametrize(
    "text",
    ["", "data", "5G", "5 credits", "0GB", "0 MB", "10GB or 5GB", "1GB + 500MB/day", "GB", "-", "9999999 TB",
     "1.2.3 GB", "x" * 300 + "5GB"],
)  # fmt: skip
def test_a_text_without_one_amount_states_none(text: str) -> None:
    assert units.declared_from_text(text) is None


@given(st.text(max_size=250))
def test_any_text_has_an_answer(text: str) -> None:
    found = units.declared_from_text(text)
    assert found is None or found.unlimited or (found.mb or 0) > 0


@given(st.integers(min_value=1, max_value=10_000_000))
@example(512)
@example(256)
@example(64_000)
def test_what_is_rendered_reads_back_as_the_same_amount(mb: int) -> None:
    found = units.declared_from_text(units.declared_text(mb))
    assert found is not None
    assert found.mb == mb


def test_what_follows_the_allowance_is_shown_and_does_not_change_the_amount() -> None:
    cut = units.declared_from_bytes(GIB, daily=True, after=AfterFullSpeed(cut_off=True))
    assert isinstance(cut, DataAllowance)
    assert (cut.mb, cut.declared, cut.reset) == (1000, "1 GB/day", Reset.DAILY)
    assert cut.after == AfterFullSpeed(cut_off=True)
