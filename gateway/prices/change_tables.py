"""Changes, histories and differences as tables of plain values: CSV of the console and of the command line."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from gateway.kit.sheet import Cell, Column, Columns, Sheet, columns
from schemas.api_changes import Change, ChangeSummary, OfferHistory, PriceHistory, Step


def note(change: Change) -> str:
    """What an event came to, in words; "" for a price."""
    if change.stock is not None:
        return "in stock again" if change.stock == "in" else "out of stock"
    return "back" if change.back else ""


PERCENT = columns(
    "percent:csv", Column("by", lambda row: None if row.percent is None else f"{row.percent:+g} %", ["terminal"])
)
CHANGES = columns(
    "at, kind, supplier, plan=plan_id, offer=offer_id:csv, supplier's id=supplier_plan_id:csv, name:csv",
    "old:money, new:money, moved by=amount:amount:csv",
    *PERCENT,
    Column("note", note),
    Column("name", lambda row: row.name or row.supplier_plan_id, ["terminal"]),
    "sync run=sync_run_id:csv",
)


def of_summary(summary: ChangeSummary) -> Sheet:
    """A line for each supplier, then one for each country."""
    titles = ["of", "name", "up", "down", "new", "gone", "in stock", "out of stock", "good syncs", "failed", "held"]
    rows: list[list[Cell]] = [
        [
            *("supplier", supplier.supplier, supplier.up, supplier.down, supplier.new, supplier.gone),
            *(supplier.in_stock, supplier.out_of_stock),
            *(supplier.good, supplier.failed, supplier.quarantined),
        ]
        for supplier in summary.suppliers
    ]
    rows += [
        ["country", country.country, country.up, country.down, country.new, country.gone, None, None, None, None, None]
        for country in summary.countries
    ]
    return Sheet(titles, rows)


class HistoryStep(NamedTuple):
    """What an offer cost from one moment until another."""

    offer: OfferHistory
    step: Step
    until: datetime


def history_columns(currency: str) -> Columns:
    """The columns of ``history_steps``, where costs are compared in that currency."""
    return columns(
        "supplier=offer.supplier, supplier's id=offer.supplier_plan_id, offer=offer.offer_id, from=step.at, until",
        f"cost=step.cost:amount, currency=step.cost.currency:csv, {currency}=step.cost_base:amount",
    )


def history_steps(history: PriceHistory) -> list[HistoryStep]:
    """A line for each step of each offer."""
    return [
        HistoryStep(offer, step, until)
        for offer in history.offers
        for step, until in zip(offer.steps, [*(later.at for later in offer.steps[1:]), history.until], strict=False)
    ]


def difference_columns(supplier: str) -> Columns:
    """The columns of how a supplier differs from what stands."""
    return columns(
        Column("supplier", lambda _: supplier, ["csv"]),
        "kind, plan=plan_id, supplier's id=supplier_plan_id:csv, name",
        "old:money, new:amount, currency=new.currency:csv",
        *PERCENT,
    )
