"""How far a search through numbered pages goes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from providers.pikasim.history import MOST_PAGES, History
from providers.pikasim.wire import Pagination

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)


def ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def page(number: int, pages: int = 9) -> Pagination:
    return Pagination(page=number, limit=100, total=100 * pages, pages=pages)


def few(number: int, total: int) -> Pagination:
    return Pagination(page=number, limit=2, total=total, pages=(total + 1) // 2)


def test_a_list_that_comes_newest_first_is_read_back_to_the_time_and_no_further() -> None:
    history = History(ago(10))
    history.take(1, page(1), [ago(1), ago(2), ago(2)])
    assert history.following == 2
    history.take(2, page(2), [ago(9), ago(11)])
    assert history.following is None


def test_a_row_at_the_very_time_does_not_end_the_search() -> None:
    history = History(ago(10))
    history.take(1, page(1), [ago(1), ago(10)])
    assert history.following == 2


def test_a_list_in_another_order_is_read_to_its_end() -> None:
    history = History(ago(10))
    history.take(1, few(1, 5), [ago(90), ago(80)])
    history.take(2, few(2, 5), [ago(70), ago(60)])
    assert history.following == 3
    history.take(3, few(3, 5), [ago(5)])
    assert history.following is None


def test_a_page_that_begins_later_than_the_one_before_ended_is_another_order() -> None:
    history = History(ago(10))
    history.take(1, page(1), [ago(3), ago(4)])
    history.take(2, page(2), [ago(1), ago(20)])
    assert history.following == 3


def test_rows_without_a_time_do_not_end_the_search() -> None:
    history = History(ago(10))
    history.take(1, page(1), [ago(1), None, ago(20)])
    assert history.following == 2


def test_a_time_without_a_zone_is_utc() -> None:
    history = History(ago(10))
    history.take(1, page(1), [ago(20).replace(tzinfo=None)])
    assert history.following is None


@pytest.mark.parametrize(("stated", "rows"), [(few(1, 1), [ago(1)]), (few(1, 0), [])])
def test_the_last_page_ends_the_search(stated: Pagination, rows: list[datetime]) -> None:
    history = History(ago(10))
    history.take(1, stated, rows)
    assert history.following is None


def test_an_empty_page_with_more_to_come_is_a_fault_and_no_end() -> None:
    history = History(ago(10))
    history.take(1, page(1), [ago(1)])
    with pytest.raises(ValueError, match="page 2 of 9 is empty"):
        history.take(2, page(2), [])
    with pytest.raises(ValueError, match="is empty"):
        History(ago(10)).take(1, Pagination(page=1, limit=100, total=7, pages=1), [])


def test_rows_that_did_not_come_are_a_fault() -> None:
    history = History(ago(10))
    history.take(1, few(1, 4), [ago(90), ago(80)])
    with pytest.raises(ValueError, match="3 rows of 4"):
        history.take(2, few(2, 4), [ago(70)])


def test_rows_that_no_page_holds_are_a_fault() -> None:
    with pytest.raises(ValueError, match="250 rows do not fit"):
        History(ago(10)).take(1, Pagination(page=1, limit=100, total=250, pages=1), [ago(1)])


def test_another_page_than_the_one_asked_for_is_a_fault() -> None:
    with pytest.raises(ValueError, match="page 1"):
        History(ago(10)).take(2, page(1), [ago(1)])


def test_a_search_without_an_end_is_a_fault() -> None:
    history = History(ago(10))
    for number in range(1, MOST_PAGES):
        history.take(number, page(number, 10**9), [ago(1)])
    with pytest.raises(ValueError, match="no end"):
        history.take(MOST_PAGES, page(MOST_PAGES, 10**9), [ago(1)])
