"""The description of the API, put to use: requests made from it, and a client made from it."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from providers.loader import load_manifests

BIN = Path(sys.executable).parent


async def run(*command: object, cwd: Path) -> str:
    """What a command prints. It fails the test when the command does."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "NO_COLOR": "1", "PATH": f"{BIN}:{os.environ['PATH']}"},
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


@pytest.fixture
async def served(make_api):
    supplier = {"provider": "pikasim", "mode": "test", "base_url": "http://127.0.0.1:1", "api_key": "x" * 20}
    paid = {**load_manifests()["bepaid"].sandbox_settings, "provider": "bepaid"}
    paid |= {"mode": "test", "base_url": "http://127.0.0.1:1"}
    api = await make_api(published=True, suppliers={"a": supplier, "b": supplier, "p": paid})
    return api.with_key(await api.make_key("storefront", "goods", per_minute=10**9))


# Whose requests, and to what. The stop-selling switch goes by itself: with it thrown, an order is answered 503 as it
# should be. Two runs end sooner than one: each is busy with one operation after the other.
RUNS = {
    "storefront": (("storefront", "goods"), ("--exclude-path-regex", "^/v1/ops/|/offers$")),
    "ops": (("ops",), ("--include-path-regex", "^/v1/ops/(?!selling-stops)|/offers$")),
    "switch": (("ops",), ("--include-path", "/v1/ops/selling-stops")),
}


@pytest.mark.parametrize("which", RUNS)
async def test_requests_made_from_the_description_meet_nothing_that_it_does_not_describe(served, tmp_path, which):
    scopes, operations = RUNS[which]
    key = await served.make_key(*scopes, per_minute=10**9)
    await run(
        BIN / "schemathesis", "run", f"http://127.0.0.1:{served.client.port}/openapi.json",
        *("--header", f"Authorization: Bearer {key}", "--max-examples", "8", "--seed", "1"),
        *("--checks", "all", "--suppress-health-check", "all", *operations),
        cwd=tmp_path,
    )  # fmt: skip


async def test_a_client_made_from_the_description_lists_plans_and_reads_a_quote(served, tmp_path):
    document = tmp_path / "openapi.json"
    document.write_bytes(await (await served.get("/openapi.json")).read())
    config = tmp_path / "config.yaml"  # pictures are bytes to it
    config.write_text(
        "content_type_overrides: {image/png: application/octet-stream, image/svg+xml: application/octet-stream}"
    )
    said = await run(
        BIN / "openapi-python-client", "generate", "--path", document, "--output-path", tmp_path / "made",
        *("--config", config, "--meta", "none", "--overwrite"),
        cwd=tmp_path,
    )  # fmt: skip
    assert not re.search("warning parsing|unable|unsupported", said, re.IGNORECASE), said
    script = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
from made import AuthenticatedClient
from made.api.catalogue import list_plans
from made.api.quotes import create_quote
from made.models import QuoteForNeed
from made.models.country_code import CountryCode
client = AuthenticatedClient(base_url="http://127.0.0.1:{served.client.port}", token={served.key!r})
plans = list_plans.sync(client=client, country=[CountryCode.JP])
need = QuoteForNeed(countries=[CountryCode.JP, CountryCode.KR], data_mb=3072, days=10)
quote = create_quote.sync(client=client, body=need)
print(len(plans.data), plans.data[0].price.amount, quote.price.amount, quote.why.rule)
"""
    assert (await run(sys.executable, "-c", script, cwd=tmp_path)).strip() == "3 4.95 12.10 cheapest_in_stock"
