"""Suppliers in figures as a table: CSV of the console, CSV and terminal of the command line."""

from __future__ import annotations

from gateway.kit.sheet import Column, columns
from gateway.suppliers.state_rules import described
from schemas.api_suppliers import SupplierFigures


def _reason(figures: SupplierFigures) -> str | None:
    return described(figures.supplier.problems[0]) if figures.supplier.problems else None


def _rate_limit(figures: SupplierFigures) -> int | None:
    return figures.supplier.rate_limit.reported_limit or figures.supplier.rate_limit.per_minute


def _success(figures: SupplierFigures) -> str | None:
    return None if figures.orders.success_rate is None else f"{figures.orders.success_rate:.1%}"


FIGURES = columns(
    "supplier=supplier.name, provider=supplier.provider:csv, mode=supplier.mode, state=supplier.state",
    Column("reason", _reason),
    "freshness, last good sync=supplier.last_sync.good_at, breaker=supplier.breaker.state, orders=orders.attempts",
    "success=orders.success_rate:csv",
    Column("success", _success, ["terminal"]),
    "p50 ms=orders.p50_ms, p95 ms=orders.p95_ms, open=open_attempts",
    Column("rate limit", _rate_limit),
    "rate left=supplier.rate_limit.remaining, offers=supplier.offers, selectable, set aside=supplier.set_aside:csv",
    "balance=balance.balance:amount, spendable=balance.spendable:amount, currency=balance.spendable.currency:csv",
    "balance at=balance.at:csv, days left=balance.days_left",
)
