"""Each call of the suppliers' pages: in the plugin's manifest, served by its sandbox, used or left with a reason.

The table in docs/suppliers.md is made from that. ``WRITE_CALLS=1 pytest tests/providers/test_documented_calls.py``
writes it.
"""

from __future__ import annotations

import inspect
import os
import re
from pathlib import Path

import pytest

from providers.contract import Capability, Manifest, SandboxRoute
from providers.loader import load_manifests
from providers.simulator import world_for

HOUSE = Path(__file__).parents[2]
PAGE = HOUSE / "docs" / "suppliers.md"
BEGIN, END = "<!-- calls: begin -->", "<!-- calls: end -->"

# What each page documents, written down from the page itself, so that no plugin can forget one of its calls.
# S2S's page lost its paths; there are as many lines as it has calls.
DOCUMENTED = {
    "bepaid": """
        POST /products
        GET /products
        GET /products/{product_id}
        PUT /products/{product_id}
    """,
    "beppay": """
        GET /api/auth/me
        GET /api/partner/keys
        POST /api/partner/keys
        DELETE /api/partner/keys
        GET /api/partner/balance
        GET /api/partner/esim/plans
        POST /api/partner/esim/purchase
        GET /api/partner/esim/orders
        GET /api/partner/virtual-numbers/countries
        GET /api/partner/virtual-numbers/tiers
        POST /api/partner/virtual-numbers/purchase
        GET /api/partner/virtual-numbers/orders
    """,
    "pikasim": """
        GET /account
        GET /balance
        GET /transactions
        GET /packages
        GET /packages/{packageCode}
        POST /orders
        GET /orders
        GET /orders/{orderId}
        GET /esims/{iccid}
        GET /esims/{iccid}/usage
        GET /esims/{iccid}/topup-options
        POST /esims/{iccid}/topup
        POST /esims/{iccid}/cancel
        POST /deposit/stripe
        POST /deposit/btcpay
        PUT /webhook
        POST /webhook/test
    """,
    "s2s": """
        GET /me
        GET /balance
        GET /balance/history
        GET /catalog/products
        GET /catalog/products/{uuid}
        GET /catalog/pricelist
        GET /catalog/categories
        GET /orders
        POST /orders
        GET /orders/{uuid}
        POST /services/esim/{iccid}/topup
        GET /services/esim/{iccid}/status
    """,
}
# What a sandbox shows to people and not to the gateway: the pages behind the links that it gives.
PEOPLES_PAGES: dict[str, set[str]] = {"bepaid": {"GET /products/{}/pay", "GET /v2/confirm_order/{}/{}"}}

_CALL = re.compile(r"`(GET|POST|PUT|PATCH|DELETE) ([^`?]+)(?:\?[^`]*)?`")

MANIFESTS = load_manifests()
each_supplier = pytest.mark.parametrize("name", sorted(DOCUMENTED))


def plain(method: str, path: str) -> str:
    """A call by its method and path, whatever its parts are named."""
    return f"{method} {re.sub(r'{[^}]+}', '{}', path)}"


def documented(name: str) -> set[str]:
    return {plain(*line.split()) for line in DOCUMENTED[name].split("\n") if line.strip()}


def served(manifest: Manifest) -> set[str]:
    """What the sandbox answers, but for its controls."""
    assert manifest.sandbox is not None
    world = world_for({manifest.name: manifest} if Capability.CATALOG in manifest.capabilities else {})
    app = manifest.sandbox(world, manifest.sandbox_settings)
    calls = {
        plain(route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and "/_sandbox/" not in route.resource.canonical and route.method != "HEAD"
    }
    return calls - PEOPLES_PAGES.get(manifest.name, set())


def readme(manifest: Manifest) -> str:
    return Path(inspect.getfile(manifest.provider)).with_name("README.md").read_text("utf-8")


def table() -> str:
    """Every call and what it is used for, as the page has it."""
    rows = [
        f"| {manifest.title} | `{route.method} {route.path}` | {words(route)} |"
        for manifest in MANIFESTS.values()
        for route in sorted(manifest.routes, key=lambda route: (route.path, route.method))
    ]
    return "\n".join(["| supplier | call | used for |", "|---|---|---|", *rows])


def words(route: SandboxRoute) -> str:
    return route.used_for or f"*not used:* {route.why_not}"


@each_supplier
def test_every_call_of_the_page_is_in_the_manifest_and_no_other(name):
    listed = [plain(route.method, route.path) for route in MANIFESTS[name].routes]
    assert sorted(listed) == sorted(documented(name))


@each_supplier
def test_the_sandbox_serves_what_the_manifest_lists(name):
    assert served(MANIFESTS[name]) == {plain(route.method, route.path) for route in MANIFESTS[name].routes}


@each_supplier
def test_the_readme_names_each_call_and_the_reason_of_those_that_are_not_used(name):
    _, _, rest = readme(MANIFESTS[name]).partition("\n## Calls")
    section = rest.partition("\n## ")[0]
    rows = [line for line in section.split("\n") if line.startswith("|")]
    named = {plain(*call): row for row in rows for call in _CALL.findall(row)}
    assert set(named) == documented(name), f"README.md of {name}, Calls: write each as `GET /path/{{part}}`"
    for route in MANIFESTS[name].routes:
        assert bool(route.used_for) != bool(route.why_not), f"{route.method} {route.path}: used_for or why_not"
        said = named[plain(route.method, route.path)].rsplit("|", 2)[1].strip()
        assert said.startswith(("never: ", "not yet: ")) == bool(route.why_not), f"{route.method} {route.path}: {said}"


def test_no_supplier_is_forgotten():
    assert set(MANIFESTS) == set(DOCUMENTED)


def test_the_table_in_the_guide_is_what_the_manifests_say():
    text = PAGE.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    now, _, after = rest.partition(END)
    if os.environ.get("WRITE_CALLS"):
        PAGE.write_text(f"{before}{BEGIN}\n{table()}\n{END}{after}", "utf-8")
        return
    assert now.strip() == table(), "run WRITE_CALLS=1 pytest tests/providers/test_documented_calls.py"
