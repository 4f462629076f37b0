"""Metrics of orders: how many reached each status."""

from __future__ import annotations

import typing
from itertools import product

from prometheus_client import Counter

from gateway.access.key_rows import Mode
from gateway.orders.rules.states import OrderStatus
from schemas.orders import Kind

ORDERS = Counter(
    "gateway_orders",
    "Orders that reached a status. An order is pending when it is admitted.",
    ["mode", "kind", "status"],
    registry=None,
)
METRICS = (ORDERS,)

# Prometheus sees no increase in a series that is new, so each begins at 0.
for _labels in product(typing.get_args(Mode), typing.get_args(Kind), typing.get_args(OrderStatus)):
    ORDERS.labels(*_labels)


def count_order(mode: str, kind: str, status: str, orders: int = 1) -> None:
    """Count an order, or several, that reached a status."""
    ORDERS.labels(mode, kind, status).inc(orders)
