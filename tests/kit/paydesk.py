"""A shop that is paid: the order counter, a payment supplier's sandbox, and where its notifications go."""

from __future__ import annotations

import asyncio
import collections
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.checkouts import payment_audit_rows, payments, presenter
from gateway.checkouts.open_checkout import open_checkout
from gateway.kit.problem import Problem
from gateway.kit.settings import Settings
from gateway.orders.admit import Admitted
from gateway.orders.process import drain
from gateway.suppliers.deps import Deps
from gateway.suppliers.payment_accounts import check_payment_accounts, close_payment_accounts, connect_payment_accounts
from providers.loader import load_manifests
from schemas.checkouts import CheckoutForPlan, CheckoutForQuote, OpsCheckout
from tests.kit.counter import STOREFRONT, Counter
from tests.kit.waiting import until
from tests.kit.working import answered

_keys = itertools.count(1)
_TICK_SECONDS = 0.02
_PATIENCE_SECONDS = 60  # what is waited for takes milliseconds; a machine may be busy with other things


@dataclass
class PayDesk:
    """What a test needs to have something paid, and to see what came of it.

    Notifications come in while ``listening``; the shop's clock is the counter's, the supplier's is the real one.
    """

    counter: Counter
    deps: Deps
    url: str
    http: aiohttp.ClientSession
    heard: list[str]
    listening: bool = True

    async def tell(self, route: str, body: Any = None) -> Any:
        async with self.http.post(f"{self.url}/_sandbox/{route}", json=body) as answer:
            assert answer.ok, await answer.text()
            return await answer.json()

    async def trigger(self, kind: str, **options: Any) -> None:
        await self.tell("triggers", {"kind": kind, **options})

    async def truth(self) -> Any:
        async with self.http.get(f"{self.url}/_sandbox/truth") as answer:
            return await answer.json()

    async def opened(self, plan: str | None = None, key: str | None = None, **more: Any) -> Admitted | Problem:
        body: CheckoutForPlan | CheckoutForQuote
        if "quote_id" in more:
            body = CheckoutForQuote(**more)
        else:
            body = CheckoutForPlan(plan_id=plan or await self.counter.plan(1, "s2s"), **more)
        return await open_checkout(self.deps, STOREFRONT, "test", body, key or f"checkout-{next(_keys)}")

    async def open(self, plan: str | None = None, key: str | None = None, **more: Any) -> str:
        """An opened checkout's id."""
        opened = await self.opened(plan, key, **more)
        assert isinstance(opened, Admitted), opened
        return opened.order_id

    async def checkout(self, checkout_id: str) -> OpsCheckout:
        found = await presenter.ops_checkout(self.deps, checkout_id)
        assert found is not None
        return found

    async def pay(self, checkout_id: str, outcome: str = "pay") -> list[Any]:
        """What a customer does at the link, and then the shop has dealt with what it was told."""
        link = (await self.checkout(checkout_id)).link_id
        made = await self.tell(f"pay/{link}", {"outcome": outcome})
        await self.told()
        return list(made["payments"])

    async def act(self, payment_id: str, act: str = "notify") -> None:
        """What becomes of a payment later; wait until the shop has dealt with the notification that follows."""
        before = await self._arrived()
        moved = (await self.tell(f"payments/{payment_id}", {"act": act}))["uid"]
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while (await self._arrived())[moved] <= before[moved]:  # noqa: ASYNC110 - another server knows
                await asyncio.sleep(_TICK_SECONDS)
        await self.told()

    async def told(self, payments: int = 0) -> None:
        """Wait until so many payments were made, each was notified once or is kept quiet, and none is left to judge."""
        await until(lambda: self._judged(payments), _PATIENCE_SECONDS)

    async def _judged(self, payments: int) -> bool:
        made = (await self.truth())["payments"]
        arrived = await self._arrived()
        untold = [one for one in made if not arrived[one["uid"]] and "notice_never" not in one["triggers"]]
        if len(made) < payments or untold:
            return False
        left = await self.deps.pool.fetchval("SELECT count(*) FROM payments WHERE settled_at IS NULL")
        return not left and not [task for task in self.deps.running if task.get_name().startswith("payment")]

    async def _arrived(self) -> collections.Counter[str]:
        """How many genuine notifications of each payment this shop has answered, whatever it answered."""
        async with self.http.get(f"{self.url}/_sandbox/webhook") as answer:
            sent = (await answer.json())["sent"]
        return collections.Counter(one["sale_id"] for one in sent if one["what"] == "genuine" and one["status"])

    async def delivered(self, checkout_id: str) -> OpsCheckout:
        """The checkout after its order was bought."""
        order = (await self.checkout(checkout_id)).order_id
        assert order is not None
        await answered(self.deps, order, _PATIENCE_SECONDS)
        return await self.checkout(checkout_id)

    async def looked(self, checkout_id: str, times: int = 1) -> OpsCheckout:
        """The checkout after so many looks at its link, each when it is due by the shop's clock."""
        for _ in range(times):
            found = await self.checkout(checkout_id)
            if found.next_look_at is None:
                break
            self.counter.clock.ahead = max(
                self.counter.clock.ahead, found.next_look_at - datetime.now(UTC) + timedelta(seconds=0.05)
            )
            await payments.poll_links(self.deps)
        return await self.checkout(checkout_id)

    async def orders(self) -> int:
        count: int = await self.deps.pool.fetchval("SELECT count(*) FROM orders")
        return count

    async def unaccounted(self) -> list[str]:
        return [one.what for one in await payment_audit_rows.unaccounted(self.deps.pool)]

    def again(self) -> PayDesk:
        """The same shop in another process: nothing that the first one had in memory."""
        return replace(self, deps=replace(self.deps, running=set()))


@asynccontextmanager
async def paydesk(counter: Counter, supplier: str = "bepaid", **settings: Any) -> AsyncIterator[PayDesk]:
    """Open it beside an order counter; ``settings`` are of the account at the payment supplier."""
    manifest = load_manifests()[supplier]
    made: Settings = counter.deps.settings.model_copy(
        update={
            "suppliers": {
                supplier: {
                    "provider": supplier, "mode": "test", "base_url": counter.served.urls[supplier],
                    "timeout_seconds": 1, "requests_per_minute": 100_000, **manifest.sandbox_settings, **settings,
                }
            }
        }
    )  # fmt: skip
    accounts = await connect_payment_accounts(check_payment_accounts(made), counter.deps.pool)
    desk: PayDesk

    async def take(request: web.Request) -> web.Response:
        if not desk.listening:
            return web.Response(status=503)
        outcome = await payments.receive(
            desk.deps, accounts[supplier], request.headers, await request.read(), desk.deps.clock()
        )
        desk.heard.append(outcome)
        return web.Response(status=200 if outcome == "taken" else 401)

    app = web.Application()
    app.router.add_post(f"/webhooks/{supplier}", take)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        deps = replace(counter.deps, settings=made, payments=accounts)
        desk = PayDesk(counter, deps, counter.served.urls[supplier], http, [])
        await desk.tell("webhook", {"url": str(server.make_url(f"/webhooks/{supplier}"))})
        yield desk
        await drain(desk.deps, 5)
        await close_payment_accounts(accounts.values())
