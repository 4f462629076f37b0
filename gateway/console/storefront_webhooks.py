"""A storefront's own webhook endpoints, for its users: what was sent to each, and a failed delivery sent again."""

from __future__ import annotations

from aiohttp import web

from gateway.console.orders import part
from gateway.console.pages import Csv, Pages, View, deps_of
from gateway.console.storefronts import delivery_log, send_delivery
from gateway.kit.sheet import Column, columns, sheet_of
from gateway.orders.order_view_rows import StorefrontScope
from gateway.webhooks import endpoint_rows
from gateway.webhooks.endpoint_rows import Owner

pages = Pages()
LIST = "/console/my/webhooks"
_COLUMNS = columns(
    "endpoint=id, url, status",
    Column("events", lambda endpoint: " ".join(endpoint.events) or "all"),
    "description, created=created_at",
)


@pages.for_storefront("GET", LIST, nav="Webhook log")
async def list_endpoints(request: web.Request, own: StorefrontScope) -> View:
    """Its endpoints of the mode, the oldest first."""
    endpoints = await endpoint_rows.all_of(deps_of(request).pool, Owner(*own))
    sheet = sheet_of(_COLUMNS, endpoints)
    return View("storefront_webhooks.html", {"endpoints": endpoints}, title="Webhook log", csv=Csv("endpoints", *sheet))


@pages.for_storefront("GET", LIST + "/{endpoint}", nav="Webhook log")
async def one_endpoint(request: web.Request, own: StorefrontScope) -> View:
    """What was sent to an endpoint, the newest first, each delivery with its tries."""
    endpoint = part(request, "endpoint")
    return await delivery_log(request, Owner(*own), endpoint, f"{LIST}/{endpoint}")


@pages.for_storefront("POST", LIST + "/{endpoint}/deliveries/{delivery}/replay", nav="Webhook log")
async def replay(request: web.Request, own: StorefrontScope) -> web.Response:
    """Send an event once more."""
    endpoint = part(request, "endpoint")
    return await send_delivery(request, Owner(*own), endpoint, f"{LIST}/{endpoint}")
