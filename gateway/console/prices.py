"""Prices: which supplier is cheapest where, and all offers that compete in a cell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from urllib.parse import urlencode

import msgspec
from aiohttp import web
from markupsafe import Markup, escape

from gateway.catalog.index import Index, InStock, PlanQuery
from gateway.catalog.index.matrix import Per
from gateway.catalog.offer_key_rows import offer_keys
from gateway.console import buckets
from gateway.console.buckets import Filters
from gateway.console.filters import clean
from gateway.console.pages import Csv, Hit, Pages, View, deps_of, is_htmx, mode, next_page, page_request_of
from gateway.console.plan_page import plan_url
from gateway.console.saved_filters import with_saved_filters
from gateway.kit.sheet import sheet_of
from gateway.prices import price_tables, prices
from gateway.prices.prices import FEWEST_COMPARED, MOST_COMPARED
from providers.kit import places
from schemas.api import Plan, PlanList, Price
from schemas.api_prices import PricedOffer, PriceMatrix, PriceRow
from schemas.money import currency_digits

pages = Pages()
OFFERS_A_PAGE, HITS = 50, 8
LOW_STOCK = 100  # from here on a number says nothing: the title has it
_NAME = 60


@pages("GET", "/console/prices", nav="Prices")
@with_saved_filters
async def matrix(request: web.Request) -> View:
    """The matrix, fifty countries at a time; htmx fetches the next fifty when they come into sight."""
    index = index_of(request)
    filters = buckets.read(request, index)
    page_request = page_request_of(request, prices.MOST_COUNTRIES)
    ask = prices.Ask(filters.bucket, filters.per, filters.countries or (), filters.region, page_request)
    found = prices.prices(index, ask)
    if filters.countries is None:
        found = PriceMatrix([], False, None, found.per, found.suppliers, found.catalog)
    context = {
        "selection": filters,
        "regions": [(code, name) for code, name, _ in sorted(index.snapshot.regions, key=lambda region: region[1])],
        "matrix": found,
        "band": [_line(row, found, filters) for row in found.data],
        "bounds": (found.data[0].name, found.data[-1].name) if found.data else ("", ""),
        "next": next_page(request, found),
        "first": page_request.cursor is None,
        "currency": index.base_currency,
    }
    if is_htmx(request) and page_request.cursor is not None:
        return View("_prices_band.html", context)
    titles = [column.title for column in price_tables.matrix_columns(found)]
    return View("prices.html", context, title="Prices", csv=Csv("prices", titles, _every_row(index, ask)))


@pages("GET", "/console/prices/{country}", nav="Prices")
@with_saved_filters
async def cell(request: web.Request) -> View:
    """All offers that compete in a country, or in one supplier's cell of it."""
    code = request.match_info["country"]
    if not places.is_country(code):
        raise web.HTTPNotFound
    index = index_of(request)
    filters = buckets.read(request, index)
    supplier = filters.form.text("supplier", most=40) or None
    page_request = page_request_of(request, OFFERS_A_PAGE)
    found = prices.offers(index, filters.bucket, code, supplier, page_request)
    context = {
        "selection": filters,
        "country": code,
        "supplier": supplier or "",
        "suppliers": index.snapshot.suppliers,
        "offers": found.data,
        "next": next_page(request, found),
        "first": page_request.cursor is None,
        "currency": index.base_currency,
        "compare_url": _compare_cheapest(found.data, code),
    }
    if is_htmx(request) and page_request.cursor is not None:
        return View("_prices_offers.html", context)
    sheet = sheet_of(price_tables.OFFERS, found.data)
    name = f"prices-{code.lower()}"
    return View("prices_cell.html", context, title=places.country_name(code), csv=Csv(name, *sheet))


@pages.finds("Countries")
async def countries(_request: web.Request, question: str) -> list[Hit]:
    """The countries that the words name."""
    codes = places.countries(question) or places.countries(question.upper()) or ()
    return [
        Hit(places.country_name(code), f"/console/prices/{code}", f"offers for {code}", country=code)
        for code in codes[:10]
    ]


@pages.finds("Plans")
async def plans(request: web.Request, question: str) -> list[Hit]:
    """The plan of that id, or the plans whose names have these words, the cheapest first."""
    index = index_of(request)
    stored = index.plan(question) if question.isascii() else None
    if isinstance(stored, bytes):
        plan = msgspec.json.decode(stored, type=Plan)
        return [Hit(plan.name, plan_url(plan.id), plan.id, only=True)]
    page = index.plans(PlanQuery(q=question, in_stock=InStock.ANY, limit=HITS))
    found = msgspec.json.decode(page.body, type=PlanList).data
    return [Hit(plan.name, plan_url(plan.id), plan.id) for plan in found]


