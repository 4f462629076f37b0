"""S2S, a server-to-server distributor of digital goods: eSIMs, vouchers and recharges."""

from providers.contract import Capability, Limits, Manifest, SandboxRoute
from providers.s2s.client import S2S
from providers.s2s.sandbox import sandbox
from providers.s2s.sandbox.products import ATTRIBUTE_CODES
from providers.s2s.settings import S2SSettings
from schemas.account import DepositWay

MANIFEST = Manifest(
    name="s2s",
    title="S2S",
    capabilities=frozenset(
        {
            Capability.CATALOG,
            Capability.PLAN_LOOKUP,
            Capability.ORDERS,
            Capability.TOPUP,
            Capability.ESIM_STATUS,
            Capability.BALANCE,
            Capability.TRANSACTIONS,
            Capability.ORDER_HISTORY,
            Capability.WEBHOOKS,
            Capability.GOODS,
            Capability.ACCOUNT,
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
        SandboxRoute("GET", "/me", used_for="who we are to the supplier, and whether the token is taken"),
        SandboxRoute("GET", "/balance", used_for="what can be spent, and whether the history is up to date"),
        SandboxRoute("GET", "/balance/history", used_for="charges and refunds: what an order that failed still holds"),
        SandboxRoute("GET", "/catalog/products", used_for="names, attributes and SKUs of eSIMs and other goods"),
        SandboxRoute("GET", "/catalog/products/{uuid}", used_for="price and stock of one SKU as they stand now"),
        SandboxRoute("GET", "/catalog/pricelist", used_for="prices and stock of eSIMs and other goods"),
        SandboxRoute(
            "GET",
            "/catalog/categories",
            used_for="the categories of other goods, and the attributes in them",
        ),
        SandboxRoute("GET", "/orders", used_for="an attempt whose order id is not known, by its external_id"),
        SandboxRoute("POST", "/orders", used_for="buying one eSIM, or vouchers and recharges"),
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
    deposit_ways=(
        DepositWay(
            "transfer",
            "Bank transfer",
            online=False,
            what_to_do="Pay the distributor as your contract with it says, and name your partner account. It books the"
            " money by hand, as a top-up in the balance history. It may allow an overdraft besides: ask your contact.",
        ),
    ),
    webhook_advice="in the partner settings at S2S, set the webhook URL to this address",
    capability_notes={
        Capability.DEPOSITS: "deposits are made by hand: the page has no call for them",
        Capability.CANCEL: "S2S has no cancel call",
        Capability.KEYS: "S2S gives its token and partner secret to people, in the partner settings",
        Capability.WEBHOOK_SETTINGS: "people set the webhook URL in the partner settings",
        Capability.NUMBERS: "S2S sells no virtual numbers here",
    },
)
