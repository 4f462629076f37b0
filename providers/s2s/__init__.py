"""S2S, a server-to-server distributor of digital goods, of which this gateway sells the eSIMs."""

from providers.contract import Capability, Limits, Manifest, SandboxRoute
from providers.s2s.client import S2S
from providers.s2s.sandbox import sandbox
from providers.s2s.settings import S2SSettings
from providers.s2s.shelf import ATTRIBUTE_CODES

MANIFEST = Manifest(
    name="s2s",
    title="S2S",
    capabilities=frozenset(
        {
            Capability.CATALOG,
            Capability.ORDERS,
            Capability.TOPUP,
            Capability.ESIM_STATUS,
            Capability.BALANCE,
            Capability.TRANSACTIONS,
            Capability.ORDER_HISTORY,
            Capability.WEBHOOKS,
        }
    ),
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
        SandboxRoute("GET", "/me", why_not="the balance call says the same of our money"),
        SandboxRoute("GET", "/balance", used_for="what can be spent, and whether the history is up to date"),
        SandboxRoute("GET", "/balance/history", used_for="charges and refunds: what an order that failed still holds"),
        SandboxRoute("GET", "/catalog/products", used_for="names, attributes and SKUs of the catalogue"),
        SandboxRoute(
            "GET", "/catalog/products/{uuid}", why_not="takes a product's id, while plans are known by their SKU's"
        ),
        SandboxRoute("GET", "/catalog/pricelist", used_for="prices and stock of the catalogue"),
        SandboxRoute("GET", "/catalog/categories", why_not="for people: it lists the codes to set as attributes"),
        SandboxRoute("GET", "/orders", used_for="an attempt whose order id is not known, by its external_id"),
        SandboxRoute("POST", "/orders", used_for="buying one eSIM"),
        SandboxRoute("GET", "/orders/{uuid}", used_for="what became of an order"),
        SandboxRoute("POST", "/services/esim/{iccid}/topup", used_for="adding data to an eSIM"),
        SandboxRoute("GET", "/services/esim/{iccid}/status", used_for="state and usage of an eSIM"),
    ),
    absence_fence=(
        "orders and top-ups are signed over a timestamp that the supplier refuses five minutes later, so one that"
        " did not arrive by then never will"
    ),
    absence_fence_seconds=600,  # five minutes, and as much again for clocks that are apart
    topup_same_coverage=True,
    capability_notes={
        Capability.PLAN_LOOKUP: (
            "a SKU cannot be asked for by its id: products are looked up by theirs, the price list not at all"
        ),
        Capability.CANCEL: "S2S has no cancel call",
        Capability.NUMBERS: "S2S sells no virtual numbers here",
    },
)