@pages.finds("Offers")
async def found_offers(request: web.Request, question: str) -> list[Hit]:
    """The offer of that id, or those that a supplier calls so."""
    index = index_of(request)
    keys = [(name, question) for name in index.snapshot.suppliers]
    if question.startswith("off_"):
        keys = list((await offer_keys(deps_of(request).pool, [question])).values())
    rows = [row for row in (index.snapshot.find_row(*key) for key in keys) if row is not None]
    offers = [prices.priced_offer(index, row) for row in rows]
    return [
        Hit(
            offer.name,
            plan_url(offer.plan_id, "history", offer=offer.offer_id),
            f"{offer.supplier}, {offer.offer_id}",
        )
        for offer in offers
    ]


def index_of(request: web.Request) -> Index:
    """The catalogue of the side that the visitor looks at."""
    index = deps_of(request).index
    if index is None:
        raise web.HTTPServiceUnavailable
    return index(mode(request))


def _compare_cheapest(offers: Sequence[PricedOffer], country: str) -> str | None:
    """The page that compares the first offer of each supplier; None where there are not two."""
    first: dict[str, str] = {}
    for offer in offers:
        first.setdefault(offer.supplier, offer.offer_id)
    chosen = list(first.values())[:MOST_COMPARED]
    if len(chosen) < FEWEST_COMPARED:
        return None
    return f"/console/compare?{urlencode([('country', country), *(('offer', offer) for offer in chosen)])}"


def _every_row(index: Index, ask: prices.Ask) -> Iterator[list[Any]]:
    """The rows of the file: of all countries, not of those that were scrolled to."""
    yield from price_tables.of_matrix(price_tables.whole(index, ask)).rows


def _line(row: PriceRow, found: PriceMatrix, filters: Filters) -> dict[str, Any]:
    """A row as the page draws it. A thousand cells are drawn at once, so that each is put together here."""
    cells = {cell.supplier: cell for cell in row.cells}
    path = f"/console/prices/{row.country}"
    first = None if row.cheapest is None else row.cheapest.offer_id
    address = filters.address(path, all="1" if filters.bucket.everything else None)
    link = str(escape(address))
    drawn = [_cell(cells.get(column.name), link, found.per, first=first) for column in found.suppliers]
    return {
        "row": row,
        "url": address,
        "cells": Markup("".join(drawn)),  # noqa: S704 - what others wrote was escaped in each cell
    }


def _cell(offer: PricedOffer | None, address: str, per: Per, *, first: str | None) -> str:
    """A cell as markup: what others wrote is escaped here, one by one."""
    if offer is None:
        return "<td></td>"
    figure = price_tables.figure(offer, per)
    text = "–" if figure is None else _short(figure)
    classes, marks = [], []
    if offer.offer_id == first:
        classes.append("first")
        text = f'<b>{text}</b><span class="unseen"> cheapest</span>'
    if offer.stale:
        classes.append("stale")
    if offer.why_not is not None:
        classes.append("blocked")
        marks.append(offer.why_not.value.replace("_", " "))
    elif offer.stock is not None and offer.stock < LOW_STOCK:
        marks.append(f"{offer.stock} left")
    kind = f' class="{" ".join(classes)}"' if classes else ""
    small = f"<small>{', '.join(marks)}</small>" if marks else ""
    link = f'{address}&amp;supplier={escape(offer.supplier)}" title="{escape(_title(offer))}'
    return f'<td{kind}><a href="{link}">{text}</a>{small}</td>'


def _short(figure: Price) -> str:
    """An amount in whole minor units, half up, to be read among a thousand; the title has every digit."""
    digits = currency_digits(figure.currency)
    if len(figure.amount.partition(".")[2]) <= digits:
        return figure.amount
    return str(Decimal(figure.amount).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))


def _title(offer: PricedOffer) -> str:
    """What a cell tells on hover: its exact cost, the customer's price, and which offer it is."""
    cost = "" if offer.cost_base is None else f"cost {offer.cost_base.amount}, "
    price = "no price" if offer.price is None else f"price {offer.price.amount} {offer.price.currency}"
    days = f"{offer.days} {'day' if offer.days == 1 else 'days'}"
    stock = "" if offer.stock is None else f" · {offer.stock:,} in stock"
    stale = " · stale" if offer.stale else ""
    name = clean(offer.name[: 2 * _NAME])[:_NAME]
    return f"{cost}{price} · {offer.declared}, {days}, {offer.scope.value}{stock}{stale} · {name}"
