"""Orders: found by filters or by what one has in hand; one of them with its money and all that happened to it.

And those that need an operator: why, since when, and the form that settles one.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, cast, get_args
from urllib.parse import urlencode

from aiohttp import web

from gateway.checkouts import presenter
from gateway.console.filters import clean
from gateway.console.forms import Form, form_data, query_form
from gateway.console.history import as_money
from gateway.console.pages import (
    Csv,
    Hit,
    Notice,
    Pages,
    PendingDecision,
    View,
    deps_of,
    invalid,
    mode,
    next_page,
    page_request_of,
    see_other,
    visitor,
)
from gateway.console.saved_filters import with_saved_filters
from gateway.items.item_rules import VoucherCodes, codes_in
from gateway.kit.pages import PageRequest
from gateway.kit.problem import Problem
from gateway.kit.sheet import Column, columns, sheet_of
from gateway.orders import cancel as cancelling
from gateway.orders import order_presenter as flow
from gateway.orders import order_search_rows, restore, sales_rows
from gateway.orders.order_presenter import Line, OrderDetail
from gateway.orders.order_search_rows import OrderFilter
from gateway.orders.resolve import resolve as settle_as
from gateway.orders.reveal import reveal as reveal_delivery
from gateway.orders.reveal import secret_of
from gateway.orders.rules.attention import KINDS, WORDS
from gateway.travellers import traveller_email_rows
from schemas.money import Money
from schemas.ops_orders import OpsOrder
from schemas.order import NumberDelivery
from schemas.orders import Kind, OrderStatus

pages = Pages()
LIST = "/console/orders"
_PAGE = 50
_STATUSES: tuple[str, ...] = get_args(OrderStatus)
_KINDS: tuple[str, ...] = get_args(Kind)
_SPANS = {"1h": timedelta(hours=1), "24h": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30)}
_SINCE = (("1h", "an hour"), ("24h", "24 hours"), ("7d", "7 days"), ("30d", "30 days"))
_MODES = (("live", "live"), ("test", "test"), ("both", "both"))
COLUMNS = (
    *("order", "at", "status", "kind", "storefront", "mode", "reference", "plan", "supplier"),
    *("price", "currency", "cost", "cost currency", "margin", "margin currency"),
)
_MOMENTS = columns(
    "at, source, what=title, text, state",
    Column("facts", lambda moment: ", ".join(f"{name}: {value}" for name, value in moment.facts)),
    "status=exchange.status, ms=exchange.ms",
)
_EXCHANGES_OPEN = 2
_LONGEST_ID = 200
_LONGEST_SIDE = 4000
_ATTENTION = "/console/attention"
_OUTCOMES = ("fulfilled", "failed", "refunded", "released")
_LONGEST_CODE = 500
_LONGEST_CODES = 10_000
_FAILED = ("failed", "failed: the supplier charged nothing; the order ends as failed")
_REFUNDED = ("refunded", "refunded: the supplier charged and refunded it; the order ends as cancelled")
_DELIVERED = {
    "esim": "delivered, with the code below",
    "number": "delivered: the number below",
    "voucher": "delivered, with the codes below",
}
_OF_A_TOPUP = (("fulfilled", "delivered: the data is on the eSIM"), _FAILED, _REFUNDED)
_RELEASED = ("released", "released: it did not end after the backup; it is bought as usual")
_OF_A_CANCEL = (
    ("fulfilled", "not cancelled: the eSIM stays valid and the order is fulfilled again"),
    ("refunded", "cancelled: the supplier revoked it and the customer is refunded"),
)


@pages("GET", LIST, nav="Orders")
@with_saved_filters
async def orders(request: web.Request) -> View | web.Response:
    """The orders, the newest first, by filters; or those that a text names."""
    form, deps = query_form(request), deps_of(request)
    question = form.text("q", most=200)
    storefronts, suppliers = await asyncio.gather(
        order_search_rows.storefronts_named(deps.pool), order_search_rows.suppliers_named(deps.pool)
    )
    wanted, chosen = _wanted(request, form, storefronts)
    following = None
    if question:
        rows = await flow.lines(deps, await flow.search(deps, question))
    else:
        found = await flow.listing(deps, wanted, page_request_of(request, _PAGE, order_search_rows.SORTS))
        rows, following = found.data, next_page(request, found)
    context = {
        "lines": rows,
        "question": question,
        "chosen": chosen,
        "filters_typed": form.typed,
        "errors": form.errors,
        "statuses": [(status, status.replace("_", " ")) for status in _STATUSES],
        "kinds": _KINDS,
        "modes": _MODES,
        "spans": _SINCE,
        "storefronts": [(known, clean(name)[:60]) for known, name in storefronts],
        "suppliers": suppliers,
        "next": following,
        "base": deps.settings.base_currency,
    }
    return View("orders.html", context, title="Orders", csv=Csv("orders", COLUMNS, [row_of(line) for line in rows]))


@pages("GET", LIST + "/{id}", nav="Orders")
async def order(request: web.Request) -> View:
    """One order: what was sold for what, what it cost, and everything that happened to it."""
    return await _order(request)


@pages("POST", LIST + "/{id}/look-up", role="operator", nav="Orders")
async def look_up(request: web.Request) -> web.Response:
    """Ask the supplier now what became of it."""
    form, order_id = await form_data(request), part(request, "id")
    answer = await flow.look_up(deps_of(request), order_id, visitor(request))
    if isinstance(answer, Problem):
        raise web.HTTPNotFound
    waiting = "The supplier is being polled. Reload the page in a few seconds."
    message = "The supplier was polled. Its answer is below." if answer else waiting
    back = form.text("next", most=500)
    return see_other(request, back if back.startswith("/console/") else f"{LIST}/{order_id}", message=message)


@pages("POST", LIST + "/{id}/cancel", role="operator", nav="Orders")
async def cancel(request: web.Request) -> View | web.Response:
    """Ask for its cancellation, as its storefront could; with top-ups only where the operator says so."""
    form, order_id, deps = await form_data(request), part(request, "id"), deps_of(request)
    await _found(request)
    force = form.ticked("force")
    problem = await cancelling.cancel_by_operator(deps, order_id, visitor(request), force=force)
    if problem is not None:
        form.wrong("", f"Not cancelled: {problem.detail}.")
        return invalid(await _order(request), form)
    return see_other(request, f"{LIST}/{order_id}", message="The cancellation was requested.")


@pages("POST", LIST + "/{id}/release", role="operator", nav="Orders")
async def release(request: web.Request) -> View | web.Response:
    """Let an order go on that was pending in a restored backup."""
    form, order_id = await form_data(request), part(request, "id")
    await _found(request)
    problem = await restore.release(deps_of(request), order_id, visitor(request))
    if isinstance(problem, Problem):
        form.wrong("", f"Not released: {problem.detail}.")
        return invalid(await _order(request), form)
    return see_other(request, f"{LIST}/{order_id}", message="Released: it is bought as usual.")


@pages("POST", LIST + "/{id}/reveal", role="operator", nav="Orders")
async def reveal(request: web.Request) -> View:
    """The delivered secret, on a page of its own. The audit log has the visit by then."""
    order_id = part(request, "id")
    answer = await reveal_delivery(deps_of(request), order_id, visitor(request))
    if isinstance(answer, Problem):
        raise web.HTTPNotFound
    return View("order_code.html", {"back": f"{LIST}/{order_id}", "secrets": answer}, title="Delivered item")


@pages("POST", LIST + "/{id}/late-charge", role="operator", nav="Orders")
async def late_charge(request: web.Request) -> View | web.Response:
    """Note that a charge after the order's end was dealt with."""
    form, order_id = await form_data(request), part(request, "id")
    note = form.text("note", required=True, most=1000)
    if not form:
        return invalid(await _order(request), form)
    problem = await flow.settle_late_charge(deps_of(request), order_id, note, visitor(request))
    if problem is not None:
        form.wrong("", f"Not saved: {problem.detail}.")
        return invalid(await _order(request), form)
    return see_other(request, f"{LIST}/{order_id}", message="Noted.")


