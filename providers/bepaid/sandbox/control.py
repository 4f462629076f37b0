"""The control routes of the sandbox's payment desk, beside those that every sandbox has.

::

    GET    products, payments               as the desk keeps them
    POST   pay/{product id}     {"outcome": "pay"}              decline, leave, wait; a browser posts a form
    POST   payments/{uid}       {"act": "refund"}               settle, fail, expire, notify
    GET    triggers
    POST   triggers {"kind": "paid_twice", "key": null, "calls": 1, "after": 0, "seconds": 5, "factor": "0.5",
                     "currency": "EUR"}
    DELETE triggers                          lift all of them
    GET    webhook                           where notifications go, what is done to them, what was sent
    POST   webhook  {"url": "http://…", "copies": 2, "delay_seconds": 1, "lost": 0.1, "forged": true, …}
    GET    truth                             every product and payment, and whether the shop was told
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
from aiohttp import web

from providers.bepaid.sandbox import payment_page
from providers.bepaid.sandbox.simulator import (
    Act,
    ClosedError,
    Outcome,
    PaymentSimulator,
    SandboxPayment,
    SandboxProduct,
)
from providers.bepaid.sandbox.triggers import Trigger
from providers.simulator.control import CONTROL_PREFIX
from providers.simulator.keys import MOUNT
from providers.simulator.webhooks import WebhookPlan
from schemas.money import Money

DESK: web.AppKey[PaymentSimulator] = web.AppKey("desk", PaymentSimulator)
_GONE = 410
# A page without scripts, whose form may end at the shop.
_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'", "Cache-Control": "no-store"}


class _Visit(msgspec.Struct, forbid_unknown_fields=True):
    outcome: Outcome = Outcome.PAY
    customer: dict[str, str] = {}


class _Later(msgspec.Struct, forbid_unknown_fields=True):
    act: Act


def desk_routes() -> list[web.RouteDef]:
    """The routes above, for an app that carries its desk."""
    return [
        web.get(CONTROL_PREFIX + "products", _told(_products)),
        web.get(CONTROL_PREFIX + "payments", _told(_payments)),
        web.post(CONTROL_PREFIX + "pay/{product_id}", pay),
        web.post(CONTROL_PREFIX + "payments/{uid}", _told(_act)),
        web.get(CONTROL_PREFIX + "triggers", _told(_triggers)),
        web.post(CONTROL_PREFIX + "triggers", _told(_add_trigger)),
        web.delete(CONTROL_PREFIX + "triggers", _told(_clear_triggers)),
        web.get(CONTROL_PREFIX + "webhook", _told(_webhook)),
        web.post(CONTROL_PREFIX + "webhook", _told(_set_webhook)),
        web.get(CONTROL_PREFIX + "truth", _told(_truth)),
    ]


def pay_action(request: web.Request, product: SandboxProduct) -> str:
    """Where the payment page's form goes."""
    return f"{request.app.get(MOUNT, '')}{CONTROL_PREFIX}pay/{product.id}"


def shown(request: web.Request, product: SandboxProduct, note: str | None = None) -> web.Response:
    """The payment page as it is now."""
    why = product.closed(datetime.now(UTC))
    if why is not None:
        return html(payment_page.ended(product, note or why), status=_GONE if note is None else 200)
    return html(payment_page.page(product, pay_action(request, product), note))


async def pay(request: web.Request) -> web.StreamResponse:
    """What a customer did: a form from the page, or JSON from a test."""
    product = request.app[DESK].product(request.match_info["product_id"])
    if request.content_type == "application/json":
        return await _paid_by_json(request, product)
    if product is None:
        return html(payment_page.unknown(), status=404)
    form = await request.post()
    chosen = str(form.get("outcome", ""))
    if chosen not in list(Outcome):
        return shown(request, product)
    outcome = Outcome(chosen)
    customer = {name: str(form[name])[:200] for name in product.visible_fields if form.get(name)}
    try:
        await request.app[DESK].visit(product, outcome, customer)
    except ClosedError as error:
        return html(payment_page.ended(product, error.why), status=_GONE)
    if product.return_url and outcome is not Outcome.DECLINE:
        return web.Response(status=303, headers={"Location": product.return_url})
    return shown(request, product, payment_page.SAID[outcome])


