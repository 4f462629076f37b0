"""What each scope of a key opens: every route of the router against every scope, and what a body decides."""

from __future__ import annotations

import pytest

from gateway.access.key_rows import InvalidKeyError, create_key, key_digest
from gateway.access.scope_rules import SCOPES, fault_of_scopes, granted

PLAN = "bv-1gb-2d-06d3e3e4ddb9"
CONSOLE = "/console"  # has sessions instead of keys; tests/gateway/api/test_two_storefronts.py walks it with keys

KEYS: dict[str, tuple[str, ...] | None] = {
    "no key": None,
    "catalog": ("catalog",),
    "storefront": ("storefront",),
    "routing": ("routing",),  # alone it grants nothing: such keys exist, and none is made any more
    "goods": ("goods",),
    "ops:read": ("ops:read",),
    "ops": ("ops",),
    "storefront+goods": ("storefront", "goods"),
    "storefront+routing": ("storefront", "routing"),
    "storefront+ops:read": ("storefront", "ops:read"),
    "storefront+ops": ("storefront", "ops"),
    "goods+routing+ops": ("goods", "routing", "ops"),
    "all": SCOPES,
}

# One line for each route: the status for each of KEYS, then the route. Who is let in meets what the request is: it
# names things that are not there (404) and sends an empty object (422, or 400 where an Idempotency-Key is needed).
TABLE = """
401 403 200 403 403 403 403 200 200 200 200 403 200  GET /v1/checkouts
401 403 400 403 403 403 403 400 400 400 400 403 400  POST /v1/checkouts
401 403 404 403 403 403 403 404 404 404 404 403 404  GET /v1/checkouts/{id}
401 200 200 403 403 403 403 200 200 200 200 403 200  GET /v1/countries
401 403 200 403 403 403 403 200 200 200 200 403 200  GET /v1/esims
401 403 404 403 403 403 403 404 404 404 404 403 404  GET /v1/esims/{id}
401 403 404 403 403 403 403 404 404 404 404 403 404  GET /v1/esims/{id}/qr-links
401 403 404 403 403 403 403 404 404 404 404 403 404  GET /v1/esims/{id}/qr.png
401 403 404 403 403 403 403 404 404 404 404 403 404  GET /v1/esims/{id}/qr.svg
401 403 404 403 403 403 403 404 404 404 404 403 404  GET /v1/esims/{id}/topup-plans
401 403 400 403 403 403 403 400 400 400 400 403 400  POST /v1/esims/{id}/topups
401 403 404 403 403 403 403 404 404 404 404 403 404  GET /v1/esims/{id}/usage
401 403 200 403 403 403 403 200 200 200 200 403 200  GET /v1/events
401 403 403 403 403 403 403 200 403 403 403 403 200  GET /v1/goods
401 403 403 403 403 403 403 200 403 403 403 403 200  GET /v1/goods/categories
401 403 403 403 403 403 403 404 403 403 403 403 404  GET /v1/goods/{id}
401 200 200 200 200 200 200 200 200 200 200 200 200  GET /v1/me
401 403 404 403 403 403 403 404 404 404 404 403 404  GET /v1/me/mandate
401 403 200 403 403 403 403 200 200 200 200 403 200  GET /v1/numbers
401 403 200 403 403 403 403 200 200 200 200 403 200  GET /v1/numbers/countries
401 403 200 403 403 403 403 200 200 200 200 403 200  GET /v1/numbers/tiers
401 403 404 403 403 403 403 404 404 404 404 403 404  GET /v1/numbers/{id}
401 403 400 403 403 403 403 400 400 400 400 403 400  POST /v1/order-batches
401 403 404 403 403 403 403 404 404 404 404 403 404  GET /v1/order-batches/{id}
401 403 200 403 403 403 403 200 200 200 200 403 200  GET /v1/orders
401 403 400 403 403 403 403 400 400 400 400 403 400  POST /v1/orders
401 403 422 403 403 403 403 422 422 422 422 403 422  POST /v1/orders/validate
401 403 404 403 403 403 403 404 404 404 404 403 404  GET /v1/orders/{id}
401 403 404 403 403 403 403 404 404 404 404 403 404  POST /v1/orders/{id}/cancel
401 403 404 403 403 403 403 404 404 404 404 403 404  GET /v1/orders/{id}/emails
401 403 404 403 403 403 403 404 404 404 404 403 404  GET /v1/orders/{id}/events
401 403 404 403 403 403 403 404 404 404 404 403 404  POST /v1/orders/{id}/resend-email
401 200 200 403 403 403 403 200 200 200 200 403 200  GET /v1/plans
401 404 404 403 403 403 403 404 404 404 404 403 404  GET /v1/plans/{plan_id}
401 403 403 403 403 404 404 403 403 404 404 404 404  GET /v1/plans/{plan_id}/offers
401 403 422 403 403 403 403 422 422 422 422 403 422  POST /v1/quotes
401 200 200 403 403 403 403 200 200 200 200 403 200  GET /v1/regions
401 403 200 403 403 403 403 200 200 200 200 403 200  GET /v1/webhook-endpoints
401 403 422 403 403 403 403 422 422 422 422 403 422  POST /v1/webhook-endpoints
401 403 404 403 403 403 403 404 404 404 404 403 404  GET /v1/webhook-endpoints/{id}
401 403 404 403 403 403 403 404 404 404 404 403 404  PATCH /v1/webhook-endpoints/{id}
401 403 404 403 403 403 403 404 404 404 404 403 404  DELETE /v1/webhook-endpoints/{id}
401 403 404 403 403 403 403 404 404 404 404 403 404  GET /v1/webhook-endpoints/{id}/deliveries
401 403 404 403 403 403 403 404 404 404 404 403 404  POST /v1/webhook-endpoints/{id}/deliveries/{delivery_id}/replay
401 403 404 403 403 403 403 404 404 404 404 403 404  POST /v1/webhook-endpoints/{id}/rotate
401 403 404 403 403 403 403 404 404 404 404 403 404  POST /v1/webhook-endpoints/{id}/test
401 403 403 403 403 200 200 403 403 200 200 200 200  GET /v1/ops/alert-channels
401 403 403 403 403 403 422 403 403 403 422 422 422  POST /v1/ops/alert-channels
401 403 403 403 403 403 404 403 403 403 404 404 404  DELETE /v1/ops/alert-channels/{id}
401 403 403 403 403 403 404 403 403 403 404 404 404  POST /v1/ops/alert-channels/{id}/secret
401 403 403 403 403 403 404 403 403 403 404 404 404  POST /v1/ops/alert-channels/{id}/test
401 403 403 403 403 200 200 403 403 200 200 200 200  GET /v1/ops/alert-rules
401 403 403 403 403 403 422 403 403 403 422 422 422  POST /v1/ops/alert-rules
401 403 403 403 403 403 422 403 403 403 422 422 422  PUT /v1/ops/alert-rules/{id}
401 403 403 403 403 403 404 403 403 403 404 404 404  DELETE /v1/ops/alert-rules/{id}
401 403 403 403 403 200 200 403 403 200 200 200 200  GET /v1/ops/alerts
401 403 403 403 403 200 200 403 403 200 200 200 200  GET /v1/ops/audit
401 403 403 403 403 200 200 403 403 200 200 200 200  GET /v1/ops/balances
401 403 403 403 403 200 200 403 403 200 200 200 200  GET /v1/ops/changes
401 403 403 403 403 422 422 403 403 422 422 422 422  GET /v1/ops/changes/summary
401 403 403 403 403 200 200 403 403 200 200 200 200  GET /v1/ops/checkouts
401 403 403 403 403 404 404 403 403 404 404 404 404  GET /v1/ops/checkouts/{id}
401 403 403 403 403 403 422 403 403 403 422 422 422  POST /v1/ops/checkouts/{id}/resolve
401 403 403 403 403 200 200 403 403 200 200 200 200  GET /v1/ops/deposits
401 403 403 403 403 403 422 403 403 403 422 422 422  POST /v1/ops/deposits
401 403 403 403 403 200 200 403 403 200 200 200 200  GET /v1/ops/goods
401 403 403 403 403 200 200 403 403 200 200 200 200  GET /v1/ops/goods/changes
401 403 403 403 403 200 200 403 403 200 200 200 200  GET /v1/ops/goods/unmapped
401 403 403 403 403 200 200 403 403 200 200 200 200  GET /v1/ops/goods/walks
401 403 403 403 403 403 404 403 403 403 404 404 404  POST /v1/ops/goods/{id}/release
401 403 403 403 403 200 200 403 403 200 200 200 200  GET /v1/ops/jobs
401 403 403 403 403 200 200 403 403 200 200 200 200  GET /v1/ops/keys
401 403 403 403 403 403 422 403 403 403 422 422 422  POST /v1/ops/keys
401 403 403 403 403 404 404 403 403 404 404 404 404  GET /v1/ops/keys/{id}/mandate
401 403 403 403 403 403 422 403 403 403 422 422 422  PUT /v1/ops/keys/{id}/mandate
401 403 403 403 403 403 404 403 403 403 404 404 404  DELETE /v1/ops/keys/{id}/mandate
401 403 403 403 403 403 404 403 403 403 404 404 404  POST /v1/ops/keys/{id}/revoke
401 403 403 403 403 200 200 403 403 200 200 200 200  GET /v1/ops/ledger
401 403 403 403 403 200 200 403 403 200 200 200 200  GET /v1/ops/mappings
401 403 403 403 403 403 422 403 403 403 422 422 422  POST /v1/ops/mappings
401 403 403 403 403 422 422 403 403 422 422 422 422  POST /v1/ops/mappings/preview
401 403 403 403 403 403 404 403 403 403 404 404 404  DELETE /v1/ops/mappings/{id}
401 403 403 403 403 200 200 403 403 200 200 200 200  GET /v1/ops/margins
401 403 403 403 403 200 200 403 403 200 200 200 200  GET /v1/ops/money
401 403 403 403 403 403 200 403 403 403 200 200 200  POST /v1/ops/money/refresh
401 403 403 403 403 200 200 403 403 200 200 200 200  GET /v1/ops/numbers
401 403 403 403 403 403 422 403 403 403 422 422 422  POST /v1/ops/numbers/release
401 403 403 403 403 200 200 403 403 200 200 200 200  GET /v1/ops/offers
401 403 403 403 403 422 422 403 403 422 422 422 422  GET /v1/ops/offers/compare
401 403 403 403 403 403 404 403 403 403 404 404 404  POST /v1/ops/offers/{id}/release
401 403 403 403 403 200 200 403 403 200 200 200 200  GET /v1/ops/orders
401 403 403 403 403 404 404 403 403 404 404 404 404  GET /v1/ops/orders/{id}
401 403 403 403 403 403 404 403 403 403 404 404 404  POST /v1/ops/orders/{id}/cancel
401 403 403 403 403 404 404 403 403 404 404 404 404  GET /v1/ops/orders/{id}/events
401 403 403 403 403 403 404 403 403 403 404 404 404  POST /v1/ops/orders/{id}/look-up
401 403 403 403 403 403 422 403 403 403 422 422 422  POST /v1/ops/orders/{id}/resolve
401 403 403 403 403 200 200 403 403 200 200 200 200  GET /v1/ops/payment-cases
401 403 403 403 403 200 200 403 403 200 200 200 200  GET /v1/ops/price-changes
401 403 403 403 403 422 422 403 403 422 422 422 422  GET /v1/ops/price-history
401 403 403 403 403 200 200 403 403 200 200 200 200  GET /v1/ops/prices
401 403 403 403 403 200 200 403 403 200 200 200 200  GET /v1/ops/prices/{country}/offers
401 403 403 403 403 200 200 403 403 200 200 200 200  GET /v1/ops/pricing-rules
401 403 403 403 403 403 422 403 403 403 422 422 422  POST /v1/ops/pricing-rules
401 403 403 403 403 403 422 403 403 403 422 422 422  POST /v1/ops/pricing-rules/order
401 403 403 403 403 409 409 403 403 409 409 409 409  POST /v1/ops/pricing-rules/preview
401 403 403 403 403 404 404 403 403 404 404 404 404  GET /v1/ops/pricing-rules/{id}
401 403 403 403 403 403 422 403 403 403 422 422 422  PUT /v1/ops/pricing-rules/{id}
401 403 403 403 403 403 404 403 403 403 404 404 404  PATCH /v1/ops/pricing-rules/{id}
401 403 403 403 403 403 404 403 403 403 404 404 404  DELETE /v1/ops/pricing-rules/{id}
401 403 403 403 403 200 200 403 403 200 200 200 200  GET /v1/ops/rates
401 403 403 403 403 403 422 403 403 403 422 422 422  POST /v1/ops/rates
401 403 403 403 403 403 422 403 403 403 422 422 422  POST /v1/ops/rates/accept
401 403 403 403 403 403 422 403 403 403 422 422 422  POST /v1/ops/rates/import
401 403 403 403 403 403 409 403 403 403 409 409 409  POST /v1/ops/rates/update
401 403 403 403 403 200 200 403 403 200 200 200 200  GET /v1/ops/rates/{currency}
401 403 403 403 403 200 200 403 403 200 200 200 200  GET /v1/ops/selling-stops
401 403 403 403 403 403 201 403 403 403 201 201 201  POST /v1/ops/selling-stops
401 403 403 403 403 403 404 403 403 403 404 404 404  DELETE /v1/ops/selling-stops
401 403 403 403 403 200 200 403 403 200 200 200 200  GET /v1/ops/settings
401 403 403 403 403 404 404 403 403 404 404 404 404  GET /v1/ops/storefronts/{id}/traveller-settings
401 403 403 403 403 403 404 403 403 403 404 404 404  PATCH /v1/ops/storefronts/{id}/traveller-settings
401 403 403 403 403 200 200 403 403 200 200 200 200  GET /v1/ops/supplier-figures
401 403 403 403 403 200 200 403 403 200 200 200 200  GET /v1/ops/suppliers
401 403 403 403 403 404 404 403 403 404 404 404 404  GET /v1/ops/suppliers/{name}
401 403 403 403 403 404 404 403 403 404 404 404 404  GET /v1/ops/suppliers/{name}/check
401 403 403 403 403 403 404 403 403 403 404 404 404  POST /v1/ops/suppliers/{name}/check
401 403 403 403 403 404 404 403 403 404 404 404 404  GET /v1/ops/suppliers/{name}/ledger
401 403 403 403 403 403 404 403 403 403 404 404 404  POST /v1/ops/suppliers/{name}/pause
401 403 403 403 403 403 404 403 403 403 404 404 404  POST /v1/ops/suppliers/{name}/resume
401 403 403 403 403 200 200 403 403 200 200 200 200  GET /v1/ops/suspects
401 403 403 403 403 403 422 403 403 403 422 422 422  POST /v1/ops/suspects/release
401 403 403 403 403 200 200 403 403 200 200 200 200  GET /v1/ops/sync-runs
401 403 403 403 403 403 202 403 403 403 202 202 202  POST /v1/ops/sync-runs
401 403 403 403 403 404 404 403 403 404 404 404 404  GET /v1/ops/sync-runs/{id}
401 403 403 403 403 403 422 403 403 403 422 422 422  POST /v1/ops/sync-runs/{id}/accept
401 403 403 403 403 422 422 403 403 422 422 422 422  GET /v1/ops/sync-runs/{id}/difference
401 403 403 403 403 403 422 403 403 403 422 422 422  POST /v1/ops/sync-runs/{id}/refuse
401 403 403 403 403 200 200 403 403 200 200 200 200  GET /v1/ops/transactions
401 403 403 403 403 200 200 403 403 200 200 200 200  GET /v1/ops/unmapped
401 403 403 403 403 200 200 403 403 200 200 200 200  GET /v1/ops/unmapped/groups
200 200 200 200 200 200 200 200 200 200 200 200 200  GET /asyncapi.json
200 200 200 200 200 200 200 200 200 200 200 200 200  GET /docs
200 200 200 200 200 200 200 200 200 200 200 200 200  GET /docs-ops
200 200 200 200 200 200 200 200 200 200 200 200 200  GET /docs-ops/{page}
200 200 200 200 200 200 200 200 200 200 200 200 200  GET /docs/static/{name}
200 200 200 200 200 200 200 200 200 200 200 200 200  GET /docs/{page}
404 404 404 404 404 404 404 404 404 404 404 404 404  GET /e/{token}
404 404 404 404 404 404 404 404 404 404 404 404 404  GET /e/{token}.png
404 404 404 404 404 404 404 404 404 404 404 404 404  GET /e/{token}.svg
404 404 404 404 404 404 404 404 404 404 404 404 404  GET /e/{token}/app.webmanifest
404 404 404 404 404 404 404 404 404 404 404 404 404  GET /e/{token}/worker.js
200 200 200 200 200 200 200 200 200 200 200 200 200  GET /errors/{code}
200 200 200 200 200 200 200 200 200 200 200 200 200  GET /livez
200 200 200 200 200 200 200 200 200 200 200 200 200  GET /openapi-ops.json
200 200 200 200 200 200 200 200 200 200 200 200 200  GET /openapi.json
200 200 200 200 200 200 200 200 200 200 200 200 200  GET /readyz
401 401 401 401 401 401 401 401 401 401 401 401 401  POST /webhooks/{supplier}
"""

