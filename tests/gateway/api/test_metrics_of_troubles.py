"""A trouble changes the metrics that an alert rule reads, so that the rule fires."""

from __future__ import annotations

import json
from decimal import Decimal
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest

from gateway.access.key_rows import create_key
from gateway.api import state
from gateway.kit.guarded_http import GuardedHttpClient
from gateway.kit.sealing import Seal
from gateway.webhooks import endpoints, event_rows
from gateway.webhooks.deliver import Deliverer
from gateway.webhooks.endpoint_rows import Owner
from gateway.webhooks.notify import emit_event
from gateway.worker.sync_jobs import Figures
from schemas.notice import NoticeType
from tests.gateway.api.test_health_reports import place_orders, seen_worker
from tests.kit.alert_rules import RULES, expression_of, fires
from tests.kit.promql import parse
from tests.kit.scraped import declared, samples, selected
from tests.kit.secret_keys import SECRET_KEY
from tests.kit.waiting import until
from tests.layout import ROOT

LOOPBACK = (ip_network("127.0.0.0/8"),)
_DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "dashboard.json").read_text())
# What has series in a worker before anything has happened.
_FROM_THE_START = {
    "gateway_orders_total",
    "gateway_orders_open",
    "gateway_attempts_total",
    "gateway_jobs",
    "gateway_webhook_tries_total",
    "gateway_webhook_deliveries_waiting",
    "gateway_supplier_active",
    "gateway_supplier_last_good_timestamp_seconds",
}


def scrape(registry: CollectorRegistry) -> str:
    return generate_latest(registry).decode()


def assert_fires(alert: str, before: str, after: str, folder: Path) -> None:
    """Between two scrapes something changed that the rule reads; and by Prometheus' own reading it then fires."""
    expression = expression_of(alert)
    selectors = parse(expression).selectors
    assert any(selected(before, selector) != selected(after, selector) for selector in selectors), expression
    # So that a rule which always fires is found too.
    assert not fires(expression, before, before, folder)
    assert fires(expression, before, after, folder)


async def shop_of(counter: Any) -> str:
    """What a worker shows after it has read the shop."""
    figures = Figures()
    await figures.shop.read(counter.deps, counter.deps.pool)
    return scrape(figures.registry)


@pytest.mark.parametrize(
    ("alert", "name"),
    [("GatewayOrdersOverdue", "gateway_orders_overdue"), ("GatewayNoWorker", "gateway_worker_last_seen_seconds")],
)
async def test_overdue_orders_and_a_missing_worker(make_api, pool, tmp_path, alert, name):
    await seen_worker(pool, 0)
    api = await make_api()
    registry = api.client.app[state.METRICS].registry

    def shown() -> list[float]:
        # Not of a scrape: writing and reading one of them again and again leaves no time for what is waited for.
        found = registry.restricted_registry([name]).collect()
        return [sample.value for metric in found for sample in metric.samples]

    await api.client.app[state.HEALTH].refresh()
    await until(shown)
    before, was = scrape(registry), sum(shown())
    await place_orders(pool, 3, due_seconds_ago=61)
    await pool.execute("UPDATE workers SET seen_at = now() - interval '75 seconds'")
    await until(lambda: sum(shown()) > was + 2)
    assert_fires(alert, before, scrape(registry), tmp_path)


async def test_a_supplier_that_refuses(counter, tmp_path):
    before = await shop_of(counter)
    for _ in range(4):
        order = await counter.followed(await counter.ordered(await counter.plan(2, "pikasim")))
        assert order.status == "fulfilled"
    after = await shop_of(counter)
    assert_fires("GatewaySupplierErrors", before, after, tmp_path)
    attempts = {
        (labels["supplier"], labels["state"]): value
        for name, labels, value in changes(before, after)
        if name == "gateway_attempts_total"
    }
    assert attempts == {("pikasim", "failed"): 4, ("s2s", "succeeded"): 4}
    (error,) = [
        (labels["supplier"], labels["code"], value)
        for name, labels, value in changes(before, after)
        if name == "gateway_attempt_errors_total"
    ]
    assert error == ("pikasim", "out_of_stock", 4)
    answers = {
        labels["supplier"]: value
        for name, labels, value in changes(before, after)
        if name == "gateway_attempt_seconds_count"
    }
    assert answers == {"pikasim": 4, "s2s": 4}
    orders = {
        (labels["kind"], labels["status"]): value
        for name, labels, value in changes(before, after)
        if name == "gateway_orders_total"
    }
    assert orders == {("esim", "pending"): 4, ("esim", "fulfilled"): 4}


