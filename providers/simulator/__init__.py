"""One simulator engine for the suppliers' sandboxes; what one supplier says stands in ``providers/<id>/sandbox``.

The shape, bottom up. ``triggers`` is what can be made to go wrong, ``items`` what is sold, ``catalog`` and
``trigger_plans`` make it up, ``webhooks`` sends. ``engine.Simulator`` is what any simulated supplier is: triggers in
force, webhooks, work in the background. ``supplier.SupplierSimulator`` sells by the supplier's ``SupplierRules``
(``sales``) and writes down what it sold (``records``); a supplier of another kind, such as one that takes payments,
brings a subclass of its own. ``world.SandboxWorld`` holds the items, faults and simulators of all suppliers.
``control`` is how a developer steers them, ``app.sandbox_app`` what surrounds each supplier's own routes
(authentication, rate limit, faults, spoilt answers), ``serve`` puts all sandboxes at one port. No supplier is named.

A plugin's sandbox is a function ``(world, settings) -> web.Application`` that writes the world's items in the
supplier's own words::

    def sandbox(world: SandboxWorld, settings: Mapping[str, Any]) -> web.Application:
        async def packages(request: web.Request) -> web.Response:
            shown = listing(request, keep=lambda item: item.visible)
            page = shown.page(offset, limit)
            return json_response({"data": [in_our_words(item) for item in page], "total": shown.total})

        return sandbox_app(
            world, "pikasim", [web.get("/packages", packages)],
            authenticate=lambda request: None if request.headers.get("X-API-Key") == settings["api_key"] else "bad key",
            error_body=lambda status, message: {"success": False, "error": message},
            rate_limit=60,
        )

Handlers read items through ``listing`` or ``item_of``, never from the world itself, so that faults reach them.
Orders, money and eSIMs are kept by the simulator: ``simulator_of(request)``, see ``supplier.py``.
"""

from providers.simulator.app import body_of, item_of, listing, sandbox_app
from providers.simulator.control import json_response, simulator_of
from providers.simulator.deposits import begin_deposit
from providers.simulator.items import Dirt, Item, codes_of
from providers.simulator.profiles import qr_data_uri
from providers.simulator.sales import (
    Esim,
    Package,
    PageExamples,
    Purchase,
    RefusalReason,
    Sale,
    SaleState,
    StatementLine,
    StatementLineKind,
    SupplierRefusal,
    SupplierRules,
)
from providers.simulator.serve import ServedSandboxes, base_url, sandbox_site, serve, world_for
from providers.simulator.supplier import SupplierSimulator
from providers.simulator.triggers import Act, Fault, FaultKind, Trigger, TriggerKind
from providers.simulator.webhooks import WebhookPlan, WebhookRules
from providers.simulator.world import SandboxWorld
