"""The page at which a deposit is paid in a sandbox: no money moves anywhere, the balance there rises.

A plugin's handler begins one with ``begin_deposit(request, amount)`` and answers with its address. The page stands
under ``/_sandbox/checkout/`` of the supplier; a GET shows it, a POST pays, once.
"""

from __future__ import annotations

import html
import secrets
from collections import OrderedDict
from decimal import Decimal

import msgspec
from aiohttp import web

from providers.simulator.control import CONTROL_PREFIX, MOUNT, simulator_of

PATH = CONTROL_PREFIX + "checkout/"
_KEPT = 1_000
_BEGUN: web.AppKey[OrderedDict[str, DepositCheckout]] = web.AppKey("checkouts", OrderedDict)
_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"}
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Deposit at the sandbox</title>
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<style>body{{font:1rem/1.5 system-ui;max-width:26rem;margin:3rem auto;padding:0 1rem}}</style></head>
<body><main><h1>Deposit {amount}</h1><p>This is {supplier}'s sandbox: nothing is paid, the balance there rises.</p>
{rest}</main></body></html>"""


class DepositCheckout(msgspec.Struct):
    """A deposit that was begun; ``paid`` once the balance has risen."""

    amount: Decimal
    paid: bool = False


def begin_deposit(request: web.Request, amount: Decimal, prefix: str) -> tuple[str, str]:
    """A new deposit: its id, which begins with ``prefix``, and the address of its page."""
    begun = request.app[_BEGUN]
    made = prefix + secrets.token_hex(16)
    begun[made] = DepositCheckout(amount)
    if len(begun) > _KEPT:
        begun.popitem(last=False)
    return made, f"{request.url.origin()}{request.app.get(MOUNT, '')}{PATH}{made}"


def add_deposit_page(app: web.Application) -> None:
    """Give the app the page, and room for what is begun."""
    app[_BEGUN] = OrderedDict()
    app.add_routes([web.get(PATH + "{checkout}", _show), web.post(PATH + "{checkout}", _pay)])


async def _show(request: web.Request) -> web.Response:
    found = _of(request)
    button = "<p>It was paid.</p>" if found.paid else '<form method="post"><button>Pay</button></form>'
    return _page(request, found, button)


async def _pay(request: web.Request) -> web.Response:
    found = _of(request)
    if not found.paid:
        found.paid = True
        simulator_of(request).deposit(found.amount)
    return _page(request, found, "<p>Paid. The balance has risen.</p>")


def _of(request: web.Request) -> DepositCheckout:
    found = request.app[_BEGUN].get(request.match_info["checkout"])
    if found is None:
        raise web.HTTPNotFound(text="There is no such deposit")
    return found


def _page(request: web.Request, found: DepositCheckout, rest: str) -> web.Response:
    simulator = simulator_of(request)
    amount = html.escape(f"{found.amount} {simulator.rules.currency}")
    text = _PAGE.format(amount=amount, supplier=html.escape(simulator.name), rest=rest)
    return web.Response(text=text, content_type="text/html", headers=_HEADERS)
