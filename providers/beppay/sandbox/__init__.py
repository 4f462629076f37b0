"""BepPay as its page describes it: an aiohttp app over a world of items. It lists sold-out plans too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from providers.beppay.sandbox import numbers, routes
from providers.beppay.sandbox.routes import answer
from providers.kit import places
from providers.simulator import (
    Dirt,
    Item,
    PageExamples,
    RefusalReason,
    SandboxWorld,
    SupplierRules,
    codes_of,
    listing,
    sandbox_app,
)
from schemas.plan import GLOBAL_FROM

PUBLIC = (
    "/api/partner/esim/plans",
    "/api/partner/virtual-numbers/countries",
    "/api/partner/virtual-numbers/tiers",
)
# The purchase's answer is the only place that ever shows an activation code. Money is the wallet's coin.
RULES = SupplierRules(
    currency="USDT",
    delivery_seconds=0,
    shows_codes=False,
    order_id=str,
    refusals={
        RefusalReason.NO_SUCH_ITEM: (404, "Plan not found"),
        RefusalReason.OUT_OF_STOCK: (409, "Plan is sold out"),
        RefusalReason.NO_BALANCE: (402, "Insufficient balance"),
        RefusalReason.BLOCKED: (401, "API key is not active"),
    },
    gives=numbers.delivered_of,
)
FEW = 3  # up to so many countries have their codes in `countryIso2`; a region has none


def sandbox(world: SandboxWorld, settings: Mapping[str, Any]) -> web.Application:
    """The partner API below its base URL. ``settings`` holds the first ``api_key`` that it takes."""
    account = world.open_account("beppay", settings["api_key"])

    def authenticate(request: web.Request) -> str | None:
        if request.path.endswith((*PUBLIC, routes.DASHBOARD)):
            return None  # the dashboard asks for its own session
        key = request.headers.get("X-API-Key") or request.headers.get("Authorization", "").removeprefix("Bearer ")
        return None if account.admits(key) else "Invalid or missing API key"

    return sandbox_app(
        world,
        "beppay",
        [web.get("/api/partner/esim/plans", plans), *routes.routes(), *numbers.routes()],
        authenticate=authenticate,
        error_body=lambda _status, message: {"success": False, "error": message},
        rules=RULES,
        examples=PageExamples.read(__package__),
    )


async def plans(request: web.Request) -> web.Response:
    """GET /api/partner/esim/plans: everything in one answer, what is hidden marked so."""
    found = listing(request)
    return answer([serialize_plan(item) for item in found.all()], total=found.total)


def serialize_plan(item: Item) -> dict[str, Any]:
    """A plan as BepPay writes it, out of what the item says and nothing more."""
    codes = codes_of(item)
    names = item.place if len(codes) <= 1 else ", ".join(map(places.country_name, codes))
    data = _data(item)
    days = "" if item.days is None else str(item.days)
    return {
        "id": item.key,
        "plan_id": item.key,
        "name": item.label or " ".join(filter(None, (item.place, data, item.calls_text, days and f"{days} Days"))),
        "days": days,
        "price": "" if item.price is None else f"{item.price:.2f}",
        "data": data,
        "countries_included": names,
        "countryIso2": _iso2(item, codes),
        "plan_type": _plan_type(item, codes),
        "is_visible": item.visible,
    }


def _data(item: Item) -> str:
    if item.dirt is Dirt.UNKNOWN_DATA_TYPE:
        return "5 credits"
    return item.data_text if item.market else item.data_text.replace(" GB", "GB").replace(" MB", "MB")


def _iso2(item: Item, codes: tuple[str, ...]) -> str:
    if item.dirt is Dirt.CONTRADICTORY:
        return "DE" if "DE" not in codes else "JP"
    return ",".join(codes) if len(codes) <= FEW else ""


def _plan_type(item: Item, codes: tuple[str, ...]) -> str:
    if len(codes) >= GLOBAL_FROM or item.place == "Global":
        return "global"
    return "region" if len(codes) > 1 or item.region else "country"
