"""What a storefront's key reads names no supplier, however its orders end.

Every route that such a key may read is walked: a new one fails here until ids for it are given.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from gateway.api import state
from gateway.app import TABLES
from gateway.orders.resolve import resolve
from providers.loader import load_manifests
from providers.simulator.trigger_plans import TRIGGER_PLANS, WHERE, table
from schemas.orders import ANSWERED
from tests.gateway.api.conftest import Shop
from tests.kit.sandboxed import SUPPLIERS
from tests.kit.sold import SEAL
from tests.kit.working import emit_events, idle

# Ends that take no supplier's time-out to come about, by the words of the sandboxes' plans.
ENDS = {
    "ok", "refuse_stock", "never_provisioned", "charged_more",
    "failed_after_processing", "failed_without_refund", "cancelled_after_processing", "partially_completed",
    "silent_refund", "duplicate_reference", "picture_only", "two_codes", "cancel-refuse_blocked", "cancel-hang",
}  # fmt: skip
# After these a supplier sells nothing for a while.
LAST = {"refuse_balance", "refuse_blocked"}
PAYMENT_PAGE = re.compile(r'"payment_url":"[^"]*"')
PATIENCE = 120
NOTE = "BepPay, PikaSim and S2S say that it is so"


@dataclass
class Reader:
    """A storefront that keeps every answer it gets, with headers, under the words of its request."""

    shop: Shop
    read: dict[str, str] = field(default_factory=dict)

    async def ask(self, method: str, path: str, key: str = "", **more: Any) -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        answer = await self.shop.api.ask(method, path, headers=headers | more.pop("headers", {}), **more)
        content = await answer.read()
        # A picture is no text, and the address of the payment page is where the customer has to go.
        text = "" if "image" in answer.content_type else PAYMENT_PAGE.sub("", content.decode())
        self.read[f"{method} {path} {key} {answer.status}"] = f"{dict(answer.headers)}\n{text}"
        return msgspec.json.decode(content) if "json" in answer.content_type else None

    def naming(self) -> dict[str, str]:
        """The answers that name a supplier, each with the words around its name."""
        return naming(self.read)


def naming(read: dict[str, str]) -> dict[str, str]:
    """Those of these texts that name a supplier, each with the words around its name."""
    names = {word for manifest in load_manifests().values() for word in (manifest.name, manifest.title)}
    named = re.compile(rf".{{0,60}}(?<![a-z0-9])({'|'.join(names)})(?![a-z0-9]).{{0,60}}", re.IGNORECASE)
    return {what: found[0] for what, text in read.items() if (found := named.search(text))}


@pytest.fixture
async def shop(make_api, suppliers):
    payments = suppliers.payments()
    api = await make_api(
        synced=True, suppliers={**suppliers.accounts(), **payments}, webhooks={"allow_private": ["127.0.0.0/8"]}
    )
    key = await api.make_key("storefront", "goods")
    return Shop(api.with_key(key), api.with_key(await api.make_key("storefront", "ops")), suppliers)


def plans(ends: set[str]) -> list[str]:
    """The plans of these ends, at each supplier."""
    labels = {one.label for one in TRIGGER_PLANS if one.word in ends}
    assert len(labels) == len(ends)
    return [plan_id for plan_id, _, label in table(SUPPLIERS) if label in labels]


async def refused(reader: Reader) -> dict[str, Any]:
    """An order that the only supplier of its plan refuses."""
    await reader.shop.town.trigger("pikasim", "refuse_stock", act="order")
    plan = next(plan_id for plan_id, supplier, _ in table(SUPPLIERS) if supplier == "pikasim")
    order: dict[str, Any] = await reader.ask(
        "POST", "/v1/orders", "refused", json={"plan_id": plan}, headers={"Prefer": "wait=30"}
    )
    assert order["status"] == "failed"
    return order


async def ordered(reader: Reader, bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The orders for these, all placed at once."""
    placed = [
        reader.ask("POST", "/v1/orders", f"key {body}", json=body, headers={"Prefer": "wait=10"}) for body in bodies
    ]
    return [order for order in await asyncio.gather(*placed) if "id" in order]


async def bought(reader: Reader) -> list[dict[str, Any]]:
    """Orders for eSIMs of every end, a number and a voucher."""
    goods = (await reader.ask("GET", "/v1/goods?limit=200"))["data"]
    voucher = next(one for one in goods if one["name"].startswith("$10 Apple"))
    others = [{"number": {"country": "US", "tier_id": "7d"}}, {"good_id": voucher["id"]}]
    return await ordered(reader, [*({"plan_id": one} for one in plans(ENDS)), *others])


