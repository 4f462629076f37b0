"""The calls of the suppliers' pages: what each example is sent to, what it is answered with, what must be there before.

An example is sent as the page has it, but for what ``HOSTS`` and the names below it say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
from multidict import CIMultiDict

from providers.bepaid import notice
from providers.beppay.sandbox.routes import SESSION, SESSION_COOKIE
from providers.loader import load_manifests
from providers.s2s import signatures
from tests.providers.pages import kept

MANIFESTS = load_manifests()
_SETTINGS = {name: manifest.sandbox_settings for name, manifest in MANIFESTS.items()}
# What is put in the place of what the page has, and nothing else is. Hosts become the sandbox's:
HOSTS = ("https://api.bepaid.by", "https://esim.beppay.com", "http://localhost:3001")
# The page's words for credentials become the sandbox's own; where it has no call, its headers are written with them.
SHOPS = ("{Your shop id}:{Your shop secret key}", "shop_id:secret_key", "shop_id:secret")
CREDENTIALS = {
    "Bearer pk_live_your_key_here": f"Bearer {_SETTINGS['beppay']['api_key']}",
    "access_token=your_session_cookie_here": f"{SESSION_COOKIE}={SESSION}",
}
# bePaid's second creation ends in a backtick, and its update in nothing, where the shell wants a quote.
CLOSING_QUOTES = "'`"
# Not JSON: PikaSim's remarks behind values, the marks that copying put before lines of S2S's page, a list left out.
NOT_JSON = ((re.compile(r"(?m) // .*$"), ""), (re.compile(r'(?m)(^|[{\[,]\s?)- (?=["{}\]\[])'), r"\1"))
LEFT_OUT_LIST = ("[...]", "[]")


@dataclass(frozen=True)
class PageCall:
    """One call of a page.

    ``call`` is the name of a curl example, or method and path where the page has none. ``body`` and ``answer`` are
    names of JSON examples. ``before`` are calls that make what this one asks about, ``told`` is what the sandbox is
    told after those. ``status`` is what the page says of the answer, ``beside`` names fields that its example does not
    have, ``own`` is a body of ours where the page has an answer alone.
    """

    call: str
    answer: str | None = None
    status: int = 200
    body: str | None = None
    before: tuple[PageCall, ...] = ()
    told: tuple[str, Mapping[str, Any]] | None = None
    beside: frozenset[str] = frozenset()
    own: bytes | None = None

    @property
    def name(self) -> str:
        return f"{self.call} -> {self.answer or self.status}"


@dataclass
class Sent:
    """A request as it goes to a sandbox. ``path`` is relative to its base URL."""

    method: str
    path: str
    headers: CIMultiDict[str] = field(default_factory=CIMultiDict)
    body: bytes | None = None


WRONG = b'{"name": "n", "description": "d", "currency": "usd1", "amount": "1", "infinite": true, "language": "en"}'
_CREATED = (PageCall("create_unlimited", "product", 201), PageCall("create_limited", "product", 201))
_NUMBER = PageCall("post_virtual_numbers_purchase", "number_purchased")


def _beppay(prefix: str) -> tuple[PageCall, ...]:
    bought = PageCall(f"{prefix}post_esim_purchase", "purchased")
    return (
        PageCall(f"{prefix}get_keys", "keys"),
        PageCall(f"{prefix}post_keys", "key_created"),
        PageCall(f"{prefix}delete_keys", "key_revoked"),
        PageCall(f"{prefix}get_balance", "balance"),
        PageCall(f"{prefix}get_esim_plans", "plans"),
        bought,
        PageCall(f"{prefix}get_esim_orders", "orders", before=(bought,)),
    )


PAID_IN = ("till", {"deposit": "500"})
USED = ("esims/{iccid}", {"used_mb": 512})
# A voucher of the buyer's choice says between what; the page has no example of one.
RANGE = frozenset({"min_amount", "max_amount"})
_ORDERED = PageCall("POST /orders", "order_created", 201, body="new_order")
_ESIM = "/services/esim/8944422711108338982"
CALLS: Mapping[str, tuple[PageCall, ...]] = {
    "bepaid": (
        *_CREATED,
        PageCall("product", "product"),
        PageCall("products", "products", before=_CREATED),
        PageCall("update", status=204),
        PageCall("POST /products", "wrong_parameters", 422, own=WRONG),
    ),
    "beppay": (
        *_beppay(""),
        PageCall("get_virtual_numbers_countries", "number_countries"),
        PageCall("get_virtual_numbers_tiers", "number_tiers"),
        _NUMBER,
        PageCall("get_virtual_numbers_orders", "number_orders", before=(_NUMBER,)),
        *_beppay("older_"),
        PageCall("older_get_auth_me", "older_me"),
    ),
    "pikasim": (
        PageCall("GET /account", "account"),
        PageCall("GET /packages", "packages"),
        _ORDERED,
        PageCall("GET /esims/{iccid}", "esim", before=(_ORDERED,), told=USED),
        PageCall("GET /esims/{iccid}/usage", "usage", before=(_ORDERED,), told=USED),
        PageCall("POST /esims/{iccid}/topup", None, 201, body="new_topup", before=(_ORDERED,)),
        PageCall("POST /esims/{iccid}/cancel", "cancelled", before=(_ORDERED,)),
        PageCall("POST /esims/{iccid}/cancel", "cancel_refused", 400, before=(_ORDERED,), told=USED),
        PageCall("POST /deposit/stripe", "stripe_session", body="new_stripe_deposit"),
        PageCall("POST /deposit/btcpay", body="new_btcpay_deposit"),
        PageCall("PUT /webhook", body="webhook_settings"),
        PageCall("GET /packages/none", "error", 404),
    ),
    "s2s": (
        PageCall("GET /me", "me"),
        PageCall("GET /balance", "balance"),
        PageCall("GET /balance/history?per_page=2", "balance_history", before=(_ORDERED,), told=PAID_IN),
        PageCall("GET /catalog/products?type=voucher&include_skus=true&per_page=2", "products"),
        PageCall("GET /catalog/products/019bc0dd-8423-739c-a557-5387d900152b", "product"),
        PageCall("GET /catalog/pricelist?category_id=21&per_page=4", "pricelist", beside=RANGE),
        PageCall("GET /catalog/categories", "categories"),
        PageCall("GET /orders", "orders", before=(_ORDERED,)),
        _ORDERED,
        PageCall("GET /orders/7898e683-4e56-44a3-9782-eca3f758a844", "order"),
        PageCall(f"POST {_ESIM}/topup", "topup_created", 201, body="new_topup"),
        PageCall(f"GET {_ESIM}/status", "esim_status", told=USED),
    ),
}
# Examples that are neither a request nor an answer, with the reason.
LEFT_OUT: Mapping[str, Mapping[str, str]] = {
    "pikasim": {"webhook": "a notification: compared with what the sandbox sends"},
    "s2s": {"webhook": "a notification: compared with what the sandbox sends"},
}


def json_example(supplier: str, name: str) -> bytes:
    """A JSON example, without what is no JSON."""
    text = kept(supplier, "page")[name].replace(*LEFT_OUT_LIST)
    for pattern, instead in NOT_JSON:
        text = pattern.sub(instead, text)
    return text.encode()


def request_of(supplier: str, call: PageCall, *, iccid: str = "") -> Sent:
    """The request of a call, with the sandbox's credentials."""
    if " " not in call.call:
        return _from_curl(kept(supplier, "calls")[call.call])
    method, path = call.call.replace("{iccid}", iccid).split(" ", 1)
    body = call.own if call.body is None else json_example(supplier, call.body)
    return Sent(method, path, _HEADERS[supplier](path, body), body)


