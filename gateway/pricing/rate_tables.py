"""Exchange rates as tables of plain values."""

from __future__ import annotations

from gateway.kit.sheet import Column, columns

RATES = columns(
    "currency, per base=per_base:number, rate:number:csv",
    Column("date", lambda row: row.as_of.isoformat()),
    "days old=age_days, state, source, kind:csv",
    Column("waiting", lambda row: None if row.waiting is None else row.waiting.per_base),
    Column("moved percent", lambda row: None if row.waiting is None else f"{row.waiting.moved_percent:+.2f}"),
)
"""The newest rate of each currency; ``per base`` is what one unit of the base currency buys."""

HISTORY = columns(
    Column("date", lambda row: row.as_of.isoformat()),
    "currency:csv, per base=per_base:number, rate:number, source, kind, written=written_at",
)
"""Every rate that a currency had."""
