"""A plain order service, to hold the gateway against: insert, ask the supplier, update, answer.

python -m benchmarks.orders_plain PORT DATABASE_URL SUPPLIER_URL

It does what nobody could leave out, with the gateway's own libraries, and nothing else: no key, no second supplier, no
rate, no recovery.
"""

from __future__ import annotations

import gc
import os
import secrets
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiohttp
import asyncpg
import msgspec
import uvloop
from aiohttp import web

from benchmarks.orders_supplier import SUPPLIER
from providers.loader import load_manifests
from providers.s2s.signatures import order_headers

_TABLE = """
CREATE TABLE IF NOT EXISTS plain_orders (
    id              text PRIMARY KEY,
    plan_id         text NOT NULL,
    status          text NOT NULL,
    supplier_order  text,
    answer          jsonb,
    created_at      timestamptz NOT NULL DEFAULT now(),
    fulfilled_at    timestamptz
);
CREATE INDEX IF NOT EXISTS plain_orders_created ON plain_orders (created_at DESC);
"""
_INSERT = "INSERT INTO plain_orders (id, plan_id, status) VALUES ($1, $2, 'pending')"
_UPDATE = """
UPDATE plain_orders SET status = 'fulfilled', supplier_order = $2, answer = $3, fulfilled_at = now() WHERE id = $1
"""


class PlainOrder(msgspec.Struct):
    """The body of an order."""

    plan_id: str
    sku: str


class PlainOrders:
    """The whole service."""

    def __init__(self, supplier_url: str) -> None:
        self.account = load_manifests()[SUPPLIER].sandbox_settings
        self.supplier_url = supplier_url
        self.pool: asyncpg.Pool[asyncpg.Record]
        self.http: aiohttp.ClientSession

    async def order(self, request: web.Request) -> web.Response:
        """POST /orders."""
        body = msgspec.json.decode(await request.read(), type=PlainOrder)
        order_id = f"plain_{secrets.token_hex(12)}"
        await self.pool.execute(_INSERT, order_id, body.plan_id)
        raw = await self._buy(order_id, body.sku)
        found = msgspec.json.decode(raw)
        supplier_order = str(found["data"].get("id")) if isinstance(found.get("data"), dict) else None
        await self.pool.execute(_UPDATE, order_id, supplier_order, raw.decode())
        answer = {"id": order_id, "status": "fulfilled", "plan_id": body.plan_id, "esim": found.get("data")}
        return web.Response(body=msgspec.json.encode(answer), content_type="application/json", status=201)

    async def _buy(self, order_id: str, sku: str) -> bytes:
        headers = order_headers(self.account["partner_secret"], datetime.now(UTC), sku, order_id)
        headers["Authorization"] = f"Bearer {self.account['token']}"
        body = {"external_id": order_id, "item": {"sku_id": sku, "fields": {"quantity": 1}}}
        async with self.http.post(f"{self.supplier_url}/orders", json=body, headers=headers) as answer:
            raw = await answer.read()
            if not answer.ok:
                raise web.HTTPBadGateway(text=raw.decode("utf-8", "replace"))
            return raw


def application(database_url: str, supplier_url: str) -> web.Application:
    """The service with its pool and its connections."""
    service = PlainOrders(supplier_url)

    async def connections(_: web.Application) -> AsyncIterator[None]:
        service.pool = await asyncpg.create_pool(database_url, min_size=4, max_size=10)
        await service.pool.execute(_TABLE)
        service.http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        gc.collect()
        gc.freeze()
        yield
        await service.http.close()
        await service.pool.close()

    async def ready(_: web.Request) -> web.Response:
        return web.Response(text="ready")

    app = web.Application()
    app.cleanup_ctx.append(connections)
    app.router.add_post("/orders", service.order)
    app.router.add_get("/readyz", ready)
    return app


if __name__ == "__main__":
    uvloop.install() if sys.version_info < (3, 12) else None
    web.run_app(
        application(sys.argv[2], sys.argv[3]), host="127.0.0.1", port=int(sys.argv[1]), reuse_port=True,
        access_log=None, print=lambda *_: None, handle_signals=os.name == "posix",
    )  # fmt: skip
