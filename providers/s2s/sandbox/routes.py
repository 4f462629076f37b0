"""The sandbox's other half: orders, top-ups, eSIMs and money, in S2S's words and on the sandbox's till."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar

import msgspec
from aiohttp import web

from providers.s2s.sandbox import paging
from providers.s2s.sandbox import products as shelf
from providers.s2s.sandbox import serializers as receipts
from providers.s2s.sandbox import vouchers as voucher_counter
from providers.simulator import (
    Item,
    Move,
    MoveKind,
    Purchase,
    Sale,
    SandboxWorld,
    TillRules,
    WebhookRules,
    Why,
    one,
    till_of,
)
from providers.simulator.account import SandboxAccount
from providers.simulator.keys import WORLD
from schemas.order import OrderKind

NAME = "s2s"
OVERDRAFT = Decimal(100)
TOLERANCE_SECONDS = 300
DELIVERY_SECONDS = 0.5
RETRIES = (10.0, 100.0)
_MOVES: Mapping[MoveKind, str] = {MoveKind.CHARGE: "charge", MoveKind.REFUND: "refund", MoveKind.DEPOSIT: "topup"}
_REFUSALS: Mapping[Why, tuple[int, str]] = {
    Why.NO_SUCH_ITEM: (422, "The selected sku is invalid."),
    Why.NO_SUCH_ESIM: (404, "eSIM not found"),
    Why.OUT_OF_STOCK: (422, "Insufficient stock"),
    Why.NO_BALANCE: (422, "Insufficient balance"),
    Why.DUPLICATE_REFERENCE: (422, "The external_id has already been taken."),
    Why.BLOCKED: (403, "Partner account is suspended."),
    Why.NOT_RENEWABLE: (422, "This eSIM cannot be topped up."),
}
_ACCOUNT: web.AppKey[SandboxAccount] = web.AppKey("s2s_account", SandboxAccount)
_KEYS: web.AppKey[dict[str, str]] = web.AppKey("s2s_sku_keys", dict)
T = TypeVar("T", bound=msgspec.Struct)


class _Item(msgspec.Struct):
    sku_id: str
    fields: dict[str, msgspec.Raw] = {}


class _NewOrder(msgspec.Struct):
    external_id: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    item: _Item
    metadata: Any = None


class _NewTopUp(msgspec.Struct):
    external_id: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    sku_uuid: str | None = None


def rules(world: SandboxWorld, account: SandboxAccount) -> TillRules:
    """How this supplier keeps its till and notifies."""

    def announce(sale: Sale, at: datetime) -> Mapping[str, Any] | None:
        return receipts.notification(sale, world.till(NAME).esim_of(sale), at)

    def sign(body: Mapping[str, Any], _encoded: bytes, at: datetime) -> Mapping[str, str]:
        timestamp = str(int(at.timestamp()))
        message = f"{timestamp}{body['event']}{body['idempotency_key']}"
        return {"X-Timestamp": timestamp, "X-Signature": _signature(account.secret, message)}

    return TillRules(
        credit=OVERDRAFT,
        delivery_seconds=DELIVERY_SECONDS,
        unique_references=True,
        refusals=_REFUSALS,
        webhooks=WebhookRules(announce=announce, sign=sign, retries=RETRIES),
        gives=receipts.pins_of,
    )


def equip(app: web.Application, account: SandboxAccount) -> None:
    """What the routes below need to know."""
    app[_ACCOUNT] = account
    app[_KEYS] = {}


def routes() -> list[web.RouteDef]:
    """Everything but the catalogue."""
    return [
        web.get("/me", _me),
        web.get("/balance", _balance),
        web.get("/balance/history", _history),
        web.get("/orders", _orders),
        web.post("/orders", _new_order),
        web.get("/orders/{uuid}", _one_order),
        web.get("/services/esim/{iccid}/status", _status),
        web.post("/services/esim/{iccid}/topup", _new_topup),
    ]


async def _me(request: web.Request) -> web.Response:
    partner = {
        "uuid": "5b0c7a52-93a4-4f0e-8d6a-0f1f4a0a7f11",
        "name": "Sandbox partner",
        "email": "partner@example.com",
        "currency": "USD",
        "is_active": True,
        "balance": _money(request),
    }
    return paging.answer({"partner": partner})


async def _balance(request: web.Request) -> web.Response:
    return paging.answer(_money(request))


def _money(request: web.Request) -> dict[str, Any]:
    till = till_of(request)
    return {
        "balance": till.balance,
        "currency": till.rules.currency,
        "reserved_amount": 0,
        "available_balance": till.spendable,
        "allow_overdraft": till.credit > 0,
        "overdraft_limit": till.credit,
        "is_overdrafted": till.balance < 0,
    }


async def _history(request: web.Request) -> web.Response:
    currency = till_of(request).rules.currency

    def in_words(move: Move) -> dict[str, Any]:
        return {
            "type": _MOVES.get(move.kind, move.kind.value),
            "amount": move.amount,
            "balance_after": move.balance_after,
            "currency": currency,
            "created_at": receipts.time_text(move.at),
            "order_id": move.sale_id,
            "payment_method": "bank_transfer" if move.kind is MoveKind.DEPOSIT else None,
            "fee_amount": 0,
            "original_amount": None,
            "original_currency": None,
            "exchange_rate": None,
        }

    return paging.newest_first(request, till_of(request).moves(), lambda move: move.number, in_words)


async def _orders(request: web.Request) -> web.Response:
    """The order history. Searching by external_id finds whatever contains it, as searches do."""
    status = paging.one_of(request, "status", receipts.STATUSES)
    words = request.query.get("external_id", "")
    since, until = _moment(request, "date_from"), _moment(request, "date_to")
    till = till_of(request)

    def wanted(sale: Sale) -> bool:
        return (
            words in (sale.reference or "")
            and (since is None or sale.created_at >= since)
            and (until is None or sale.created_at <= until)
        )

    sales = [sale for sale in till.orders(wanted) if status in (None, receipts.status_of(sale))]
    return paging.newest_first(
        request, sales, lambda sale: sale.number, lambda sale: receipts.order(sale, till.esim_of(sale))
    )


async def _one_order(request: web.Request) -> web.Response:
    till = till_of(request)
    sale = till.order(request.match_info["uuid"])
    if sale is None:
        raise web.HTTPNotFound(text="Order not found")
    order = receipts.order(sale, till.esim_of(sale))
    order["items"] = [{"id": sale.number, **line} for line in order["items"]]
    return paging.answer(order)


async def _new_order(request: web.Request) -> web.Response:
    body = await _body(request, _NewOrder)
    _check_signature(request, body.item.sku_id, body.external_id)
    till = till_of(request)
    found = voucher_counter.row_of(body.item.sku_id)
    if found is not None:
        wanted = voucher_counter.purchase(request, *found, body.item.fields, body.external_id, body.metadata)
        sale = await till.buy(request, wanted)
        return paging.answer(receipts.order(sale, None), message="Order created successfully")
    if voucher_counter.quantity_of(body.item.fields) != 1:
        raise web.HTTPUnprocessableEntity(text=voucher_counter.TOO_MANY)
    item = _item(request, body.item.sku_id)
    sale = await till.buy(request, Purchase(item, reference=body.external_id, details={"metadata": body.metadata}))
    return paging.answer(receipts.order(sale, till.esim_of(sale)), message="Order created successfully")


async def _new_topup(request: web.Request) -> web.Response:
    body = await _body(request, _NewTopUp)
    iccid = request.match_info["iccid"]
    _check_signature(request, iccid, body.external_id)
    till = till_of(request)
    esim = till.esim(iccid)
    bought = None if esim is None else esim.packages[0].item
    item = bought if body.sku_uuid is None else _item(request, body.sku_uuid)
    if bought is not None and item is not None and item.countries != bought.countries:
        raise web.HTTPUnprocessableEntity(text="The selected sku does not fit this eSIM.")
    sale = await till.buy(request, Purchase(item, OrderKind.TOPUP, body.external_id, iccid))
    return paging.answer(receipts.order(sale, till.esim_of(sale)), message="Top-up order created successfully")


async def _status(request: web.Request) -> web.Response:
    esim = till_of(request).esim(request.match_info["iccid"])
    if esim is None:
        raise web.HTTPNotFound(text="eSIM not found")
    return paging.answer(receipts.esim_status(esim, datetime.now(UTC)))


def _item(request: web.Request, sku_id: str) -> Item | None:
    """The item behind a SKU; ids cannot be turned back into keys, so all of them are noted once."""
    keys = request.app[_KEYS]
    if sku_id not in keys:
        world = request.app[WORLD]
        keys.update({shelf.sku_id(item.key): item.key for item in (*world.items(NAME), *world.examples(NAME))})
    return one(request, keys[sku_id]) if sku_id in keys else None


def _check_signature(request: web.Request, first: str, external_id: str) -> None:
    timestamp = request.headers.get("X-Timestamp", "")
    if not (timestamp.isascii() and timestamp.isdecimal()):
        raise web.HTTPUnauthorized(text="The X-Timestamp header is required.")
    account = request.app[_ACCOUNT]
    if abs(account.now() - int(timestamp)) > TOLERANCE_SECONDS:
        raise web.HTTPUnauthorized(text="The request timestamp has expired.")
    expected = _signature(account.secret, f"{timestamp}{first}{external_id}")
    if not hmac.compare_digest(expected.encode(), request.headers.get("X-Signature", "").encode()):
        raise web.HTTPUnauthorized(text="Invalid signature.")


def _signature(secret: str, message: str) -> str:
    return hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()


async def _body(request: web.Request, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(await request.read(), type=kind)
    except msgspec.ValidationError as error:
        raise web.HTTPUnprocessableEntity(text=f"The given data was invalid: {error}") from None
    except msgspec.MsgspecError:
        raise web.HTTPBadRequest(text="The body is no JSON.") from None


def _moment(request: web.Request, name: str) -> datetime | None:
    text = request.query.get(name)
    if text is None:
        return None
    try:
        at = msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        raise web.HTTPUnprocessableEntity(text=f"The {name} is not a valid date.") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
