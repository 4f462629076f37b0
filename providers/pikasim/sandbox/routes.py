"""Orders, top-ups, eSIMs, money and webhook settings at PikaSim's sandbox."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from providers.kit.signing import hmac_sha256
from providers.pikasim.sandbox import serializers
from providers.simulator import (
    Esim,
    Item,
    Purchase,
    RefusalReason,
    SupplierRefusal,
    SupplierRules,
    WebhookRules,
    begin_deposit,
    body_of,
    item_of,
    json_response,
    simulator_of,
)
from schemas.order import OrderKind

SURCHARGE = Decimal("0.036")  # the page charges 518 for a package listed at 500
DELIVERY_SECONDS = 0.5
TOPUP_PREFIX = "TOPUP_"
DEFAULT_LIMIT, MAX_LIMIT = 20, 100
MOST_DEPOSITED = 100_000_000
EVENTS = ("esim.provisioned", "esim.topup.completed", "order.failed")
_REFUSALS: Mapping[RefusalReason, tuple[int, str]] = {
    RefusalReason.NO_SUCH_ITEM: (404, "Package not found"),
    RefusalReason.NO_SUCH_ESIM: (404, "eSIM not found"),
    RefusalReason.OUT_OF_STOCK: (400, "Package is out of stock"),
    RefusalReason.NO_BALANCE: (402, "Insufficient balance"),
    RefusalReason.DUPLICATE_REFERENCE: (400, "An order with this externalOrderId already exists"),
    RefusalReason.BLOCKED: (403, "Account suspended"),
    RefusalReason.NOT_RENEWABLE: (400, "This eSIM cannot be topped up"),
    RefusalReason.NOT_CANCELLABLE: (400, "eSIM cannot be cancelled - already installed or in use"),
}
T = TypeVar("T")


class _NewOrder(msgspec.Struct, rename="camel"):
    package_code: str
    external_order_id: str | None = None


class _Deposit(msgspec.Struct):
    amount: int


class _WebhookSettings(msgspec.Struct, rename="camel"):
    webhook_url: str
    webhook_events: list[str] = msgspec.field(default_factory=lambda: [*EVENTS])


def _sign(secret: str, _body: Mapping[str, Any], encoded: bytes, _at: datetime) -> Mapping[str, str]:
    return {"X-Webhook-Signature": hmac_sha256(secret, encoded)}


def _order_id(number: int) -> str:
    """24 hexadecimal digits, as document databases give them."""
    return hashlib.blake2b(f"pikasim order {number}".encode(), digest_size=12).hexdigest()


RULES = SupplierRules(
    surcharge=SURCHARGE,
    refunds_listed=True,
    delivery_seconds=DELIVERY_SECONDS,
    order_id=_order_id,
    refusals=_REFUSALS,
    webhooks=WebhookRules(_sign),
    notification=serializers.notification,
)


def routes() -> list[web.RouteDef]:
    """Everything but packages and what can be added."""
    return [
        web.get("/account", _account),
        web.get("/balance", _balance),
        web.get("/transactions", _transactions),
        web.post("/orders", _new_order),
        web.get("/orders", _orders),
        web.get("/orders/{order_id}", _order),
        web.get("/esims/{iccid}", _esim),
        web.get("/esims/{iccid}/usage", _usage),
        web.post("/esims/{iccid}/topup", _new_topup),
        web.post("/esims/{iccid}/cancel", _cancel),
        web.post("/deposit/stripe", _stripe),
        web.post("/deposit/btcpay", _btcpay),
        web.put("/webhook", _set_webhook),
        web.post("/webhook/test", _test_webhook),
    ]


def answer(data: Any, status: int = 200) -> web.Response:
    """A good answer."""
    return json_response({"success": True, "data": data}, status)


def whole(text: str | None, *, default: int) -> int:
    """A positive whole number of the query; anything else is a 400."""
    if not text:
        return default
    if not text.isascii() or not text.isdecimal() or len(text) > 9 or int(text) < 1:  # noqa: PLR2004 - digits
        raise web.HTTPBadRequest(text=f"{text[:20]} is not a positive whole number")
    return int(text)


async def _account(request: web.Request) -> web.Response:
    simulator = simulator_of(request)
    return answer(
        {
            "companyName": "Sandbox Storefront",
            "status": "approved",
            "balance": serializers.cents(simulator.balance),
            "balanceFormatted": serializers.dollars(simulator.balance),
            "totalOrders": len(simulator.sales()),
        }
    )


async def _balance(request: web.Request) -> web.Response:
    simulator = simulator_of(request)
    return answer(
        {
            "balance": serializers.cents(simulator.balance),
            "balanceFormatted": serializers.dollars(simulator.balance),
            "availableCredit": serializers.cents(simulator.credit),
        }
    )


async def _transactions(request: web.Request) -> web.Response:
    wanted = _one_of(request, "type", serializers.TRANSACTIONS)
    lines = [line for line in simulator_of(request).statement() if wanted in (None, serializers.type_of(line))]
    return _paged(request, "transactions", lines, serializers.transaction)


async def _new_order(request: web.Request) -> web.Response:
    body = await body_of(request, _NewOrder)
    item = item_of(request, body.package_code)
    if item is not None and not item.visible:
        item = None
    simulator = simulator_of(request)
    sale = await simulator.buy(request, Purchase(item, reference=body.external_order_id))
    return answer(serializers.created(sale, simulator.esim_of(sale)), status=201)


async def _orders(request: web.Request) -> web.Response:
    """The list, which leaves out the eSIMs."""
    wanted = _one_of(request, "status", serializers.STATUSES)
    simulator = simulator_of(request)
    sales = [
        sale for sale in simulator.orders() if wanted in (None, serializers.status_of(sale, simulator.esim_of(sale)))
    ]
    return _paged(request, "orders", sales, lambda sale: serializers.listed(sale, simulator.esim_of(sale)))


async def _order(request: web.Request) -> web.Response:
    simulator = simulator_of(request)
    sale = simulator.order(request.match_info["order_id"])
    if sale is None:
        raise web.HTTPNotFound(text="Order not found")
    return answer(serializers.order(sale, simulator.esim_of(sale)))


async def _esim(request: web.Request) -> web.Response:
    simulator, esim = simulator_of(request), esim_of(request)
    sale = simulator.order(esim.sale_id)
    if sale is None:
        raise web.HTTPNotFound(text="eSIM not found")
    return answer(serializers.esim_page(esim, sale))


async def _usage(request: web.Request) -> web.Response:
    return answer(serializers.usage_page(esim_of(request)))


async def _new_topup(request: web.Request) -> web.Response:
    """The options have codes of their own; the package's own code is understood too."""
    body = await body_of(request, _NewOrder)
    iccid = request.match_info["iccid"]
    item = item_of(request, body.package_code.removeprefix(TOPUP_PREFIX))
    simulator = simulator_of(request)
    esim = simulator.esim(iccid)
    if esim is not None and item is not None and not same_place(item, esim):
        raise web.HTTPBadRequest(text="This package does not fit the eSIM")
    details = {"package_code": body.package_code}
    sale = await simulator.buy(request, Purchase(item, OrderKind.TOPUP, body.external_order_id, iccid, details))
    return answer(serializers.created(sale, esim), status=201)


