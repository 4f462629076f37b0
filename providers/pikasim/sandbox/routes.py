"""The sandbox's other half: orders, top-ups, eSIMs and money, in PikaSim's words and on the sandbox's till."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from providers.pikasim.sandbox import serializers as receipts
from providers.simulator import (
    Esim,
    Item,
    Purchase,
    Sale,
    SandboxWorld,
    TillRefusal,
    TillRules,
    WebhookRules,
    Why,
    one,
    till_of,
)
from providers.simulator.account import SandboxAccount
from providers.simulator.deposits import begin_checkout
from schemas.order import OrderKind

NAME = "pikasim"
SURCHARGE = Decimal("0.036")  # the page charges 518 for a package listed at 500
DELIVERY_SECONDS = 0.5
TOPUP_PREFIX = "TOPUP_"
DEFAULT_LIMIT, MAX_LIMIT = 20, 100
MOST_DEPOSITED = 100_000_000
EVENTS = ("esim.provisioned", "esim.topup.completed", "order.failed")
_REFUSALS: Mapping[Why, tuple[int, str]] = {
    Why.NO_SUCH_ITEM: (404, "Package not found"),
    Why.NO_SUCH_ESIM: (404, "eSIM not found"),
    Why.OUT_OF_STOCK: (400, "Package is out of stock"),
    Why.NO_BALANCE: (402, "Insufficient balance"),
    Why.DUPLICATE_REFERENCE: (400, "An order with this externalOrderId already exists"),
    Why.BLOCKED: (403, "Account suspended"),
    Why.NOT_RENEWABLE: (400, "This eSIM cannot be topped up"),
    Why.NOT_CANCELLABLE: (400, "eSIM cannot be cancelled - already installed or in use"),
}
_encoder = msgspec.json.Encoder(decimal_format="number")
T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)


class _NewOrder(msgspec.Struct, rename="camel"):
    package_code: str
    external_order_id: str | None = None


class _Deposit(msgspec.Struct):
    amount: int


class _WebhookSettings(msgspec.Struct, rename="camel"):
    webhook_url: str
    webhook_events: list[str] = msgspec.field(default_factory=lambda: [*EVENTS])


def rules(world: SandboxWorld, account: SandboxAccount) -> TillRules:
    """How this supplier keeps its till and notifies."""

    def announce(sale: Sale, at: datetime) -> Mapping[str, Any] | None:
        return receipts.notification(sale, world.till(NAME).esim_of(sale), at)

    def sign(_body: Mapping[str, Any], encoded: bytes, _at: datetime) -> Mapping[str, str]:
        return {"X-Webhook-Signature": hmac.new(account.secret.encode(), encoded, hashlib.sha256).hexdigest()}

    return TillRules(
        surcharge=SURCHARGE,
        refunds_listed=True,
        delivery_seconds=DELIVERY_SECONDS,
        order_id=_order_id,
        refusals=_REFUSALS,
        webhooks=WebhookRules(announce=announce, sign=sign),
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
    body = _encoder.encode({"success": True, "data": data})
    return web.Response(status=status, body=body, content_type="application/json")


def whole(text: str | None, *, default: int) -> int:
    """A positive whole number of the query; anything else is a 400."""
    if not text:
        return default
    if not text.isascii() or not text.isdecimal() or len(text) > 9 or int(text) < 1:  # noqa: PLR2004 - digits
        raise web.HTTPBadRequest(text=f"{text[:20]} is not a positive whole number")
    return int(text)


async def _account(request: web.Request) -> web.Response:
    till = till_of(request)
    return answer(
        {
            "companyName": "Sandbox Storefront",
            "status": "approved",
            "balance": receipts.cents(till.balance),
            "balanceFormatted": receipts.dollars(till.balance),
            "totalOrders": len(till.sales()),
        }
    )


async def _balance(request: web.Request) -> web.Response:
    till = till_of(request)
    return answer(
        {
            "balance": receipts.cents(till.balance),
            "balanceFormatted": receipts.dollars(till.balance),
            "availableCredit": receipts.cents(till.credit),
        }
    )


async def _transactions(request: web.Request) -> web.Response:
    wanted = _one_of(request, "type", receipts.MOVES)
    moves = [move for move in till_of(request).moves() if wanted in (None, receipts.type_of(move))]
    return _paged(request, "transactions", moves, receipts.moved)


async def _new_order(request: web.Request) -> web.Response:
    body = await _body(request, _NewOrder)
    item = one(request, body.package_code)
    if item is not None and not item.visible:
        item = None
    till = till_of(request)
    sale = await till.buy(request, Purchase(item, reference=body.external_order_id))
    return answer(receipts.created(sale, till.esim_of(sale)), status=201)


async def _orders(request: web.Request) -> web.Response:
    """The list, which leaves out the eSIMs."""
    wanted = _one_of(request, "status", receipts.STATUSES)
    till = till_of(request)
    sales = [sale for sale in till.orders() if wanted in (None, receipts.status_of(sale, till.esim_of(sale)))]
    return _paged(request, "orders", sales, lambda sale: receipts.listed(sale, till.esim_of(sale)))


async def _order(request: web.Request) -> web.Response:
    till = till_of(request)
    sale = till.order(request.match_info["order_id"])
    if sale is None:
        raise web.HTTPNotFound(text="Order not found")
    return answer(receipts.order(sale, till.esim_of(sale)))


async def _esim(request: web.Request) -> web.Response:
    till, esim = till_of(request), esim_of(request)
    sale = till.order(esim.sale_id)
    if sale is None:
        raise web.HTTPNotFound(text="eSIM not found")
    return answer(receipts.esim_page(esim, sale))


async def _usage(request: web.Request) -> web.Response:
    return answer(receipts.usage_page(esim_of(request)))


async def _new_topup(request: web.Request) -> web.Response:
    """The options have codes of their own; the package's own code is understood too."""
    body = await _body(request, _NewOrder)
    iccid = request.match_info["iccid"]
    item = one(request, body.package_code.removeprefix(TOPUP_PREFIX))
    till = till_of(request)
    esim = till.esim(iccid)
    if esim is not None and item is not None and not same_place(item, esim):
        raise web.HTTPBadRequest(text="This package does not fit the eSIM")
    details = {"package_code": body.package_code}
    sale = await till.buy(request, Purchase(item, OrderKind.TOPUP, body.external_order_id, iccid, details))
    return answer(receipts.created(sale, esim), status=201)


