"""What callers buy at BepPay's sandbox: purchases, their history, the wallet, and the keys of the account."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
from aiohttp import web

from providers.simulator import (
    Esim,
    Purchase,
    Sale,
    SaleState,
    body_of,
    item_of,
    json_response,
    qr_data_uri,
    simulator_of,
)
from providers.simulator.account import SandboxAccount, SandboxKey
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
DASHBOARD = "/api/auth/me"
SESSION_COOKIE = "access_token"
SESSION = "beppay-sandbox-session"  # the sandbox has no page to log in at: this session is always there
PREFIX = "pk_live_"
SHOWN_PREFIX = 11  # as in the page's example
MOST_NAME = 200


class _Purchase(msgspec.Struct):
    plan_id: str
    email: str


class _NewKey(msgspec.Struct):
    name: str


def routes() -> list[web.RouteDef]:
    """Purchases, their history, the balance and keys; and who is logged in to the dashboard."""
    return [
        web.post("/api/partner/esim/purchase", _purchase),
        web.get("/api/partner/esim/orders", _history),
        web.get("/api/partner/balance", _balance),
        web.get("/api/partner/keys", _keys),
        web.post("/api/partner/keys", _create_key),
        web.delete("/api/partner/keys", _revoke_key),
        web.get(DASHBOARD, _user),
    ]


def answer(data: Any, **beside: Any) -> web.Response:
    """A good answer, with what stands beside its data."""
    return json_response({"success": True, "data": data, **beside})


def charged(request: web.Request, sale: Sale) -> dict[str, str]:
    """What a purchase took from the wallet."""
    left = text(simulator_of(request).balance)
    return {"amount_charged": text(sale.charged), "currency": WALLET, "remaining_balance": left}


async def _purchase(request: web.Request) -> web.Response:
    """One eSIM, in the answer itself. No word of the caller's is taken but an e-mail address."""
    body = await body_of(request, _Purchase, "plan_id and email are required")
    local, at, domain = body.email.rpartition("@")
    if not (at and local and "." in domain) or len(body.email) > MOST_EMAIL:
        raise web.HTTPBadRequest(text="email is invalid")
    item = item_of(request, body.plan_id)
    visible = item if item is not None and item.visible else None
    simulator = simulator_of(request)
    sale = await simulator.buy(request, Purchase(visible, details={"email": body.email}))
    return answer({"esim": _delivered(simulator.esim_of(sale)), "plan": _plan(sale)}, meta=charged(request, sale))


async def _history(request: web.Request) -> web.Response:
    """Every order in one answer, without activation codes."""
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
        for sale in simulator_of(request).orders(lambda sale: sale.kind is OrderKind.ESIM)
    ]
    return answer(rows, total=len(rows))


async def _balance(request: web.Request) -> web.Response:
    money = text(simulator_of(request).balance)
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


async def _keys(request: web.Request) -> web.Response:
    return answer([_key(key) for key in _account(request).keys])


async def _create_key(request: web.Request) -> web.Response:
    body = await body_of(request, _NewKey, "name is required")
    if not body.name.strip() or len(body.name) > MOST_NAME:
        raise web.HTTPBadRequest(text="name is required")
    key = _account(request).create(body.name, PREFIX)
    return answer(
        {"api_key": key.secret, "key_prefix": key.secret[:SHOWN_PREFIX], "created_at": key.created_at.isoformat()}
    )


async def _revoke_key(request: web.Request) -> web.Response:
    """A key may revoke itself, as any other."""
    wanted = request.query.get("id", "")
    if not wanted.isdecimal() or not _account(request).revoke(int(wanted)):
        raise web.HTTPNotFound(text="Key not found")
    return json_response({"success": True, "message": "Key revoked successfully"})


async def _user(request: web.Request) -> web.Response:
    """GET /api/auth/me: who is logged in to the dashboard, by its session cookie. A key is no session."""
    if request.cookies.get(SESSION_COOKIE) != SESSION:
        raise web.HTTPUnauthorized(text="Not authenticated")
    since = "2026-03-30T12:00:00.000Z"
    return answer({"id": 123, "email": "partner@example.com", "created_at": since, "updated_at": since})


def _account(request: web.Request) -> SandboxAccount:
    account = simulator_of(request).account
    assert account is not None  # noqa: S101 - opened with the sandbox
    return account


def _key(key: SandboxKey) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "key_prefix": key.secret[:SHOWN_PREFIX],
        "is_active": key.active,
        "last_used_at": key.last_used_at,
        "created_at": key.created_at,
    }