@pages.finds("Orders")
async def find(request: web.Request, question: str) -> list[Hit]:
    """Orders by anything that names one; a single one is gone to at once."""
    deps = deps_of(request)
    found = await flow.lines(deps, (await flow.search(deps, question))[:10])
    return [
        Hit(
            line.order.id,
            f"{LIST}/{line.order.id}",
            f"{line.order.plan[:80]}, {line.order.storefront[:60]}, {line.order.status.replace('_', ' ')}",
            only=len(found) == 1,
        )
        for line in found
    ]


def part(request: web.Request, name: str) -> str:
    """A part of the page's address; what no row could be called is not there."""
    value = request.match_info[name]
    if len(value) > _LONGEST_ID:
        raise web.HTTPNotFound
    return value


def row_of(line: Line) -> tuple[Any, ...]:
    """An order as a row of a file."""
    order, cost, margin = line.order, line.cost, line.margin
    return (
        *(
            order.id,
            order.created_at,
            order.status,
            order.kind,
            order.storefront,
            order.mode,
            order.reference,
            order.plan,
            order.supplier,
        ),
        *(line.price, line.price.currency, cost, None if cost is None else cost.currency),
        *(None if margin is None else margin.amount, None if margin is None else order.base_currency),
    )


def _lines_of(text: str) -> str:
    """What was said, line by line, without marks that turn what follows."""
    return "\n".join(clean(line) for line in text[:_LONGEST_SIDE].splitlines()) or "(nothing)"


