"""The engine of sandboxes that take payments: products behind links, a page to pay at, notifications, what goes wrong.

A plugin's sandbox is a function ``(world, settings) -> web.Application``, as for suppliers of eSIMs. It opens a
``PaymentSimulator`` with the supplier's ``PaymentRules``, and writes products in the supplier's own words::

    def sandbox(world: SandboxWorld, settings: Mapping[str, Any]) -> web.Application:
        rules = PaymentRules("Acme Pay", WebhookRules(sign), notification)
        simulator = world.open_simulator("acme", lambda file: PaymentSimulator(rules, file))
        routes = [web.post("/links", create), web.get("/pay/{id}", pay_page), *payment_control_routes()]
        return sandbox_app(world, "acme", routes, authenticate=..., error_body=..., simulator=simulator)

``make_product`` makes one as far as triggers let it, ``payments_of(request)`` is the simulator with all products,
``payment_page_of`` the page that customers pay at.
"""

from providers.simulator.payment.control import (
    RefusedError,
    make_product,
    payment_control_routes,
    payment_page_of,
    payments_of,
)
from providers.simulator.payment.simulator import PaymentRules, PaymentSimulator, SandboxPayment, SandboxProduct

__all__ = [
    "PaymentRules",
    "PaymentSimulator",
    "RefusedError",
    "SandboxPayment",
    "SandboxProduct",
    "make_product",
    "payment_control_routes",
    "payment_page_of",
    "payments_of",
]
