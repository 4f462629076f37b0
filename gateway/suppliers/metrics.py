"""Metrics of attempts at suppliers: how they end, how long an answer takes, which errors come back."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import Counter, Histogram

_KINDS = ("purchase", "topup", "cancel")
_STATES = ("accepted", "succeeded", "unknown", "charged_undeliverable", "failed")
# From an answer at once to the longest time-out that a supplier account may have.
_BUCKETS = (0.1, 0.25, 0.5, 1, 2, 3, 5, 8, 13, 21, 34, 60)

ATTEMPTS = Counter(
    "gateway_attempts",
    "Attempts (purchases, top-ups, cancels) that reached a state.",
    ["mode", "supplier", "kind", "state"],
    registry=None,
)
ATTEMPT_ERRORS = Counter(
    "gateway_attempt_errors",
    "Attempts that got an error instead of an answer, by its code.",
    ["mode", "supplier", "kind", "code"],
    registry=None,
)
ATTEMPT_SECONDS = Histogram(
    "gateway_attempt_seconds",
    "Time from sending an attempt to the supplier's answer or error.",
    ["mode", "supplier", "kind"],
    buckets=_BUCKETS,
    registry=None,
)
METRICS = (ATTEMPTS, ATTEMPT_ERRORS, ATTEMPT_SECONDS)


def declare_suppliers(modes: Iterable[tuple[str, str]]) -> None:
    """Begin the counters of these accounts (name, mode) at 0: Prometheus sees no increase in a series that is new."""
    for supplier, mode in modes:
        for kind in _KINDS:
            for state in _STATES:
                ATTEMPTS.labels(mode, supplier, kind, state)


def count_attempt(mode: str, supplier: str, kind: str, state: str) -> None:
    """Count an attempt that reached a state."""
    ATTEMPTS.labels(mode, supplier, kind, state).inc()


def observe_answer(mode: str, supplier: str, kind: str, seconds: float, error_code: str | None) -> None:
    """Note how long a supplier took for an attempt. ``error_code`` is one of ``schemas.errors``; None for an answer."""
    ATTEMPT_SECONDS.labels(mode, supplier, kind).observe(seconds)
    if error_code is not None:
        ATTEMPT_ERRORS.labels(mode, supplier, kind, error_code).inc()
