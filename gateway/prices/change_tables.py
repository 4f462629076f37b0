"""Changes, histories and differences as tables of plain values: CSV of the console and of the command line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from gateway.kit.sheet import Sheet
from schemas.api import Price
from schemas.api_changes import Change, ChangeSummary, DifferenceRow, PriceHistory


def of_changes(changes: Iterable[Change]) -> Sheet:
    """A line for each change."""
    columns = [
        *("at", "kind", "supplier", "plan", "offer", "supplier's id", "name", "old", "old currency", "new"),
        *("new currency", "moved by", "percent", "note", "sync run"),
    ]
    rows: list[list[str | int | Decimal | None]] = [
        [
            _moment(one.at),
            one.kind,
            one.supplier,
            one.plan_id,
            one.offer_id,
            one.supplier_plan_id,
            one.name,
            *_both(one.old),
            *_both(one.new),
            _amount(one.amount),
            _decimal(one.percent),
            note(one),
            one.sync_run_id,
        ]
        for one in changes
    ]
    return Sheet(columns, rows)


def note(change: Change) -> str:
    """What an event came to, in words; "" for a price."""
    if change.stock is not None:
        return "in stock again" if change.stock == "in" else "out of stock"
    return "back" if change.back else ""


def of_summary(summary: ChangeSummary) -> Sheet:
    """A line for each supplier, then one for each country."""
    columns = ["of", "name", "up", "down", "new", "gone", "in stock", "out of stock", "good syncs", "failed", "held"]
    rows: list[list[str | int | Decimal | None]] = [
        [
            *("supplier", one.supplier, one.up, one.down, one.new, one.gone, one.in_stock, one.out_of_stock),
            *(one.good, one.failed, one.quarantined),
        ]
        for one in summary.suppliers
    ]
    rows += [
        ["country", one.country, one.up, one.down, one.new, one.gone, None, None, None, None, None]
        for one in summary.countries
    ]
    return Sheet(columns, rows)


def of_history(history: PriceHistory) -> Sheet:
    """A line for each step of each offer."""
    columns = ["supplier", "supplier's id", "offer", "from", "until", "cost", "currency", history.currency]
    rows: list[list[str | int | Decimal | None]] = []
    for offer in history.offers:
        ends: Sequence[datetime] = [*(step.at for step in offer.steps[1:]), history.until]
        rows += [
            [
                offer.supplier,
                offer.supplier_plan_id,
                offer.offer_id,
                _moment(step.at),
                _moment(until),
                *_both(step.cost),
                _amount(step.cost_base),
            ]
            for step, until in zip(offer.steps, ends, strict=bool(offer.steps))
        ]
    return Sheet(columns, rows)


def of_difference(supplier: str, rows: Iterable[DifferenceRow]) -> Sheet:
    """A line for each difference."""
    columns = ["supplier", "kind", "plan", "supplier's id", "name", "old", "old currency", "new", "currency", "percent"]
    return Sheet(
        columns,
        [
            [
                *(supplier, row.kind, row.plan_id, row.supplier_plan_id, row.name),
                *_both(row.old),
                *_both(row.new),
                _decimal(row.percent),
            ]
            for row in rows
        ],
    )


def _both(price: Price | None) -> tuple[Decimal | None, str | None]:
    return (None, None) if price is None else (Decimal(price.amount), price.currency)


def _amount(price: Price | None) -> Decimal | None:
    return None if price is None else Decimal(price.amount)


def _decimal(percent: float | None) -> Decimal | None:
    return None if percent is None else Decimal(str(percent))


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