# Where the body decides: an order for a digital good, and an order that chooses its suppliers.
BODY = {
    "good": {"good_id": f"good_{'0' * 24}"},
    "choice": {"plan_id": "no-such-plan", "suppliers": {"only": ["a"]}},
}
BODIES = """
401 403 403 403 403 403 403 404 403 403 403 403 404  POST /v1/orders good
401 403 403 403 403 403 403 404 403 403 403 403 404  POST /v1/orders/validate good
401 403 403 403 403 403 403 403 404 403 403 403 404  POST /v1/orders choice
401 403 403 403 403 403 403 403 404 403 403 403 404  POST /v1/orders/validate choice
"""


def path_of(template: str) -> str:
    """The template with names of things that are not there, and of static files and error codes that are."""
    kinds = {
        "/plans/": "no-such-plan", "/esims/": f"esim_{'0' * 24}", "/goods/": f"good_{'0' * 24}",
        "/numbers/": f"num_{'0' * 24}", "/orders/": "ord_0", "/checkouts/": "co_0", "/keys/": f"key_{'0' * 16}",
        "/mappings/": f"map_{'0' * 16}", "/pricing-rules/": f"pr_{'0' * 16}",
    }  # fmt: skip
    nothing = next((name for part, name in kinds.items() if part in template), "nothing")
    return template.format(
        id=nothing, plan_id=nothing, delivery_id=nothing, token=nothing, code="no_stock", supplier="nobody",
        page="reference/orders",
        country="JP", currency="EUR", name="docs.js" if template.startswith("/docs") else "nobody",
    )  # fmt: skip


