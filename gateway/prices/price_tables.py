"""Prices as tables of plain values: what the console gives as CSV and the command line prints."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from gateway.catalog.index import Index
from gateway.catalog.index.matrix import Per
from gateway.kit.sheet import Sheet, columns
from gateway.prices.comparison_rules import Line
from gateway.prices.prices import Ask, prices
from schemas.api import Price
from schemas.api_prices import PricedOffer, PriceMatrix


def whole(index: Index, ask: Ask) -> PriceMatrix:
    """Every page of a matrix as one."""
    pages = [prices(index, ask)]
    while pages[-1].next_cursor is not None:
        onwards = msgspec.structs.replace(ask.page, cursor=pages[-1].next_cursor)
        pages.append(prices(index, msgspec.structs.replace(ask, page=onwards)))
    return msgspec.structs.replace(pages[-1], data=[row for page in pages for row in page.data])


def figure(offer: PricedOffer, per: Per) -> Price | None:
    """The figure that a matrix shows of an offer."""
    return {"plan": offer.cost_base, "gb": offer.per_gb, "day": offer.per_day}[per]


def of_matrix(matrix: PriceMatrix) -> Sheet:
    """A line for each country, a column for each supplier, then whose offer is cheapest and by how much."""
    names = [column.name for column in matrix.suppliers]
    rows: list[list[str | int | Decimal | None]] = []
    for row in matrix.data:
        known = {cell.supplier: _amount(figure(cell, matrix.per)) for cell in row.cells}
        first = row.cheapest
        lead: list[str | Decimal | None] = [None, None, None]
        if first is not None:
            lead = [first.supplier, _amount(first.by), None if first.percent is None else Decimal(str(first.percent))]
        rows.append([row.country, row.name, *(known.get(name) for name in names), *lead])
    return Sheet(["country", "name", *names, "cheapest", "by", "percent"], rows)


OFFERS = columns(
    "offer=offer_id, supplier, name, data=declared, total_mb, days, scope, cost:amount, currency=cost.currency",
    "cost_base:amount, per_gb:amount, per_day:amount, price:amount, stock, stale, why_not",
)


def of_comparison(lines: Sequence[Line]) -> Sheet:
    """A line for each thing compared, a column for each offer."""
    offers = next(line.values for line in lines if line.name == "offer_id")
    rows: list[list[str | int | Decimal | None]] = [
        [line.label, "yes" if line.differ else "", *line.values] for line in lines if line.name != "offer_id"
    ]
    return Sheet(["", "differs", *offers], rows)


def _amount(price: Price | None) -> Decimal | None:
    return None if price is None else Decimal(price.amount)
