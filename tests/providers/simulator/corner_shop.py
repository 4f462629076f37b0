"""A made-up supplier that sells by the supplier simulator, and a caller of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import aiohttp
import msgspec
from aiohttp import web

from providers.contract import Capability, Manifest, SupplierSettings
from providers.simulator import (
    Esim,
    Purchase,
    RefusalReason,
    Sale,
    SandboxWorld,
    ServedSandboxes,
    SupplierRules,
    SupplierSimulator,
    WebhookRules,
    body_of,
    item_of,
    json_response,
    sandbox_app,
    serve,
    simulator_of,
)
from schemas.order import OrderKind

PLAN = "JP-1GB-7D"  # every made-up supplier has it
TROUBLES = (aiohttp.ClientError, TimeoutError)


class _Order(msgspec.Struct):
    plan: str
    reference: str | None = None
    iccid: str | None = None


async def _buy(request: web.Request) -> web.Response:
    asked = await body_of(request, _Order)
    kind = OrderKind.ESIM if asked.iccid is None else OrderKind.TOPUP
    sale = await simulator_of(request).buy(
        request, Purchase(item_of(request, asked.plan), kind, reference=asked.reference, iccid=asked.iccid)
    )
    return json_response(shown(simulator_of(request), sale))


async def _cancel(request: web.Request) -> web.Response:
    sale = await simulator_of(request).cancel(request, request.match_info["iccid"])
    return json_response(shown(simulator_of(request), sale))


async def _order(request: web.Request) -> web.Response:
    sale = simulator_of(request).order(request.match_info["id"])
    if sale is None:
        raise web.HTTPNotFound(text="no such order")
    return json_response(shown(simulator_of(request), sale))


async def _orders(request: web.Request) -> web.Response:
    return json_response([shown(simulator_of(request), sale) for sale in simulator_of(request).orders()])


def shown(simulator: SupplierSimulator, sale: Sale) -> dict[str, Any]:
    esim = simulator.esim_of(sale)
    return {
        "id": sale.id,
        "reference": sale.reference,
        "state": sale.state,
        "charged": sale.charged,
        "refunded": sale.refunded,
        "iccid": esim and esim.iccid,
        "text": esim and esim.text_code,
        "picture": esim and esim.picture_code,
    }


def notification(sale: Sale, _esim: Esim | None, at: datetime) -> Mapping[str, Any]:
    return {"event": "done", "at": at, "data": {"order": sale.id, "status": sale.state, "price": sale.charged}}


def sign(_secret: str, body: Mapping[str, Any], encoded: bytes, at: datetime) -> Mapping[str, str]:
    return {"X-Signature": f"{len(encoded):040}", "X-Event": str(body["event"]), "X-At": at.isoformat()}


RULES = SupplierRules(
    opening=Decimal(100),
    unique_references=True,
    refusals={RefusalReason.OUT_OF_STOCK: (422, "sold out")},
    webhooks=WebhookRules(sign),
    notification=notification,
)


@dataclass
class Counter:
    """A caller of the sandbox over HTTP, and the sandbox's own side of it."""

    http: aiohttp.ClientSession
    url: str
    world: SandboxWorld
    patience: float = 20

    @property
    def simulator(self) -> SupplierSimulator:
        return self.world.simulator("corner")

    async def post(self, path: str, body: Any = None) -> tuple[int, Any]:
        timeout = aiohttp.ClientTimeout(total=self.patience)
        async with self.http.post(self.url + path, data=msgspec.json.encode(body), timeout=timeout) as answer:
            return answer.status, msgspec.json.decode(await answer.read())

    async def get(self, path: str) -> Any:
        async with self.http.get(self.url + path) as answer:
            assert answer.status == 200, await answer.text()
            return msgspec.json.decode(await answer.read())

    async def buy(self, reference: str | None = None, plan: str = PLAN, iccid: str | None = None) -> tuple[int, Any]:
        return await self.post("/orders", {"plan": plan, "reference": reference, "iccid": iccid})

    async def bought(self, reference: str | None = None, plan: str = PLAN) -> dict[str, Any]:
        status, body = await self.buy(reference, plan)
        assert status == 200, body
        return dict(body)

    async def told(self, path: str, body: Any) -> Any:
        status, answer = await self.post(f"/_sandbox/{path}", body)
        assert status == 200, answer
        return answer

    async def trigger(self, kind: str, **options: Any) -> None:
        await self.told("triggers", {"kind": kind, **options})
        if "hang" in kind or "slow" in kind:
            self.patience = 2  # an answer that never comes is waited for no longer

    async def truth(self) -> Any:
        return await self.get("/_sandbox/truth")

    async def until_charged(self, count: int = 1) -> Any:
        """The truth as soon as it has so many charges."""
        for _ in range(6000):
            truth = await self.truth()
            if len(truth["charges"]) >= count:
                return truth
            await asyncio.sleep(0.02)
        raise AssertionError(f"not charged {count} times")


@asynccontextmanager
async def corner_shop(rules: SupplierRules = RULES, world: SandboxWorld | None = None) -> AsyncIterator[Counter]:
    """The supplier at a port that the kernel chose."""

    def sandbox(world: SandboxWorld, _settings: Mapping[str, Any]) -> web.Application:
        return sandbox_app(
            world,
            "corner",
            [
                web.post("/orders", _buy),
                web.get("/orders", _orders),
                web.get("/orders/{id}", _order),
                web.post("/esims/{iccid}/cancel", _cancel),
            ],
            authenticate=lambda _: None,
            error_body=lambda status, message: {"ok": False, "status": status, "why": message},
            rules=rules,
        )

    manifests = {
        "corner": Manifest(
            name="corner",
            title="Corner shop",
            capabilities=frozenset({Capability.CATALOG}),
            settings=SupplierSettings,
            provider=object,  # type: ignore[arg-type]
            sandbox=sandbox,
        )
    }
    world = world or SandboxWorld(["corner"])
    async with await serve(world, manifests, port=0) as served, aiohttp.ClientSession() as http:
        yield _counter(http, served)


def _counter(http: aiohttp.ClientSession, served: ServedSandboxes) -> Counter:
    return Counter(http, served.urls["corner"], served.world)