def _from_curl(text: str) -> Sent:
    head, _, rest = text.replace("\\\n", " ").partition(" -d")
    url = re.search(r'https?://[^\s"]+', head)
    assert url is not None, text
    (path,) = (url[0].removeprefix(host) for host in HOSTS if url[0].startswith(host))
    named = (header.split(": ", 1) for header in re.findall(r'-H "([^"]*)"', head))
    headers = CIMultiDict((name, CREDENTIALS.get(value, value)) for name, value in named)
    if user := re.search(r"-u ((?:\{[^}]*\}|[^\s:])+:(?:\{[^}]*\}|\S)+)", head):
        assert user[1] in SHOPS, user[1]
        headers["Authorization"] = _shop()
    method = re.search(r"-X (\w+)", head)
    body = rest.strip().removeprefix("'").rstrip(CLOSING_QUOTES).encode() if rest else None
    return Sent(method[1] if method else "GET", path, headers, body)


def _shop() -> str:
    settings = _SETTINGS["bepaid"]
    return f"Basic {notice.credentials(settings['shop_id'], settings['secret_key'])}"


def _s2s_headers(path: str, body: bytes | None) -> CIMultiDict[str]:
    settings = _SETTINGS["s2s"]
    headers = CIMultiDict({"Authorization": f"Bearer {settings['token']}"})
    if body is not None:
        order = msgspec.json.decode(body)
        signed = order["item"]["sku_id"] if "item" in order else path.split("/")[-2]
        secret, now = settings["partner_secret"], datetime.now(UTC)
        headers.update(signatures.order_headers(secret, now, signed, order["external_id"]))
    return headers


_HEADERS: Mapping[str, Callable[[str, bytes | None], CIMultiDict[str]]] = {
    "bepaid": lambda _path, _body: CIMultiDict({"Authorization": _shop()}),
    "pikasim": lambda _path, _body: CIMultiDict({"X-API-Key": _SETTINGS["pikasim"]["api_key"]}),
    "s2s": _s2s_headers,
}
