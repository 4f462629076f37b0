"""PikaSim: a reseller API for eSIM packages, with webhooks, usage, top-ups and cancellation."""

from __future__ import annotations

from decimal import Decimal

from providers.contract import Capability, Limits, Manifest, SandboxRoute
from providers.pikasim.client import PikaSim, PikaSimSettings
from providers.pikasim.sandbox import sandbox

_ORDERS = "the gateway sells nothing yet; the wire types and the mapping are there"
_ESIMS = "the gateway keeps no eSIMs yet; the wire types and the mapping are there"
_MONEY = "the gateway does not watch balances yet; the wire types and the mapping are there"
_DEPOSITS = "deposits are made by people on the supplier's own site"
_WEBHOOKS = "the gateway has no orders yet that a webhook could be about; verifying and reading are there"

MANIFEST = Manifest(
    name="pikasim",
    title="PikaSim",
    capabilities=frozenset({Capability.CATALOG, Capability.PLAN_LOOKUP}),
    settings=PikaSimSettings,
    provider=PikaSim,
    limits=Limits(requests_per_minute=60, concurrent_pages=4),
    sandbox=sandbox,
    sandbox_settings={"api_key": "pk_test_pikasim_sandbox", "webhook_secret": "pikasim-sandbox-webhook-secret"},
    routes=(
        SandboxRoute("GET", "/packages", used_for="the catalogue, 200 packages a page"),
        SandboxRoute("GET", "/packages/{packageCode}", used_for="price of one package now"),
        SandboxRoute("GET", "/account", why_not=_MONEY),
        SandboxRoute("GET", "/balance", why_not=_MONEY),
        SandboxRoute("GET", "/transactions", why_not=_MONEY),
        SandboxRoute("POST", "/orders", why_not=_ORDERS),
        SandboxRoute("GET", "/orders", why_not=_ORDERS),
        SandboxRoute("GET", "/orders/{orderId}", why_not=_ORDERS),
        SandboxRoute("GET", "/esims/{iccid}", why_not=_ESIMS),
        SandboxRoute("GET", "/esims/{iccid}/usage", why_not=_ESIMS),
        SandboxRoute("GET", "/esims/{iccid}/topup-options", why_not=_ESIMS),
        SandboxRoute("POST", "/esims/{iccid}/topup", why_not=_ORDERS),
        SandboxRoute("POST", "/esims/{iccid}/cancel", why_not=_ORDERS),
        SandboxRoute("POST", "/deposit/stripe", why_not=_DEPOSITS),
        SandboxRoute("POST", "/deposit/btcpay", why_not=_DEPOSITS),
        SandboxRoute("PUT", "/webhook", why_not=_WEBHOOKS),
        SandboxRoute("POST", "/webhook/test", why_not=_WEBHOOKS),
    ),
    charge_tolerance=Decimal("0.05"),
    capability_notes={
        Capability.ORDERS: f"not yet: {_ORDERS}",
        Capability.TOPUP: f"not yet: {_ORDERS}",
        Capability.CANCEL: f"not yet: {_ORDERS}",
        Capability.ESIM_STATUS: f"not yet: {_ESIMS}",
        Capability.BALANCE: f"not yet: {_MONEY}",
        Capability.TRANSACTIONS: f"not yet: {_MONEY}",
        Capability.WEBHOOKS: f"not yet: {_WEBHOOKS}",
        Capability.NUMBERS: "PikaSim sells no virtual numbers",
    },
)
