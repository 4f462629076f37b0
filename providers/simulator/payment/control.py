"""What a payment sandbox has beside its supplier's own routes: the making of a product, the payment page, controls.

Control routes, beside those that every sandbox has::

    GET    products, payments               as the simulator keeps them
    POST   pay/{product id}     {"outcome": "pay"}              decline, leave, wait; a browser posts a form
    POST   payments/{uid}       {"act": "refund"}               settle, fail, expire, notify
    GET    truth                            every product and payment, and whether the shop was told
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

import msgspec
from aiohttp import web

from providers.simulator.control import CONTROL_PREFIX, MOUNT, SIMULATOR, control
from providers.simulator.engine import refuse_unanswered, spoil_answer
from providers.simulator.payment import page
from providers.simulator.payment.simulator import (
    ClosedError,
    LaterAct,
    Outcome,
    PaymentSimulator,
    SandboxPayment,
    SandboxProduct,
)
from providers.simulator.payment.triggers import PaymentTriggerKind
from schemas.money import Money

_GONE = 410
# A page without scripts, whose form may end at the shop.
_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'", "Cache-Control": "no-store"}


class RefusedError(Exception):
    """A trigger has the supplier call the parameters of a product wrong."""


class _Visit(msgspec.Struct, forbid_unknown_fields=True):
    outcome: Outcome = Outcome.PAY
    customer: dict[str, str] = {}


class _Later(msgspec.Struct, forbid_unknown_fields=True):
    act: LaterAct


def payment_control_routes() -> list[web.RouteDef]:
    """The routes above."""
    by_json = control("POST", "pay/{product_id}", _visit, _Visit)

    async def pay(request: web.Request) -> web.StreamResponse:
        if request.content_type == "application/json":
            return await by_json.handler(request)
        return await _visit_by_form(request)

    return [
        control("GET", "products", lambda request: {"products": payments_of(request).listed()}),
        control("GET", "payments", lambda request: {"payments": _payments(request)}),
        web.post(by_json.path, pay),
        control("POST", "payments/{uid}", _act, _Later),
        control("GET", "truth", _audit),
    ]


async def make_product(request: web.Request, description: str, read: Callable[[], Mapping[str, Any]]) -> SandboxProduct:
    """A new product, as far as triggers let it be made and answered. ``read`` gives what it is made of.

    Raises what ``read`` raises, and ``RefusedError``.
    """
    simulator = payments_of(request)
    struck = simulator.strike(description)
    refuse_unanswered(struck)
    if PaymentTriggerKind.REFUSE in struck:
        raise RefusedError
    product = simulator.make(read(), struck)
    if PaymentTriggerKind.PAID_BEFORE_ANSWER in struck:
        await simulator.paid_early(product)
    spoil_answer(request, struck)
    return product


def payments_of(request: web.Request) -> PaymentSimulator:
    """The simulator of the shop whose sandbox was asked."""
    return cast("PaymentSimulator", request.app[SIMULATOR])


def payment_page_of(request: web.Request, product: SandboxProduct | None, note: str | None = None) -> web.Response:
    """The payment page as it is now; ``note`` as there."""
    why = product.closed(datetime.now(UTC)) if product else "unknown"
    action = f"{request.app.get(MOUNT, '')}{CONTROL_PREFIX}pay/{product.id}" if product and why is None else None
    status = 200 if why is None or note is not None else _GONE if product else 404
    return _html(page.page(payments_of(request).rules.title, product, note or why, action), status)


async def _visit_by_form(request: web.Request) -> web.StreamResponse:
    """What a customer did on the page."""
    product = payments_of(request).product(request.match_info["product_id"])
    form = await request.post()
    chosen = str(form.get("outcome", ""))
    if product is None or chosen not in list(Outcome):
        return payment_page_of(request, product)
    outcome = Outcome(chosen)
    customer = {name: str(form[name])[:200] for name in product.visible_fields if form.get(name)}
    try:
        await payments_of(request).visit(product, outcome, customer)
    except ClosedError as error:
        return _html(page.page(payments_of(request).rules.title, product, error.why), _GONE)
    if product.return_url and outcome is not Outcome.DECLINE:
        return web.Response(status=303, headers={"Location": product.return_url})
    return payment_page_of(request, product, f"after_{outcome.value}")


def _html(text: str, status: int) -> web.Response:
    return web.Response(status=status, text=text, content_type="text/html", headers=_HEADERS)


async def _visit(request: web.Request, body: _Visit) -> Any:
    product = payments_of(request).product(request.match_info["product_id"])
    if product is None:
        raise web.HTTPNotFound(text="no such product")
    try:
        made = await payments_of(request).visit(product, body.outcome, body.customer)
    except ClosedError as error:
        raise web.HTTPGone(text=error.why) from None
    return {"payments": [_payment(request, payment) for payment in made]}


async def _act(request: web.Request, body: _Later) -> Any:
    payment = payments_of(request).payments.get(request.match_info["uid"])
    if payment is None:
        raise web.HTTPNotFound(text=f"no payment {request.match_info['uid']}")
    try:
        return _payment(request, await payments_of(request).act(payment, body.act))
    except ClosedError as error:
        raise web.HTTPGone(text=error.why) from None


def _audit(request: web.Request) -> Any:
    fields = ("id", "description", "quantity", "triggers")
    products = payments_of(request).products.values()
    return {
        "products": [{name: getattr(product, name) for name in fields} for product in products],
        "payments": _payments(request),
    }


def _payments(request: web.Request) -> list[dict[str, Any]]:
    return [_payment(request, payment) for payment in payments_of(request).payments.values()]


def _payment(request: web.Request, payment: SandboxPayment) -> dict[str, Any]:
    """A payment with what follows from it; ``paid`` is its amount in whole units."""
    paid = Money.from_minor(payment.amount, payment.currency).padded()
    return {
        **msgspec.to_builtins(payment),
        "paid": {"amount": str(paid.amount), "currency": paid.currency},
        "captured": payment.captured,
        "told": payments_of(request).notified(payment),
    }