def table_of(text: str) -> dict[str, str]:
    """Statuses by what stands behind them."""
    lines = [line.partition("  ") for line in text.strip().splitlines()]
    assert all(len(statuses.split()) == len(KEYS) for statuses, _, _ in lines)
    table = {name: statuses for statuses, _, name in lines}
    assert len(table) == len(lines)
    return table


async def key_of(api, scopes):
    """A key of these scopes, also of those that no key can be made with any more."""
    key = await api.make_key("storefront")
    await api.pool.execute("UPDATE api_keys SET scopes = $2 WHERE hash = $1", key_digest(key), list(scopes))
    return key


async def with_each_key(api):
    """The API as it carries each of KEYS."""
    return {name: api.with_key("" if scopes is None else await key_of(api, scopes)) for name, scopes in KEYS.items()}


def routes_of(app):
    """Everything that the router serves, but for the console."""
    served = {(route.method, route.resource.canonical) for route in app.router.routes() if route.method != "HEAD"}
    return {f"{method} {path}" for method, path in served if not path.startswith(CONSOLE)}


async def statuses(keys, method, path, **more):
    return " ".join([str((await api.ask(method, path, **more)).status) for api in keys.values()])


async def test_the_table_has_one_line_for_each_route_of_the_router(make_api):
    assert routes_of((await make_api()).client.app) == set(table_of(TABLE))


