"""eSIMs: found by what one has in hand or by filters; one of them with its usage, and what operators do about it."""

from __future__ import annotations

import asyncio
import base64
from datetime import UTC, datetime
from urllib.parse import urlencode

import msgspec
from aiohttp import web

from gateway.console.forms import form_data, query_form
from gateway.console.orders import part
from gateway.console.pages import (
    Csv,
    Pages,
    View,
    deps_of,
    invalid,
    mode,
    next_page,
    own_address,
    page_request_of,
    see_other,
    visitor,
)
from gateway.console.saved_filters import with_saved_filters
from gateway.inventory import delivery_rules, esim_life_rules, esim_list_rows, esim_rows, esims
from gateway.inventory.esim_list_rows import EsimFilter, UsageSeen
from gateway.inventory.esim_rows import Esim
from gateway.kit.problem import Problem
from gateway.kit.sheet import columns, sheet_of
from gateway.orders import order_page_rows, order_search_rows, replacement_rows
from gateway.orders import order_presenter as orders
from gateway.orders.replace import ReplacementWanted, replace_esim
from gateway.travellers import traveller_email_rows
from gateway.webhooks.send_again import send_delivery_again
from providers.kit import activation
from schemas.esim import ServiceState
from schemas.orders import OrderedEsim

pages = Pages()
LIST = "/console/esims"
_PAGE = 50
_STATES = [state.value for state in ServiceState]
_COLUMNS = columns(
    "esim=id, order=order_id, storefront, supplier, plan, iccid, profile=profile_state, service=service_state,"
    " used_mb, total_mb, created_at, observed_at"
)
_OVER = {"failed", "cancelled"}
_MOST_TRIES = 100


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """An eSIM as a line of a list. ``iccid`` is cut to its last digits for who may not see it whole."""

    id: str
    order_id: str
    storefront_id: str
    storefront: str
    supplier: str
    plan: str
    iccid: str
    profile_state: str
    service_state: str
    used_mb: int | None
    total_mb: int | None
    percent: int | None
    created_at: datetime
    observed_at: datetime | None


@pages("GET", LIST, nav="eSIMs")
@with_saved_filters
async def list_esims(request: web.Request) -> View:
    """The eSIMs, by state and supplier; or those that a text names."""
    form, deps = query_form(request), deps_of(request)
    question = form.text("q", most=200)
    wanted = EsimFilter(
        mode=mode(request),
        state=form.choice("state", _STATES, required=False) or None,
        supplier=form.text("supplier", most=60) or None,
    )
    storefronts, suppliers = await asyncio.gather(
        order_search_rows.storefronts_named(deps.pool), order_search_rows.suppliers_named(deps.pool)
    )
    following = None
    if question:
        named = await orders.search(deps, question)
        found = await esim_list_rows.of_found_orders(deps.pool, deps.seal, named)
    else:
        page = await esim_list_rows.listed(
            deps.pool, deps.seal, wanted, page_request_of(request, _PAGE, esim_list_rows.SORTS)
        )
        found, following = page.data, next_page(request, page)
    names = dict(storefronts)
    lines = [_line(request, esim, names.get(esim.storefront_id, "")) for esim in found]
    context = {
        "lines": lines,
        "question": question,
        "wanted": wanted,
        "states": [(state, state.replace("_", " ")) for state in _STATES],
        "suppliers": suppliers,
        "next": following,
    }
    return View("esims.html", context, title="eSIMs", csv=Csv("esims", *sheet_of(_COLUMNS, lines)))


@pages("GET", LIST + "/{id}", nav="eSIMs")
async def one_esim(request: web.Request) -> View:
    """One eSIM: its state and usage, top-ups, what the storefront was told, and what replaces it."""
    deps, esim = deps_of(request), await _found(request)
    seen, topup_ids, events, before, replaces = await asyncio.gather(
        esim_list_rows.usage(deps.pool, esim.id),
        esim_list_rows.topups(deps.pool, esim.id),
        order_page_rows.sent_events(deps.pool, esim.order_id),
        replacement_rows.replacements(deps.pool, esim.order_id),
        replacement_rows.replaces(deps.pool, esim.order_id),
    )
    lines, emails, mailable = await asyncio.gather(
        orders.lines(deps, [esim.order_id, *topup_ids]),
        traveller_email_rows.of_order(deps.pool, esim.order_id),
        traveller_email_rows.mailable(deps.pool, esim.order_id),
    )
    bought = next(line for line in lines if line.order.id == esim.order_id)
    context = {
        "esim": esim,
        "line": _line(request, esim, bought.order.storefront),
        "status": esim.status,
        "install_by": esims.install_by(esim),
        "can_topup": esims.can_topup(deps, esim),
        "seen": seen[::-1],
        "chart": usage_chart(seen, datetime.now(UTC)),
        "topups": [line for line in lines if line.order.id != esim.order_id],
        "events": events,
        "replacements": before,
        "replaces": replaces,
        "emails": emails,
        "mails": mailable is not None and mailable.can_be_sent,
        "replaceable": all(each.status in _OVER for each in before),
        "audit_url": "/console/audit?" + urlencode({"object": f"esim:{esim.id}"}),
    }
    sheet = sheet_of(columns("at, used_mb, total_mb"), seen)
    return View("esim.html", context, title="eSIM", csv=Csv(f"usage-{esim.id}", *sheet))


