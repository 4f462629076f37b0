"""BepPay: a partner API for eSIM plans and virtual numbers, paid from a USDT wallet."""

from __future__ import annotations

from providers.beppay.client import BepPay, BepPaySettings
from providers.beppay.sandbox import sandbox
from providers.contract import Capability, Limits, Manifest, SandboxRoute
from schemas.account import DepositWay

MANIFEST = Manifest(
    name="beppay",
    title="BepPay",
    capabilities=frozenset(
        {
            Capability.CATALOG,
            Capability.ORDERS,
            Capability.BALANCE,
            Capability.ORDER_HISTORY,
            Capability.KEYS,
            Capability.NUMBERS,
        }
    ),
    settings=BepPaySettings,
    provider=BepPay,
    limits=Limits(max_body_bytes=64 * 1024 * 1024),
    sandbox=sandbox,
    sandbox_settings={"api_key": "pk_live_beppay_sandbox", "email_domain": "example.com"},
    routes=(
        SandboxRoute("GET", "/api/partner/esim/plans", used_for="the catalogue, all plans in one answer"),
        SandboxRoute("POST", "/api/partner/esim/purchase", used_for="buying one eSIM, which its answer delivers"),
        SandboxRoute("GET", "/api/partner/esim/orders", used_for="what became of an attempt, by its own address"),
        SandboxRoute(
            "GET", "/api/partner/balance", used_for="what can be spent, and whether all charges together explain it"
        ),
        SandboxRoute("GET", "/api/partner/keys", used_for="our keys, and the id of one that was just made"),
        SandboxRoute("POST", "/api/partner/keys", used_for="a new key, when the key is rotated"),
        SandboxRoute("DELETE", "/api/partner/keys", used_for="the old key, when the new one is in force"),
        SandboxRoute("GET", "/api/partner/virtual-numbers/countries", used_for="where virtual numbers are sold"),
        SandboxRoute("GET", "/api/partner/virtual-numbers/tiers", used_for="how long numbers are held, and prices"),
        SandboxRoute("POST", "/api/partner/virtual-numbers/purchase", used_for="buying one number, in its answer"),
        SandboxRoute(
            "GET",
            "/api/partner/virtual-numbers/orders",
            used_for="what became of a number's purchase, by country, tier and time; expiry and autorenew",
        ),
        SandboxRoute("GET", "/api/auth/me", why_not="it takes a user's session cookie from the dashboard, not a key"),
    ),
    one_number_at_a_time=True,
    deposit_ways=(
        DepositWay(
            "manual",
            "By the supplier's people",
            online=False,
            what_to_do="Ask your contact at BepPay for a top-up of the partner balance: it shows no addresses to pay"
            " to, and its people book the money by hand.",
        ),
    ),
    webhook_advice="nothing is to be done: BepPay sends no webhooks, and purchases are answered with the eSIM itself",
    capability_notes={
        Capability.DEPOSITS: "deposit addresses are hidden: the balance is filled by hand",
        Capability.GOODS: "BepPay sells eSIMs and virtual numbers only",
        Capability.PLAN_LOOKUP: "BepPay can tell one plan only by listing all",
        Capability.TOPUP: "BepPay has no top-up call",
        Capability.ESIM_STATUS: "BepPay tells nothing of an eSIM after its purchase",
        Capability.CANCEL: "BepPay has no cancel call",
        Capability.TRANSACTIONS: "BepPay lists orders, not movements of the balance",
        Capability.WEBHOOKS: "BepPay sends no webhooks",
        Capability.WEBHOOK_SETTINGS: "BepPay sends no webhooks",
        Capability.ACCOUNT: "BepPay shows the account to a user's session cookie only, never to a key",
    },
)
