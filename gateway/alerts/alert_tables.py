"""Alerts as a table: CSV of the console, CSV and terminal of the command line."""

from __future__ import annotations

from gateway.kit.sheet import Column, columns

ALERTS = columns(
    "raised=raised_at, over=cleared_at, level, what=title, detail, supplier:csv, mode:csv, rule:csv",
    "why over=cleared_why",
    Column("flapping", lambda alert: "yes" if alert.flapping else None),
    "id:csv",
)