async def test_orders_that_need_review(counter, tmp_path):
    before = await shop_of(counter)
    await place_orders(counter.deps.pool, 3, due_seconds_ago=0)
    await counter.deps.pool.execute("UPDATE orders SET status = 'needs_review'")
    assert_fires("GatewayOrdersNeedReview", before, await shop_of(counter), tmp_path)


@pytest.mark.parametrize(
    ("alert", "spendable"), [("GatewaySupplierMoneyLow", Decimal(2)), ("GatewaySupplierMoneySpent", Decimal(0))]
)
async def test_money_that_comes_to_its_end(counter, tmp_path, alert, spendable):
    await counter.delivered("pikasim", 1)
    put = (
        "INSERT INTO supplier_balances (supplier, at, balance, spendable, currency)"
        " SELECT 'pikasim', now(), $1, $1, currency FROM ledger LIMIT 1"
    )
    await counter.deps.pool.execute(put, Decimal(100_000))
    before = await shop_of(counter)
    await counter.deps.pool.execute(put, spendable)
    assert_fires(alert, before, await shop_of(counter), tmp_path)


async def test_webhooks_that_fail(pool, receiver, tmp_path):
    seal = Seal([SECRET_KEY])
    await create_key(pool, storefront="shop", mode="test", scopes=["storefront"])
    owner = Owner(await pool.fetchval("SELECT id FROM storefronts"), "test")
    await endpoints.create(pool, seal, owner, url=receiver.url, events=(), description="")
    registry = Figures().registry
    before = scrape(registry)
    receiver.answers = [500] * 4
    for number in range(4):
        async with pool.acquire() as connection, connection.transaction():
            await emit_event(
                connection, seal, storefront_id=owner.storefront_id, mode=owner.mode, type=NoticeType.ORDER_FULFILLED,
                data={"order_id": f"ord_{number}"},
            )  # fmt: skip
    async with GuardedHttpClient(LOOPBACK, timeout_seconds=5) as outside:
        deliverer = Deliverer(pool, seal, outside)
        await event_rows.dispatch(pool, 10)
        while await deliverer.start_due():
            await deliverer.drain()
    after = scrape(registry)
    assert_fires("GatewayWebhooksFailing", before, after, tmp_path)
    tries = [(name, labels, value) for name, labels, value in changes(before, after) if name.endswith("_tries_total")]
    assert tries == [("gateway_webhook_tries_total", {"outcome": "retried"}, 4)]


def changes(before: str, after: str) -> list[tuple[str, dict[str, str], float]]:
    """What a later scrape has more of each series."""
    old = {(name, *sorted(labels.items())): value for name, labels, value in samples(before)}
    found = []
    for name, labels, value in samples(after):
        more = value - old.get((name, *sorted(labels.items())), 0)
        if more:
            found.append((name, labels, more))
    return found


async def test_each_condition_of_rules_and_dashboard_selects_a_series(counter):
    """Where a metric has series from the start, a misspelt value of a label selects none of them."""
    text = await shop_of(counter)
    groups = yaml.safe_load(RULES.read_text())["groups"]
    expressions = [rule["expr"] for group in groups for rule in group["rules"]]
    expressions += [target["expr"] for panel in _DASHBOARD["panels"] for target in panel.get("targets", ())]
    seen = set()
    for expression in expressions:
        about_test = expression.replace('mode="live"', 'mode="test"').replace("$mode", "test")
        for selector in parse(about_test).selectors:
            if selector.name in _FROM_THE_START:
                seen.add(selector.name)
                assert selected(text, selector), selector
    assert seen == _FROM_THE_START


async def test_a_reading_is_not_shown_for_long(counter):
    figures = Figures()
    await figures.shop.read(counter.deps, counter.deps.pool)
    assert "gateway_orders_due 0.0" in scrape(figures.registry)
    assert 'gateway_supplier_active{mode="test",supplier="s2s"} 1.0' in scrape(figures.registry)
    figures.shop._read_at -= 200
    text = scrape(figures.registry)
    assert "# HELP gateway_orders_due " in text
    assert "\ngateway_orders_due " not in text


async def test_no_label_of_a_metric_is_without_a_bound():
    """Ids, addresses and texts of others never become labels: each label is one of these words."""
    bounded = {"method", "route", "status", "source", "mode", "code", "kind", "state", "supplier", "currency"}
    assert {label for metric in declared().values() for label in metric.labels} == bounded | {"outcome", "part"}
