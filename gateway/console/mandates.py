"""The mandate of a key: what its orders may come to, and until when."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from aiohttp import web

from gateway.access import mandate_rows, storefront_rows
from gateway.access.key_rows import ApiKey, one_key
from gateway.console.forms import form_data
from gateway.console.orders import part
from gateway.console.pages import Pages, View, deps_of, invalid, mode, see_other, visitor
from gateway.operations import storefronts

pages = Pages()
_STOREFRONT = "/console/storefronts/{id}"
_MANDATE = _STOREFRONT + "/keys/{key}/mandate"
# As the API takes them.
_LARGEST, _DECIMALS = Decimal(10**9) - Decimal("0.000001"), 6


@pages("GET", _MANDATE, role="admin", nav="Storefronts")
async def mandate(request: web.Request) -> View:
    """The form that bounds what a key may spend."""
    return await _form(request)


@pages("POST", _MANDATE, role="admin", nav="Storefronts")
async def set_mandate(request: web.Request) -> View | web.Response:
    """Give the key a mandate, or another one."""
    form, key = await form_data(request), await _key(request)
    amounts = {}
    for name in ("per_order", "per_day", "per_month"):
        amount = form.decimal(name, required=True, least=0, most=_LARGEST)
        if amount is not None and -int(amount.as_tuple().exponent) > _DECIMALS:
            form.wrong(name, f"has more than {_DECIMALS} decimals")
        amounts[name] = amount or Decimal(0)
    ends_at = form.moment("ends_at", required=True)
    if not form or ends_at is None:
        return invalid(await _form(request), form)
    deps = deps_of(request)
    await storefronts.set_mandate(
        deps.pool, visitor(request), key.id, **amounts, currency=deps.settings.base_currency, ends_at=ends_at
    )
    return see_other(request, _back(request), message="The mandate is set. It holds from the key's next order on.")


@pages("POST", _MANDATE + "/remove", role="admin", nav="Storefronts")
async def remove_mandate(request: web.Request) -> web.Response:
    """Take the key's mandate away, and with it its bounds."""
    key = await _key(request)
    removed = await storefronts.remove_mandate(deps_of(request).pool, visitor(request), key.id)
    message = "The key has no mandate." if removed is None else "The mandate is removed."
    return see_other(request, _back(request), message=message)


async def _key(request: web.Request) -> ApiKey:
    key = await one_key(deps_of(request).pool, part(request, "key"))
    if key is None or key.storefront_id != part(request, "id"):
        raise web.HTTPNotFound
    return key


async def _form(request: web.Request) -> View:
    deps, key = deps_of(request), await _key(request)
    found = await storefront_rows.find(deps.pool, mode(request), part(request, "id"))
    if found is None:
        raise web.HTTPNotFound
    bounds = await mandate_rows.find(deps.pool, key.id)
    ends_at = None if bounds is None else bounds.ends_at.astimezone(UTC)
    context = {
        "storefront": found,
        "key": key,
        "mandate": bounds,
        "ends_at": "" if ends_at is None else ends_at.strftime("%Y-%m-%dT%H:%M"),
        "over": ends_at is not None and ends_at <= datetime.now(UTC),
        "base": deps.settings.base_currency,
    }
    return View("mandate.html", context, title="Mandate of a key")


def _back(request: web.Request) -> str:
    return _STOREFRONT.format(id=part(request, "id"))