async def test_every_route_answers_every_scope_as_the_table_says(make_api):
    keys, found = await with_each_key(await make_api()), {}
    for route in sorted(routes_of(keys["all"].client.app)):
        method, _, template = route.partition(" ")
        more = {} if method == "GET" else {"json": {}}
        found[route] = await statuses(keys, method, path_of(template), **more)
    assert found == table_of(TABLE)


async def test_a_head_request_needs_the_scope_of_its_get(make_api):
    keys = await with_each_key(await make_api())
    gets = [route.partition(" ")[2] for route in table_of(TABLE) if route.startswith("GET /v1/")]
    for template in gets:
        found = await statuses(keys, "HEAD", path_of(template))
        assert (template, found) == (template, table_of(TABLE)[f"GET {template}"])


async def test_goods_and_the_choice_of_suppliers_need_their_scopes_beside_storefront(make_api):
    keys, found = await with_each_key(await make_api()), {}
    for line in table_of(BODIES):
        route, _, name = line.rpartition(" ")
        method, _, path = route.partition(" ")
        headers = {"Idempotency-Key": "once"}
        found[line] = await statuses(keys, method, path, json=BODY[name], headers=headers)
    assert found == table_of(BODIES)


async def test_an_answer_that_is_remembered_is_given_to_no_key_without_the_scope(make_api):
    keys = await with_each_key(await make_api())
    for name in ("catalog", "catalog", "ops", "goods", "routing"):
        answer = await keys[name].get("/v1/plans?limit=3")
        assert (name, answer.status) == (name, 200 if name == "catalog" else 403)


