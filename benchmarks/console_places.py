"""Where the console's pages are: addresses with parts, filled in with things that this gateway has."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

from gateway.console import all_pages
from gateway.kit.pool import Pool

_RUN = "SELECT id FROM sync_runs WHERE ended_at IS NOT NULL ORDER BY started_at DESC LIMIT 1"
_SUPPLIER = "SELECT name FROM suppliers WHERE configured AND mode = $1 ORDER BY name LIMIT 1"
_ORDER = "SELECT id FROM orders WHERE mode = $1 AND status = '{}' ORDER BY created_at DESC LIMIT 1"
_ESIM = "SELECT id FROM esims WHERE mode = $1 ORDER BY observed_at DESC NULLS LAST, created_at DESC, id LIMIT 1"
_PLAN = """
SELECT o.plan_id FROM offers o JOIN suppliers s ON s.name = o.supplier AND s.mode = $1
WHERE o.gone_at IS NULL GROUP BY o.plan_id, o.coverage
ORDER BY least(count(DISTINCT o.supplier), 3) DESC, cardinality(o.coverage), o.plan_id LIMIT 1
"""
_STOREFRONT = "SELECT storefront_id FROM orders WHERE mode = $1 ORDER BY created_at DESC LIMIT 1"
# Of the storefront that has a user.
_OWN = "storefront_id = (SELECT storefront_id FROM users WHERE role = 'storefront' ORDER BY id LIMIT 1) AND mode = $1"
# One statement for each page with parts: its columns fill them in, in this order; further ones are the query by their
# names. $1 is the mode.
PARTS = {
    "/console/alerts/channels/{id}": "SELECT id FROM alert_channels ORDER BY created_at, id LIMIT 1",
    "/console/alerts/rules/{id}": "SELECT id FROM alert_rules ORDER BY created_at, id LIMIT 1",
    "/console/checkouts/{id}": "SELECT id FROM checkouts WHERE mode = $1 ORDER BY open_cases DESC, id LIMIT 1",
    "/console/payment-cases/{id}/resolve": (
        "SELECT id FROM payment_cases WHERE mode = $1 AND closed_at IS NULL ORDER BY opened_at LIMIT 1"
    ),
    "/console/orders/{id}": _ORDER.format("fulfilled"),
    "/console/orders/{id}/resolve": _ORDER.format("needs_review"),
    "/console/esims/{id}": _ESIM,
    "/console/esims/{id}/replace": _ESIM,
    "/console/storefronts/{id}": _STOREFRONT,
    "/console/storefronts/{id}/endpoints/{endpoint}": (
        "SELECT storefront_id, id FROM webhook_endpoints WHERE mode = $1 ORDER BY id LIMIT 1"
    ),
    "/console/storefronts/{id}/keys/{key}/mandate": (
        "SELECT storefront_id, id FROM api_keys WHERE mode = $1 ORDER BY id LIMIT 1"
    ),
    "/console/storefronts/{id}/travellers": _STOREFRONT,
    "/console/my/orders/{id}": (
        f"SELECT id FROM orders WHERE {_OWN} AND status = 'fulfilled' ORDER BY created_at DESC LIMIT 1"
    ),
    "/console/my/esims/{id}": (f"SELECT id FROM esims WHERE {_OWN} ORDER BY observed_at DESC NULLS LAST, id LIMIT 1"),
    "/console/my/webhooks/{endpoint}": f"SELECT id FROM webhook_endpoints WHERE {_OWN} ORDER BY id LIMIT 1",
    "/console/prices/{country}": "SELECT 'JP'",
    "/console/prices/{country}/history": "SELECT 'JP', 5120 AS data_mb, 30 AS days",
    "/console/plans/{id}": _PLAN,
    "/console/plans/{id}/compare": _PLAN,
    "/console/plans/{id}/history": "SELECT plan_id, '24h' AS range FROM price_changes ORDER BY id DESC LIMIT 1",
    "/console/plans/{id}/changes": "SELECT plan_id FROM price_changes ORDER BY id DESC LIMIT 1",
    "/console/pricing-rules/{id}": "SELECT id FROM pricing_rules ORDER BY position LIMIT 1",
    "/console/pricing-rules/{id}/remove": "SELECT id FROM pricing_rules ORDER BY position LIMIT 1",
    "/console/rates/{currency}": "SELECT 'EUR'",
    "/console/suppliers/{name}": _SUPPLIER,
    "/console/money/{name}": _SUPPLIER,
    "/console/sync-runs/{id}": _RUN,
    "/console/sync-runs/{id}/difference/{supplier}": "SELECT run_id, supplier FROM quarantines LIMIT 1",
    "/console/unmapped/at/{supplier}": (
        "SELECT supplier, reason, about, words[1] AS word FROM set_aside WHERE about = 'place' LIMIT 1"
    ),
}
# Pages as they are asked for in earnest: a path, and a statement for its query. $1 is the mode.
_MATRIX = "SELECT 'data_mb=5120&days=30'"
_SEVERAL = """
SELECT string_agg('offer=' || id, '&') FROM (
    SELECT o.id FROM offers o JOIN suppliers s ON s.name = o.supplier AND s.mode = $1
    WHERE o.gone_at IS NULL AND o.coverage = '{JP}' ORDER BY o.cost LIMIT 4
) AS cheapest
"""
ASKED = {
    "orders for numbers": ("/console/orders", "SELECT 'kind=number'"),
    "search for a word": ("/console/search", "SELECT 'q=japan'"),
    "prices of a bucket": ("/console/prices", _MATRIX),
    "prices of a country": ("/console/prices/JP", _MATRIX),
    "compare some offers": ("/console/compare", _SEVERAL),
    "orders that failed at one supplier": (
        "/console/orders",
        "SELECT 'status=failed&supplier=' || supplier FROM attempts WHERE state = 'failed' ORDER BY started_at LIMIT 1",
    ),
    "orders of one supplier": ("/console/orders", "SELECT 'supplier=' || max(name) FROM suppliers WHERE mode = $1"),
    "orders by a reference": (
        "/console/orders",
        "SELECT 'q=' || coalesce(reference, id) FROM orders WHERE mode = $1 ORDER BY created_at LIMIT 1",
    ),
    "search for an order": ("/console/orders", "SELECT 'q=' || order_id FROM attempts ORDER BY started_at LIMIT 1"),
    "esims of one supplier": ("/console/esims", "SELECT 'supplier=' || max(name) FROM suppliers WHERE mode = $1"),
    "esims that are active": ("/console/esims", "SELECT 'state=active&sort=updated'"),
    "orders by price": ("/console/orders", "SELECT 'sort=price&direction=desc'"),
    "audit by actor": ("/console/audit", "SELECT 'sort=actor'"),
    "esims by an order": ("/console/esims", "SELECT 'q=' || order_id FROM esims ORDER BY created_at LIMIT 1"),
    "a storefront's orders by a reference": (
        "/console/my/orders",
        f"SELECT 'q=' || reference FROM orders WHERE {_OWN} ORDER BY created_at LIMIT 1",
    ),
    "audit of one kind": ("/console/audit", "SELECT 'action=' || action FROM audit_log ORDER BY id DESC LIMIT 1"),
}


def is_of_storefront(address: str) -> bool:
    """Whether a page is for a storefront's own users, and not for staff."""
    return address.startswith("/console/my/")


async def places(pool: Pool, mode: str) -> dict[str, str]:
    """The address of every page that can be shown, by its path's template."""
    found: dict[str, str] = {}
    for page in all_pages():
        if page.method != "GET":
            continue
        if "{" not in page.path:
            found[page.path] = page.path
        elif page.path in PARTS and (row := await _row(pool, PARTS[page.path], mode)) is not None:
            found[page.path] = _filled(page.path, dict(row))
    for name, (path, statement) in ASKED.items():
        if (row := await _row(pool, statement, mode)) is not None and row[0]:
            found[name] = f"{path}?{row[0]}"
    return found


def _filled(path: str, values: dict[str, Any]) -> str:
    query = {}
    for name, value in values.items():
        before, opened, rest = path.partition("{")
        if opened:
            path = before + quote(str(value), safe="") + rest.partition("}")[2]
        else:
            query[name] = value
    return path + ("?" + urlencode(query) if query else "")


async def _row(pool: Pool, statement: str, mode: str) -> Any:
    return await pool.fetchrow(statement, *([mode] if "$1" in statement else []))
