"""A storefront never meets another's order, eSIM, webhook or event: every route of the router is walked as a stranger.

A route that is not in the table below fails the walk, so a new one says first whose data it shows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from gateway.access.key_rows import create_key
from gateway.access.scope_rules import SCOPES
from tests.kit.working import emit_events

PLAN = "bv-1gb-2d-06d3e3e4ddb9"


@dataclass(frozen=True)
class Walk:
    """How a route is walked.

    ``same`` shows every storefront the same; ``own`` shows the caller's own things, of which a stranger sees nothing;
    ``named`` names one thing, which is not there for a stranger; ``ops`` needs the scope; ``secret`` has an address
    that nobody can guess.
    """

    shows: Literal["same", "own", "named", "ops", "secret"]
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


SAME, OWN, NAMED, OPS = Walk("same"), Walk("own"), Walk("named"), Walk("ops")
KEY = {"Idempotency-Key": "walked"}
ROUTES: dict[tuple[str, str], Walk] = {
    ("GET", "/v1/plans"): SAME,
    ("GET", "/v1/plans/{plan_id}"): SAME,
    ("GET", "/v1/plans/{plan_id}/offers"): OPS,
    ("GET", "/v1/countries"): SAME,
    ("GET", "/v1/regions"): SAME,
    ("GET", "/v1/goods"): SAME,
    ("GET", "/v1/goods/categories"): SAME,
    ("GET", "/v1/goods/{id}"): SAME,
    ("GET", "/v1/numbers/countries"): SAME,
    ("GET", "/v1/numbers/tiers"): SAME,
    ("GET", "/v1/numbers"): OWN,
    ("GET", "/v1/numbers/{id}"): NAMED,
    ("POST", "/v1/quotes"): Walk("same", {"plan_id": PLAN}),
    ("POST", "/v1/orders"): Walk("named", {"quote_id": "{quote}"}, KEY),
    ("POST", "/v1/orders/validate"): Walk("named", {"quote_id": "{quote}"}),
    ("POST", "/v1/order-batches"): Walk(
        "named", {"quote_id": "{quote}", "quantity": 2}, {"Idempotency-Key": "walked both"}
    ),
    ("GET", "/v1/order-batches/{id}"): NAMED,
    ("GET", "/v1/orders"): OWN,
    ("GET", "/v1/orders/{id}"): NAMED,
    ("GET", "/v1/orders/{id}/emails"): NAMED,
    ("POST", "/v1/orders/{id}/resend-email"): NAMED,
    ("GET", "/v1/orders/{id}/events"): NAMED,
    ("POST", "/v1/orders/{id}/cancel"): NAMED,
    ("POST", "/v1/checkouts"): Walk("named", {"quote_id": "{quote}"}, {"Idempotency-Key": "walked and paid"}),
    ("GET", "/v1/checkouts"): OWN,
    ("GET", "/v1/checkouts/{id}"): NAMED,
    ("GET", "/v1/esims"): OWN,
    ("GET", "/v1/esims/{id}"): NAMED,
    ("GET", "/v1/esims/{id}/usage"): NAMED,
    ("GET", "/v1/esims/{id}/qr-links"): NAMED,
    ("GET", "/v1/esims/{id}/qr.svg"): NAMED,
    ("GET", "/v1/esims/{id}/qr.png"): NAMED,
    ("GET", "/v1/esims/{id}/topup-plans"): NAMED,
    ("POST", "/v1/esims/{id}/topups"): Walk("named", {"plan_id": PLAN}, {"Idempotency-Key": "walked too"}),
    ("GET", "/v1/events"): OWN,
    ("POST", "/v1/webhook-endpoints"): Walk("same", {"url": "http://127.0.0.1:9/mine"}),
    ("GET", "/v1/webhook-endpoints"): OWN,
    ("GET", "/v1/webhook-endpoints/{id}"): NAMED,
    ("PATCH", "/v1/webhook-endpoints/{id}"): Walk("named", {"description": "changed"}),
    ("DELETE", "/v1/webhook-endpoints/{id}"): NAMED,
    ("POST", "/v1/webhook-endpoints/{id}/rotate"): NAMED,
    ("POST", "/v1/webhook-endpoints/{id}/test"): NAMED,
    ("GET", "/v1/webhook-endpoints/{id}/deliveries"): NAMED,
    ("POST", "/v1/webhook-endpoints/{id}/deliveries/{delivery_id}/replay"): NAMED,
    ("POST", "/v1/ops/orders/{id}/cancel"): OPS,
    ("GET", "/v1/ops/suppliers"): OPS,
    ("GET", "/v1/ops/suppliers/{name}"): OPS,
    ("GET", "/v1/ops/supplier-figures"): OPS,
    ("GET", "/v1/ops/balances"): OPS,
    ("GET", "/v1/ops/money"): OPS,
    ("POST", "/v1/ops/money/refresh"): OPS,
    ("GET", "/v1/ops/transactions"): OPS,
    ("GET", "/v1/ops/suppliers/{name}/ledger"): OPS,
    ("GET", "/v1/ops/deposits"): OPS,
    ("POST", "/v1/ops/deposits"): OPS,
    ("GET", "/v1/ops/unmapped/groups"): OPS,
    ("GET", "/v1/ops/mappings"): OPS,
    ("POST", "/v1/ops/mappings"): OPS,
    ("POST", "/v1/ops/mappings/preview"): OPS,
    ("DELETE", "/v1/ops/mappings/{id}"): OPS,
    ("GET", "/v1/ops/audit"): OPS,
    ("GET", "/v1/ops/alerts"): OPS,
    ("GET", "/v1/ops/alert-rules"): OPS,
    ("POST", "/v1/ops/alert-rules"): OPS,
    ("PUT", "/v1/ops/alert-rules/{id}"): OPS,
    ("DELETE", "/v1/ops/alert-rules/{id}"): OPS,
    ("GET", "/v1/ops/alert-channels"): OPS,
    ("POST", "/v1/ops/alert-channels"): OPS,
    ("POST", "/v1/ops/alert-channels/{id}/secret"): OPS,
    ("POST", "/v1/ops/alert-channels/{id}/test"): OPS,
    ("DELETE", "/v1/ops/alert-channels/{id}"): OPS,
    ("GET", "/v1/ops/jobs"): OPS,
    ("GET", "/v1/ops/goods"): OPS,
    ("GET", "/v1/ops/goods/walks"): OPS,
    ("GET", "/v1/ops/goods/changes"): OPS,
    ("GET", "/v1/ops/goods/unmapped"): OPS,
    ("POST", "/v1/ops/goods/{id}/release"): OPS,
    ("GET", "/v1/ops/numbers"): OPS,
    ("POST", "/v1/ops/numbers/release"): OPS,
    ("GET", "/v1/ops/settings"): OPS,
    ("GET", "/v1/ops/storefronts/{id}/traveller-settings"): OPS,
    ("PATCH", "/v1/ops/storefronts/{id}/traveller-settings"): Walk("ops", {}),
    ("GET", "/v1/ops/suppliers/{name}/check"): OPS,
    ("POST", "/v1/ops/suppliers/{name}/check"): OPS,
    ("POST", "/v1/ops/suppliers/{name}/pause"): OPS,
    ("POST", "/v1/ops/suppliers/{name}/resume"): OPS,
    ("GET", "/v1/ops/sync-runs"): OPS,
    ("POST", "/v1/ops/sync-runs"): OPS,
    ("POST", "/v1/ops/sync-runs/{id}/accept"): OPS,
    ("POST", "/v1/ops/sync-runs/{id}/refuse"): OPS,
    ("GET", "/v1/ops/sync-runs/{id}"): OPS,
    ("GET", "/v1/ops/sync-runs/{id}/difference"): OPS,
    ("GET", "/v1/ops/changes"): OPS,
    ("GET", "/v1/ops/changes/summary"): OPS,
    ("GET", "/v1/ops/price-history"): OPS,
    ("GET", "/v1/ops/unmapped"): OPS,
    ("GET", "/v1/ops/price-changes"): OPS,
    ("GET", "/v1/ops/suspects"): OPS,
    ("POST", "/v1/ops/suspects/release"): OPS,
    ("GET", "/v1/ops/offers"): OPS,
    ("POST", "/v1/ops/offers/{id}/release"): OPS,
    ("GET", "/v1/ops/offers/compare"): OPS,
    ("GET", "/v1/ops/prices"): OPS,
    ("GET", "/v1/ops/prices/{country}/offers"): OPS,
    ("GET", "/v1/ops/margins"): OPS,
    ("GET", "/v1/ops/pricing-rules"): OPS,
    ("POST", "/v1/ops/pricing-rules"): OPS,
    ("GET", "/v1/ops/pricing-rules/{id}"): OPS,
    ("PUT", "/v1/ops/pricing-rules/{id}"): OPS,
    ("PATCH", "/v1/ops/pricing-rules/{id}"): OPS,
    ("DELETE", "/v1/ops/pricing-rules/{id}"): OPS,
    ("POST", "/v1/ops/pricing-rules/order"): OPS,
    ("POST", "/v1/ops/pricing-rules/preview"): OPS,
    ("GET", "/v1/ops/rates"): OPS,
    ("POST", "/v1/ops/rates"): OPS,
    ("POST", "/v1/ops/rates/accept"): OPS,
    ("POST", "/v1/ops/rates/import"): OPS,
    ("POST", "/v1/ops/rates/update"): OPS,
    ("GET", "/v1/ops/rates/{currency}"): OPS,
    ("GET", "/v1/ops/orders"): OPS,
    ("GET", "/v1/ops/orders/{id}"): OPS,
    ("GET", "/v1/ops/orders/{id}/events"): OPS,
    ("POST", "/v1/ops/orders/{id}/resolve"): OPS,
    ("POST", "/v1/ops/orders/{id}/look-up"): OPS,
    ("GET", "/v1/ops/checkouts"): OPS,
    ("GET", "/v1/ops/checkouts/{id}"): OPS,
    ("POST", "/v1/ops/checkouts/{id}/resolve"): OPS,
    ("GET", "/v1/ops/payment-cases"): OPS,
    ("GET", "/v1/ops/ledger"): OPS,
    ("GET", "/v1/me"): SAME,  # each its own key, and no other can be named
    ("GET", "/v1/me/mandate"): Walk("secret"),  # likewise; none of these keys has one
    ("GET", "/v1/ops/keys"): OPS,
    ("POST", "/v1/ops/keys"): OPS,
    ("GET", "/v1/ops/keys/{id}/mandate"): OPS,
    ("PUT", "/v1/ops/keys/{id}/mandate"): OPS,
    ("DELETE", "/v1/ops/keys/{id}/mandate"): OPS,
    ("POST", "/v1/ops/keys/{id}/revoke"): OPS,
    ("GET", "/v1/ops/selling-stops"): OPS,
    ("POST", "/v1/ops/selling-stops"): OPS,
    ("DELETE", "/v1/ops/selling-stops"): OPS,
    ("POST", "/webhooks/{supplier}"): Walk("secret", {}),
    ("GET", "/e/{token}"): Walk("secret"),
    ("GET", "/e/{token}.png"): Walk("secret"),
    ("GET", "/e/{token}.svg"): Walk("secret"),
    ("GET", "/e/{token}/app.webmanifest"): Walk("secret"),
    ("GET", "/e/{token}/worker.js"): Walk("secret"),
    ("GET", "/livez"): SAME,
    ("GET", "/readyz"): SAME,
    ("GET", "/openapi.json"): SAME,
    ("GET", "/openapi-ops.json"): SAME,
    ("GET", "/asyncapi.json"): SAME,
    ("GET", "/docs"): SAME,
    ("GET", "/docs-ops"): SAME,
    ("GET", "/docs/static/{name}"): SAME,
    ("GET", "/docs/{page}"): SAME,
    ("GET", "/docs-ops/{page}"): SAME,
    ("GET", "/errors/{code}"): SAME,
}


class Owned:
    """What the first storefront has: one of everything."""

    def __init__(
        self,
        order: dict[str, Any],
        endpoint: dict[str, Any],
        delivery: str,
        quote: str,
        number: dict[str, Any],
        checkout: dict[str, Any],
        batch: dict[str, Any],
    ) -> None:
        self.order, self.esim, self.endpoint = order, order["esim"], endpoint
        self.delivery, self.quote, self.number, self.checkout = delivery, quote, number["id"], checkout["id"]
        self.batch = batch["id"]
        # None of these may stand in any answer to somebody else.
        self.marks = [
            order["id"], order["reference"], order["metadata"]["mark"], self.esim["id"], self.esim["iccid"],
            self.esim["activation_code"], self.esim["matching_id"], endpoint["id"], endpoint["url"],
            endpoint["secret"], delivery, number["id"], number["phone_number"], checkout["id"], checkout["payment_url"],
            batch["id"], *(order["id"] for order in batch["orders"]),
        ]  # fmt: skip

    def path(self, template: str) -> str:
        one = self.endpoint["id"] if "/webhook-endpoints/" in template else self.order["id"]
        one = self.esim["id"] if "/esims/" in template else one
        one = f"map_{'0' * 16}" if "/ops/mappings/" in template else one
        one = f"pr_{'0' * 16}" if "/ops/pricing-rules/" in template else one
        one = self.number if "/numbers/" in template else one
        one = self.checkout if "/checkouts/" in template else one
        one = self.batch if "/order-batches/" in template else one
        one = f"good_{'0' * 24}" if "/goods/" in template else one
        parts = {
            "id": one, "delivery_id": self.delivery, "plan_id": PLAN, "name": "pikasim", "supplier": "pikasim",
            "code": "no_stock", "country": "JP", "currency": "EUR", "token": "x" * 40, "page": "reference/orders",
        }  # fmt: skip
        return template.format(**parts)

    def body(self, walk: Walk) -> Any:
        if isinstance(walk.body, dict):
            return {name: self.quote if value == "{quote}" else value for name, value in walk.body.items()}
        return walk.body


CONSOLE = "/console"


def all_routes_of(app):
    return {(route.method, route.resource.canonical) for route in app.router.routes() if route.method != "HEAD"}


def routes_of(app):
    """Those that a key may open."""
    return {(method, path) for method, path in all_routes_of(app) if not path.startswith(CONSOLE)}


async def ask(api, owned, method, template):
    walk = ROUTES[method, template]
    more = {} if walk.body is None else {"json": owned.body(walk)}
    return await api.ask(method, owned.path(template), headers=dict(walk.headers), **more)


@pytest.fixture
async def owned(make_api, suppliers):
    """A running API, and what the storefront whose key it carries has there."""
    accounts = {**suppliers.accounts(), **suppliers.payments()}
    api = await make_api(synced=True, suppliers=accounts, webhooks={"allow_private": ["127.0.0.0/8"]})
    api = api.with_key(await api.make_key())
    endpoint = await (await api.post("/v1/webhook-endpoints", json={"url": "http://127.0.0.1:9/first"})).json()
    body = {"plan_id": PLAN, "reference": "ref-8d1c", "metadata": {"mark": "mark-51f7"}}
    headers = {"Idempotency-Key": "first", "Prefer": "wait=30"}
    order = await (await api.post("/v1/orders", json=body, headers=headers)).json()
    assert order["status"] == "fulfilled"
    await emit_events(api.pool)
    deliveries = await (await api.get(f"/v1/webhook-endpoints/{endpoint['id']}/deliveries")).json()
    quote = await (await api.post("/v1/quotes", json={"plan_id": PLAN})).json()
    wanted = {"number": {"country": "US", "tier_id": "7d"}}
    bought = await (await api.post("/v1/orders", json=wanted, headers=headers | {"Idempotency-Key": "number"})).json()
    assert bought["status"] == "fulfilled"
    key = {"Idempotency-Key": "paid"}
    checkout = await (await api.post("/v1/checkouts", json={"plan_id": PLAN}, headers=key)).json()
    both = {"plan_id": PLAN, "quantity": 2}
    batch = await (await api.post("/v1/order-batches", json=both, headers=headers | {"Idempotency-Key": "two"})).json()
    delivery = deliveries["data"][0]["id"]
    return api, Owned(order, endpoint, delivery, quote["id"], bought["number"], checkout, batch)


def in_order(routes):
    """What ends a thing comes last."""
    return sorted(routes, key=lambda route: (route[0] == "DELETE", route[1].endswith("/cancel"), route[1], route[0]))


async def test_the_walk_knows_every_route_and_no_other(make_api):
    assert routes_of((await make_api()).client.app) == set(ROUTES)


@pytest.mark.parametrize("who", ["stranger", "own live key", "another's operator"])
async def test_a_stranger_meets_nothing_of_another_storefront_on_any_route(owned, who):
    first, has = owned
    name, mode = ("shop", "live") if who == "own live key" else ("stranger", "test")
    operates = (
        who == "another's operator"
    )  # and sees all of it under /v1/ops, but nothing under the storefronts' routes
    scopes = ["storefront", "ops", "routing"] if operates else ["storefront"]
    made = await create_key(first.pool, storefront=name, mode=mode, scopes=scopes)
    stranger = first.with_key(made.key)
    rows = "SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM attempts), (SELECT max(step) FROM orders)"
    before = tuple(await first.pool.fetchrow(rows))
    for method, template in in_order(routes_of(first.client.app)):
        where, shows = (method, template), ROUTES[method, template].shows
        if operates and shows == "ops":
            continue
        answer = await ask(stranger, has, method, template)
        text = await answer.text(errors="replace")
        assert not [mark for mark in has.marks if mark in text], where
        if shows == "named":
            assert (where, answer.status) == (where, 404)
        elif shows == "ops":
            assert (where, answer.status) == (where, 403)
        elif shows == "secret":
            assert (where, answer.status in {401, 404}) == (where, True)
        elif shows == "own":
            assert (where, answer.status) == (where, 200)
            assert not (await answer.json())["data"] or template == "/v1/webhook-endpoints"
    assert tuple(await first.pool.fetchrow(rows)) == before
    same = await (await first.get(f"/v1/webhook-endpoints/{has.endpoint['id']}")).json()
    assert (same["url"], same["description"]) == (has.endpoint["url"], "")


async def test_a_key_opens_no_page_of_the_console(owned):
    first, has = owned
    operator = first.with_key((await create_key(first.pool, storefront="shop", mode="test", scopes=SCOPES)).key)
    pages = {route for route in all_routes_of(first.client.app) if route[1].startswith(CONSOLE)}
    assert len(pages) > 20
    for api in (first, operator):
        for method, template in sorted(pages):
            path = re.sub(r"\{[^}]*\}", has.order["id"], template)
            answer = await api.ask(method.replace("*", "GET"), path, allow_redirects=False)
            where, text = (method, template), await answer.text(errors="replace")
            assert not [mark for mark in has.marks if mark in text], where
            outside = {"/console/login", "/console/static/{name}", "/console/theme"}
            assert template in outside or answer.status in {303, 401, 403, 404}, (where, answer.status)
            assert answer.status != 303 or answer.headers["Location"].startswith("/console/login"), where


async def test_the_owner_meets_it_on_every_one_of_these_routes(owned):
    first, has = owned
    for method, template in in_order(ROUTES):
        shows = ROUTES[method, template].shows
        if shows not in {"own", "named"}:
            continue
        answer = await ask(first, has, method, template)
        # The eSIM was topped up by a route before: its own storefront is told so, where a stranger finds no order.
        # Its e-mails are switched off.
        met = answer.status < 400 or (await answer.json())["code"] in {"has_topups", "conflict"}
        assert (method, template, met) == (method, template, True), await answer.text()
        if shows == "own":
            assert (await answer.json())["data"]
