"""The description of the API, put to use: requests made from it, and a client made from it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from gateway.access import mandate_rows
from gateway.api import state
from gateway.app import all_routes
from providers.loader import load_manifests
from tests.conftest import OutsideConnectionError
from tests.gateway.api.test_openapi import PATHS
from tests.gateway.api.test_two_storefronts import PLAN, owned
from tests.kit.described_requests import schemathesis_toml, use_real_ids

__all__ = ["owned"]  # the fixture
BIN = Path(sys.executable).parent
REQUESTS = "gateway_http_request_seconds"
# Where hypothesis keeps its tables of characters; making them takes more than a second.
HYPOTHESIS = Path(__file__).parents[3] / ".hypothesis"


async def run(*command: object, cwd: Path) -> str:
    """What a command prints. It fails the test when the command does."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={
            **os.environ,
            "NO_COLOR": "1",
            "HYPOTHESIS_STORAGE_DIRECTORY": str(HYPOTHESIS),
            "PATH": f"{BIN}:{os.environ['PATH']}",
        },
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


@pytest.fixture
async def served(make_api, monkeypatch):
    monkeypatch.setattr("gateway.catalog.browse.REBUILD_SECONDS", 0.0)  # each exchange rate that is set would wait
    supplier = {"provider": "pikasim", "mode": "test", "base_url": "http://127.0.0.1:1", "api_key": "x" * 20}
    paid = {**load_manifests()["bepaid"].sandbox_settings, "provider": "bepaid"}
    paid |= {"mode": "test", "base_url": "http://127.0.0.1:1"}
    api = await make_api(published=True, suppliers={"a": supplier, "b": supplier, "p": paid})
    return api.with_key(await api.make_key("storefront", "goods", per_minute=10**9))


@pytest.fixture
def empty_resolver(monkeypatch):
    """A resolver that finds no name. The tests' network guard raises an error that no client expects."""
    resolve = socket.getaddrinfo

    def resolve_local(*args, **options):
        try:
            return resolve(*args, **options)
        except OutsideConnectionError:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known") from None

    monkeypatch.setattr(socket, "getaddrinfo", resolve_local)


# The scopes and the paths of each run; an operation belongs to the first run that matches its path. Runs are parallel
# tests. The stop-selling switch stands apart from the orders, which it would rightly answer with 503.
RUNS = {
    "rules": (("ops",), "/v1/ops/(pricing-rules|price|margins|alert|selling-stops)"),
    "ops": (("ops",), "/v1/ops/|.*/offers$|/(livez|readyz|webhooks/|openapi-ops|docs-ops)"),
    "selling": (("storefront", "goods", "routing"), "/v1/(orders|order-batches|quotes|checkouts)"),
    "storefront": (("storefront", "goods", "routing"), ""),
}
DOCUMENTS = {
    "rules": "/openapi-ops.json", "ops": "/openapi-ops.json",
    "selling": "/openapi.json", "storefront": "/openapi.json",
}  # fmt: skip
# Statuses of requests that reached no thing that exists.
REFUSALS = {400, 401, 403, 404, 405, 406, 408, 413, 415, 422, 429, 500, 503}
# Operations that answer nothing else. A supplier's webhook needs a signature with the supplier's secret.
ONLY_REFUSING = {("POST", "/webhooks/{supplier}")}
# Bodies of the things that the requests name, without what differs between two of a kind.
BODIES = {
    "/v1/ops/pricing-rules": {"region": "europe", "percent": "18"},
    "/v1/ops/alert-channels": {"kind": "webhook", "url": "http://127.0.0.1:9/alerts"},
    "/v1/ops/alert-rules": {"kind": "price_move", "threshold": "15", "direction": "up", "about": "offer"},
    "/v1/ops/mappings": {"provider": "pikasim", "about": "place", "means": "AU HK JP", "note": "they named them"},
    "/v1/ops/keys": {"storefront": "Example shop", "mode": "test", "scopes": ["storefront"]},
    "/v1/webhook-endpoints": {"url": "http://127.0.0.1:9/events"},
}
NAME_FIELDS = {"/v1/ops/mappings": "word", "/v1/webhook-endpoints": "description"}


