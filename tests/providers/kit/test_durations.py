from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.kit import durations
from schemas.plan import SetAsideReason

NO_VALIDITY, UNKNOWN = SetAsideReason.NO_VALIDITY, SetAsideReason.UNKNOWN_UNIT


@pytest.mark.parametrize(
    ("number", "unit", "days"),
    [
        (7, "DAY", 7),
        ("30", "DAY", 30),
        (15, "day", 15),
        (1, "MONTH", 30),
        (11, "months", 330),
        (12, "months", 365),
        (18, "MONTH", 545),
        (24, "MONTHS", 730),
        ("1000", "DAYS", 1000),
        (24, "HOUR", 1),
        (72, "hours", 3),
        (36, "HOURS", 1),
        (23, "HOUR", NO_VALIDITY),
        (1, "hour", NO_VALIDITY),
        (1, "WEEK", 7),
        (2, "weeks", 14),
        (1, "YEAR", 365),
        (2, "years", 730),
        (4, "Wochen", 28),
        (3, "mois", 90),
        (1, "año", 365),
        (7, "дней", 7),
        (30, "天", 30),
        (48, "часов", 2),
        (7, "", UNKNOWN),
        (7, "FORTNIGHT", UNKNOWN),
        (90, "minutes", UNKNOWN),
        (None, "DAY", NO_VALIDITY),
        ("", "DAY", NO_VALIDITY),
        ("seven", "DAY", NO_VALIDITY),
        (0, "DAY", NO_VALIDITY),
        (-3, "DAY", NO_VALIDITY),
        ("1.5", "DAY", NO_VALIDITY),
        ("1e9", "DAY", NO_VALIDITY),
        ("NaN", "DAY", NO_VALIDITY),
        ("9" * 5000, "DAY", NO_VALIDITY),
    ],
)
def test_a_number_and_a_unit_are_days_or_a_reason(number: object, unit: str, days: int | SetAsideReason) -> None:
    assert durations.days(number, unit) == days


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("30", 30),
        ("30 Days", 30),
        ("1 day", 1),
        ("30-Day", 30),
        ("up to 30 days", 30),
        ("Up to 2 weeks", 14),
        ("1 month (30 days)", 30),
        ("12 months / 365 days", 365),
        ("1 year", 365),
        ("24 hours", 1),
        ("24h", 1),
        ("7–15 days", NO_VALIDITY),
        ("7-15 days", NO_VALIDITY),
        ("7 - 15 Days", NO_VALIDITY),
        ("7 to 15 days", NO_VALIDITY),
        ("7~15天", NO_VALIDITY),
        ("7 bis 15 Tage", NO_VALIDITY),
        ("7/15/30 days", NO_VALIDITY),
        ("de 7 à 15 jours", NO_VALIDITY),
        ("от 7 до 15 дней", NO_VALIDITY),
        ("7 days 10 days", NO_VALIDITY),
        ("12 hours", NO_VALIDITY),
        ("soon", NO_VALIDITY),
        ("", NO_VALIDITY),
        ("-3", NO_VALIDITY),
        ("7 Tage", 7),
        ("bis zu 30 Tage", 30),
        ("3 Wochen", 21),
        ("6 Monate", 180),
        ("1 Jahr", 365),
        ("7 jours", 7),
        ("jusqu'à 30 jours", 30),
        ("2 semaines", 14),
        ("3 mois", 90),
        ("15 días", 15),
        ("15 dias", 15),
        ("hasta 30 días", 30),
        ("1 semana", 7),
        ("2 meses", 60),
        ("7 giorni", 7),
        ("1 mese", 30),
        ("5 dagen", 5),
        ("10 дней", 10),
        ("2 недели", 14),
        ("1 месяц", 30),
        ("1 год", 365),
        ("30天", 30),
        ("1个月", 30),
        ("7日間", 7),
        ("30일", 30),
        ("15 gün", 15),
        ("7 dni", 7),
        ("30 يوم", 30),
    ],
)
def test_a_field_s_text_states_its_days(text: str, days: int | SetAsideReason) -> None:
    assert durations.stated(text)[0] == days


@pytest.mark.parametrize(
    ("text", "unit"), [("2 fortnights", "FORTNIGHT"), ("90 minutes", "MINUTE"), ("3 moons", "MOON")]
)
def test_a_unit_that_no_table_knows_is_named(text: str, unit: str) -> None:
    assert durations.stated(text) == (UNKNOWN, unit)


def test_a_unit_counts_what_operators_say() -> None:
    told = {"FORTNIGHT": Fraction(14), "MINUTE": Fraction(1, 1440)}
    assert durations.stated("2 fortnights", told) == (28, "")
    assert durations.days(2880, "minutes", told) == 2
    assert durations.days(1441, "minutes", told) == 1
    assert durations.days(1439, "minutes", told) is NO_VALIDITY


@given(st.text(max_size=250))
def test_any_text_has_an_answer(text: str) -> None:
    found = durations.stated(text)[0]
    assert isinstance(found, SetAsideReason) or 0 < found <= durations.MAX_DAYS
