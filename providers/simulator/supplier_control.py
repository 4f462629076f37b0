"""The control routes of a sandbox's till, beside those of ``control.py``.

::

    GET    till                                  balance, how orders are delivered
    POST   till     {"deposit": "500", "credit": "0", "delivery_seconds": 2, "delivery_looks": null}
    GET    triggers
    POST   triggers {"kind": "charge_then_hang", "key": null, "act": null, "calls": 1, "after": 0, "share": 1,
                     "seconds": 5, "factor": "1.25"}
    DELETE triggers                              lift all of them
    GET    webhook                               where they go, what is done to them, what was sent
    POST   webhook  {"url": "http://…", "copies": 2, "delay_seconds": 1, "lost": 0.1, "reorder": true,
                     "forged": true, "altered": true, "age_seconds": 0, "events": null,
                     "retry_scale": 1}
    GET    esims, esims/{iccid}
    POST   esims/{iccid} {"used_mb": 512, "profile": "enabled", "service": "active", "expires_at": "…",
                          "renewable": true}
    GET    truth                                 every charge, and what was asked for and not done

What is left out of a POST stays as it is, but for the webhook's, which is set as a whole.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from providers.simulator.audit import truth_of
from providers.simulator.control import CONTROL_PREFIX
from providers.simulator.keys import SUPPLIER, WORLD
from providers.simulator.sales import Esim
from providers.simulator.supplier import SupplierSimulator
from providers.simulator.triggers import Trigger
from providers.simulator.webhooks import WebhookPlan
from schemas.esim import ProfileState, ServiceState

Seconds = Annotated[float, msgspec.Meta(ge=0, le=86_400)]
Looks = Annotated[int, msgspec.Meta(ge=1)]
_MOST_MONEY = 10**9


class _TillOrders(msgspec.Struct, forbid_unknown_fields=True):
    deposit: Decimal | UnsetType = UNSET
    credit: Decimal | UnsetType = UNSET
    delivery_seconds: Seconds | UnsetType | None = UNSET
    delivery_looks: Looks | UnsetType | None = UNSET

    def __post_init__(self) -> None:
        for amount in (self.deposit, self.credit):
            if amount is not UNSET and not (amount.is_finite() and abs(amount) <= _MOST_MONEY):
                raise ValueError(f"an amount must be between -{_MOST_MONEY} and {_MOST_MONEY}")


class _EsimOrders(msgspec.Struct, forbid_unknown_fields=True):
    used_mb: Annotated[int, msgspec.Meta(ge=0)] | UnsetType = UNSET
    profile: ProfileState | UnsetType = UNSET
    service: ServiceState | UnsetType = UNSET
    expires_at: Annotated[datetime, msgspec.Meta(tz=True)] | UnsetType = UNSET
    renewable: bool | UnsetType = UNSET


def till_routes() -> list[web.RouteDef]:
    """The routes above, for an app that carries its world and its supplier's name."""
    return [
        web.get(CONTROL_PREFIX + "till", _told(_till)),
        web.post(CONTROL_PREFIX + "till", _told(_set_till)),
        web.get(CONTROL_PREFIX + "triggers", _told(_triggers)),
        web.post(CONTROL_PREFIX + "triggers", _told(_add_trigger)),
        web.delete(CONTROL_PREFIX + "triggers", _told(_clear_triggers)),
        web.get(CONTROL_PREFIX + "webhook", _told(_webhook)),
        web.post(CONTROL_PREFIX + "webhook", _told(_set_webhook)),
        web.get(CONTROL_PREFIX + "esims", _told(_esims)),
        web.get(CONTROL_PREFIX + "esims/{iccid}", _told(_esim)),
        web.post(CONTROL_PREFIX + "esims/{iccid}", _told(_set_esim)),
        web.get(CONTROL_PREFIX + "truth", _told(_truth)),
    ]


def _told(
    act: Callable[[SupplierSimulator, web.Request, bytes], Any],
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handler(request: web.Request) -> web.StreamResponse:
        till = request.app[WORLD].till(request.app[SUPPLIER])
        try:
            return _json(act(till, request, await request.read()))
        except (msgspec.MsgspecError, ValueError) as error:
            return _json({"error": str(error)}, status=422)
        except KeyError as error:
            return _json({"error": f"no eSIM {error.args[0]}"}, status=404)

    return handler


def _till(till: SupplierSimulator, _request: web.Request, _body: bytes) -> dict[str, Any]:
    return {
        "currency": till.rules.currency,
        "balance": till.balance,
        "credit": till.credit,
        "spendable": till.spendable,
        "orders": len(till.sales()),
        "esims": len(till.esims()),
        "delivery_seconds": till.delivery_seconds,
        "delivery_looks": till.delivery_looks,
    }


def _set_till(till: SupplierSimulator, request: web.Request, body: bytes) -> dict[str, Any]:
    told = msgspec.json.decode(body, type=_TillOrders)
    if told.deposit is not UNSET:
        till.deposit(told.deposit)
    if told.credit is not UNSET:
        till.credit = told.credit
    if told.delivery_seconds is not UNSET:
        till.delivery_seconds = told.delivery_seconds
    if told.delivery_looks is not UNSET:
        till.delivery_looks = told.delivery_looks
    return _till(till, request, body)


def _triggers(till: SupplierSimulator, _request: web.Request, _body: bytes) -> dict[str, Any]:
    return {"triggers": till.triggers.listed()}


def _add_trigger(till: SupplierSimulator, request: web.Request, body: bytes) -> dict[str, Any]:
    till.triggers.add(msgspec.json.decode(body, type=Trigger))
    return _triggers(till, request, body)


def _clear_triggers(till: SupplierSimulator, request: web.Request, body: bytes) -> dict[str, Any]:
    till.triggers.clear()
    return _triggers(till, request, body)


def _webhook(till: SupplierSimulator, _request: web.Request, _body: bytes) -> dict[str, Any]:
    return {"sends": till.rules.webhooks is not None, "plan": till.webhooks.plan, "sent": list(till.webhooks.log)}


def _set_webhook(till: SupplierSimulator, request: web.Request, body: bytes) -> dict[str, Any]:
    till.webhooks.plan = msgspec.json.decode(body, type=WebhookPlan)
    return _webhook(till, request, body)


def _esims(till: SupplierSimulator, _request: web.Request, _body: bytes) -> dict[str, Any]:
    return {"esims": till.esims()}


def _esim(till: SupplierSimulator, request: web.Request, _body: bytes) -> Esim:
    iccid = request.match_info["iccid"]
    esim = till.esim(iccid)
    if esim is None:
        raise KeyError(iccid)
    return esim


def _set_esim(till: SupplierSimulator, request: web.Request, body: bytes) -> Esim:
    esim = _esim(till, request, body)
    told = msgspec.json.decode(body, type=_EsimOrders)
    if told.used_mb is not UNSET:
        till.use(esim, told.used_mb)
    if told.profile is not UNSET:
        esim.profile = told.profile
    if told.service is not UNSET:
        esim.service = told.service
    if told.renewable is not UNSET:
        esim.renewable = told.renewable
    if told.expires_at is not UNSET:
        for package in esim.packages:
            package.expires_at = told.expires_at
    till.changed(esim)
    return esim


def _truth(till: SupplierSimulator, request: web.Request, _body: bytes) -> Any:
    return truth_of(till, request.app[SUPPLIER])


def _json(body: Any, status: int = 200) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(body), content_type="application/json")