async def _found(request: web.Request) -> OrderDetail:
    detail = await flow.detail(deps_of(request), part(request, "id"))
    if detail is None:
        raise web.HTTPNotFound
    return detail


async def _order(request: web.Request) -> View:
    detail = await _found(request)
    user, order, pool = visitor(request), detail.order, deps_of(request).pool
    emails, mailable = await asyncio.gather(
        traveller_email_rows.of_order(pool, order.id), traveller_email_rows.mailable(pool, order.id)
    )
    iccid = None
    if order.esim is not None:
        iccid = order.esim.iccid if user.may("operator") else "…" + order.esim.iccid[-4:]
    calls = [moment for moment in detail.moments if moment.exchange is not None]
    context = {
        "detail": detail,
        "as_money": as_money,
        "lines_of": _lines_of,
        "order": order,
        "line": detail.line,
        "iccid": iccid,
        "secret": secret_of(order),
        "sold_base": Money(detail.money.price_base, detail.money.base_currency),
        "max_cost": Money(detail.money.max_cost, detail.money.base_currency),
        "margin": detail.line.margin and Money(detail.line.margin.amount, detail.money.base_currency),
        "opened": calls[-1:] if len(calls) > _EXCHANGES_OPEN else calls,
        "cancellable": detail.money.cancel_requested_at is None and _cancellable(order),
        "releasable": order.status == "needs_review" and detail.money.review_reason == "restored",
        "late_charge": detail.what is not None and not detail.what.resolvable and detail.what.kind == "charged",
        "still_held": _still_held(detail),
        "emails": emails,
        "mails": mailable is not None and mailable.can_be_sent,
        "audit_url": "/console/audit?" + urlencode({"object": f"order:{order.id}"}),
    }
    return View(
        "order.html", context, title=f"Order {order.id}", csv=Csv(order.id, *sheet_of(_MOMENTS, detail.moments))
    )


def _still_held(detail: OrderDetail) -> Money | None:
    """What the supplier still holds for a cancelled order."""
    cost, refunded = detail.line.cost, detail.refunded
    if detail.order.status != "cancelled" or cost is None or (refunded is not None and refunded.amount >= cost.amount):
        return None
    return cost if refunded is None else Money(cost.amount - refunded.amount, cost.currency)


def _cancellable(order: OpsOrder) -> bool:
    """Whether there is something to cancel: an eSIM, or anything of which nothing was sent yet."""
    if order.kind == "esim":
        return order.status in {"pending", "fulfilled", "needs_review"}
    return order.status == "pending" and all(attempt.state == "failed" for attempt in order.attempts or ())


def _wanted(request: web.Request, form: Form, storefronts: list[tuple[str, str]]) -> tuple[OrderFilter, dict[str, str]]:
    """The filters of the address. A storefront stands there by id or name; one that is none has no orders."""
    which = form.choice("mode", [value for value, _ in _MODES], required=False) or mode(request)
    name = form.text("storefront")
    since = form.text("since", most=40)
    moment = datetime.now(UTC) - _SPANS[since] if since in _SPANS else form.moment("since")
    if (start := form.moment("from")) is not None:
        moment = start
    wanted = OrderFilter(
        mode=None if which == "both" else which,
        status=form.choice("status", _STATUSES, required=False) or None,
        kind=form.choice("kind", _KINDS, required=False) or None,
        supplier=form.text("supplier", most=60) or None,
        storefront=next((found for found, known in storefronts if name in (found, known)), "none") if name else None,
        since=moment,
    )
    chosen = {"mode": which, "storefront": name, "since": since if since in _SPANS else ""}
    return wanted, chosen


