"""Gauges of the shop, for Prometheus: read from the database by one worker each minute, never by a scrape.

Of several workers one runs the job at a time. What one read is left out once it is old, so that no worker shows for
long what has changed since.
"""

from __future__ import annotations

import time
import typing
from collections.abc import Iterator, Mapping
from itertools import product
from typing import NamedTuple

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from gateway.access.key_rows import Mode
from gateway.kit.jobs import SYNC
from gateway.kit.pool import Pool
from gateway.operations import shop_rows
from gateway.operations.shop_rows import GaugeRow
from gateway.suppliers import balances
from gateway.suppliers.deps import Deps
from schemas.orders import Kind

SHOWN_SECONDS = 150.0  # two runs of the job may be missed
# The sum of two weeks of charges costs more than all else, and a day's change of it is small.
DAYS_LEFT_SECONDS = 600.0


class ShopGauge(NamedTuple):
    """What a gauge is called by, and what it means."""

    labels: tuple[str, ...]
    meaning: str


_DAYS_LEFT = "gateway_supplier_days_left"
_OPEN = ("pending", "cancel_pending", "needs_review")
GAUGES: Mapping[str, ShopGauge] = {
    "gateway_orders_open": ShopGauge(
        ("mode", "kind", "status"), "Orders that are not final, counted to 10,000 altogether."
    ),
    "gateway_orders_due": ShopGauge((), "Orders whose time to be processed has come, counted to 10,000."),
    "gateway_jobs": ShopGauge(("kind", "state"), "Jobs in the queue: due, scheduled for later, or running."),
    "gateway_webhook_deliveries_waiting": ShopGauge(
        ("state",), "Webhooks that are due, scheduled for another try, or not dispatched yet, each counted to 10,000."
    ),
    "gateway_supplier_balance": ShopGauge(
        ("mode", "supplier", "currency"), "Our balance at a supplier when it was last read."
    ),
    "gateway_supplier_spendable": ShopGauge(
        ("mode", "supplier", "currency"), "What of that balance can be spent, with credit and without what is reserved."
    ),
    "gateway_supplier_balance_timestamp_seconds": ShopGauge(
        ("mode", "supplier"), "When a supplier's balance was last read, Unix time."
    ),
    _DAYS_LEFT: ShopGauge(
        ("mode", "supplier"), "Days until our money at a supplier is spent, where that is known; at most 9,999."
    ),
    "gateway_supplier_last_good_timestamp_seconds": ShopGauge(
        ("mode", "supplier"), "When the last accepted sync of a supplier began, Unix time; 0 for none."
    ),
    "gateway_supplier_active": ShopGauge(
        ("mode", "supplier"), "Whether a supplier sells (1), or is paused or stopped (0)."
    ),
    "gateway_catalog_version": ShopGauge(
        ("part",), "The number of the catalogue's version, by what changed: content, overlay (stock, stops), pricing."
    ),
    "gateway_rate_source_timestamp_seconds": ShopGauge(
        ("source",), "When exchange rates last came from a source, Unix time; while none came, when it was first tried."
    ),
    "gateway_rates_timestamp_seconds": ShopGauge(
        (), "The day of the newest exchange rate that was fetched or set, Unix time."
    ),
}
# Shown as 0 where there are none, so that a rise from nothing is seen.
_ZEROS = (
    *(
        GaugeRow("gateway_orders_open", labels, 0)
        for labels in product(typing.get_args(Mode), typing.get_args(Kind), _OPEN)
    ),
    *(GaugeRow("gateway_webhook_deliveries_waiting", (state,), 0) for state in ("due", "scheduled", "undispatched")),
    *(GaugeRow("gateway_jobs", (SYNC, state), 0) for state in ("due", "scheduled", "running")),
)


class ShopMetrics(Collector):
    """The last reading, as gauges."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, tuple[str, ...]], float] = {}
        self._read_at = float("-inf")
        self._days_left: list[GaugeRow] = []
        self._days_left_at = float("-inf")

    async def read(self, deps: Deps, pool: Pool) -> None:
        """Read the gauges anew. ``pool`` is one whose statements need not wait for those of orders."""
        settings, now = deps.settings, time.monotonic()
        if now - self._days_left_at >= DAYS_LEFT_SECONDS:
            self._days_left = await _days_left(deps, pool)
            self._days_left_at = now
        sources = [source.name for source in settings.rates.sources]
        rows = await shop_rows.read_shop(pool, sources, settings.base_currency)
        self._rows = {(row.gauge, row.labels): row.value for row in (*_ZEROS, *rows, *self._days_left)}
        self._read_at = now

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """The gauges without values."""
        yield from self._families().values()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges with the values of the last reading, unless it is old."""
        families = self._families()
        if time.monotonic() - self._read_at < SHOWN_SECONDS:
            for (gauge, labels), value in self._rows.items():
                families[gauge].add_metric(labels, value)
        yield from families.values()

    @staticmethod
    def _families() -> dict[str, GaugeMetricFamily]:
        return {name: GaugeMetricFamily(name, gauge.meaning, labels=gauge.labels) for name, gauge in GAUGES.items()}


async def _days_left(deps: Deps, pool: Pool) -> list[GaugeRow]:
    names = balances.with_balance(deps.accounts)
    found = await balances.of_accounts(deps, names, pool)
    return [
        GaugeRow(_DAYS_LEFT, (deps.accounts[name].settings.mode, name), balance.days_left)
        for name, balance in found.items()
        if balance.days_left is not None
    ]
