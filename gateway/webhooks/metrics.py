"""Metrics of webhooks to storefronts: what became of each try, and how long it took."""

from __future__ import annotations

from typing import Literal

from prometheus_client import Counter, Histogram

TryOutcome = Literal["delivered", "retried", "given_up"]
_OUTCOMES: tuple[TryOutcome, ...] = ("delivered", "retried", "given_up")

TRIES = Counter(
    "gateway_webhook_tries",
    "Tries to deliver a webhook: delivered, to be retried, or given up.",
    ["outcome"],
    registry=None,
)
TRY_SECONDS = Histogram(
    "gateway_webhook_try_seconds",
    "Time that a storefront took to answer a webhook.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 15),
    registry=None,
)
METRICS = (TRIES, TRY_SECONDS)

# Prometheus sees no increase in a series that is new, so each begins at 0.
_BY_OUTCOME = {outcome: TRIES.labels(outcome) for outcome in _OUTCOMES}


def count_try(outcome: TryOutcome, seconds: float) -> None:
    """Count a try to deliver a webhook."""
    _BY_OUTCOME[outcome].inc()
    TRY_SECONDS.observe(seconds)
