"""The control routes of a sandbox: how a developer or a test tells it to go wrong, to move prices or to run out.

They stand under ``/_sandbox/`` of each supplier, need no authentication and answer JSON::

    GET    state                                what is in force
    GET    items?place=japan&limit=20           items with their keys
    POST   faults   {"kind": "html", "path": "/packages", "calls": 2, "after": 1, "seconds": 5}
    DELETE faults                               lift all of them
    POST   price    {"key": "…", "price": "4.20"}
    POST   stock    {"key": "…", "stock": 0}    null is plenty
    POST   drift    {"share": 0.05, "by": 0.1}
    POST   remove   {"keys": ["…"]}
    GET    account                              keys without their secrets, how far the clock is ahead
    POST   account  {"clock_seconds": 360, "secret": "another", "revoke": 1, "restore": 1}
    GET    triggers
    POST   triggers {"kind": "charge_then_hang", "key": null, "act": null, "calls": 1, "after": 0, "share": 1,
                     "seconds": 5, "factor": "1.25"}
    DELETE triggers                             lift all of them
    GET    webhook                              where they go, what is done to them, what was sent
    POST   webhook  {"url": "http://…", "copies": 2, "delay_seconds": 1, "lost": 0.1, "reorder": true,
                     "forged": true, "altered": true, "age_seconds": 0, "events": null, "retry_scale": 1}
    POST   reset                                as it was at the start, without faults

A simulator adds routes of its own.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, cast

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from providers.simulator.engine import Simulator
from providers.simulator.supplier import SupplierSimulator
from providers.simulator.triggers import Fault, Share
from providers.simulator.webhooks import WebhookPlan
from providers.simulator.world import SandboxWorld

CONTROL_PREFIX = "/_sandbox/"
WORLD: web.AppKey[SandboxWorld] = web.AppKey("world", SandboxWorld)
SUPPLIER: web.AppKey[str] = web.AppKey("supplier", str)
SIMULATOR: web.AppKey[Simulator[Any]] = web.AppKey("simulator", Simulator)
MOUNT: web.AppKey[str] = web.AppKey("mount", str)  # the path that the app stands under in a site, such as /pikasim

_SHOWN_BY_DEFAULT = 20
_SHOWN_AT_MOST = 1000
_CLOCK_SECONDS = 10 * 366 * 86400


class _Price(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    price: Decimal

    def __post_init__(self) -> None:
        if not self.price.is_finite() or self.price < 0:
            raise ValueError("price must be zero or more")


class _Stock(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    stock: Annotated[int, msgspec.Meta(ge=0)] | None


class _Drift(msgspec.Struct, forbid_unknown_fields=True):
    share: Share = 0.05
    by: Share = 0.10


class _AccountChange(msgspec.Struct, forbid_unknown_fields=True):
    """``secret`` is what signatures are made with from now on; ``revoke`` and ``restore`` name a key by its id."""

    clock_seconds: Annotated[float, msgspec.Meta(ge=-_CLOCK_SECONDS, le=_CLOCK_SECONDS)] | UnsetType = UNSET
    secret: str | UnsetType = UNSET
    revoke: int | UnsetType = UNSET
    restore: int | UnsetType = UNSET


class _Removal(msgspec.Struct, forbid_unknown_fields=True):
    keys: list[str]


def control_routes(simulator: Simulator[Any]) -> list[web.RouteDef]:
    """The routes above, for an app that carries its world, its supplier's name and its simulator."""
    return [
        control("GET", "state", _state),
        control("GET", "items", _items),
        control("POST", "faults", _add_fault, Fault),
        control("DELETE", "faults", _clear_faults),
        control("POST", "price", _set_price, _Price),
        control("POST", "stock", _set_stock, _Stock),
        control("POST", "drift", _drift, _Drift),
        control("POST", "remove", _remove, _Removal),
        control("GET", "account", _account),
        control("POST", "account", _set_account, _AccountChange),
        control("GET", "triggers", _triggers),
        control("POST", "triggers", _add_trigger, simulator.trigger_type),
        control("DELETE", "triggers", _clear_triggers),
        control("GET", "webhook", _webhook),
        control("POST", "webhook", _set_webhook, WebhookPlan),
        control("POST", "reset", _reset),
    ]


def control(method: str, path: str, act: Callable[..., Any], body: type[Any] | None = None) -> web.RouteDef:
    """A control route that answers with what ``act(request)`` gives, or with why it is refused.

    With ``body`` it is ``act(request, decoded)``. A ``KeyError`` names an item that there is none of.
    """

    async def handler(request: web.Request) -> web.StreamResponse:
        try:
            arguments = () if body is None else (msgspec.json.decode(await request.read() or b"{}", type=body),)
            answer = act(request, *arguments)
            return json_response(await answer if inspect.isawaitable(answer) else answer)
        except (msgspec.MsgspecError, ValueError) as error:
            return json_response({"error": str(error)}, 422)
        except KeyError as error:
            return json_response({"error": f"no item {error.args[0]}"}, 404)
        except web.HTTPException as error:
            return json_response({"error": error.text}, error.status)

    return web.route(method, CONTROL_PREFIX + path, handler)


