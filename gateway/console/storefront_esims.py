"""A storefront's own eSIMs, for its users: as the API shows them, with usage, QR code and traveller's link."""

from __future__ import annotations

from datetime import UTC, datetime

from aiohttp import web

from gateway.console.esims import code_page, usage_chart
from gateway.console.forms import query_form
from gateway.console.orders import part
from gateway.console.pages import Csv, Pages, View, deps_of, next_page, page_request_of, visitor
from gateway.console.saved_filters import with_saved_filters
from gateway.console.storefront_orders import named_orders
from gateway.inventory import esim_life_rules, esim_list_rows, esim_rows, esims
from gateway.inventory.esim_rows import Esim
from gateway.kit.sheet import columns, sheet_of
from gateway.orders.order_view_rows import StorefrontScope

pages = Pages()
LIST = "/console/my/esims"
_PAGE = 50
_COLUMNS = columns(
    "esim=id, order=order_id, plan=plan_id, iccid, profile=profile_state, service=service_state,"
    " used_mb=data.used_mb, total_mb=data.total_mb, created_at, observed_at"
)


@pages.for_storefront("GET", LIST, nav="eSIMs")
@with_saved_filters
async def list_esims(request: web.Request, own: StorefrontScope) -> View:
    """Its eSIMs, the newest first; or those that a text names."""
    deps, page_request = deps_of(request), page_request_of(request, _PAGE)
    question = query_form(request).text("q", most=200)
    following = None
    if question:
        named = await named_orders(deps, own, question, page_request)
        found = await esim_list_rows.of_found_orders(deps.pool, deps.seal, [order.id for order in named.data])
    else:
        page = await esim_rows.newest_first(deps.pool, deps.seal, *own, page_request)
        found, following = page.data, next_page(request, page)
    lines = [(esims.public_esim(deps, esim), *_plan_and_percent(esim)) for esim in found]
    context = {"lines": lines, "question": question, "next": following}
    sheet = sheet_of(_COLUMNS, [esim for esim, _, _ in lines])
    return View("storefront_esims.html", context, title="eSIMs", csv=Csv("esims", *sheet))


@pages.for_storefront("GET", LIST + "/{id}", nav="eSIMs")
async def one_esim(request: web.Request, own: StorefrontScope) -> View:
    """One eSIM: its state as last reported, and its usage."""
    deps, esim = deps_of(request), await _found(request, own)
    seen = await esim_list_rows.usage(deps.pool, esim.id)
    public = esims.public_esim(deps, esim)
    plan, percent = _plan_and_percent(esim)
    context = {
        "esim": public,
        "plan": plan,
        "percent": percent,
        "used_mb": esim_life_rules.used_mb(public.data),
        "total_mb": None if public.data is None else public.data.total_mb,
        "can_topup": public.can_topup,
        "seen": seen[::-1],
        "chart": usage_chart(seen, datetime.now(UTC)),
    }
    sheet = sheet_of(columns("at, used_mb, total_mb"), seen)
    return View("storefront_esim.html", context, title="eSIM", csv=Csv(f"usage-{esim.id}", *sheet))


@pages.for_storefront("POST", LIST + "/{id}/reveal", nav="eSIMs")
async def reveal(request: web.Request, own: StorefrontScope) -> View:
    """The QR code, the activation code and the traveller's link. The audit log has the visit by then."""
    esim = await _found(request, own)
    found = await esims.reveal(deps_of(request), esim.id, visitor(request))
    if found is None:
        raise web.HTTPNotFound
    return code_page(*found, back=f"{LIST}/{esim.id}")


async def _found(request: web.Request, own: StorefrontScope) -> Esim:
    deps = deps_of(request)
    esim = await esim_rows.find(deps.pool, deps.seal, *own, part(request, "id"))
    if esim is None:
        raise web.HTTPNotFound
    return esim


def _plan_and_percent(esim: Esim) -> tuple[str, int | None]:
    used = esim_life_rules.used_percent(None if esim.status is None else esim.status.data)
    return str(esim.plan.get("name") or esim.plan_id), used
