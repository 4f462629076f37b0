"""bePaid: payment links. A product of quantity 1 is a link for one payment; what was paid comes by notification."""

from __future__ import annotations

from providers.bepaid.client import BePaid, BePaidSettings
from providers.bepaid.sandbox import sandbox
from providers.bepaid.sandbox.signing_key import PUBLIC_KEY
from providers.contract import Limits, Manifest, SandboxRoute

MANIFEST = Manifest(
    name="bepaid",
    title="bePaid",
    capabilities=frozenset(),
    settings=BePaidSettings,
    provider=BePaid,
    limits=Limits(),
    sandbox=sandbox,
    sandbox_settings={"shop_id": "361", "secret_key": "bepaid-sandbox-secret", "public_key": PUBLIC_KEY},
    routes=(
        SandboxRoute("POST", "/products", used_for="a payment link for one checkout"),
        SandboxRoute("GET", "/products", used_for="a link whose making got no answer, by the id in its description"),
        SandboxRoute("GET", "/products/{product_id}", used_for="whether a link can still be paid, where no word came"),
        SandboxRoute("PUT", "/products/{product_id}", used_for="ending a link before its time"),
    ),
    webhook_advice="In the shop's settings at bePaid, set the notification URL to this account's address here.",
)
