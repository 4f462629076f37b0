"""Orders, top-ups, eSIMs and money at S2S's sandbox."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar

import msgspec
from aiohttp import web

from providers.kit.signing import hmac_sha256
from providers.s2s.sandbox import paging, products, serializers, vouchers
from providers.simulator import (
    Item,
    Purchase,
    RefusalReason,
    Sale,
    StatementLine,
    StatementLineKind,
    SupplierRules,
    WebhookRules,
    item_of,
    simulator_of,
)
from providers.simulator.control import SUPPLIER, WORLD
from schemas.order import OrderKind

OVERDRAFT = Decimal(100)
TOLERANCE_SECONDS = 300
DELIVERY_SECONDS = 0.5
RETRIES = (10.0, 100.0)
_TRANSACTIONS: Mapping[StatementLineKind, str] = {
    StatementLineKind.CHARGE: "charge",
    StatementLineKind.REFUND: "refund",
    StatementLineKind.DEPOSIT: "topup",
}
_REFUSALS: Mapping[RefusalReason, tuple[int, str]] = {
    RefusalReason.NO_SUCH_ITEM: (422, "The selected sku is invalid."),
    RefusalReason.NO_SUCH_ESIM: (404, "eSIM not found"),
    RefusalReason.OUT_OF_STOCK: (422, "Insufficient stock"),
    RefusalReason.NO_BALANCE: (422, "Insufficient balance"),
    RefusalReason.DUPLICATE_REFERENCE: (422, "The external_id has already been taken."),
    RefusalReason.BLOCKED: (403, "Partner account is suspended."),
    RefusalReason.NOT_RENEWABLE: (422, "This eSIM cannot be topped up."),
}
# The keys of items by the ids of their SKUs, which cannot be turned back; the same in every world.
_KEYS: dict[str, str] = {}
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


def _sign(secret: str, body: Mapping[str, Any], _encoded: bytes, at: datetime) -> Mapping[str, str]:
    timestamp = str(int(at.timestamp()))
    signature = hmac_sha256(secret, f"{timestamp}{body['event']}{body['idempotency_key']}")
    return {"X-Timestamp": timestamp, "X-Signature": signature}


RULES = SupplierRules(
    credit=OVERDRAFT,
    delivery_seconds=DELIVERY_SECONDS,
    unique_references=True,
    refusals=_REFUSALS,
    webhooks=WebhookRules(_sign, RETRIES),
    notification=serializers.notification,
    gives=serializers.pins_of,
)


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
    simulator = simulator_of(request)
    return {
        "balance": simulator.balance,
        "currency": simulator.rules.currency,
        "reserved_amount": 0,
        "available_balance": simulator.available,
        "allow_overdraft": simulator.credit > 0,
        "overdraft_limit": simulator.credit,
        "is_overdrafted": simulator.balance < 0,
    }


async def _history(request: web.Request) -> web.Response:
    lines = simulator_of(request).statement()
    return paging.newest_first(request, lines, lambda line: line.number, _transaction)


def _transaction(line: StatementLine) -> dict[str, Any]:
    return {
        "type": _TRANSACTIONS.get(line.kind, line.kind.value),
        "amount": line.amount,
        "balance_after": line.balance_after,
        "currency": RULES.currency,
        "created_at": serializers.time_text(line.at),
        "order_id": line.sale_id,
        "payment_method": "bank_transfer" if line.kind is StatementLineKind.DEPOSIT else None,
        "fee_amount": 0,
        "original_amount": None,
        "original_currency": None,
        "exchange_rate": None,
    }


async def _orders(request: web.Request) -> web.Response:
    """The order history. Searching by external_id finds whatever contains it, as searches do."""
    status = paging.one_of(request, "status", serializers.STATUSES)
    external_id = request.query.get("external_id", "")
    since, until = _moment(request, "date_from"), _moment(request, "date_to")
    simulator = simulator_of(request)

    def wanted(sale: Sale) -> bool:
        return (
            external_id in (sale.reference or "")
            and (since is None or sale.created_at >= since)
            and (until is None or sale.created_at <= until)
        )

    sales = [sale for sale in simulator.orders(wanted) if status in (None, serializers.status_of(sale))]
    return paging.newest_first(
        request, sales, lambda sale: sale.number, lambda sale: serializers.order(sale, simulator.esim_of(sale))
    )


async def _one_order(request: web.Request) -> web.Response:
    simulator = simulator_of(request)
    sale = simulator.order(request.match_info["uuid"])
    if sale is None:
        raise web.HTTPNotFound(text="Order not found")
    order = serializers.order(sale, simulator.esim_of(sale))
    order["items"] = [{"id": sale.number, **line} for line in order["items"]]
    return paging.answer(order)


async def _new_order(request: web.Request) -> web.Response:
    body = await _body(request, _NewOrder)
    _check_signature(request, body.item.sku_id, body.external_id)
    found = vouchers.row_of(body.item.sku_id)
    if found is not None:
        wanted = vouchers.purchase(request, *found, body.item.fields, body.external_id, body.metadata)
    elif vouchers.quantity_of(body.item.fields) != 1:
        raise web.HTTPUnprocessableEntity(text=vouchers.TOO_MANY)
    else:
        item = _item(request, body.item.sku_id)
        wanted = Purchase(item, reference=body.external_id, details={"metadata": body.metadata})
    return await _buy(request, wanted, "Order created successfully")


async def _buy(request: web.Request, purchase: Purchase, message: str) -> web.Response:
    simulator = simulator_of(request)
    sale = await simulator.buy(request, purchase)
    return paging.answer(serializers.order(sale, simulator.esim_of(sale)), message=message)


async def _new_topup(request: web.Request) -> web.Response:
    body = await _body(request, _NewTopUp)
    iccid = request.match_info["iccid"]
    _check_signature(request, iccid, body.external_id)
    esim = simulator_of(request).esim(iccid)
    bought = None if esim is None else esim.packages[0].item
    item = bought if body.sku_uuid is None else _item(request, body.sku_uuid)
    if bought is not None and item is not None and item.countries != bought.countries:
        raise web.HTTPUnprocessableEntity(text="The selected sku does not fit this eSIM.")
    wanted = Purchase(item, OrderKind.TOPUP, body.external_id, iccid)
    return await _buy(request, wanted, "Top-up order created successfully")


async def _status(request: web.Request) -> web.Response:
    esim = simulator_of(request).esim(request.match_info["iccid"])
    if esim is None:
        raise web.HTTPNotFound(text="eSIM not found")
    return paging.answer(serializers.esim_status(esim, datetime.now(UTC)))


def _item(request: web.Request, sku_id: str) -> Item | None:
    """The item behind a SKU."""
    if sku_id not in _KEYS:
        world, supplier = request.app[WORLD], request.app[SUPPLIER]
        items = (*world.items(supplier), *world.examples(supplier))
        _KEYS.update({products.sku_id(item.key): item.key for item in items})
    return item_of(request, _KEYS[sku_id]) if sku_id in _KEYS else None


def _check_signature(request: web.Request, first: str, external_id: str) -> None:
    timestamp = request.headers.get("X-Timestamp", "")
    account = simulator_of(request).account
    if account is None or not (timestamp.isascii() and timestamp.isdecimal()):
        raise web.HTTPUnauthorized(text="The X-Timestamp header is required.")
    if abs(account.now() - int(timestamp)) > TOLERANCE_SECONDS:
        raise web.HTTPUnauthorized(text="The request timestamp has expired.")
    expected = hmac_sha256(account.secret, f"{timestamp}{first}{external_id}")
    if not hmac.compare_digest(expected.encode(), request.headers.get("X-Signature", "").encode()):
        raise web.HTTPUnauthorized(text="Invalid signature.")


async def _body(request: web.Request, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(await request.read(), type=kind)
    except msgspec.ValidationError as error:
        raise web.HTTPUnprocessableEntity(text=f"The given data was invalid: {error}") from None
    except msgspec.MsgspecError:
        raise web.HTTPBadRequest(text="The body is not valid JSON.") from None


def _moment(request: web.Request, name: str) -> datetime | None:
    text = request.query.get(name)
    if text is None:
        return None
    try:
        at = msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        raise web.HTTPUnprocessableEntity(text=f"The {name} is not a valid date.") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
