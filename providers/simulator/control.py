"""The control routes of a sandbox: how somebody tells it to go wrong, to move prices or to run out.

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
    POST   reset                                as it was at the start, without faults
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Annotated, Any, TypeVar

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from providers.simulator.faults import Fault
from providers.simulator.keys import SUPPLIER, WORLD

CONTROL_PREFIX = "/_sandbox/"
_SHOWN_BY_DEFAULT = 20
_SHOWN_AT_MOST = 1000
_CLOCK_SECONDS = 10 * 366 * 86400

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
T = TypeVar("T")


class _Price(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    price: Decimal


class _Stock(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    stock: Annotated[int, msgspec.Meta(ge=0)] | None


class _Drift(msgspec.Struct, forbid_unknown_fields=True):
    share: Share = 0.05
    by: Share = 0.10


class _AccountOrders(msgspec.Struct, forbid_unknown_fields=True):
    """``secret`` is what signatures are made with from now on; ``revoke`` and ``restore`` name a key by its id."""

    clock_seconds: Annotated[float, msgspec.Meta(ge=-_CLOCK_SECONDS, le=_CLOCK_SECONDS)] | UnsetType = UNSET
    secret: str | UnsetType = UNSET
    revoke: int | UnsetType = UNSET
    restore: int | UnsetType = UNSET


class _Remove(msgspec.Struct, forbid_unknown_fields=True):
    keys: list[str]


def control_routes() -> list[web.RouteDef]:
    """The routes above, for an app that carries its world and its supplier's name."""
    return [
        web.get(CONTROL_PREFIX + "state", _state),
        web.get(CONTROL_PREFIX + "items", _items),
        web.post(CONTROL_PREFIX + "faults", _told(_add_fault)),
        web.delete(CONTROL_PREFIX + "faults", _told(_clear_faults)),
        web.post(CONTROL_PREFIX + "price", _told(_set_price)),
        web.post(CONTROL_PREFIX + "stock", _told(_set_stock)),
        web.post(CONTROL_PREFIX + "drift", _told(_drift)),
        web.post(CONTROL_PREFIX + "remove", _told(_remove)),
        web.get(CONTROL_PREFIX + "account", _told(_account)),
        web.post(CONTROL_PREFIX + "account", _told(_set_account)),
        web.post(CONTROL_PREFIX + "reset", _told(_reset)),
    ]


async def _state(request: web.Request) -> web.Response:
    world, supplier = request.app[WORLD], request.app[SUPPLIER]
    items = world.items(supplier)
    return _json(
        {
            "supplier": supplier,
            "seed": world.seed,
            "market": None if world.market is None else world.market.name,
            "items": len(items),
            "in_stock": sum(item.in_stock for item in items),
            "changed": world.changes(supplier),
            "faults": world.faults(supplier).listed(),
            "calls": dict(world.calls(supplier)),
        }
    )


async def _items(request: web.Request) -> web.Response:
    words = request.query.get("place", "").casefold()
    limit = request.query.get("limit", "")
    count = min(int(limit), _SHOWN_AT_MOST) if limit.isdecimal() else _SHOWN_BY_DEFAULT
    items = request.app[WORLD].items(request.app[SUPPLIER])
    found = [item for item in items if words in item.place.casefold() or words.upper() in item.countries]
    return _json({"total": len(found), "items": found[:count]})


def _told(act: Callable[[web.Request, bytes], Any]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A handler that does what it is told and answers with what changed, or says what it did not understand."""

    async def handler(request: web.Request) -> web.StreamResponse:
        try:
            return _json(act(request, await request.read()))
        except msgspec.MsgspecError as error:
            return _json({"error": str(error)}, status=422)
        except KeyError as error:
            return _json({"error": f"no item {error.args[0]}"}, status=404)

    return handler


def _add_fault(request: web.Request, body: bytes) -> dict[str, Any]:
    board = request.app[WORLD].faults(request.app[SUPPLIER])
    board.add(msgspec.json.decode(body, type=Fault))
    return {"faults": board.listed()}


def _clear_faults(request: web.Request, _body: bytes) -> dict[str, Any]:
    request.app[WORLD].clear_faults(request.app[SUPPLIER])
    return {"faults": []}


def _set_price(request: web.Request, body: bytes) -> dict[str, Any]:
    told = msgspec.json.decode(body, type=_Price)
    if not told.price.is_finite() or told.price < 0:
        raise msgspec.ValidationError("price must be zero or more")
    request.app[WORLD].set_price(request.app[SUPPLIER], told.key, told.price)
    return {"changed": [told.key]}


def _set_stock(request: web.Request, body: bytes) -> dict[str, Any]:
    told = msgspec.json.decode(body, type=_Stock)
    request.app[WORLD].set_stock(request.app[SUPPLIER], told.key, told.stock)
    return {"changed": [told.key]}


def _drift(request: web.Request, body: bytes) -> dict[str, Any]:
    told = msgspec.json.decode(body or b"{}", type=_Drift)
    return {"changed": request.app[WORLD].drift(request.app[SUPPLIER], share=told.share, by=told.by)}


def _remove(request: web.Request, body: bytes) -> dict[str, Any]:
    told = msgspec.json.decode(body, type=_Remove)
    request.app[WORLD].remove(request.app[SUPPLIER], told.keys)
    return {"changed": told.keys}


def _account(request: web.Request, _body: bytes) -> dict[str, Any]:
    account = request.app[WORLD].account(request.app[SUPPLIER])
    if account is None:
        raise msgspec.ValidationError("this sandbox keeps no account")
    keys = [{"id": key.id, "name": key.name, "active": key.active} for key in account.keys]
    return {"keys": keys, "clock_seconds": account.clock_seconds}


def _set_account(request: web.Request, body: bytes) -> dict[str, Any]:
    told = msgspec.json.decode(body, type=_AccountOrders)
    shown = _account(request, body)
    account = request.app[WORLD].account(request.app[SUPPLIER])
    assert account is not None  # noqa: S101 - as just seen
    for number, change in ((told.revoke, account.revoke), (told.restore, account.restore)):
        if number is not UNSET and not change(number):
            raise msgspec.ValidationError(f"no key {number} among {[key['id'] for key in shown['keys']]}")
    if told.clock_seconds is not UNSET:
        account.clock_seconds = told.clock_seconds
    if told.secret is not UNSET:
        account.secret = told.secret
    return _account(request, body)


def _reset(request: web.Request, _body: bytes) -> dict[str, Any]:
    request.app[WORLD].reset(request.app[SUPPLIER])
    return {"changed": []}


def _json(body: Any, status: int = 200) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(body), content_type="application/json")