async def _cancel(request: web.Request) -> web.Response:
    till = till_of(request)
    iccid = request.match_info["iccid"]
    try:
        sale = await till.cancel(request, iccid)
    except TillRefusal as refused:
        esim = till.esim(iccid)
        if refused.why is not Why.NOT_CANCELLABLE or esim is None:
            raise
        return web.Response(
            status=400, body=msgspec.json.encode(receipts.cancel_refused(esim)), content_type="application/json"
        )
    return answer(receipts.cancelled(sale, iccid, till.balance))


async def _stripe(request: web.Request) -> web.Response:
    """A session for a card, whose page is the sandbox's own."""
    made, url = begin_checkout(request, await _cents(request))
    return _beside_success({"sessionId": made.id, "checkoutUrl": url})


async def _btcpay(request: web.Request) -> web.Response:
    """An invoice for a payment on a chain; the page gives no example of its answer."""
    made, url = begin_checkout(request, await _cents(request), prefix="inv_test_")
    return _beside_success({"invoiceId": made.id, "checkoutLink": url})


async def _cents(request: web.Request) -> Decimal:
    """What is to be paid in, in dollars."""
    asked = await _body(request, _Deposit)
    if not 0 < asked.amount <= MOST_DEPOSITED:
        raise web.HTTPBadRequest(text="amount must be a positive number of cents")
    return Decimal(asked.amount).scaleb(-2)


def _beside_success(told: Mapping[str, str]) -> web.Response:
    return web.Response(body=_encoder.encode({"success": True, **told}), content_type="application/json")


async def _set_webhook(request: web.Request) -> web.Response:
    """The address and the events that people would set. What is done to notifications besides stays as it is."""
    body = await _body(request, _WebhookSettings)
    if unknown := set(body.webhook_events) - set(EVENTS):
        raise web.HTTPBadRequest(text=f"no such event: {min(unknown)[:40]}")
    sender = till_of(request).webhooks
    sender.plan = msgspec.structs.replace(sender.plan, url=body.webhook_url or None, events=tuple(body.webhook_events))
    return answer({"webhookUrl": body.webhook_url, "webhookEvents": body.webhook_events})


async def _test_webhook(request: web.Request) -> web.Response:
    """A notification of an event that the page does not name, so that only the address and the secret are tried."""
    at = receipts.time_text(datetime.now(UTC))
    till_of(request).webhooks.send({"event": "webhook.test", "timestamp": at, "data": {}})
    return answer({"message": "Test webhook sent"})


def esim_of(request: web.Request) -> Esim:
    """The eSIM that the path names; a 404 without."""
    esim = till_of(request).esim(request.match_info["iccid"])
    if esim is None:
        raise web.HTTPNotFound(text="eSIM not found")
    return esim


def same_place(item: Item, esim: Esim) -> bool:
    """Whether a package is for where the eSIM works; in a market list only the words can tell."""
    bought = esim.packages[0].item
    return item.countries == bought.countries and (bool(item.countries) or item.place == bought.place)


def _paged(
    request: web.Request, name: str, rows: Sequence[T], in_words: Callable[[T], Mapping[str, Any]]
) -> web.Response:
    number = whole(request.query.get("page"), default=1)
    limit = min(whole(request.query.get("limit"), default=DEFAULT_LIMIT), MAX_LIMIT)
    page = rows[(number - 1) * limit : number * limit]
    pages = -(-len(rows) // limit)
    pagination = {"page": number, "limit": limit, "total": len(rows), "pages": pages}
    return answer({name: [in_words(row) for row in page], "pagination": pagination})


def _one_of(request: web.Request, name: str, words: Sequence[str]) -> str | None:
    word = request.query.get(name)
    if word is not None and word not in words:
        raise web.HTTPBadRequest(text=f"{name} must be one of {', '.join(words)}")
    return word


async def _body(request: web.Request, kind: type[S]) -> S:
    try:
        return msgspec.json.decode(await request.read(), type=kind)
    except msgspec.MsgspecError as error:
        raise web.HTTPBadRequest(text=f"Invalid parameters: {error}") from None


def _order_id(number: int) -> str:
    """24 hexadecimal digits, as document databases give them."""
    return hashlib.blake2b(f"pikasim order {number}".encode(), digest_size=12).hexdigest()
