"""PikaSim: a reseller API for eSIM packages, with webhooks, usage, top-ups and cancellation."""

from __future__ import annotations

from decimal import Decimal

from providers.contract import Capability, Limits, Manifest, SandboxRoute
from providers.pikasim import deposits
from providers.pikasim.client import PikaSim, PikaSimSettings
from providers.pikasim.mapping import BYTE_BASIS
from providers.pikasim.sandbox import sandbox

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
            Capability.ACCOUNT,
            Capability.DEPOSITS,
            Capability.WEBHOOK_SETTINGS,
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
        SandboxRoute("GET", "/account", used_for="who we are to the supplier, and whether the key is taken"),
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
        SandboxRoute("POST", "/deposit/stripe", used_for="a page to fill the wallet by card"),
        SandboxRoute("POST", "/deposit/btcpay", used_for="a page to fill the wallet by cryptocurrency"),
        SandboxRoute("PUT", "/webhook", used_for="where notifications go, by `suppliers setup-webhooks`"),
        SandboxRoute("POST", "/webhook/test", used_for="whether they arrive there and are believed"),
    ),
    byte_basis=BYTE_BASIS,
    charge_tolerance=Decimal("0.05"),
    deposit_ways=deposits.WAYS,
    capability_notes={
        Capability.GOODS: "PikaSim sells eSIMs and nothing else",
        Capability.KEYS: "PikaSim gives its key to people, in their account on its site",
        Capability.NUMBERS: "PikaSim sells no virtual numbers",
    },
)
