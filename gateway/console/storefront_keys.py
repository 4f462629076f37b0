"""A storefront's own API keys, for its users: made with the scopes of a storefront, and revoked."""

from __future__ import annotations

from typing import cast

from aiohttp import web

from gateway.access import key_rows
from gateway.access.key_rows import Mode, NewKey
from gateway.access.scope_rules import SELF_SERVICE, is_for_operators
from gateway.console.forms import Form, form_data
from gateway.console.orders import part
from gateway.console.pages import Csv, Pages, View, deps_of, invalid, see_other, visitor
from gateway.console.storefronts import KEY_COLUMNS, MODES, SCOPE_WORDS, mandates_of
from gateway.kit.problem import Problem
from gateway.kit.sheet import sheet_of
from gateway.operations import storefronts as flow
from gateway.orders.order_view_rows import StorefrontScope

pages = Pages()
LIST = "/console/my/keys"
_SCOPES = [(scope, label) for scope, label in SCOPE_WORDS if scope in SELF_SERVICE]


@pages.for_storefront("GET", LIST, nav="API keys")
async def list_keys(request: web.Request, own: StorefrontScope) -> View:
    """Its keys, live and test, and the form for a new one."""
    return await _list(request, own)


@pages.for_storefront("POST", LIST, nav="API keys")
async def make_key(request: web.Request, own: StorefrontScope) -> View:
    """One more key, shown once."""
    form = await form_data(request)
    made = await _made(request, own, form)
    if made is None:
        return invalid(await _list(request, own, form), form)
    return View("storefront_key.html", {"made": made, "back": LIST}, title="New key")


@pages.for_storefront("POST", LIST + "/{key}/revoke", nav="API keys")
async def revoke_key(request: web.Request, own: StorefrontScope) -> web.Response:
    """Refuse a key for good."""
    pool, key_id = deps_of(request).pool, part(request, "key")
    key = await key_rows.one_key(pool, key_id)
    if key is None or is_for_operators(key.scopes):
        raise web.HTTPNotFound
    if not await flow.revoke_key(pool, visitor(request), key_id, own.storefront_id):
        raise web.HTTPNotFound
    return see_other(request, LIST, message="The key is revoked. It is refused everywhere within five seconds.")


async def _list(request: web.Request, own: StorefrontScope, sent: Form | None = None) -> View:
    deps = deps_of(request)
    keys = [key for key in await key_rows.keys_of(deps.pool, own.storefront_id) if not is_for_operators(key.scopes)]
    context = {
        "keys": keys,
        "mandates": await mandates_of(deps.pool, own.storefront_id),
        "per_minute": deps.settings.rate_limit.per_minute,
        "scopes": _SCOPES,
        "modes": MODES,
        "ticked": {"storefront"} if sent is None else set(sent.all("scope")),
    }
    return View("storefront_keys.html", context, title="API keys", csv=Csv("keys", *sheet_of(KEY_COLUMNS, keys)))


async def _made(request: web.Request, own: StorefrontScope, form: Form) -> NewKey | None:
    """The key that a form asks for; None when something is wrong with it."""
    side = form.choice("mode", MODES)
    name = form.text("key_name", most=100)
    scopes = form.all("scope")
    if not scopes or not SELF_SERVICE.issuperset(scopes):
        form.wrong("scope", f"choose one or more of {', '.join(sorted(SELF_SERVICE))}")
    if not form:
        return None
    user = visitor(request)
    made = await flow.make_key(
        deps_of(request).pool,
        user,
        storefront=user.storefront or "",
        mode=cast("Mode", side),
        scopes=scopes,
        name=name,
        per_minute=None,
        storefront_id=own.storefront_id,
    )
    if isinstance(made, Problem):
        form.wrong("", f"{made.detail[:1].upper()}{made.detail[1:]}.")
        return None
    return made
