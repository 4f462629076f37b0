"""The shop's pages: search, a plan with its price held, paying, and the customer's own page of a sale."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import time
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import aiohttp_jinja2
from aiohttp import web

from esim_gateway_client import ApiError, AsyncGateway, models

from .book import Book, Operation, Sale
from .clerk import Clerk

if TYPE_CHECKING:
    from .app import Settings
    from .hooks import Ear


@dataclass(frozen=True)
class Shop:
    """What the pages work with."""

    book: Book
    gateway: AsyncGateway
    clerk: Clerk


SETTINGS: web.AppKey[Settings] = web.AppKey("settings")
SHOP: web.AppKey[Shop] = web.AppKey("shop", Shop)
EAR: web.AppKey[Ear] = web.AppKey("ear")
ROUTES = web.RouteTableDef()

_PER_PAGE = 20
_SALE_ID = re.compile("[A-Za-z0-9_-]{32}")
_MOST_GB, _MOST_DAYS = 1000, 3650
MB_IN_GB = 1024
_FIRST_LOOK_SECONDS = 20.0  # the page that makes a sale sends it; the clerk only if that came to nothing
_CALM_AFTER_SECONDS = 600.0
_MESSAGES = {404: "Not here", 410: "No longer sold", 409: "Not possible now"}


@ROUTES.get("/")
async def search(request: web.Request) -> web.Response:
    """Plans for a place, the cheapest first."""
    shop = request.app[SHOP]
    query = {name: request.query.get(name, "") for name in ("country", "gb", "days", "cursor")}
    countries = await _countries(request)
    found = None
    if query["country"] in countries:
        listing = shop.gateway.plans.list(
            country=[query["country"]],
            min_data_mb=_number(query["gb"], _MOST_GB) * MB_IN_GB or None,
            min_days=_number(query["days"], _MOST_DAYS) or None,
            currency=_currency(request),
            limit=_PER_PAGE,
            cursor=query["cursor"] or None,
        )
        found = await anext(listing.pages())
    return _page(request, "search.html", countries=countries, found=found, query=query)


@ROUTES.get("/plans/{plan}")
async def plan(request: web.Request) -> web.Response:
    """One plan. Its price is held from now on, so what the customer sees is what the customer pays."""
    return await _plan_page(request, request.match_info["plan"])


@ROUTES.post("/buy")
async def buy(request: web.Request) -> web.Response:
    """Write the sale down, send it, and lead the customer to the payment page."""
    shop, settings, form = request.app[SHOP], request.app[SETTINGS], await request.post()
    sale_id, plan_id, quote_id, email = (str(form.get(name, "")).strip() for name in ("sale", "plan", "quote", "email"))
    if not _SALE_ID.fullmatch(sale_id) or not quote_id:
        raise web.HTTPBadRequest(text="This form is not whole. Please go back and try again.")
    body: dict[str, Any] = {"quote_id": quote_id, "reference": _reference(sale_id)}
    if email:
        body["customer"] = {"email": email}
    if settings.payment == "link":
        body |= {"language": settings.language, "return_url": f"{settings.url.rstrip('/')}/orders/{sale_id}"}
    sale = await _sold(shop, sale_id, plan_id, "checkout" if settings.payment == "link" else "order", body)
    raise web.HTTPSeeOther(sale.payment_url or f"/orders/{sale.id}")


@ROUTES.get("/orders/{sale}")
async def order(request: web.Request) -> web.Response:
    """The customer's page: what is to be done, and in the end the eSIM. Its address is the permission to see it.

    Whoever comes back from the payment page may have paid or not: that is asked of the gateway, never of the address.
    """
    shop, sale = request.app[SHOP], _of(request)
    if not sale.over and sale.look_at <= time.time():
        sale = await shop.clerk.attend(sale)
    esim = await _esim(shop, sale)
    usage = await _usage(shop, esim) if esim else None
    again = 0 if sale.over else 2 if time.time() - sale.made_at < _CALM_AFTER_SECONDS else 30
    return _page(
        request, "order.html", sale=sale, esim=esim, usage=usage, again=again, topups=shop.book.added_to(sale.id)
    )


@ROUTES.get("/orders/{sale}/qr.svg")
async def picture(request: web.Request) -> web.Response:
    """The QR code, fetched with the shop's key and kept nowhere."""
    shop, sale = request.app[SHOP], _of(request)
    esim = await _esim(shop, sale)
    if esim is None or esim.qr_svg_url is None:
        raise web.HTTPNotFound(text="There is no QR code for this order.")
    return web.Response(body=await shop.gateway.esims.get_qr_svg(esim.id), content_type="image/svg+xml")


@ROUTES.get("/orders/{sale}/topup")
async def more_data(request: web.Request) -> web.Response:
    """What can be added to the eSIM."""
    shop, sale = request.app[SHOP], _topped_up(request)
    esim = await _esim(shop, sale)
    if esim is None:
        raise web.HTTPNotFound(text="There is no eSIM to add data to yet.")
    options = [each async for each in shop.gateway.esims.list_topup_plans(esim.id, currency=_currency(request))]
    return _page(request, "topup.html", sale=sale, options=options, new_sale=_new_id())


