"""From when on changes are news to a visitor of the console."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.prices.change_rules import news_since

NOW = datetime(2026, 11, 22, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("last_visit", "hours"),
    [
        (None, 24),
        (NOW - timedelta(hours=3), 3),
        (NOW - timedelta(days=9), 9 * 24),
        (NOW - timedelta(days=400), 30 * 24),
        (NOW + timedelta(hours=1), 0),  # by a clock that was wrong
    ],
)
def test_news_begin_with_the_end_of_the_last_visit(last_visit, hours):
    assert NOW - news_since(last_visit, NOW) == timedelta(hours=hours)
