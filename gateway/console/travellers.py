"""What a storefront's travellers see of it and are sent: name, logo, colours, the top-up link, e-mails."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from gateway.access import storefront_rows
from gateway.console.filters import clean
from gateway.console.forms import form_data
from gateway.console.orders import LIST as ORDERS
from gateway.console.orders import part
from gateway.console.pages import Pages, View, deps_of, invalid, mode, own_address, see_other, visitor
from gateway.kit.problem import Problem
from gateway.travellers import appearance, emails
from gateway.travellers.appearance_rules import LARGEST_LOGO, MOST_PIXELS
from gateway.travellers.languages import LANGUAGES
from schemas.api_travellers import TravellerSettings, TravellerSettingsPatch

pages = Pages()
_PATH = "/console/storefronts/{id}/travellers"
_LONGEST_LOGO = LARGEST_LOGO * 4 // 3 + 4  # in base64
_COLOR_FORM = "must be # and six hexadecimal digits"
_TEXTS = (
    *(("shop_name", 100), ("topup_url", 1000), ("accent_color", 7), ("header_color", 7)),
    *(("email_name", 100), ("email_address", 254), ("email_language", 2)),
)
_SWITCHES = ("email_enabled", "email_usage", "email_topups")


@pages("GET", _PATH, nav="Storefronts")
async def travellers(request: web.Request) -> View:
    """The settings, and the form that changes them."""
    return await _view(request)


@pages("POST", _PATH, role="admin", nav="Storefronts")
async def change(request: web.Request) -> View | web.Response:
    """Change them all; a logo that is not sent stays."""
    form, storefront_id = await form_data(request, longest=_LONGEST_LOGO), part(request, "id")
    values: dict[str, Any] = {name: form.text(name, most=most) for name, most in _TEXTS}
    values |= {name: form.ticked(name) for name in _SWITCHES}
    logo = "" if form.ticked("no_logo") else form.text("logo", most=_LONGEST_LOGO)
    if logo or form.ticked("no_logo"):
        values["logo"] = logo
    for name in ("accent_color", "header_color"):
        if not appearance.is_color(values[name]):
            form.wrong(name, _COLOR_FORM)
    if values["email_address"] and not appearance.is_address(values["email_address"]):
        form.wrong("email_address", "is not an e-mail address")
    if form:
        patch = TravellerSettingsPatch(**values)
        deps = deps_of(request)
        changed = await appearance.change(deps.pool, deps.settings, storefront_id, patch, visitor(request))
        if not isinstance(changed, Problem):
            return see_other(request, _PATH.format(id=storefront_id), message="The settings are saved.")
        if changed.code == "not_found":
            raise web.HTTPNotFound
        for pointer, why in changed.errors:
            form.wrong(pointer.removeprefix("/"), why)
    return invalid(await _view(request), form)


@pages("POST", "/console/orders/{id}/resend-email", role="operator", nav="Orders")
async def resend_email(request: web.Request) -> web.Response:
    """Send the delivery of an order to its customer once more."""
    form, order_id = await form_data(request), part(request, "id")
    found = await emails.resend(deps_of(request), order_id, visitor(request))
    if isinstance(found, Problem) and found.code == "not_found":
        raise web.HTTPNotFound
    message = f"Not sent: {found.detail}." if isinstance(found, Problem) else "The e-mail is queued."
    return see_other(request, own_address(form.text("next", most=500), f"{ORDERS}/{order_id}"), message=message)


async def _view(request: web.Request) -> View:
    deps, storefront_id = deps_of(request), part(request, "id")
    settings = await appearance.find(deps.pool, storefront_id)
    storefront = await storefront_rows.find(deps.pool, mode(request), storefront_id)
    if settings is None or storefront is None:
        raise web.HTTPNotFound
    context = {
        "storefront": storefront,
        "settings": settings,
        "logo": None if settings.logo is None else f"data:{_type_of(settings)};base64,{settings.logo}",
        "largest": LARGEST_LOGO,
        "most_pixels": MOST_PIXELS,
        "languages": list(LANGUAGES.items()),
    }
    return View("travellers.html", context, title=f"Travellers of {clean(storefront.name)[:100]}")


def _type_of(settings: TravellerSettings) -> str:
    return "image/png" if (settings.logo or "").startswith("iVBOR") else "image/jpeg"
