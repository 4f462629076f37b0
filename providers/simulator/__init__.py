"""The ground that every supplier's sandbox stands on: one world of items, one frame with faults.

A plugin's ``sandbox.py`` is a function ``(world, settings) -> web.Application`` which writes the
world's items in the supplier's own words::

    def sandbox(world: SandboxWorld, settings: Mapping[str, Any]) -> web.Application:
        async def packages(request: web.Request) -> web.Response:
            shown = listing(request, keep=lambda item: item.visible)
            page = shown.page(offset, limit)
            return web.json_response({"data": [in_our_words(item) for item in page], "total": shown.total})

        return sandbox_app(
            world, "pikasim", [web.get("/packages", packages)],
            authenticate=lambda request: None if request.headers.get("X-API-Key") == settings["api_key"] else "bad key",
            error_body=lambda status, message: {"success": False, "error": message},
            rate_limit=60,
        )

Handlers read items through ``listing`` (or ``one``), never from the world itself, so that faults reach them.
Orders, money and eSIMs are kept by the supplier's till: ``till_of(request)``, see ``till.py``.
"""

from providers.simulator.app import listing, one, sandbox_app, till_of
from providers.simulator.examples import PageExamples
from providers.simulator.faults import Fault, FaultKind
from providers.simulator.items import Dirt, Item
from providers.simulator.listing import Listing
from providers.simulator.profiles import qr_data_uri
from providers.simulator.rules import TillRules
from providers.simulator.sales import Esim, Move, MoveKind, Package, Purchase, Sale, SaleState, TillRefusal, Why
from providers.simulator.serve import Served, base_url, sandbox_site, serve, world_for
from providers.simulator.supplier import SupplierSimulator
from providers.simulator.triggers import Act, Trigger, TriggerKind
from providers.simulator.webhooks import WebhookPlan, WebhookRules
from providers.simulator.world import SandboxWorld

__all__ = [
    "Act",
    "Dirt",
    "Esim",
    "Fault",
    "FaultKind",
    "Item",
    "Listing",
    "Move",
    "MoveKind",
    "Package",
    "PageExamples",
    "Purchase",
    "Sale",
    "SaleState",
    "SandboxWorld",
    "Served",
    "SupplierSimulator",
    "TillRefusal",
    "TillRules",
    "Trigger",
    "TriggerKind",
    "WebhookPlan",
    "WebhookRules",
    "Why",
    "base_url",
    "listing",
    "one",
    "qr_data_uri",
    "sandbox_app",
    "sandbox_site",
    "serve",
    "till_of",
    "world_for",
]
