"""Storefronts: who sells through the gateway, with which keys, up to how much, and where their events go."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import cast

from aiohttp import web

from gateway.access import mandate_rows
from gateway.access import storefront_rows as store
from gateway.access.key_rows import Mode, NewKey, keys_of
from gateway.access.mandate_rows import Mandate
from gateway.access.scope_rules import SCOPES, fault_of_scopes
from gateway.access.storefront_rows import Storefront
from gateway.console.filters import clean
from gateway.console.forms import Form, form_data
from gateway.console.orders import part
from gateway.console.pages import (
    Csv,
    Hit,
    Pages,
    View,
    deps_of,
    invalid,
    mode,
    next_page,
    page_request_of,
    see_other,
    visitor,
)
from gateway.kit.pool import Pool
from gateway.kit.problem import Problem
from gateway.kit.sheet import Column, columns, sheet_of
from gateway.operations import storefronts as flow
from gateway.suppliers import spend_rows
from gateway.webhooks import endpoint_rows
from gateway.webhooks.endpoint_rows import Owner
from schemas.money import Money

pages = Pages()
_LIST = "/console/storefronts"
KEY_COLUMNS = columns(
    "key=id, name, begins=prefix, mode",
    Column("scopes", lambda key: " ".join(key.scopes)),
    "per minute=per_minute, made=created_at, last used=last_used_at, revoked=revoked_at",
)
_PAGE = 50
MODES = ("test", "live")
SCOPE_WORDS = (
    ("catalog", "catalog: reads the catalogue"),
    ("storefront", "storefront: catalogue, quotes, orders, eSIMs, webhooks"),
    ("routing", "routing: may choose suppliers (with storefront)"),
    ("goods", "goods: digital goods (with storefront)"),
    ("ops:read", "ops:read: sees all storefronts and all costs"),
    ("ops", "ops: sees them and changes what is under /v1/ops"),
)


@pages("GET", _LIST, nav="Storefronts")
async def storefronts(request: web.Request) -> View:
    """All of them, with what they did in the last day; and the form for a new one."""
    return await _list(request)


@pages("POST", _LIST, role="admin", nav="Storefronts")
async def create(request: web.Request) -> View:
    """A new storefront is made with its first key."""
    form = await form_data(request)
    name = form.text("name", required=True, most=200)
    made = await _make(request, form, name)
    return invalid(await _list(request, form), form) if made is None else await _shown_once(request, made)


@pages("GET", _LIST + "/{id}", nav="Storefronts")
async def storefront(request: web.Request) -> View:
    """One storefront: keys, spend, endpoints."""
    return await _one(request)


@pages("POST", _LIST + "/{id}/keys", role="admin", nav="Storefronts")
async def make_key(request: web.Request) -> View:
    """One more key, shown once."""
    form, found = await form_data(request), await _found(request)
    made = await _make(request, form, found.name)
    return invalid(await _one(request, form), form) if made is None else await _shown_once(request, made)


@pages("POST", _LIST + "/{id}/keys/{key}/revoke", role="admin", nav="Storefronts")
async def revoke_key(request: web.Request) -> web.Response:
    """Refuse a key for good."""
    where, key = part(request, "id"), part(request, "key")
    if not await flow.revoke_key(deps_of(request).pool, visitor(request), key, where):
        raise web.HTTPNotFound
    return see_other(
        request, f"{_LIST}/{where}", message="The key is revoked. It is refused everywhere within five seconds."
    )


@pages("POST", _LIST + "/{id}/limit", role="admin", nav="Storefronts")
async def set_limit(request: web.Request) -> View | web.Response:
    """What a day may come to."""
    form, found = await form_data(request), await _found(request)
    limit = form.decimal("limit", least=0, most=10**12)
    if limit == 0:
        form.wrong("limit", "must be more than 0; leave it empty for no limit")
    if not form:
        return invalid(await _one(request), form)
    await flow.set_limit(deps_of(request).pool, visitor(request), found.id, limit)
    message = "The limit is removed." if limit is None else f"The limit is now {limit:f} per day."
    return see_other(request, f"{_LIST}/{found.id}", message=message)


@pages("POST", _LIST + "/{id}/endpoints/{endpoint}/enable", role="operator", nav="Storefronts")
async def enable(request: web.Request) -> web.Response:
    """Send it events again."""
    return await _switch(request, "enabled")


@pages("POST", _LIST + "/{id}/endpoints/{endpoint}/disable", role="operator", nav="Storefronts")
async def disable(request: web.Request) -> web.Response:
    """Send it nothing more; what is on its way is called off."""
    return await _switch(request, "disabled")


@pages("GET", _LIST + "/{id}/endpoints/{endpoint}", nav="Storefronts")
async def endpoint(request: web.Request) -> View:
    """What was sent to an endpoint, the newest first, each delivery with its tries."""
    found, which = await _found(request), part(request, "endpoint")
    url = f"{_LIST}/{found.id}/endpoints/{which}"
    return await delivery_log(request, Owner(found.id, mode(request)), which, url, found)


@pages("POST", _LIST + "/{id}/endpoints/{endpoint}/deliveries/{delivery}/replay", role="operator", nav="Storefronts")
async def replay(request: web.Request) -> web.Response:
    """Send an event once more."""
    where, which = part(request, "id"), part(request, "endpoint")
    return await send_delivery(request, Owner(where, mode(request)), which, f"{_LIST}/{where}/endpoints/{which}")


@pages.finds("Storefronts")
async def find(request: web.Request, question: str) -> list[Hit]:
    """Storefronts by a part of their name."""
    return [Hit(name, f"{_LIST}/{found}") for found, name in await store.named(deps_of(request).pool, question, 10)]


async def delivery_log(
    request: web.Request, owner: Owner, endpoint_id: str, url: str, storefront: Storefront | None = None
) -> View:
    """The page, at ``url``, of what was sent to an endpoint of the owner's. Staff is shown whose it is."""
    pool, may = deps_of(request).pool, visitor(request).may
    found = await endpoint_rows.find(pool, owner, endpoint_id)
    if found is None:
        raise web.HTTPNotFound
    sent = await endpoint_rows.deliveries(pool, found.id, page_request_of(request, _PAGE, endpoint_rows.DELIVERY_SORTS))
    context = {
        "storefront": storefront,
        "url": url,
        "endpoint": found,
        "deliveries": sent.data,
        "next": next_page(request, sent),
        "replayable": found.status == "enabled" and (may("operator") or may("storefront")),
    }
    rows = [
        (
            *(row.created_at, row.event_type, row.event_id, row.status, len(row.attempts)),
            *((row.attempts[-1].http_status, row.attempts[-1].error) if row.attempts else (None, None)),
        )
        for row in sent.data
    ]  # fmt: skip
    columns = ("at", "type", "event", "status", "tries", "last status", "last error")
    return View("endpoint.html", context, title="Deliveries", csv=Csv(f"deliveries-{found.id}", columns, rows))


