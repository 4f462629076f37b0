"""PikaSim: a reseller API for eSIM packages, with webhooks, usage, top-ups and cancellation."""

from __future__ import annotations

from decimal import Decimal

from providers.contract import Capability, Limits, Manifest, SandboxRoute
from providers.pikasim.client import PikaSim, PikaSimSettings
from providers.pikasim.sandbox import sandbox

_DEPOSITS = "deposits are made by people on the supplier's own site"
_WEBHOOKS = "people set the address in their account at the supplier; it changes once in years"

MANIFEST = Manifest(
    name="pikasim",
    title="PikaSim",
    capabilities=frozenset(
        {
            Capability.CATALOG,
            Capability.PLAN_LOOKUP,
            Capability.ORDERS,
            Capability.TOPUP,
            Capability.ESIM_STATUS,
            Capability.CANCEL,
            Capability.BALANCE,
            Capability.TRANSACTIONS,
            Capability.ORDER_HISTORY,
            Capability.WEBHOOKS,
        }
    ),
    settings=PikaSimSettings,
    provider=PikaSim,
    limits=Limits(requests_per_minute=60, concurrent_pages=4),
    sandbox=sandbox,
    sandbox_settings={"api_key": "pk_test_pikasim_sandbox", "webhook_secret": "pikasim-sandbox-webhook-secret"},
    routes=(
        SandboxRoute("GET", "/packages", used_for="the catalogue, 200 packages a page"),
        SandboxRoute("GET", "/packages/{packageCode}", used_for="price of one package now"),
        SandboxRoute("GET", "/account", why_not="the balance call says the same, and the credit too"),
        SandboxRoute("GET", "/balance", used_for="what can be spent"),
        SandboxRoute("GET", "/transactions", used_for="charges and refunds, and orders that no list shows yet"),
        SandboxRoute("POST", "/orders", used_for="buying one eSIM"),
        SandboxRoute("GET", "/orders", used_for="an attempt whose order id is not known, by its externalOrderId"),
        SandboxRoute("GET", "/orders/{orderId}", used_for="what became of an order, and its eSIM"),
        SandboxRoute("GET", "/esims/{iccid}", used_for="state and usage of an eSIM, and a code that an order left out"),
        SandboxRoute("GET", "/esims/{iccid}/usage", used_for="the figures that the eSIM's own page left out"),
        SandboxRoute("GET", "/esims/{iccid}/topup-options", used_for="what can be added to an eSIM"),
        SandboxRoute("POST", "/esims/{iccid}/topup", used_for="adding data to an eSIM"),
        SandboxRoute("POST", "/esims/{iccid}/cancel", used_for="giving back an eSIM that was never installed"),
        SandboxRoute("POST", "/deposit/stripe", why_not=_DEPOSITS),
        SandboxRoute("POST", "/deposit/btcpay", why_not=_DEPOSITS),
        SandboxRoute("PUT", "/webhook", why_not=_WEBHOOKS),
        SandboxRoute("POST", "/webhook/test", why_not=_WEBHOOKS),
    ),
    charge_tolerance=Decimal("0.05"),
    capability_notes={
        Capability.NUMBERS: "PikaSim sells no virtual numbers",
    },
)
