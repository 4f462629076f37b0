"""Prices as tables of plain values: what the console gives as CSV and the command line prints."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import partial

import msgspec

from gateway.catalog.index import Index
from gateway.catalog.index.matrix import Per
from gateway.kit.sheet import Column, Columns, Sheet, columns, sheet_of
from gateway.prices.comparison_rules import Line
from gateway.prices.prices import Ask, prices
from schemas.api import Price
from schemas.api_prices import PricedOffer, PriceMatrix, PriceRow


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


def matrix_columns(matrix: PriceMatrix) -> Columns:
    """The columns of a matrix's rows: the country, a figure of each supplier, whose offer is cheapest and how far."""
    suppliers = (Column(each.name, partial(_cell, each.name, matrix.per), ["amount"]) for each in matrix.suppliers)
    return (*_PLACE, *suppliers, *_LEAD)


def of_matrix(matrix: PriceMatrix) -> Sheet:
    """A line for each country."""
    return sheet_of(matrix_columns(matrix), matrix.data)


_PLACE = columns("country, name")
_LEAD = columns("cheapest=cheapest.supplier, by=cheapest.by:amount, percent=cheapest.percent")


def _cell(supplier: str, per: Per, row: PriceRow) -> Price | None:
    return next((figure(cell, per) for cell in row.cells if cell.supplier == supplier), None)


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