async def send_delivery(request: web.Request, owner: Owner, endpoint_id: str, url: str) -> web.Response:
    """Send the event of the delivery in the address once more to an endpoint of the owner's; back to ``url``."""
    delivery = part(request, "delivery")
    problem = await flow.replay(deps_of(request).pool, visitor(request), owner, endpoint_id, delivery)
    if problem is not None and problem.code == "not_found":
        raise web.HTTPNotFound
    message = "It is sent again with the same event ID." if problem is None else f"Not sent: {problem.detail}."
    return see_other(request, url, message=message)


async def mandates_of(pool: Pool, storefront_id: str) -> dict[str, tuple[Money, Money, Mandate]]:
    """What the keys of a storefront may spend an order and a month, by the key's id."""
    return {
        key_id: (Money(mandate.per_order, mandate.currency), Money(mandate.per_month, mandate.currency), mandate)
        for key_id, mandate in (await mandate_rows.of_storefront(pool, storefront_id)).items()
    }


async def _list(request: web.Request, sent: Form | None = None) -> View:
    side, deps = mode(request), deps_of(request)
    page = await store.all_of(deps.pool, side, page_request_of(request, _PAGE, store.SORTS))
    base = deps.settings.base_currency
    context = {
        "storefronts": [
            (storefront, Money(storefront.sold, base), _money(storefront, base)) for storefront in page.data
        ],
        "next": next_page(request, page),
        "scopes": SCOPE_WORDS,
        "modes": MODES,
        "ticked": {"storefront"} if sent is None else set(sent.all("scope")),
    }
    table = columns(
        f"name, keys, last used=last_used_at, orders 24 h=orders, sold 24 h {base}=sold",
        f"limit {base}=daily_spend_limit, endpoints, disabled",
    )
    return View("storefronts.html", context, title="Storefronts", csv=Csv("storefronts", *sheet_of(table, page.data)))


