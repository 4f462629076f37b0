"""bePaid as its page describes it: products with payment links, and the page behind a link."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

from providers.bepaid import notice
from providers.bepaid.sandbox import control as desk_control
from providers.bepaid.sandbox import payment_page
from providers.bepaid.sandbox.control import DESK, desk_routes
from providers.bepaid.sandbox.parameters import WrongParametersError, checked
from providers.bepaid.sandbox.simulator import PaymentSimulator, SandboxProduct, written
from providers.bepaid.sandbox.triggers import AFTERWARDS, INSTEAD, TriggerKind
from providers.simulator import SandboxWorld, sandbox_app
from providers.simulator.keys import MOUNT
from providers.simulator.supplier import SPOIL
from providers.simulator.triggers import Unanswered

NAME = "bepaid"
_PAGES = ("/pay", "/v2/confirm_order/")


def sandbox(world: SandboxWorld, settings: Mapping[str, Any]) -> web.Application:
    """The API below its base URL, for the shop of ``settings``; payment pages are everybody's."""
    shop_id, secret_key = str(settings["shop_id"]), str(settings["secret_key"])
    expected = f"Basic {notice.credentials(shop_id, secret_key)}"

    def authenticate(request: web.Request) -> str | None:
        path = request.path.removeprefix(request.app.get(MOUNT, ""))
        if path.endswith(_PAGES[0]) or path.startswith(_PAGES[1]):
            return None
        return None if request.headers.get("Authorization") == expected else "Unauthorized"

    desk = world.open_desk(NAME, lambda file: PaymentSimulator(shop_id, secret_key, file))
    app = sandbox_app(
        world,
        NAME,
        [
            web.post("/products", create),
            web.get("/products", products),
            web.get("/products/{product_id}", one),
            web.put("/products/{product_id}", update),
            web.get("/products/{product_id}/pay", pay_page),
            web.get("/v2/confirm_order/{product_id}/{shop_id}", pay_page),
            *desk_routes(),
        ],
        authenticate=authenticate,
        error_body=lambda _status, message: {"message": message},
        keeps_till=False,
    )
    app[DESK] = desk
    app.on_cleanup.append(_close_desk)
    return app


async def create(request: web.Request) -> web.StreamResponse:
    """POST /products."""
    desk = request.app[DESK]
    given = await _parameters(request)
    struck = desk.struck(str(given.get("description", "")))
    for kind, spoil in INSTEAD.items():
        if kind in struck:
            raise Unanswered(spoil)
    if TriggerKind.REFUSE in struck:
        return _wrong(WrongParametersError({"currency": ["is not enabled for the shop"]}))
    try:
        product = desk.make(checked(given, new=True), struck)
    except WrongParametersError as error:
        return _wrong(error)
    if TriggerKind.PAID_BEFORE_ANSWER in struck:
        await desk.paid_early(product)
    for kind, spoil in AFTERWARDS.items():
        if kind in struck:
            request[SPOIL] = spoil
    return _json(in_its_words(request, product), status=201)


async def products(request: web.Request) -> web.StreamResponse:
    """GET /products: all of them, in one list."""
    return _json([in_its_words(request, product) for product in request.app[DESK].listed()])


async def one(request: web.Request) -> web.StreamResponse:
    """GET /products/{id}; an unknown one is a redirect with a word of why."""
    product = _asked_for(request)
    return _unknown(request) if product is None else _json(in_its_words(request, product))


async def update(request: web.Request) -> web.StreamResponse:
    """PUT /products/{id}: 204 without a body."""
    product = _asked_for(request)
    if product is None:
        return _unknown(request)
    try:
        values = checked(await _parameters(request), new=False)
    except WrongParametersError as error:
        return _wrong(error)
    request.app[DESK].change(product, values)
    return web.Response(status=204)


async def pay_page(request: web.Request) -> web.StreamResponse:
    """The page behind a payment link."""
    product = _asked_for(request)
    if product is None:
        return desk_control.html(payment_page.unknown(), status=404)
    return desk_control.shown(request, product)


def in_its_words(request: web.Request, product: SandboxProduct) -> dict[str, Any]:
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
        "created_at": written(product.created_at),
        "updated_at": written(product.updated_at),
        "test": product.test,
        "additional_data": {},
        "pay_url": pay_url,
        "payment_url": pay_url,
        "confirm_url": f"{here}/v2/confirm_order/{product.id}/{request.app[DESK].shop_id}",
    }


async def _close_desk(app: web.Application) -> None:
    await app[DESK].close()


def _asked_for(request: web.Request) -> SandboxProduct | None:
    return request.app[DESK].product(request.match_info["product_id"])


async def _parameters(request: web.Request) -> dict[str, Any]:
    try:
        given = msgspec.json.decode(await request.read())
    except msgspec.MsgspecError:
        given = None
    if not isinstance(given, dict):
        raise web.HTTPBadRequest(text="The request is not a JSON object")
    return given


def _unknown(request: web.Request) -> web.Response:
    response = _json({"message": "Product was not found"}, status=302)
    response.headers["Location"] = f"{request.app.get(MOUNT, '')}/"
    return response


def _wrong(error: WrongParametersError) -> web.Response:
    return _json({"message": str(error), "errors": error.errors}, status=422)


def _json(body: Any, status: int = 200) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(body), content_type="application/json")