async def _paid_by_json(request: web.Request, product: SandboxProduct | None) -> web.StreamResponse:
    desk = request.app[DESK]
    if product is None:
        return _json({"error": "no such product"}, status=404)
    try:
        visit = msgspec.json.decode(await request.read() or b"{}", type=_Visit)
        made = await desk.visit(product, visit.outcome, visit.customer)
    except msgspec.MsgspecError as error:
        return _json({"error": str(error)}, status=422)
    except ClosedError as error:
        return _json({"error": error.why}, status=_GONE)
    return _json({"payments": [_shown(desk, payment) for payment in made]})


def html(text: str, status: int = 200) -> web.Response:
    """A page."""
    return web.Response(status=status, text=text, content_type="text/html", headers=_HEADERS)


Told = Callable[[PaymentSimulator, web.Request, bytes], Awaitable[Any]]


def _told(act: Told) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handler(request: web.Request) -> web.StreamResponse:
        try:
            return _json(await act(request.app[DESK], request, await request.read()))
        except (msgspec.MsgspecError, ValueError) as error:
            return _json({"error": str(error)}, status=422)
        except KeyError as error:
            return _json({"error": f"no payment {error.args[0]}"}, status=404)
        except ClosedError as error:
            return _json({"error": error.why}, status=_GONE)

    return handler


async def _products(desk: PaymentSimulator, _request: web.Request, _body: bytes) -> Any:
    return {"products": desk.listed()}


async def _payments(desk: PaymentSimulator, _request: web.Request, _body: bytes) -> Any:
    return {"payments": [_shown(desk, payment) for payment in desk.payments.values()]}


async def _act(desk: PaymentSimulator, request: web.Request, body: bytes) -> Any:
    payment = desk.payments[request.match_info["uid"]]
    return _shown(desk, await desk.act(payment, msgspec.json.decode(body, type=_Later).act))


async def _triggers(desk: PaymentSimulator, _request: web.Request, _body: bytes) -> Any:
    return {"triggers": desk.triggers.listed()}


async def _add_trigger(desk: PaymentSimulator, request: web.Request, body: bytes) -> Any:
    desk.triggers.add(msgspec.json.decode(body, type=Trigger))
    return await _triggers(desk, request, body)


async def _clear_triggers(desk: PaymentSimulator, request: web.Request, body: bytes) -> Any:
    desk.triggers.clear()
    return await _triggers(desk, request, body)


async def _webhook(desk: PaymentSimulator, _request: web.Request, _body: bytes) -> Any:
    return {"sends": True, "plan": desk.webhooks.plan, "sent": list(desk.webhooks.log)}


async def _set_webhook(desk: PaymentSimulator, request: web.Request, body: bytes) -> Any:
    desk.webhooks.plan = msgspec.json.decode(body, type=WebhookPlan)
    return await _webhook(desk, request, body)


async def _truth(desk: PaymentSimulator, _request: web.Request, _body: bytes) -> Any:
    return {
        "products": [
            {"id": one.id, "description": one.description, "quantity": one.quantity, "triggers": one.triggers}
            for one in desk.products.values()
        ],
        "payments": [_shown(desk, payment) for payment in desk.payments.values()],
    }


def _shown(desk: PaymentSimulator, payment: SandboxPayment) -> dict[str, Any]:
    """A payment with what follows from it; ``paid`` is its amount in whole units."""
    paid = Money.from_minor(payment.amount, payment.currency).padded()
    return {
        **msgspec.to_builtins(payment),
        "paid": {"amount": str(paid.amount), "currency": paid.currency},
        "captured": payment.captured,
        "told": desk.told(payment),
    }


def _json(body: Any, status: int = 200) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(body), content_type="application/json")
