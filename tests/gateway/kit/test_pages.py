"""Pages and cursors: one row more is fetched than shown, and a cursor says behind which values the list goes on."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from gateway.kit.pages import CURSOR_FORM, PageRequest, Sort, SortKey, SortOrders, read_cursor, write_cursor
from schemas.page import Page

AT = datetime(2026, 11, 22, 6, 30, 0, 123456, tzinfo=UTC)
BEFORE_ALL, AFTER_ALL = datetime(1, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def numbers(count):
    return list(range(1, count + 1))


def test_a_list_that_fits_has_no_further_page():
    asked = PageRequest(3)
    assert asked.page(numbers(3), lambda n: (n,)) == Page([1, 2, 3], has_more=False, next_cursor=None)
    assert asked.page([], lambda n: (n,)) == Page.complete([])


def test_one_row_more_than_is_shown_makes_a_further_page_behind_the_last_shown():
    asked = PageRequest(3)
    page = asked.page(numbers(asked.fetch), lambda n: (n, "x"))
    assert (page.data, page.has_more) == ([1, 2, 3], True)
    assert PageRequest(3, page.next_cursor).after(int, str) == (3, "x")


def test_a_page_keeps_its_cursor_when_its_rows_take_another_form():
    page = PageRequest(1).page(numbers(2), lambda n: (n,))
    assert page.map(str) == Page(["1"], has_more=True, next_cursor=page.next_cursor)
    assert page.of("ab") == Page(["a", "b"], has_more=True, next_cursor=page.next_cursor)


def test_values_come_back_from_a_cursor_as_they_were():
    cursor = write_cursor(AT, 7, "ü.x~y")
    assert PageRequest(9, cursor).before(datetime, int, str) == (AT, 7, "ü.x~y")
    assert PageRequest(9, cursor).after(datetime, int, str) == (AT, 7, "ü.x~y")


def test_a_cursor_of_an_earlier_release_is_read_alike():
    assert write_cursor(AT, "ord_1") == b"2026-11-22T06:30:00.123456+00:00\x1ford_1".hex()


def test_without_a_cursor_a_list_begins_at_its_start():
    assert PageRequest(9).after(str, int, datetime) == ("", 0, BEFORE_ALL)
    assert PageRequest(9).before(str, int, datetime) == (None, 2**63 - 1, AFTER_ALL)


@pytest.mark.parametrize(
    "cursor",
    [
        "00",
        "ff" * 20,
        "nonsense",
        "0",
        write_cursor("no time", 7),
        write_cursor(AT),
        write_cursor(AT, 7, "x"),
        write_cursor(AT, "-7"),
        write_cursor(AT, "٧"),
        write_cursor(AT, "9" * 19),
        write_cursor("0001-01-01T00:00:00+23:59", 7),
    ],
)
def test_a_cursor_that_cannot_be_read_stands_behind_the_whole_list(cursor):
    assert PageRequest(9, cursor).before(datetime, int) == (BEFORE_ALL, 0)
    assert PageRequest(9, cursor).after(datetime, int) == (AFTER_ALL, 2**63 - 1)


def test_a_time_without_or_of_another_zone_is_read_in_utc():
    naive = write_cursor(AT.replace(tzinfo=None))
    assert PageRequest(9, naive).before(datetime) == (AT,)
    elsewhere = write_cursor(AT.astimezone(timezone(timedelta(hours=9))))
    assert PageRequest(9, elsewhere).before(datetime) == (AT,)


def test_a_text_in_a_cursor_has_no_nul_which_postgresql_cannot_hold():
    assert read_cursor("610062") == ["ab"]


def test_a_written_cursor_has_the_form_that_the_api_describes():
    assert re.fullmatch(CURSOR_FORM, write_cursor("x" * 200, AT))


ORDERS = SortOrders(
    at=(SortKey("o.created_at", datetime, descending=True), SortKey("o.id", str)),
    price=(SortKey("o.price_base", Decimal), SortKey("o.id", str)),
    day=(SortKey("coalesce(o.day, o.other)", date, descending=True, name="day"), SortKey("o.id", str, descending=True)),
)
ROW = {"created_at": AT, "id": "ord_1", "price_base": Decimal("1E+2"), "day": date(2026, 11, 22)}


def asked(column="", direction="", cursor=None):
    return PageRequest(9, cursor, ORDERS.find(column, direction))


def test_a_list_is_sorted_by_what_is_declared_and_else_in_its_own_order():
    assert ORDERS.find("price") == Sort("price", descending=False)
    assert ORDERS.find("price", "desc") == Sort("price", descending=True)
    assert ORDERS.find("at", "asc") == Sort("at", descending=False)
    assert ORDERS.find("day", "nonsense") == Sort("day", descending=True)
    assert {ORDERS.find(*own) for own in (("at",), ("at", "desc"), ("nonsense", "asc"), ("",))} == {None}


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ((), "o.created_at DESC, o.id ASC"),
        (("at", "asc"), "o.created_at ASC, o.id DESC"),
        (("price",), "o.price_base ASC, o.id ASC"),
        (("price", "desc"), "o.price_base DESC, o.id DESC"),
        (("day",), "coalesce(o.day, o.other) DESC, o.id DESC"),
    ],
)
def test_the_other_direction_is_that_of_the_whole_order(sort, order):
    assert ORDERS.keyset(asked(*sort), [])[:2] == ("true", order)


@pytest.mark.parametrize(
    ("sort", "condition", "values"),
    [
        ((), "o.created_at <= $2 AND (o.created_at < $2 OR (o.id) > ($3))", (AT, "ord_1")),
        (("at", "asc"), "o.created_at >= $2 AND (o.created_at > $2 OR (o.id) < ($3))", (AT, "ord_1")),
        (("price",), "(o.price_base, o.id) > ($2, $3)", (Decimal(100), "ord_1")),
        (("price", "desc"), "(o.price_base, o.id) < ($2, $3)", (Decimal(100), "ord_1")),
        (("day",), "(coalesce(o.day, o.other), o.id) < ($2, $3)", (date(2026, 11, 22), "ord_1")),
    ],
)
def test_a_page_begins_behind_the_last_row_of_the_one_before(sort, condition, values):
    cursor = write_cursor(*ORDERS.keyset(asked(*sort), []).key(ROW))
    arguments = ["live"]
    assert ORDERS.keyset(asked(*sort, cursor=cursor), arguments).condition == condition
    assert arguments == ["live", *values]


def test_a_cursor_of_a_lists_own_order_says_nothing_of_the_order():
    assert write_cursor(*ORDERS.key(asked())(ROW)) == write_cursor(AT, "ord_1")
    assert read_cursor(write_cursor(*ORDERS.key(asked("price"))(ROW))) == ["price asc", "100", "ord_1"]


@pytest.mark.parametrize(
    "cursor",
    [
        write_cursor(AT, "ord_1"),
        write_cursor("price desc", "1", "ord_1"),
        write_cursor("price asc", "NaN", "ord_1"),
        write_cursor("price asc", "1E9", "ord_1"),
        write_cursor("price asc", "1"),
        write_cursor("price asc", "1", "ord_1", "x"),
        "nonsense",
    ],
)
def test_a_cursor_of_another_order_stands_behind_the_whole_list(cursor):
    arguments = []
    assert ORDERS.keyset(asked("price", cursor=cursor), arguments).condition == "false"
    assert ORDERS.position(asked("price", cursor=cursor)) is None
    assert arguments == []