# -- what needs an operator


@pages("GET", _ATTENTION, nav="Needs attention")
async def attention(request: web.Request) -> View:
    """All that waits, the longest first: payments above orders."""
    deps, page_request = deps_of(request), page_request_of(request, _PAGE)
    kind = query_form(request).choice("kind", list(WORDS), required=False) or None
    waiting = await flow.waiting(deps, mode(request), page_request, kind)
    found, counts = waiting.page, waiting.counts
    paid = (
        None if page_request.cursor or kind else await presenter.waiting(deps, PageRequest(_PAGE), mode=mode(request))
    )
    context = {
        "rows": found.data,
        "cases": paid.data if paid is not None else [],
        "as_money": as_money,
        "kinds": [(name, label, counts.get(name, 0)) for name, label in KINDS],
        "labels": WORDS,
        "kind": kind,
        "deciding": sum(counts.values()) - sum(len(group.order_ids) for group in waiting.passing),
        "passing": waiting.passing if kind is None and not page_request.cursor else [],
        "next": next_page(request, found),
    }
    rows = [(row.what.kind, row.what.since, row.what.why, *row_of(row.line)) for row in found.data]
    columns = ("kind", "since", "why", *COLUMNS)
    return View("attention.html", context, title="Needs attention", csv=Csv("attention", columns, rows))


@pages("GET", LIST + "/{id}/resolve", role="operator", nav="Needs attention")
async def resolving(request: web.Request) -> View:
    """The form that says what became of an order, each answer explained."""
    return await _resolve_form(request)


@pages("POST", LIST + "/{id}/resolve", role="operator", nav="Needs attention")
async def resolve(request: web.Request) -> View | web.Response:
    """Settle it as an operator decides."""
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
        work = settle_as(
            deps_of(request), order_id, said, note, code or None, iccid or None, visitor(request), item=item
        )
        # It goes on to its end although the browser goes away.
        problem = await asyncio.shield(asyncio.ensure_future(work))
        if problem is None:
            return see_other(request, f"{LIST}/{order_id}", message=f"Resolved as {outcome}.")
        if problem.code == "not_found":
            raise web.HTTPNotFound
        for pointer, why in problem.errors:
            form.wrong(pointer.strip("/"), why)
        if not problem.errors:
            form.wrong("", f"Nothing was done: {problem.detail}.")
    return invalid(await _resolve_form(request), form)


@pages.notice
async def notices(request: web.Request) -> list[Notice]:
    """How many orders wait, and for how long."""
    count, since = await flow.counted(deps_of(request), mode(request))
    if since is None:
        return []
    text = "order needs attention" if count == 1 else "orders need attention"
    return [Notice("bad", f"{text}, the longest since {since:%Y-%m-%d %H:%M} UTC", _ATTENTION, count)]


@pages.decision
async def to_review(request: web.Request) -> PendingDecision:
    """Orders whose outcome an operator has to say."""
    count = await sales_rows.in_review(deps_of(request).pool, mode(request))
    return PendingDecision("Orders that need review", _ATTENTION, count)


async def _resolve_form(request: web.Request) -> View:
    detail = await flow.detail(deps_of(request), part(request, "id"))
    if detail is None:
        raise web.HTTPNotFound
    chosen = query_form(request).choice("as", _OUTCOMES, required=False)
    context = {**_resolve_context(detail), "chosen": chosen}
    return View("order_resolve.html", context, title=f"Resolve {detail.order.id}")


def _resolve_context(detail: OrderDetail) -> dict[str, object]:
    live = [attempt for attempt in detail.order.attempts or () if attempt.state != "failed"]
    cancel = any(attempt.kind == "cancel" for attempt in live)
    esim = detail.order.kind == "esim" and not cancel
    delivered = _DELIVERED.get(detail.order.kind)
    outcomes = (
        _OF_A_CANCEL if cancel else ((("fulfilled", delivered), _FAILED, _REFUNDED) if delivered else _OF_A_TOPUP)
    )
    if detail.money.review_reason == "restored":
        # Without an attempt nothing can have been delivered as far as the database knows: `orders adopt` gives one.
        outcomes = (_RELEASED, *outcomes) if live else (_RELEASED, _FAILED, _REFUNDED)
    return {
        "detail": detail,
        "order": detail.order,
        "attempt": live[-1] if live else None,
        "is_cancel": cancel,
        "needs_code": esim and bool(live),
        "outcomes": outcomes,
    }