async def create(api, path, name):
    """The id of a new thing."""
    answer = await api.post(path, json=BODIES[path] | {NAME_FIELDS.get(path, "name"): name})
    assert answer.status == 201, await answer.text()
    return (await answer.json())["id"]


async def first_id(api, path):
    """The id of the first thing of a list."""
    return (await (await api.get(path)).json())["data"][0]["id"]


async def quarantine(pool, sync_run):
    """Let a sync run hold back what pikasim says."""
    await pool.execute(
        "INSERT INTO quarantines (run_id, supplier, at, reason, before, new, changed, gone, up, down, moved_far,"
        " difference) VALUES ($1, 'pikasim', now(), 'all of it moved', 2, 1, 1, 1, 0, 1, 1, 'd')",
        sync_run,
    )


async def hold_rate(pool):
    """Let a rate wait for an operator, of a day that no rate which is set here takes away."""
    await pool.execute(
        "INSERT INTO waiting_rates (base, currency, rate, as_of, source)"
        " VALUES ('USD', 'IDR', 0.00006, current_date + 400, 'ecb rates.example.com')"
    )


async def give_mandate(pool, key_id):
    """Let a key have a mandate, which allows whatever a test orders."""
    async with pool.acquire() as connection:
        await mandate_rows.put(
            connection, key_id, per_order=Decimal(10**9), per_day=Decimal(10**9), per_month=Decimal(10**9),
            currency="USD", ends_at=datetime.now(UTC) + timedelta(days=1),
        )  # fmt: skip


async def real_ids(storefront, ops, has):
    """Ids by path, and replacements for the ids and amounts in examples: the arguments of ``use_real_ids``."""
    good, sync_run = await first_id(storefront, "/v1/goods"), await first_id(ops, "/v1/ops/sync-runs")
    await quarantine(ops.pool, sync_run)
    await hold_rate(ops.pool)
    await ops.post("/v1/ops/suppliers/pikasim/check")
    ids = {
        "/v1/plans/{plan_id}": PLAN,
        "/v1/orders/{id}": has.order["id"],
        "/v1/checkouts/{id}": has.checkout,
        "/v1/order-batches/{id}": has.batch,
        "/v1/esims/{id}": has.esim["id"],
        "/v1/goods/{id}": good,
        "/v1/numbers/{id}": has.number,
        "/v1/webhook-endpoints/{id}/deliveries/{delivery_id}": has.delivery,
        "/webhooks/{supplier}": "pikasim",
        "/v1/ops/suppliers/{name}": "pikasim",
        "/v1/ops/orders/{id}": has.order["id"],
        "/v1/ops/checkouts/{id}": has.checkout,
        "/v1/ops/goods/{id}": good,
        "/v1/ops/offers/{id}": await first_id(ops, "/v1/ops/offers"),
        "/v1/ops/sync-runs/{id}": sync_run,
        "/v1/ops/prices/{country}": "BV",
        "/v1/ops/storefronts/{id}": await ops.pool.fetchval("SELECT id FROM storefronts ORDER BY id LIMIT 1"),
    }
    for path in BODIES:
        api = ops if "/ops/" in path else storefront
        ids[f"{path}/{{id}}"] = await create(api, path, "kept")
        ids[f"DELETE {path}/{{id}}"] = await create(api, path, "deleted")
    for key_id in (ids["/v1/ops/keys/{id}"], ids["DELETE /v1/ops/keys/{id}"]):
        await give_mandate(ops.pool, key_id)
    ids["/v1/webhook-endpoints/{id}"] = has.endpoint["id"]  # the one with a delivery
    examples = {
        "jp-1gb-7d-5c2a9e0b71d4": PLAN,
        "qt_Zm9vYmFy": has.quote,
        "6.00": "600.00",  # `max_price`: more than the plan costs
        "ord_7f3a9c20e1b84d65": has.order["id"],
        "pr_9f2c41d07be5a613": ids["/v1/ops/pricing-rules/{id}"],
    }
    return ids, examples