async def _one(request: web.Request, sent: Form | None = None) -> View:
    found, side, deps = await _found(request), mode(request), deps_of(request)
    keys, mandates, outward, spent = await asyncio.gather(
        keys_of(deps.pool, found.id),
        mandates_of(deps.pool, found.id),
        endpoint_rows.all_of(deps.pool, Owner(found.id, side)),
        spend_rows.spent(deps.pool, "storefront", found.id, datetime.now(UTC)),
    )
    base = deps.settings.base_currency
    context = {
        "storefront": found,
        "keys": keys,
        "mandates": mandates,
        "endpoints": outward,
        "limit": _money(found, base),
        "spent": Money(spent, base),
        "sold": Money(found.sold, base),
        "base": base,
        "per_minute": deps.settings.rate_limit.per_minute,
        "scopes": SCOPE_WORDS,
        "modes": MODES,
        "ticked": {"storefront"} if sent is None else set(sent.all("scope")),
    }
    sheet = sheet_of(KEY_COLUMNS, keys)
    return View("storefront.html", context, title=clean(found.name)[:100], csv=Csv("keys", *sheet))


async def _found(request: web.Request) -> Storefront:
    found = await store.find(deps_of(request).pool, mode(request), part(request, "id"))
    if found is None:
        raise web.HTTPNotFound
    return found


async def _make(request: web.Request, form: Form, storefront: str) -> NewKey | None:
    """The key that a form asks for; None when something is wrong with it."""
    side = form.choice("mode", MODES)
    scopes = [scope for scope in SCOPES if scope in form.all("scope")]
    if (fault := fault_of_scopes(scopes)) is not None:
        form.wrong("scope", fault)
    name = form.text("key_name", most=100)
    per_minute = form.whole("per_minute", least=1, most=10**6)
    if not form:
        return None
    made = await flow.make_key(
        deps_of(request).pool,
        visitor(request),
        storefront=storefront,
        mode=cast("Mode", side),
        scopes=scopes,
        name=name,
        per_minute=per_minute,
    )
    if isinstance(made, Problem):
        form.wrong("", f"{made.detail[:1].upper()}{made.detail[1:]}.")
        return None
    return made


async def _shown_once(request: web.Request, made: NewKey) -> View:
    found = await store.named(deps_of(request).pool, made.storefront, 50)
    where = next((known for known, name in found if name == made.storefront), "")
    return View("storefront_key.html", {"made": made, "back": f"{_LIST}/{where}"}, title="New key")


async def _switch(request: web.Request, status: str) -> web.Response:
    where, which = part(request, "id"), part(request, "endpoint")
    owner = Owner(where, mode(request))
    done = await flow.switch_endpoint(
        deps_of(request).pool, visitor(request), owner, which, "enabled" if status == "enabled" else "disabled"
    )
    if not done:
        raise web.HTTPNotFound
    return see_other(request, f"{_LIST}/{where}", message=f"The endpoint is {status}.")


def _money(storefront: Storefront, base: str) -> Money | None:
    return None if storefront.daily_spend_limit is None else Money(storefront.daily_spend_limit, base)
