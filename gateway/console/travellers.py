"""What a storefront's travellers see of it: name, logo, colours and the top-up link."""

from __future__ import annotations

from aiohttp import web

from gateway.access import storefront_rows
from gateway.console.filters import clean
from gateway.console.forms import form_data
from gateway.console.orders import part
from gateway.console.pages import Pages, View, deps_of, invalid, mode, see_other, visitor
from gateway.kit.problem import Problem
from gateway.travellers import appearance
from gateway.travellers.appearance_rules import LARGEST_LOGO, MOST_PIXELS
from schemas.api_travellers import TravellerSettings, TravellerSettingsPatch

pages = Pages()
_PATH = "/console/storefronts/{id}/travellers"
_LONGEST_LOGO = LARGEST_LOGO * 4 // 3 + 4  # in base64
_COLOR_FORM = "must be # and six hexadecimal digits"
_TEXTS = (("shop_name", 100), ("topup_url", 1000), ("accent_color", 7), ("header_color", 7))


@pages("GET", _PATH, nav="Storefronts")
async def travellers(request: web.Request) -> View:
    """The settings, and the form that changes them."""
    return await _view(request)


@pages("POST", _PATH, role="admin", nav="Storefronts")
async def change(request: web.Request) -> View | web.Response:
    """Change them all; a logo that is not sent stays."""
    form, storefront_id = await form_data(request, longest=_LONGEST_LOGO), part(request, "id")
    values = {name: form.text(name, most=most) for name, most in _TEXTS}
    logo = "" if form.ticked("no_logo") else form.text("logo", most=_LONGEST_LOGO)
    if logo or form.ticked("no_logo"):
        values["logo"] = logo
    for name in ("accent_color", "header_color"):
        if not appearance.is_color(values[name]):
            form.wrong(name, _COLOR_FORM)
    if form:
        patch = TravellerSettingsPatch(**values)
        changed = await appearance.change(deps_of(request).pool, storefront_id, patch, visitor(request))
        if not isinstance(changed, Problem):
            return see_other(request, _PATH.format(id=storefront_id), message="The settings are saved.")
        if changed.code == "not_found":
            raise web.HTTPNotFound
        for pointer, why in changed.errors:
            form.wrong(pointer.removeprefix("/"), why)
    return invalid(await _view(request), form)


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
    }
    return View("travellers.html", context, title=f"Travellers of {clean(storefront.name)[:100]}")


def _type_of(settings: TravellerSettings) -> str:
    return "image/png" if (settings.logo or "").startswith("iVBOR") else "image/jpeg"