def run_of(path):
    """The run that an operation belongs to."""
    return next(run for run, (_, pattern) in RUNS.items() if re.match(pattern, path))


def test_each_operation_belongs_to_a_run_over_its_document():
    assert [route.path for route in all_routes() if DOCUMENTS[run_of(route.path)] != PATHS[route.for_operators]] == []


def count_answers(app):
    """How often each operation was answered with each status."""
    counts = Counter()
    metric = next(metric for metric in app[state.METRICS].registry.collect() if metric.name == REQUESTS)
    for sample in metric.samples:
        if sample.name == f"{REQUESTS}_count":
            labels = sample.labels
            counts[labels["method"], labels["route"], int(labels["status"])] = int(sample.value)
    return counts


@pytest.mark.long
@pytest.mark.parametrize("which", RUNS)
async def test_requests_made_from_the_description_meet_nothing_that_it_does_not_describe(
    owned, empty_resolver, tmp_path, which
):
    api, has = owned
    storefront = api.with_key(await api.make_key("storefront", "goods"))
    ops = api.with_key(await api.make_key("ops"))
    described = json.loads(api.client.app[state.DOCUMENTS][DOCUMENTS[which]].plain)
    document = use_real_ids(described, *await real_ids(storefront, ops, has))
    document["paths"] = {path: found for path, found in document["paths"].items() if run_of(path) == which}
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    (tmp_path / "schemathesis.toml").write_text(schemathesis_toml(document))
    key = await api.make_key(*RUNS[which][0], per_minute=10**9)
    await give_mandate(api.pool, (await api.with_key(key).read("/v1/me"))["id"])
    before = count_answers(api.client.app)
    await run(
        BIN / "schemathesis", "run", "openapi.json", "--url", f"http://127.0.0.1:{api.client.port}",
        *("--header", f"Authorization: Bearer {key}"),
        *("--max-examples", "8", "--seed", "1", "--generation-database", "none"),
        *("--request-timeout", "60", "--max-response-time", "60", "--checks", "all"),
        *("--suppress-health-check", "all"),
        cwd=tmp_path,
    )  # fmt: skip
    statuses = defaultdict(set)
    for method, path, status in count_answers(api.client.app) - before:
        statuses[method, path].add(status)
    described = {(method.upper(), path) for path, operations in document["paths"].items() for method in operations}
    only_refusing = {operation for operation in described if statuses[operation] <= REFUSALS}
    assert only_refusing == ONLY_REFUSING & described, sorted(only_refusing)


async def test_a_client_made_from_the_description_lists_plans_and_reads_a_quote(served, tmp_path):
    document = tmp_path / "openapi.json"
    document.write_bytes(await (await served.get("/openapi.json")).read())
    said = await run(
        BIN / "openapi-python-client", "generate", "--path", document, "--output-path", tmp_path / "made",
        *("--meta", "none", "--overwrite"),
        cwd=tmp_path,
    )  # fmt: skip
    assert not re.search("warning parsing|unable|unsupported", said, re.IGNORECASE), said
    script = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
from made import AuthenticatedClient
from made.api.catalog import list_plans
from made.api.esims import get_esim_qr_png, get_esim_qr_svg
from made.api.quotes import create_quote
from made.models import QuoteForNeed
client = AuthenticatedClient(base_url="http://127.0.0.1:{served.client.port}", token={served.key!r})
plans = list_plans.sync(client=client, country=["JP"])
need = QuoteForNeed(countries=["JP", "KR"], data_mb=3072, days=10)
quote = create_quote.sync(client=client, body=need)
for picture in (get_esim_qr_png, get_esim_qr_svg):
    assert picture.sync_detailed("esim_" + "0" * 24, client=client).parsed.code == "not_found"
print(len(plans.data), plans.data[0].price.amount, quote.price.amount, quote.why.rule)
"""
    assert (await run(sys.executable, "-c", script, cwd=tmp_path)).strip() == "3 4.95 12.10 cheapest_in_stock"
