"""Lists that go on: sorted on the server by the heads of their columns, their pages without gap, filters kept."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.access import audit_rows, storefront_rows
from gateway.alerts import alert_rows
from gateway.catalog.index.margins import Fees, MarginQuery
from gateway.checkouts import checkout_view_rows
from gateway.inventory import esim_list_rows
from gateway.inventory.esim_list_rows import EsimFilter
from gateway.kit import job_queue
from gateway.kit.pages import PageRequest, Sort
from gateway.ledger import alike_rows, money
from gateway.orders import order_search_rows
from gateway.orders.order_search_rows import OrderFilter
from gateway.prices import change_rows, changes, margins
from gateway.prices.change_rules import ChangeFilter
from gateway.pricing import fx_rows
from gateway.sync import run_list_rows, suspect_rows
from gateway.webhooks import endpoint_rows

pytestmark = pytest.mark.xdist_group("busy")  # a worker needs seconds to make the database

_ALL = 10_000
_SUSPECT = """
UPDATE offers SET suspect = 'moved: too far', suspect_since = now() - length(name) * interval '1 h'
WHERE id IN (SELECT id FROM offers WHERE gone_at IS NULL ORDER BY id LIMIT 20)
"""
_SORT_LINK = re.compile(r'<th[^>]*><a class="sort" href="([^"]+)"')
# Each list with what its rows are sorted by: how a page of it is read, and the value of a row by each column.
_LISTS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "orders": (
        order_search_rows.SORTS,
        lambda c, page: order_search_rows.page_of(c.pool, OrderFilter(mode="live", status="fulfilled"), page),
        {"at": lambda order: order.created_at, "price": lambda order: order.price_base},
    ),
    "esims": (
        esim_list_rows.SORTS,
        lambda c, page: esim_list_rows.listed(c.pool, c.deps.seal, EsimFilter(mode="live"), page),
        {"delivered": lambda esim: esim.created_at, "updated": lambda esim: esim.observed_at or esim.created_at},
    ),
    "checkouts": (
        checkout_view_rows.SORTS,
        lambda c, page: checkout_view_rows.of_all(c.pool, page, mode="live"),
        {"at": lambda checkout: checkout.created_at, "price": lambda checkout: checkout.price_base},
    ),
    "audit": (
        audit_rows.SORTS,
        lambda c, page: audit_rows.newest(c.pool, page),
        {name: lambda entry, name=name: getattr(entry, name) for name in ("actor", "action", "object")}
        | {"at": lambda entry: entry.id},
    ),
    "deliveries": (
        endpoint_rows.DELIVERY_SORTS,
        lambda c, page: endpoint_rows.deliveries(c.pool, "we_1", page),
        {"at": lambda delivery: delivery.created_at},
    ),
    "alerts": (
        alert_rows.SORTS,
        lambda c, page: alert_rows.newest(c.pool, page, state="cleared"),
        {"raised": lambda alert: alert.raised_at},
    ),
    "sync runs": (
        run_list_rows.SORTS,
        lambda c, page: run_list_rows.sync_runs(c.pool, page),
        {"started": lambda run: run.id},
    ),
    "jobs": (job_queue.SORTS, lambda c, page: job_queue.jobs(c.pool, page), {"id": lambda job: int(job.id)}),
    "rates": (
        fx_rows.SORTS,
        lambda c, page: fx_rows.history(c.pool, "USD", "EUR", page),
        {"of": lambda rate: rate["as_of"]},
    ),
    "storefronts": (
        storefront_rows.SORTS,
        lambda c, page: storefront_rows.all_of(c.pool, "live", page),
        {name: lambda shop, name=name: getattr(shop, name) for name in ("name", "orders", "sold")},
    ),
    "suspect prices": (
        suspect_rows.SORTS,
        lambda c, page: suspect_rows.suspects(c.pool, page, None, None, "live"),
        {name: lambda offer, name=name: getattr(offer, name) for name in ("id", "name", "supplier")}
        | {"since": lambda offer: offer.since or datetime.min.replace(tzinfo=UTC)},
    ),
    "reconciliation": (
        alike_rows.SORTS,
        lambda c, page: money.ledger(c.deps, "s2s", *_last_days(30), page),
        {"at": lambda line: line.at},
    ),
    "changes": (
        change_rows.SORTS,
        lambda c, page: changes.feed(c.pool, c.settings, ChangeFilter(), page),
        {"at": lambda change: change.at},
    ),
    "changes of some kinds": (
        change_rows.SORTS,
        lambda c, page: changes.feed(c.pool, c.settings, ChangeFilter(kinds=frozenset({"up", "gone"})), page),
        {"at": lambda change: change.at},
    ),
}


def _last_days(count):
    """The first and the last of so many days until today."""
    today = datetime.now(UTC).date()
    return today - timedelta(days=count), today


def sort_links(answer):
    """Where the heads of a list's columns lead."""
    return [unescape(link) for link in _SORT_LINK.findall(answer.text)]


