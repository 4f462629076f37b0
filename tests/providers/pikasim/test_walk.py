"""When a walk through PikaSim's pages counts as whole."""

from __future__ import annotations

import pytest

from providers.pikasim.walk import Walk
from providers.pikasim.wire import Pagination
from schemas.errors import UnreadableAnswer


def stated(page: int, total: int = 5, limit: int = 2, pages: int = 3) -> Pagination:
    return Pagination(page=page, limit=limit, total=total, pages=pages)


def walked(*codes_of_pages: str) -> Walk:
    walk = Walk(stated(1))
    for number, codes in enumerate(codes_of_pages, 1):
        walk.take(number, stated(number), codes)
    return walk


def test_all_rows_on_all_pages_are_a_whole_walk() -> None:
    walk = walked("ab", "cd", "e")
    walk.finish()
    assert (walk.pages, walk.total) == (3, 5)


@pytest.mark.parametrize("pages", [0, 1])
def test_an_empty_catalogue_is_whole_after_one_page(pages: int) -> None:
    walk = Walk(stated(1, total=0, pages=pages))
    walk.take(1, stated(1, total=0, pages=pages), ())
    walk.finish()
    assert walk.pages == 1


@pytest.mark.parametrize("codes_of_pages", [("ab", "cd"), ("ab", "cd", ""), ("ab", "cd", "ef"), ("ab", "c", "e")])
def test_rows_that_are_not_the_total_are_no_whole_walk(codes_of_pages: tuple[str, ...]) -> None:
    with pytest.raises(UnreadableAnswer, match="not whole"):
        walked(*codes_of_pages).finish()


@pytest.mark.parametrize("codes_of_pages", [("ab", "ab", "c"), ("ab", "bc", "d")])
def test_a_package_on_two_pages_ends_the_walk(codes_of_pages: tuple[str, ...]) -> None:
    with pytest.raises(UnreadableAnswer, match="stands on page 1 and on page 2"):
        walked(*codes_of_pages).finish()


def test_a_package_twice_on_one_page_is_left_to_the_rows() -> None:
    walked("aa", "cd", "e").finish()


def test_packages_without_a_code_may_be_equal_on_several_pages() -> None:
    walk = Walk(stated(1))
    for number, codes in enumerate((["a", "unnamed-1"], ["b", "unnamed-1"], ["c"]), 1):
        walk.take(number, stated(number), codes)
    walk.finish()


@pytest.mark.parametrize("then", [stated(2, total=6), stated(2, pages=4), stated(2, limit=3)])
def test_totals_that_change_half_way_end_the_walk(then: Pagination) -> None:
    walk = walked("ab")
    with pytest.raises(UnreadableAnswer, match="changed during the walk"):
        walk.take(2, then, "cd")


def test_another_page_than_the_one_asked_for_ends_the_walk() -> None:
    with pytest.raises(UnreadableAnswer, match="asked for page 2, got page 1"):
        walked("ab").take(2, stated(1), "cd")


@pytest.mark.parametrize(
    "first",
    [
        stated(1, total=-1),
        stated(1, limit=0),
        stated(1, pages=2),
        stated(1, pages=4),
        stated(1, pages=0),
        stated(1, total=10**9, pages=5 * 10**8),
    ],
)
def test_a_pagination_that_cannot_be_opens_no_walk(first: Pagination) -> None:
    with pytest.raises(UnreadableAnswer):
        Walk(first)
