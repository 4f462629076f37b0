"""S2S, a server-to-server distributor of digital goods, of which this gateway sells the eSIMs."""

from providers.contract import Capability, Limits, Manifest, SandboxRoute
from providers.s2s.client import S2S, S2SSettings
from providers.s2s.sandbox import sandbox
from providers.s2s.shelf import ATTRIBUTE_CODES

_NEXT = "not used yet: "
_THERE = "the wire types and the mapping are there"

MANIFEST = Manifest(
    name="s2s",
    title="S2S",
    capabilities=frozenset({Capability.CATALOG}),
    settings=S2SSettings,
    provider=S2S,
    # The page states no rate limit; a cursor can only be followed one page after the other.
    limits=Limits(requests_per_minute=None, concurrent_pages=1),
    sandbox=sandbox,
    sandbox_settings={
        "token": "sandbox-s2s-token",
        "partner_secret": "sandbox-s2s-partner-secret",
        "attributes": dict(ATTRIBUTE_CODES),
    },
    routes=(
        SandboxRoute("GET", "/me", why_not=_NEXT + "the balance call says the same of our money"),
        SandboxRoute("GET", "/balance", why_not=_NEXT + "comes with orders"),
        SandboxRoute("GET", "/balance/history", why_not=_NEXT + "comes with orders, to tell what was charged"),
        SandboxRoute("GET", "/catalog/products", used_for="names, attributes and SKUs of the catalogue"),
        SandboxRoute(
            "GET", "/catalog/products/{uuid}", why_not="takes a product's id, while plans are known by their SKU's"
        ),
        SandboxRoute("GET", "/catalog/pricelist", used_for="prices and stock of the catalogue"),
        SandboxRoute("GET", "/catalog/categories", why_not="for people: it lists the codes to set as attributes"),
        SandboxRoute("GET", "/orders", why_not=_NEXT + "comes with orders, to look up an attempt by external_id"),
        SandboxRoute("POST", "/orders", why_not=_NEXT + "comes with orders"),
        SandboxRoute("GET", "/orders/{uuid}", why_not=_NEXT + "comes with orders"),
        SandboxRoute("POST", "/services/esim/{iccid}/topup", why_not=_NEXT + "comes with top-ups"),
        SandboxRoute("GET", "/services/esim/{iccid}/status", why_not=_NEXT + "comes with eSIM status"),
    ),
    absence_fence=(
        "orders and top-ups are signed over a timestamp that the supplier refuses five minutes later, so one that"
        " did not arrive by then never will"
    ),
    capability_notes={
        Capability.PLAN_LOOKUP: (
            "a SKU cannot be asked for by its id: products are looked up by theirs, the price list not at all"
        ),
        Capability.ORDERS: _NEXT + _THERE,
        Capability.TOPUP: _NEXT + _THERE,
        Capability.ESIM_STATUS: _NEXT + _THERE,
        Capability.BALANCE: _NEXT + _THERE,
        Capability.TRANSACTIONS: _NEXT + _THERE,
        Capability.WEBHOOKS: _NEXT + "without orders there is nothing that they could tell of",
        Capability.CANCEL: "S2S has no cancel call",
        Capability.NUMBERS: "S2S sells no virtual numbers here",
    },
)