@pages("POST", LIST + "/{id}/poll", role="operator", nav="eSIMs")
async def poll(request: web.Request) -> web.Response:
    """Ask the supplier now."""
    esim = await _found(request)
    answer = await esims.poll_by_operator(deps_of(request), esim, visitor(request))
    problem = f"The supplier was not polled: {answer.detail}." if isinstance(answer, Problem) else ""
    return see_other(request, f"{LIST}/{esim.id}", message=problem or "The supplier was polled. Its answer is below.")


@pages("POST", LIST + "/{id}/reveal", role="operator", nav="eSIMs")
async def reveal(request: web.Request) -> View:
    """The QR code, the activation code and the traveller's link, on a page of their own, recorded by then."""
    found = await esims.reveal(deps_of(request), part(request, "id"), visitor(request))
    if found is None:
        raise web.HTTPNotFound
    return code_page(*found, back=f"{LIST}/{found[0].id}")


@pages("POST", LIST + "/{id}/send-again", role="operator", nav="eSIMs")
async def send_again(request: web.Request) -> web.Response:
    """Send the storefront the event of the delivery once more."""
    esim, form = await _found(request), await form_data(request)
    sent = await send_delivery_again(deps_of(request).pool, esim.order_id, visitor(request))
    if isinstance(sent, Problem):
        message = f"Not sent: {sent.detail}."
    else:
        message = f"The delivery is sent again to {sent} webhook endpoint{'' if sent == 1 else 's'}."
    return see_other(request, own_address(form.text("next", most=500), f"{LIST}/{esim.id}"), message=message)


@pages("GET", LIST + "/{id}/replace", role="operator", nav="eSIMs")
async def replacing(request: web.Request) -> View:
    """The form that orders another eSIM in place of this one."""
    return await _replace_form(request, await _found(request))


@pages("POST", LIST + "/{id}/replace", role="operator", nav="eSIMs")
async def replace(request: web.Request) -> View | web.Response:
    """Order another eSIM at our cost."""
    esim, form = await _found(request), await form_data(request)
    number = form.whole("number", required=True, least=1, most=_MOST_TRIES)
    plan_id = form.text("plan", required=True, most=100)
    note = form.text("note", required=True, most=1000)
    if not form or number is None:
        return invalid(await _replace_form(request, esim), form)
    wanted = ReplacementWanted(number, plan_id, form.ticked("another_supplier"), note)
    # It goes on to its end although the browser goes away.
    work = asyncio.ensure_future(replace_esim(deps_of(request), esim, wanted, visitor(request)))
    placed = await asyncio.shield(work)
    if isinstance(placed, Problem):
        form.wrong("", f"Not replaced: {placed.detail}.")
        return invalid(await _replace_form(request, esim), form)
    return see_other(request, f"/console/orders/{placed.order_id}", message="The replacement is ordered.")


def code_page(esim: Esim, ordered: OrderedEsim, back: str) -> View:
    """The page with an eSIM's QR code, activation code and traveller's link."""
    code = activation.parse(esim.activation_code)
    picture = None if code is None else base64.b64encode(delivery_rules.qr_svg(code.text)).decode()
    context = {"esim": esim, "ordered": ordered, "picture": picture, "back": back}
    return View("esim_code.html", context, title="Activation code")


def usage_chart(seen: list[UsageSeen], now: datetime) -> str:
    """What the chart draws, as JSON: the used MB over time, and all data where the supplier says how much that is."""
    last = [msgspec.structs.replace(seen[-1], at=now)] if seen else []
    steps = [*seen, *last]
    lines: list[tuple[str, list[int | None]]] = [
        ("used", [usage.used_mb for usage in steps]),
        ("of", [usage.total_mb for usage in steps]),
    ]
    drawn = {
        "currency": "MB",
        "digits": 0,
        "from": steps[0].at.timestamp() if steps else 0,
        "x": [usage.at.timestamp() for usage in steps],
        "lines": [{"label": label, "y": values} for label, values in lines if any(each is not None for each in values)],
        "gaps": [],
    }
    return msgspec.json.encode(drawn).decode()


async def _found(request: web.Request) -> Esim:
    deps = deps_of(request)
    esim = await esim_rows.get(deps.pool, deps.seal, part(request, "id"))
    if esim is None:
        raise web.HTTPNotFound
    return esim


async def _replace_form(request: web.Request, esim: Esim) -> View:
    before = await replacement_rows.replacements(deps_of(request).pool, esim.order_id)
    context = {
        "esim": esim,
        "plan": esim.plan.get("name") or esim.plan_id,
        "tries": len(before) + 1,
        "live": next((each for each in before if each.status not in _OVER), None),
    }
    return View("esim_replace.html", context, title="Replace an eSIM")


def _line(request: web.Request, esim: Esim, storefront: str) -> Line:
    status, iccid = esim.status, esim.iccid
    data = None if status is None else status.data
    return Line(
        id=esim.id,
        order_id=esim.order_id,
        storefront_id=esim.storefront_id,
        storefront=storefront,
        supplier=esim.supplier,
        plan=str(esim.plan.get("name") or esim.plan_id),
        iccid=iccid if visitor(request).may("operator") else "…" + iccid[-4:],
        profile_state="unknown" if status is None else status.profile_state.value,
        service_state="unknown" if status is None else status.service_state.value,
        used_mb=esim_life_rules.used_mb(data),
        total_mb=None if data is None else data.total_mb,
        percent=esim_life_rules.used_percent(data),
        created_at=esim.created_at,
        observed_at=esim.observed_at,
    )