async def settled_by_operators(shop: Shop) -> None:
    """What waits for an operator is called failed or refunded, in words that name suppliers."""
    deps = shop.api.client.app[state.DEPS]
    await idle(deps, PATIENCE)
    async with asyncio.timeout(PATIENCE):
        while len(waiting := await in_status(shop, "needs_review")) < 3:  # noqa: ASYNC110 - a worker's tasks bring it
            await asyncio.sleep(0.1)
    for order_id, outcome in zip(waiting[1:], ("failed", "refunded") * len(waiting), strict=False):
        assert await resolve(deps, order_id, outcome, NOTE, by="ops") is None


async def in_status(shop: Shop, status: str) -> list[str]:
    rows = await shop.api.pool.fetch("SELECT id FROM orders WHERE status = $1 ORDER BY id", status)
    return [row["id"] for row in rows]


async def acted(reader: Reader, orders: list[dict[str, Any]]) -> None:
    """Everything else that a storefront may do with what it has, possible or not."""
    for order in orders:
        if order["esim"] is not None and order["kind"] == "esim":
            path = f"/v1/esims/{order['esim']['id']}"
            listed = await reader.ask("GET", f"{path}/topup-plans")
            wanted = {"topup_plan_id": listed["data"][0]["id"]} if listed.get("data") else {"plan_id": "no-such-plan"}
            # Every other one gets data, so that some are left that can be given back.
            if orders.index(order) % 2:
                more = {"headers": {"Prefer": "wait=10"}}
                await reader.ask("POST", f"{path}/topups", f"top-{order['id']}", json=wanted, **more)
        await reader.ask("POST", f"/v1/orders/{order['id']}/cancel")
        await reader.ask("GET", f"/v1/orders/{order['id']}")
    for body in ({"plan_id": plans(ENDS)[0]}, {"plan_id": "no-such-plan"}, {"countries": [WHERE], "data_mb": 10**7}):
        await reader.ask("POST", "/v1/quotes", json=body)
        await reader.ask("POST", "/v1/orders/validate", json=body)


async def walked(reader: Reader, endpoint: str) -> None:
    """Every route that a storefront's key reads, for everything that this one has."""
    batch = await reader.ask("POST", "/v1/order-batches", "batch", json={"plan_id": plans(ENDS)[0], "quantity": 2})
    ids: dict[str, list[str]] = {
        "/v1/webhook-endpoints": [endpoint], "/v1/plans": plans(ENDS), "/v1/order-batches": [batch["id"]],
    }  # fmt: skip
    for path in ("/v1/orders", "/v1/esims", "/v1/goods", "/v1/numbers", "/v1/checkouts"):
        ids[path] = [one["id"] for one in (await reader.ask("GET", f"{path}?limit=200"))["data"]]
        assert ids[path], path
    routes = [route for made in TABLES for route, _ in made.routes]
    readable = [
        route.path for route in routes if route.method == "GET" and route.access in {"catalog", "storefront", "goods"}
    ]
    assert len(readable) > 20
    for path in readable:
        base, part, rest = path.partition("/{")
        if not part:
            await reader.ask("GET", path + ("?limit=200" if path in ids else ""))
            continue
        after = rest.partition("}")[2]
        assert "{" not in after, path
        for one in ids[base]:
            await reader.ask("GET", f"{base}/{one}{after}")


async def test_nothing_that_a_storefront_reads_names_a_supplier_however_its_orders_end(shop):
    reader = Reader(shop)
    endpoint = (await reader.ask("POST", "/v1/webhook-endpoints", json={"url": "http://127.0.0.1:9/hook"}))["id"]
    opened = await reader.ask("POST", "/v1/checkouts", "checkout", json={"plan_id": plans(ENDS)[0]})
    assert "payment_url" in opened, opened
    orders = [await refused(reader), *await bought(reader)]
    await settled_by_operators(shop)
    orders = [await reader.ask("GET", f"/v1/orders/{order['id']}") for order in orders]
    await acted(reader, orders)
    await idle(shop.api.client.app[state.DEPS], PATIENCE)
    await ordered(reader, [{"plan_id": one} for one in plans(LAST)])
    await walked(reader, endpoint)
    await emit_events(shop.api.pool)
    for row in await shop.api.pool.fetch("SELECT id, type, body FROM webhook_events"):
        reader.read[f"event {row['type']} {row['id']}"] = SEAL.open(row["body"]).decode()
    met = {row["status"] for row in await shop.api.pool.fetch("SELECT status FROM orders")}
    assert {*ANSWERED} <= met
    events = {what.split()[1] for what in reader.read if what.startswith("event ")}
    assert {"order.fulfilled", "order.failed", "order.needs_review", "order.cancelled", "topup.completed"} <= events
    told = {int(what.split()[-1]) for what in reader.read if not what.startswith("event ")}
    assert {200, 201, 404, 409, 501} <= told
    assert reader.naming() == {}
