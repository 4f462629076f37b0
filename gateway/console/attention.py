"""What needs attention: orders that wait for somebody, why and since when, and the form that settles one."""

from __future__ import annotations

import asyncio
from typing import Literal, cast

from aiohttp import web

from gateway.checkouts import presenter
from gateway.console.forms import form_data, query_form
from gateway.console.history import as_money
from gateway.console.orders import COLUMNS, LIST, part, row_of
from gateway.console.pages import (
    Csv,
    Notice,
    Pages,
    View,
    deps,
    invalid,
    mode,
    next_page,
    page_asked,
    see_other,
    visitor,
)
from gateway.items.item_rules import VoucherCodes, codes_in
from gateway.kit.pages import PageRequest
from gateway.orders import order_presenter as flow
from gateway.orders.order_presenter import Shown
from gateway.orders.resolve import resolve as settle_as
from gateway.orders.rules.attention import KINDS, WORDS
from schemas.order import NumberDelivery

pages = Pages()
_PATH = "/console/attention"
_PAGE = 50
_OUTCOMES = ("fulfilled", "failed", "refunded", "released")
_LONGEST_CODE = 500
_LONGEST_CODES = 10_000
_FAILED = ("failed", "failed: the supplier took nothing; the order ends as failed")
_REFUNDED = ("refunded", "refunded: the supplier took money and gave it back; the order ends as cancelled")
_DELIVERED = {
    "esim": "delivered, with the code below",
    "number": "delivered: the number below",
    "voucher": "delivered, with the codes below",
}
_OF_A_TOPUP = (("fulfilled", "delivered: the data is on the eSIM"), _FAILED, _REFUNDED)
_RELEASED = ("released", "released: it did not end after the backup; it goes on and is bought as usual")
_OF_A_CANCEL = (
    ("fulfilled", "not taken back: the eSIM stands, and the order is fulfilled again"),
    ("refunded", "taken back: the supplier revoked it, and the customer gets the price back"),
)


@pages("GET", _PATH, nav="Needs attention")
async def attention(request: web.Request) -> View:
    """All that waits, the longest first: payments above orders."""
    behind, asked = deps(request), page_asked(request, _PAGE)
    kind = query_form(request).choice("kind", list(WORDS), required=False) or None
    found, counts = await flow.waiting(behind, mode(request), asked, kind)
    paid = None if asked.cursor or kind else await presenter.waiting(behind, PageRequest(_PAGE), mode=mode(request))
    context = {
        "rows": found.data,
        "cases": paid.data if paid is not None else [],
        "as_money": as_money,
        "kinds": [(name, words, counts.get(name, 0)) for name, words in KINDS],
        "words": WORDS,
        "kind": kind,
        "total": sum(counts.values()),
        "next": next_page(request, found),
    }
    rows = [(one.what.kind, one.what.since, one.what.why, *row_of(one.line)) for one in found.data]
    columns = ("kind", "since", "why", *COLUMNS)
    return View("attention.html", context, title="Needs attention", csv=Csv("attention", columns, rows))


@pages("GET", LIST + "/{id}/resolve", role="operator", nav="Needs attention")
async def resolving(request: web.Request) -> View:
    """The form that says what became of an order, each answer explained."""
    return await _form(request)


@pages("POST", LIST + "/{id}/resolve", role="operator", nav="Needs attention")
async def resolve(request: web.Request) -> View | web.Response:
    """Settle it as a person says."""
    form, order_id = await form_data(request), part(request, "id")
    outcome = form.choice("as", _OUTCOMES)
    note = form.text("note", required=True, most=1000)
    code = form.text("activation_code", most=_LONGEST_CODE)
    iccid = "".join(form.text("iccid", most=60).split())
    if iccid and not (iccid.isascii() and iccid.isdigit()):
        form.wrong("iccid", "has digits only")
    number, written = form.text("phone_number", most=30), form.text("codes", most=_LONGEST_CODES)
    expires_at = form.moment("expires_at")
    item: NumberDelivery | VoucherCodes | None = None
    if number:
        item = NumberDelivery(number, expires_at)
    elif written:
        item = VoucherCodes(codes_in(written))
    if form:
        said = cast("Literal['fulfilled', 'failed', 'refunded', 'released']", outcome)
        work = settle_as(deps(request), order_id, said, note, code or None, iccid or None, visitor(request), item=item)
        # It goes on to its end although the browser goes away.
        problem = await asyncio.shield(asyncio.ensure_future(work))
        if problem is None:
            return see_other(request, f"{LIST}/{order_id}", told=f"Resolved as {outcome}.")
        if problem.code == "not_found":
            raise web.HTTPNotFound
        for pointer, why in problem.errors:
            form.wrong(pointer.strip("/"), why)
        if not problem.errors:
            form.wrong("", f"Nothing was done: {problem.detail}.")
    return invalid(await _form(request), form)


@pages.notice
async def notices(request: web.Request) -> list[Notice]:
    """How many orders wait, and for how long."""
    count, since = await flow.counted(deps(request), mode(request))
    if since is None:
        return []
    words = "order waits for somebody" if count == 1 else "orders wait for somebody"
    return [Notice("bad", f"{words}, the longest since {since:%Y-%m-%d %H:%M} UTC", _PATH, count)]


async def _form(request: web.Request) -> View:
    shown = await flow.one(deps(request), part(request, "id"))
    if shown is None:
        raise web.HTTPNotFound
    return View("order_resolve.html", _context(shown), title=f"Resolve {shown.order.id}")


def _context(shown: Shown) -> dict[str, object]:
    live = [attempt for attempt in shown.order.attempts or () if attempt.state != "failed"]
    cancel = any(attempt.kind == "cancel" for attempt in live)
    esim = shown.order.kind == "esim" and not cancel
    words = _DELIVERED.get(shown.order.kind)
    outcomes = _OF_A_CANCEL if cancel else ((("fulfilled", words), _FAILED, _REFUNDED) if words else _OF_A_TOPUP)
    if shown.money.review_reason == "restored":
        # Without an attempt nothing can have been delivered as far as the database knows: `orders adopt` gives one.
        outcomes = (_RELEASED, *outcomes) if live else (_RELEASED, _FAILED, _REFUNDED)
    return {
        "shown": shown,
        "order": shown.order,
        "attempt": live[-1] if live else None,
        "is_cancel": cancel,
        "needs_code": esim and bool(live),
        "outcomes": outcomes,
    }
