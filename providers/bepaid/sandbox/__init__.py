"""bePaid as its page describes it: products with payment links, and the page behind a link."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from importlib import resources
from typing import Any

import msgspec
from aiohttp import web

from providers.bepaid import notice
from providers.bepaid.sandbox import signing_key
from providers.bepaid.sandbox.parameters import WrongParametersError, checked
from providers.simulator import SandboxWorld, WebhookRules, json_response, sandbox_app
from providers.simulator.control import MOUNT
from providers.simulator.payment import (
    PaymentRules,
    PaymentSimulator,
    RefusedError,
    SandboxPayment,
    SandboxProduct,
    make_product,
    payment_control_routes,
    payment_page_of,
    payments_of,
)

NAME = "bepaid"
# A shop that did not answer with 2xx is notified again after so many seconds each time.
RETRIES = (5.0, 30.0, 120.0)
SHOP = web.AppKey("shop", str)
_PAGES = ("/pay", "/v2/confirm_order/")


def sandbox(world: SandboxWorld, settings: Mapping[str, Any]) -> web.Application:
    """The API below its base URL, for the shop of ``settings``; payment pages are everybody's."""
    shop_id, secret_key = str(settings["shop_id"]), str(settings["secret_key"])
    authorization = f"Basic {notice.credentials(shop_id, secret_key)}"

    def sign(_secret: str, _body: Mapping[str, Any], encoded: bytes, _at: datetime) -> Mapping[str, str]:
        return {"Authorization": authorization, "Content-Signature": signing_key.signature(encoded)}

    rules = PaymentRules("bePaid", WebhookRules(sign, RETRIES), notification, "prd_", page_examples)
    simulator = world.open_simulator(NAME, partial(PaymentSimulator, rules))

    def authenticate(request: web.Request) -> str | None:
        path = request.path.removeprefix(request.app.get(MOUNT, ""))
        if path.endswith(_PAGES[0]) or path.startswith(_PAGES[1]):
            return None
        return None if request.headers.get("Authorization") == authorization else "Unauthorized"

    app = sandbox_app(
        world,
        NAME,
        [
            web.post("/products", create),
            web.get("/products", products),
            web.get("/products/{product_id}", product_by_id),
            web.put("/products/{product_id}", update),
            web.get("/products/{product_id}/pay", pay_page),
            web.get("/v2/confirm_order/{product_id}/{shop_id}", pay_page),
            *payment_control_routes(),
        ],
        authenticate=authenticate,
        error_body=lambda _status, message: {"message": message},
        simulator=simulator,
    )
    app[SHOP] = shop_id
    return app


async def create(request: web.Request) -> web.StreamResponse:
    """POST /products."""
    parameters = await _parameters(request)
    try:
        product = await make_product(
            request, str(parameters.get("description", "")), lambda: checked(parameters, new=True)
        )
    except RefusedError:
        return _wrong(WrongParametersError({"currency": ["is not enabled for the shop"]}))
    except WrongParametersError as error:
        return _wrong(error)
    return json_response(serialize_product(request, product), 201)


async def products(request: web.Request) -> web.StreamResponse:
    """GET /products: all of them, in one list."""
    return json_response([serialize_product(request, product) for product in payments_of(request).listed()])


async def product_by_id(request: web.Request) -> web.StreamResponse:
    """GET /products/{id}; an unknown one is a redirect with a word of why."""
    product = _asked_for(request)
    return _unknown(request) if product is None else json_response(serialize_product(request, product))


async def update(request: web.Request) -> web.StreamResponse:
    """PUT /products/{id}: 204 without a body."""
    product = _asked_for(request)
    if product is None:
        return _unknown(request)
    try:
        values = checked(await _parameters(request), new=False)
    except WrongParametersError as error:
        return _wrong(error)
    payments_of(request).change(product, values)
    return web.Response(status=204)


async def pay_page(request: web.Request) -> web.StreamResponse:
    """The page behind a payment link."""
    return payment_page_of(request, _asked_for(request))


def serialize_product(request: web.Request, product: SandboxProduct) -> dict[str, Any]:
    """A product as bePaid writes it."""
    here = f"{request.scheme}://{request.host}{request.app.get(MOUNT, '')}"
    pay_url = f"{here}/products/{product.id}/pay"
    return {
        "id": product.id,
        "name": product.name,
        "description": product.description,
        "currency": product.currency,
        "amount": product.amount,
        "quantity": product.quantity or 0,  # 0 beside "infinite", as the page's newest one has it
        "infinite": product.infinite,
        "language": product.language,
        "transaction_type": product.transaction_type,
        "created_at": _written(product.created_at),
        "updated_at": _written(product.updated_at),
        "test": product.test,
        "additional_data": {},
        "pay_url": pay_url,
        "payment_url": pay_url,
        "confirm_url": f"{here}/v2/confirm_order/{product.id}/{request.app[SHOP]}",
    }


def notification(payment: SandboxPayment) -> dict[str, Any]:
    """The notification of a payment."""
    return {
        "transaction": {
            "uid": payment.uid,
            "status": payment.status,
            "type": payment.type,
            "amount": payment.amount,
            "currency": payment.currency,
            "tracking_id": None,
            "description": payment.description,
            "test": payment.test,
            "created_at": _written(payment.at),
            "paid_at": None if payment.paid_at is None else _written(payment.paid_at),
            "language": payment.language,
            "parent_uid": payment.parent,
            "customer": payment.customer,
            "additional_data": {"product_id": payment.product_id} if payment.names_product else {},
        }
    }


def page_examples() -> list[SandboxProduct]:
    """The products that the page's examples name."""
    file = resources.files(__package__).joinpath("page_examples.json")
    return msgspec.json.decode(file.read_bytes(), type=list[SandboxProduct])


def _written(at: datetime) -> str:
    """A time as bePaid writes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _asked_for(request: web.Request) -> SandboxProduct | None:
    return payments_of(request).product(request.match_info["product_id"])


async def _parameters(request: web.Request) -> dict[str, Any]:
    try:
        parameters = msgspec.json.decode(await request.read())
    except msgspec.MsgspecError:
        parameters = None
    if not isinstance(parameters, dict):
        raise web.HTTPBadRequest(text="The request is not a JSON object")
    return parameters


def _unknown(request: web.Request) -> web.Response:
    response = json_response({"message": "Product was not found"}, 302)
    response.headers["Location"] = f"{request.app.get(MOUNT, '')}/"
    return response


def _wrong(error: WrongParametersError) -> web.Response:
    return json_response({"message": str(error), "errors": error.errors}, 422)