@pytest.mark.parametrize("scopes", [("goods",), ("ops",), ("routing",)])
async def test_a_key_without_storefront_neither_orders_nor_reads_an_activation_code(shop, scopes):
    order = await (await shop.order({"plan_id": PLAN})).json()
    other = shop.api.with_key(await key_of(shop.api, scopes))
    answers = {
        path: await other.get(path)
        for path in ("/v1/orders", f"/v1/orders/{order['id']}", "/v1/esims", f"/v1/esims/{order['esim']['id']}/qr.svg")
    }
    assert {path: answer.status for path, answer in answers.items()} == dict.fromkeys(answers, 403)
    assert (await shop.order({"plan_id": PLAN}, api=other)).status == 403
    if "ops" in scopes:
        seen = await (await other.get(f"/v1/ops/orders/{order['id']}")).text()
        assert order["esim"]["activation_code"] not in seen


async def test_an_order_shows_its_costs_to_who_may_order_and_see_what_operators_see(shop):
    order = await (await shop.order({"plan_id": PLAN})).json()
    for scopes, shown in ((("storefront",), False), (("storefront", "ops:read"), True), (("storefront", "ops"), True)):
        api = shop.api.with_key(await shop.api.make_key(*scopes))
        read = await (await api.get(f"/v1/orders/{order['id']}")).json()
        listed = (await (await api.get("/v1/orders")).json())["data"][0]
        for seen in (read, listed):
            assert (scopes, {"cost_charged", "attempts"} <= seen.keys()) == (scopes, shown)


def test_a_scope_includes_what_it_says_and_grants_nothing_without_the_one_it_needs():
    assert granted(("storefront",)) == {"storefront", "catalog"}
    assert granted(("ops",)) == {"ops", "ops:read"}
    assert granted(("routing", "goods")) == frozenset()
    assert granted(SCOPES) == set(SCOPES)


@pytest.mark.parametrize("scopes", [("routing",), ("goods",), ("catalog", "goods"), ("ops", "routing")])
async def test_no_key_is_made_with_a_scope_that_lacks_the_one_it_needs(pool, scopes):
    assert "needs the scope storefront" in fault_of_scopes(scopes)
    with pytest.raises(InvalidKeyError, match="needs the scope storefront"):
        await create_key(pool, storefront="shop", mode="test", scopes=scopes)
