"""What the rules of alerts on health find: of order processing, and of exchange rates."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import quote

from gateway.alerts.alert_rules import Evaluation, Finding, Rule
from gateway.orders.health_rules import MOST_COUNTED, OrderHealth, degradations
from gateway.pricing.rate_rules import RateBounds, RateReport, only_shipped, rate_warnings
from gateway.suppliers.deps import utc_now


def evaluate_health_rule(rule: Rule, health: OrderHealth, watched_seconds: float) -> Evaluation:
    """What a rule on the processing of orders finds. What changes with every second is not in the words."""
    found = {degradation.word for degradation in degradations(health, watched_seconds)}
    if rule.kind not in found:
        return Evaluation(rule=rule)
    if rule.kind == "no_worker":
        ago = None if health.worker_seen_seconds is None else timedelta(seconds=health.worker_seen_seconds)
        seen = "none was ever seen" if ago is None else f"the last one was seen {_minute(utc_now() - ago)}"
        finding = Finding(
            subject="no_worker",
            title="No worker is running",
            detail=f"{seen}; start esim-gateway worker",
            link="/console/jobs",
        )
    else:
        first = health.oldest[0]
        count = f"{health.overdue}{' or more' if health.overdue >= MOST_COUNTED else ''}"
        finding = Finding(
            subject="orders_overdue",
            title=f"Orders are overdue: {count}",
            detail=f"the first since {_minute(first.due_at)}: {', '.join(order.id for order in health.oldest)}",
            link=f"/console/orders/{quote(first.id)}",
        )
    return Evaluation(rule=rule, found=(finding,))


def evaluate_rates_rule(rule: Rule, report: RateReport, bounds: RateBounds, now: datetime) -> Evaluation:
    """What a rule on exchange rates finds: what is old, and what waits for an operator.

    A gateway whose suppliers are all in test mode may live on the rates that it ships with.
    """
    found = []
    warnings = [] if bounds.test_only and only_shipped(report) else rate_warnings(report, now, bounds)
    if warnings:
        detail = "; ".join(warnings)
        found.append(
            Finding(subject="stale_rates", title="Exchange rates are old", detail=detail[:500], link="/console/rates")
        )
    if report.waiting:
        title = f"Exchange rates wait for an operator: {', '.join(report.waiting)}"
        detail = f"they moved by more than {bounds.max_move_percent:f} % in a day; the old ones stand"
        found.append(Finding(subject="rates_waiting", title=title[:200], detail=detail, link="/console/rates"))
    return Evaluation(rule=rule, found=tuple(found))


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