def json_response(body: Any, status: int = 200) -> web.Response:
    """The body as JSON, with exact numbers as text."""
    return web.Response(status=status, body=msgspec.json.encode(body), content_type="application/json")


def simulator_of(request: web.Request) -> SupplierSimulator:
    """The simulator of the supplier whose sandbox was asked."""
    return cast("SupplierSimulator", request.app[SIMULATOR])


def changes_of(body: msgspec.Struct) -> dict[str, Any]:
    """The fields that were given, by name."""
    members = {name: getattr(body, name) for name in body.__struct_fields__}
    return {name: value for name, value in members.items() if value is not UNSET}


def _state(request: web.Request) -> dict[str, Any]:
    world, supplier = request.app[WORLD], request.app[SUPPLIER]
    items = world.items(supplier)
    return {
        "supplier": supplier,
        "seed": world.seed,
        "market": None if world.market is None else world.market.name,
        "items": len(items),
        "in_stock": sum(item.in_stock for item in items),
        "changed": world.changes(supplier),
        "faults": world.faults(supplier).listed(),
        "calls": dict(world.calls(supplier)),
    }


def _items(request: web.Request) -> dict[str, Any]:
    text = request.query.get("place", "").casefold()
    limit = request.query.get("limit", "")
    count = min(int(limit), _SHOWN_AT_MOST) if limit.isdecimal() else _SHOWN_BY_DEFAULT
    items = request.app[WORLD].items(request.app[SUPPLIER])
    found = [item for item in items if text in item.place.casefold() or text.upper() in item.countries]
    return {"total": len(found), "items": found[:count]}


def _add_fault(request: web.Request, fault: Fault) -> dict[str, Any]:
    faults = request.app[WORLD].faults(request.app[SUPPLIER])
    faults.add(fault)
    return {"faults": faults.listed()}


def _clear_faults(request: web.Request) -> dict[str, Any]:
    request.app[WORLD].faults(request.app[SUPPLIER]).clear()
    return {"faults": []}


def _set_price(request: web.Request, body: _Price) -> dict[str, Any]:
    request.app[WORLD].set_price(request.app[SUPPLIER], body.key, body.price)
    return {"changed": [body.key]}


def _set_stock(request: web.Request, body: _Stock) -> dict[str, Any]:
    request.app[WORLD].set_stock(request.app[SUPPLIER], body.key, body.stock)
    return {"changed": [body.key]}


def _drift(request: web.Request, body: _Drift) -> dict[str, Any]:
    return {"changed": request.app[WORLD].drift(request.app[SUPPLIER], share=body.share, by=body.by)}


def _remove(request: web.Request, body: _Removal) -> dict[str, Any]:
    request.app[WORLD].remove(request.app[SUPPLIER], body.keys)
    return {"changed": body.keys}


def _account(request: web.Request) -> dict[str, Any]:
    account = request.app[SIMULATOR].account
    if account is None:
        raise ValueError("this sandbox keeps no account")
    keys = [{"id": key.id, "name": key.name, "active": key.active} for key in account.keys]
    return {"keys": keys, "clock_seconds": account.clock_seconds}


def _set_account(request: web.Request, body: _AccountChange) -> dict[str, Any]:
    ids = [key["id"] for key in _account(request)["keys"]]
    account = request.app[SIMULATOR].account
    for name, value in changes_of(body).items():
        if name in {"clock_seconds", "secret"}:
            setattr(account, name, value)
        elif not getattr(account, name)(value):
            raise ValueError(f"no key {value} among {ids}")
    return _account(request)


def _triggers(request: web.Request) -> dict[str, Any]:
    return {"triggers": request.app[SIMULATOR].triggers.listed()}


def _add_trigger(request: web.Request, trigger: Any) -> dict[str, Any]:
    request.app[SIMULATOR].triggers.add(trigger)
    return _triggers(request)


def _clear_triggers(request: web.Request) -> dict[str, Any]:
    request.app[SIMULATOR].triggers.clear()
    return _triggers(request)


def _webhook(request: web.Request) -> dict[str, Any]:
    webhooks = request.app[SIMULATOR].webhooks
    return {"sends": webhooks.rules is not None, "plan": webhooks.plan, "sent": list(webhooks.log)}


def _set_webhook(request: web.Request, plan: WebhookPlan) -> dict[str, Any]:
    request.app[SIMULATOR].webhooks.plan = plan
    return _webhook(request)


def _reset(request: web.Request) -> dict[str, Any]:
    request.app[WORLD].reset(request.app[SUPPLIER])
    return {"changed": []}