@ROUTES.post("/orders/{sale}/topup")
async def add_data(request: web.Request) -> web.Response:
    """Order more data for the eSIM: a sale of its own, with a key of its own."""
    shop, sale, form = request.app[SHOP], _topped_up(request), await request.post()
    new_id, option = str(form.get("sale", "")), str(form.get("option", ""))
    esim = await _esim(shop, sale)
    if esim is None or not _SALE_ID.fullmatch(new_id) or not option:
        raise web.HTTPBadRequest(text="This form is not whole. Please go back and try again.")
    body = {"esim_id": esim.id, "topup_plan_id": option, "reference": _reference(new_id)}
    await _sold(shop, new_id, sale.plan_id, "topup", body, of_sale=sale.id)
    raise web.HTTPSeeOther(f"/orders/{sale.id}")


def message(request: web.Request, status: int, title: str, text: str) -> web.Response:
    """A page that says why there is no other."""
    return _page(request, "message.html", status=status, title=title, text=text)


def problem(request: web.Request, said: ApiError) -> web.Response:
    """What the gateway said no to, in words for customers. What is the shop's own fault is a 503 to them."""
    if (title := _MESSAGES.get(said.status)) is None:
        return message(request, 503, "Not possible now", "Something is wrong on our side. Please try again later.")
    return message(request, said.status, title, said.detail or "Please look for another plan.")


async def _sold(
    shop: Shop, sale_id: str, plan_id: str, operation: Operation, body: dict[str, Any], of_sale: str | None = None
) -> Sale:
    """Write a sale down, then send it. A form that is sent twice is one sale."""
    now = time.time()
    sale = shop.book.add(
        Sale(
            id=sale_id,
            reference=_reference(sale_id),
            operation=operation,
            body=json.dumps(body),
            plan_id=plan_id,
            made_at=now,
            look_at=now + _FIRST_LOOK_SECONDS,
            of_sale=of_sale,
        )
    )
    return await shop.clerk.attend(sale) if sale.state == "sending" else sale


async def _plan_page(request: web.Request, plan_id: str) -> web.Response:
    quote = await request.app[SHOP].gateway.quotes.create(plan_id=plan_id, currency=_currency(request))
    countries = await _countries(request)
    return _page(request, "plan.html", plan=quote.plan, quote=quote, countries=countries, sale=_new_id())


async def _countries(request: web.Request) -> dict[str, models.CountryEntry]:
    """What can be travelled to, by code, as the gateway has them: by name."""
    found = [each async for each in request.app[SHOP].gateway.countries.list(currency=_currency(request))]
    return {each.code: each for each in sorted(found, key=attrgetter("name"))}


def _currency(request: web.Request) -> str | None:
    return request.app[SETTINGS].currency or None


async def _esim(shop: Shop, sale: Sale) -> models.OrderedEsim | None:
    """The eSIM of a sale, asked for each time it is shown: its code is a secret, so it is kept nowhere."""
    if sale.state != "ready" or sale.order_id is None:
        return None
    return (await shop.gateway.orders.get(sale.order_id)).esim


async def _usage(shop: Shop, esim: models.OrderedEsim) -> models.EsimUsage | None:
    """How much data is left; None where this eSIM's supplier does not tell (501)."""
    try:
        return await shop.gateway.esims.get_usage(esim.id)
    except ApiError:
        return None


def _of(request: web.Request) -> Sale:
    sale = request.app[SHOP].book.sale(request.match_info["sale"])
    if sale is None:
        raise web.HTTPNotFound(text="There is no such order. Is the address whole?")
    return sale


def _topped_up(request: web.Request) -> Sale:
    """The sale whose eSIM gets more data. Payment links are for plans, so this is for shops paid another way."""
    if request.app[SETTINGS].payment == "link":
        raise web.HTTPNotFound(text="This shop sells no additional data.")
    return _of(request)


def _new_id() -> str:
    """Made when a form is shown, so that the form sent twice is one sale."""
    return secrets.token_urlsafe(24)


def _reference(sale_id: str) -> str:
    """Our word for a sale at the gateway, and its Idempotency-Key. It gives nothing away of the customer's address."""
    return f"W-{hashlib.sha256(sale_id.encode()).hexdigest()[:12].upper()}"


def _number(text: str, most: int) -> int:
    """What was typed in; 0, which asks for nothing, for what is no number of that kind."""
    return int(text) if text.isdecimal() and int(text) <= most else 0


def _page(request: web.Request, template: str, status: int = 200, **context: Any) -> web.Response:
    context["payment"] = request.app[SETTINGS].payment
    return aiohttp_jinja2.render_template(template, request, context, status=status)


def _data(data: models.PlanData) -> str:
    if data.unlimited:
        return "Unlimited data"
    return str(data.declared).replace("/", " a ")


def _days(validity: models.PlanValidity) -> str:
    return f"{validity.days} day{'' if validity.days == 1 else 's'}"


def _price(price: models.Price | None) -> str:
    return f"{price.amount} {price.currency}" if price else "no price"


def _clock(at: datetime) -> str:
    return f"{at:%H:%M} UTC"


def _megabytes(mb: int | None) -> str:
    if mb is None:
        return "?"
    return f"{mb / MB_IN_GB:.1f} GB" if mb >= MB_IN_GB else f"{mb} MB"


FILTERS = {"data": _data, "days": _days, "price": _price, "clock": _clock, "megabytes": _megabytes}