async def walked(read, console, sort, limit):
    """All rows, from page to page."""
    rows, cursor = [], None
    while True:
        page = await read(console, PageRequest(limit, cursor, sort))
        rows += page.data
        if not page.has_more:
            return rows
        cursor = page.next_cursor


@pytest.mark.parametrize("name", _LISTS)
async def test_a_lists_pages_follow_each_other_in_every_order(busy_console, name):
    orders, read, values = _LISTS[name]
    if name == "suspect prices":
        await busy_console.pool.execute(_SUSPECT)
    assert set(values) == set(orders.columns)
    for column, value in values.items():
        down = await walked(read, busy_console, orders.find(column, "desc"), _ALL)
        up = await walked(read, busy_console, orders.find(column, "asc"), _ALL)
        assert len(down) > 5, column
        assert up == down[::-1], column
        assert [*map(value, up)] == sorted(map(value, up)), column
        for rows, direction in ((down, "desc"), (up, "asc")):
            assert await walked(read, busy_console, orders.find(column, direction), len(rows) // 4 + 1) == rows, column


@pytest.mark.parametrize("column", ["price", "margin", "percent"])
async def test_margins_are_sorted_in_memory_and_their_pages_follow_each_other(busy_console, column):
    index = busy_console.deps.index("live", None)

    async def read(_console, page):
        return margins.page(index, Fees(), MarginQuery(everything=True), page)

    def value(margin):
        if column == "percent":
            return Decimal(margin.margin.amount) / Decimal(margin.price.amount)
        return Decimal(getattr(margin, column).amount)

    for direction in ("asc", "desc"):
        sort = margins.SORTS.find(column, direction)
        rows = await walked(read, busy_console, sort, _ALL)
        values = [float(value(row)) for row in rows]
        assert len(rows) > 100
        assert values == pytest.approx(sorted(values, reverse=direction == "desc"))
        assert await walked(read, busy_console, sort, len(rows) // 4 + 1) == rows
    worst = (await read(busy_console, PageRequest(_ALL))).data
    assert {row.offer_id for row in worst} == {row.offer_id for row in rows}


async def test_a_cursor_of_another_order_ends_the_list(busy_console):
    for orders, read, values in _LISTS.values():
        page = await read(busy_console, PageRequest(1))
        wrong = Sort(next(iter(values)), descending=not orders.own.descending)
        if wrong.column == orders.own.column:
            assert (await read(busy_console, PageRequest(1, page.next_cursor, wrong))).data == []


async def test_a_head_sorts_the_list_keeps_its_filters_and_says_so(busy_console):
    viewer = busy_console.viewer
    first = await viewer.get("/console/orders?status=fulfilled&kind=esim")
    by_time, by_price = sort_links(first)
    assert parse_qs(urlsplit(by_price).query) == {
        "status": ["fulfilled"], "kind": ["esim"], "sort": ["price"], "direction": ["asc"],
    }  # fmt: skip
    assert "direction=asc" in by_time, "the list stands in the other direction"
    assert re.findall(r'aria-sort="(\w+)"><a[^>]*>([^<]+)', first.text) == [("descending", "Order")]
    cheapest = await viewer.get(by_price)
    assert re.findall(r'aria-sort="(\w+)"><a[^>]*>([^<]+)', cheapest.text) == [("ascending", "Price")]
    assert "direction=desc" in sort_links(cheapest)[1]
    for kept in ("sort", "direction"):
        assert re.search(rf'<form class="filters".*<input type="hidden" name="{kept}"', cheapest.text, re.DOTALL)
    (following,) = re.findall(r'href="([^"]+)" rel="next"', cheapest.text)
    assert all("cursor" not in link for link in sort_links(await viewer.get(unescape(following))))
    rows = await busy_console.pool.fetch(
        """SELECT id FROM orders WHERE mode = 'live' AND status = 'fulfilled' AND kind = 'esim'
           ORDER BY price_base, id LIMIT 100"""
    )
    shown = [
        order
        for page in (cheapest, await viewer.get(unescape(following)))
        for order in re.findall(r'<th scope="row"><a href="/console/orders/(ord_\w+)"', page.text)
    ]
    assert shown == [row["id"] for row in rows]
    (file,) = re.findall(r'href="([^"]+format=csv[^"]*)"', cheapest.text)
    lines = (await viewer.get(unescape(file))).text.splitlines()[1:]
    assert [line.partition(",")[0] for line in lines] == shown[:50]


async def test_an_unknown_order_is_the_lists_own(busy_console):
    own = await busy_console.viewer.get("/console/orders")
    odd = await busy_console.viewer.get("/console/orders?sort=password&direction=sideways")
    assert re.findall(r"ord_\w+", odd.text) == re.findall(r"ord_\w+", own.text)
