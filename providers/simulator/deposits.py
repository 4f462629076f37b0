"""The page at which a deposit is paid in a sandbox: no money moves anywhere, the till's balance rises.

A plugin's handler begins one with ``begin_checkout(request, amount)`` and answers with its address. The page stands
under ``/_sandbox/checkout/`` of the supplier; a GET shows it, a POST pays, once.
"""

from __future__ import annotations

import html
import secrets
from collections import OrderedDict
from decimal import Decimal

import msgspec
from aiohttp import web

from providers.simulator.control import CONTROL_PREFIX
from providers.simulator.keys import MOUNT, SUPPLIER, WORLD

PATH = CONTROL_PREFIX + "checkout/"
_KEPT = 1_000
_CHECKOUTS: web.AppKey[OrderedDict[str, Checkout]] = web.AppKey("checkouts", OrderedDict)
_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"}
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Deposit at the sandbox</title>
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<style>body{{font:1rem/1.5 system-ui;max-width:26rem;margin:3rem auto;padding:0 1rem}}</style></head>
<body><main><h1>Deposit {amount}</h1><p>This is {supplier}'s sandbox: nothing is paid, the balance there rises.</p>
{rest}</main></body></html>"""


class Checkout(msgspec.Struct):
    """A deposit that was begun; ``paid`` once the balance has risen."""

    id: str
    amount: Decimal
    currency: str
    paid: bool = False


def checkout_routes() -> list[web.RouteDef]:
    """The page, for an app that carries its world and its supplier's name."""
    return [web.get(PATH + "{checkout}", _show), web.post(PATH + "{checkout}", _pay)]


def begin_checkout(request: web.Request, amount: Decimal, prefix: str = "cs_test_") -> tuple[Checkout, str]:
    """A new deposit and the address of its page."""
    till = request.app[WORLD].till(request.app[SUPPLIER])
    made = Checkout(prefix + secrets.token_hex(16), amount, till.rules.currency)
    begun = request.app[_CHECKOUTS]
    begun[made.id] = made
    if len(begun) > _KEPT:
        begun.popitem(last=False)
    return made, f"{request.url.origin()}{request.app.get(MOUNT, '')}{PATH}{made.id}"


def keep_checkouts(app: web.Application) -> None:
    """Give the app its page and room for what is begun."""
    app[_CHECKOUTS] = OrderedDict()
    app.add_routes(checkout_routes())


async def _show(request: web.Request) -> web.Response:
    found = _of(request)
    button = "<p>It was paid.</p>" if found.paid else '<form method="post"><button>Pay</button></form>'
    return _page(request, found, button)


async def _pay(request: web.Request) -> web.Response:
    found = _of(request)
    if not found.paid:
        found.paid = True
        request.app[WORLD].till(request.app[SUPPLIER]).deposit(found.amount)
    return _page(request, found, "<p>Paid. The balance has risen.</p>")


def _of(request: web.Request) -> Checkout:
    found = request.app[_CHECKOUTS].get(request.match_info["checkout"])
    if found is None:
        raise web.HTTPNotFound(text="There is no such deposit")
    return found


def _page(request: web.Request, found: Checkout, rest: str) -> web.Response:
    text = _PAGE.format(
        amount=html.escape(f"{found.amount} {found.currency}"), supplier=html.escape(request.app[SUPPLIER]), rest=rest
    )
    return web.Response(text=text, content_type="text/html", headers=_HEADERS)
