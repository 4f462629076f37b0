"""Virtual numbers at BepPay's sandbox: what is sold, purchases and their history.

A trigger's ``key`` is "US/7d": country and tier. What the supplier's people would do to a number is done by
``POST /_sandbox/numbers/{order}`` with ``{"autorenew": true, "expires_at": "…", "status": "…"}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from providers.beppay.sandbox.routes import STATES, WALLET, answer, charged, text
from providers.simulator import Purchase, Sale, SaleState, body_of, simulator_of
from providers.simulator.control import changes_of, control
from schemas.order import OrderKind

COUNTRIES = {"US": "United States", "GB": "United Kingdom"}
TIERS: Mapping[str, tuple[str, int, Decimal]] = {
    "7d": ("7 Days", 7, Decimal(10)),
    "1y": ("1 Year", 365, Decimal(40)),
}
_CALLING = {"US": "+1", "GB": "+44"}


class _Purchase(msgspec.Struct):
    country_code: str
    country_name: str
    tier_id: str


class _NumberChange(msgspec.Struct, forbid_unknown_fields=True):
    autorenew: bool | UnsetType = UNSET
    expires_at: Annotated[datetime, msgspec.Meta(tz=True)] | UnsetType = UNSET
    status: str | UnsetType = UNSET


def routes() -> list[web.RouteDef]:
    """Countries, tiers, purchases and their history; and the control of numbers."""
    return [
        web.get("/api/partner/virtual-numbers/countries", _countries),
        web.get("/api/partner/virtual-numbers/tiers", _tiers),
        web.post("/api/partner/virtual-numbers/purchase", _purchase),
        web.get("/api/partner/virtual-numbers/orders", _history),
        control("POST", "numbers/{order}", _change, _NumberChange),
    ]


async def _countries(_request: web.Request) -> web.Response:
    rows = [{"code": code, "name": name} for code, name in COUNTRIES.items()]
    return answer(rows, total=len(rows))


async def _tiers(_request: web.Request) -> web.Response:
    rows = [_tier(tier_id) for tier_id in TIERS]
    return answer(rows, total=len(rows))


async def _purchase(request: web.Request) -> web.Response:
    """One number, in the answer itself. No word of the caller's is taken but country and tier."""
    body = await body_of(request, _Purchase, "country_code, country_name and tier_id are required")
    known = COUNTRIES.get(body.country_code) == body.country_name and body.tier_id in TIERS
    sale = await simulator_of(request).buy(
        request,
        Purchase(
            None,
            kind=OrderKind.NUMBER,
            key=f"{body.country_code}/{body.tier_id}",
            price=TIERS[body.tier_id][2] if known else None,
            details={"country": body.country_code, "tier": body.tier_id},
        ),
    )
    delivered = sale.state is SaleState.COMPLETED
    return answer(
        {
            "phone_number": phone_number(sale) if delivered else None,
            "country_code": sale.details["country"],
            "country_name": COUNTRIES[sale.details["country"]],
            "tier": _tier(sale.details["tier"]),
            "expires_at": _expires(sale) if delivered else None,
        },
        meta=charged(request, sale),
    )


async def _history(request: web.Request) -> web.Response:
    """Every number in one answer."""
    rows = [_row(sale) for sale in simulator_of(request).orders(lambda sale: sale.kind is OrderKind.NUMBER)]
    return answer(rows, total=len(rows))


def _change(request: web.Request, body: _NumberChange) -> dict[str, Any]:
    simulator = simulator_of(request)
    sale = simulator.order(request.match_info["order"])
    if sale is None or sale.kind is not OrderKind.NUMBER:
        raise web.HTTPNotFound(text="no such number")
    changes = changes_of(body)
    if "expires_at" in changes:
        changes["expires_at"] = _time(changes["expires_at"])
    sale.details = {**sale.details, **changes}
    simulator.records.write(sale)
    return _row(sale)


def delivered_of(sale: Sale) -> tuple[str, ...]:
    """The number that a sale has delivered; nothing for an eSIM."""
    return (phone_number(sale),) if sale.kind is OrderKind.NUMBER and sale.state is SaleState.COMPLETED else ()


def phone_number(sale: Sale) -> str:
    """The number that a sale delivers: one of its own."""
    return f"{_CALLING[sale.details['country']]}202{sale.number % 10**7:07d}"


def _row(sale: Sale) -> dict[str, Any]:
    tier = TIERS[sale.details["tier"]]
    delivered = sale.state is SaleState.COMPLETED
    return {
        "id": sale.number,
        "phone_number": phone_number(sale) if delivered else None,
        "country_code": sale.details["country"],
        "country_name": COUNTRIES[sale.details["country"]],
        "tier_id": sale.details["tier"],
        "tier_name": tier[0],
        "duration_days": tier[1],
        "cost_usd": text(sale.charged),
        "currency": WALLET,
        "status": sale.details.get("status", STATES[sale.state]),
        "autorenew": sale.details.get("autorenew", False),
        "expires_at": _expires(sale) if delivered else None,
        "created_at": _time(sale.created_at),
    }


def _expires(sale: Sale) -> str:
    until = _time(sale.created_at + timedelta(days=TIERS[sale.details["tier"]][1]))
    return str(sale.details.get("expires_at", until))


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _tier(tier_id: str) -> dict[str, Any]:
    name, days, price = TIERS[tier_id]
    return {"id": tier_id, "name": name, "days": days, "price_usd": int(price)}
