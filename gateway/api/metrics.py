"""Metrics of requests and of the catalogue. Children are bound once: ``labels()`` costs more than counting does.

What the domains count, in this process or in a worker, is declared in their own ``metrics.py``.

The workers of ``serve`` write theirs to files in the folder that ``PROMETHEUS_MULTIPROC_DIR`` names
(set before this module is imported); the parent reads them all and adds them up.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from gateway.features import domain_metrics

_BUCKETS = (0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5)


class Metrics:
    """Every figure that a serving process keeps."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry if registry is not None else CollectorRegistry()
        self.seconds = Histogram(
            "gateway_http_request_seconds",
            "Time to answer, by method, route template and status.",
            ["method", "route", "status"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.answers = Counter(
            "gateway_catalog_answers",
            "Catalogue answers, by source: remembered in memory, or computed.",
            ["source"],
            registry=self.registry,
        )
        self.limited = Counter(
            "gateway_rate_limited", "Requests refused by a key's rate limit.", registry=self.registry
        )
        self.offers = Gauge(
            "gateway_catalog_offers",
            "Offers in the catalogue that is served.",
            ["mode"],
            registry=self.registry,
            multiprocess_mode="livemostrecent",
        )
        self.synced_at = Gauge(
            "gateway_catalog_synced_timestamp_seconds",
            "When the offers of the catalogue that is served were last fetched, Unix time.",
            ["mode"],
            registry=self.registry,
            multiprocess_mode="livemostrecent",
        )
        self.degraded = Gauge(
            "gateway_degraded",
            "How many things do not work at present in the worst worker.",
            registry=self.registry,
            multiprocess_mode="livemax",
        )
        self.orders_overdue = Gauge(
            "gateway_orders_overdue",
            "Orders that nobody processed within a minute after their time.",
            ["mode"],
            registry=self.registry,
            multiprocess_mode="livemostrecent",
        )
        self.worker_last_seen = Gauge(
            "gateway_worker_last_seen_seconds",
            "How long ago a worker wrote its heartbeat; since this process started where none ever did.",
            registry=self.registry,
            multiprocess_mode="livemostrecent",
        )
        for collector in domain_metrics():
            self.registry.register(collector)
        self.remembered = self.answers.labels(source="memory")
        self.computed = self.answers.labels(source="computed")
        self._requests: dict[tuple[str, str, int], Histogram] = {}

    def request(self, method: str, route: str, status: int) -> Histogram:
        """Where the seconds of requests with this method, route template and status are observed."""
        found = self._requests.get((method, route, status))
        if found is None:
            found = self.seconds.labels(method=method, route=route, status=str(status))
            self._requests[method, route, status] = found
        return found
