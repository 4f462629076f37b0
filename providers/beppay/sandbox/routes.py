"""The sandbox's other half: purchases, their history and the wallet, in BepPay's words and on the sandbox's till."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
from aiohttp import web

from providers.simulator import Esim, Purchase, Sale, SaleState, TillRules, Why, one, qr_data_uri, till_of
from schemas.order import OrderKind

WALLET = "USDT_TRC20"
MOST_EMAIL = 254
# The page names one status; these are what a supplier would say that had not delivered.
STATES: Mapping[SaleState, str] = {
    SaleState.PROCESSING: "processing",
    SaleState.COMPLETED: "completed",
    SaleState.FAILED: "failed",
    SaleState.CANCELLED: "cancelled",
    SaleState.PARTIAL: "partially_completed",
}
_REFUSALS: Mapping[Why, tuple[int, str]] = {
    Why.NO_SUCH_ITEM: (404, "Plan not found"),
    Why.OUT_OF_STOCK: (409, "Plan is sold out"),
    Why.NO_BALANCE: (402, "Insufficient balance"),
    Why.BLOCKED: (401, "API key is not active"),
}

# The purchase's answer is the only place that ever shows an activation code. Money is the wallet's coin.
RULES = TillRules(currency="USDT", delivery_seconds=0, shows_codes=False, order_id=str, refusals=_REFUSALS)


class _Purchase(msgspec.Struct):
    plan_id: str
    email: str


def routes() -> list[web.RouteDef]:
    """Purchases, their history and the balance."""
    return [
        web.post("/api/partner/esim/purchase", _purchase),
        web.get("/api/partner/esim/orders", _history),
        web.get("/api/partner/balance", _balance),
    ]


def answer(data: Any, **beside: Any) -> web.Response:
    """A good answer, with what stands beside its data."""
    body = msgspec.json.encode({"success": True, "data": data, **beside})
    return web.Response(body=body, content_type="application/json")


async def _purchase(request: web.Request) -> web.Response:
    """One eSIM, in the answer itself. No word of the caller's is taken but an e-mail address."""
    body = await _body(request)
    item = one(request, body.plan_id)
    till = till_of(request)
    shown = item if item is not None and item.visible else None
    sale = await till.buy(request, Purchase(shown, details={"email": body.email}))
    return answer(
        {"esim": _delivered(till.esim_of(sale)), "plan": _plan(sale)},
        meta={
            "amount_charged": text(sale.charged),
            "currency": WALLET,
            "remaining_balance": text(till.balance),
        },
    )


async def _history(request: web.Request) -> web.Response:
    """Every order in one answer, without activation codes."""
    till = till_of(request)
    rows = [
        {
            "id": sale.number,
            "iccid": sale.iccid,
            "plan_id": sale.key,
            "plan_name": _name(sale),
            "cost_usd": text(sale.charged),
            "currency": WALLET,
            "email": sale.details.get("email"),
            "created_at": sale.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "status": STATES[sale.state],
        }
        for sale in till.orders(lambda sale: sale.kind is OrderKind.ESIM)
    ]
    return answer(rows, total=len(rows))


async def _balance(request: web.Request) -> web.Response:
    money = text(till_of(request).balance)
    return answer({"total_balance_usd": money, "wallets": [{"id": 1, "balance": money, "currency": WALLET}]})


def _delivered(esim: Esim | None) -> dict[str, Any] | None:
    if esim is None:
        return None
    return {
        "iccid": esim.iccid,
        "qr_code": qr_data_uri(esim.picture_code),
        "activation_code": esim.text_code,
    }


def _plan(sale: Sale) -> dict[str, Any]:
    return {"id": sale.key, "name": _name(sale), "price_usd": float(sale.listed)}


def _name(sale: Sale) -> str:
    item = sale.item
    if item is None:
        return sale.key
    return item.label or " ".join(filter(None, (item.place, item.data_text, f"{item.days} Days" if item.days else "")))


def text(amount: Decimal) -> str:
    return f"{amount:.2f}"


async def _body(request: web.Request) -> _Purchase:
    try:
        body = msgspec.json.decode(await request.read(), type=_Purchase)
    except msgspec.MsgspecError:
        raise web.HTTPBadRequest(text="plan_id and email are required") from None
    local, at, domain = body.email.rpartition("@")
    if not (at and local and "." in domain) or len(body.email) > MOST_EMAIL:
        raise web.HTTPBadRequest(text="email is invalid")
    return body