async def _cancel(request: web.Request) -> web.Response:
    simulator = simulator_of(request)
    iccid = request.match_info["iccid"]
    try:
        sale = await simulator.cancel(request, iccid)
    except SupplierRefusal as refused:
        esim = simulator.esim(iccid)
        if refused.reason is not RefusalReason.NOT_CANCELLABLE or esim is None:
            raise
        return json_response(serializers.cancel_refused(esim), 400)
    return answer(serializers.cancelled(sale, iccid, simulator.balance))


async def _stripe(request: web.Request) -> web.Response:
    """A session for a card, whose page is the sandbox's own."""
    session, url = begin_deposit(request, await _dollars(request), "cs_test_")
    return json_response({"success": True, "sessionId": session, "checkoutUrl": url})


async def _btcpay(request: web.Request) -> web.Response:
    """An invoice for a payment on a chain; the page gives no example of its answer."""
    invoice, url = begin_deposit(request, await _dollars(request), "inv_test_")
    return json_response({"success": True, "invoiceId": invoice, "checkoutLink": url})


async def _dollars(request: web.Request) -> Decimal:
    """What is to be paid in, asked for in cents."""
    request_body = await body_of(request, _Deposit)
    if not 0 < request_body.amount <= MOST_DEPOSITED:
        raise web.HTTPBadRequest(text="amount must be a positive number of cents")
    return Decimal(request_body.amount).scaleb(-2)


async def _set_webhook(request: web.Request) -> web.Response:
    """The address and the events that people would set. What is done to notifications besides stays as it is."""
    body = await body_of(request, _WebhookSettings)
    if unknown := set(body.webhook_events) - set(EVENTS):
        raise web.HTTPBadRequest(text=f"no such event: {min(unknown)[:40]}")
    sender = simulator_of(request).webhooks
    sender.plan = msgspec.structs.replace(sender.plan, url=body.webhook_url or None, events=tuple(body.webhook_events))
    return answer({"webhookUrl": body.webhook_url, "webhookEvents": body.webhook_events})


async def _test_webhook(request: web.Request) -> web.Response:
    """A notification of an event that the page does not name, so that only the address and the secret are tried."""
    at = serializers.time_text(datetime.now(UTC))
    simulator_of(request).webhooks.send({"event": "webhook.test", "timestamp": at, "data": {}})
    return answer({"message": "Test webhook sent"})


def esim_of(request: web.Request) -> Esim:
    """The eSIM that the path names; a 404 without."""
    esim = simulator_of(request).esim(request.match_info["iccid"])
    if esim is None:
        raise web.HTTPNotFound(text="eSIM not found")
    return esim


def same_place(item: Item, esim: Esim) -> bool:
    """Whether a package is for where the eSIM works; in a market list only the words can tell."""
    bought = esim.packages[0].item
    return item.countries == bought.countries and (bool(item.countries) or item.place == bought.place)


def paged(
    request: web.Request,
    name: str,
    page_of: Callable[[int, int], Sequence[T]],
    total: int,
    serialize: Callable[[T], Mapping[str, Any]],
    usual: int = DEFAULT_LIMIT,
    most: int = MAX_LIMIT,
) -> web.Response:
    """A numbered page of ``total`` rows, which ``page_of(offset, limit)`` gives."""
    number = whole(request.query.get("page"), default=1)
    limit = min(whole(request.query.get("limit"), default=usual), most)
    pagination = {"page": number, "limit": limit, "total": total, "pages": -(-total // limit)}
    rows = [serialize(row) for row in page_of((number - 1) * limit, limit)]
    return answer({name: rows, "pagination": pagination})


def _paged(
    request: web.Request, name: str, rows: Sequence[T], serialize: Callable[[T], Mapping[str, Any]]
) -> web.Response:
    return paged(request, name, lambda start, limit: rows[start : start + limit], len(rows), serialize)


def _one_of(request: web.Request, name: str, allowed: Sequence[str]) -> str | None:
    word = request.query.get(name)
    if word is not None and word not in allowed:
        raise web.HTTPBadRequest(text=f"{name} must be one of {', '.join(allowed)}")
    return word
