"""What a traveller sees without a key: the page that says how to install the eSIM, and its QR code alone.

The address is the permission: unguessable, good for a while. The page carries everything in itself and asks for nothing
of anybody else. A phone that opened it keeps it, with a worker of its own that knows this one page.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from hashlib import sha256
from importlib import resources
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp_jinja2
import jinja2
import orjson
import structlog
from aiohttp import hdrs, web

from gateway.api import state
from gateway.inventory import delivery_rules, esim_rows
from gateway.inventory.esim_polls import poll_if_old
from gateway.inventory.esim_rows import Esim
from gateway.inventory.traveller_link_rules import PAGE, PATH, PICTURE, Link, url_of
from gateway.kit.pool import DATABASE_DOWN
from gateway.travellers import traveller_setting_rows
from gateway.travellers.appearance_rules import text_on
from gateway.travellers.esim_page_rules import data_text, view_of, where_text
from gateway.travellers.languages import LANGUAGES, Texts, choose, texts_in
from gateway.travellers.phones import phones
from gateway.travellers.traveller_setting_rows import Appearance
from providers.kit import activation
from providers.kit.activation import ActivationCode
from schemas.esim import ServiceState

TEMPLATES: web.AppKey[jinja2.Environment] = web.AppKey("traveller_templates", jinja2.Environment)
log = structlog.get_logger(__name__)
_ASK = "Please ask the shop where you bought the eSIM."


def _file(name: str) -> str:
    return resources.files("gateway.api").joinpath(f"templates/{name}").read_text("utf-8").strip()


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"


_STYLE, _SCRIPT, _WORKER, _ICON = map(
    _file, ("traveller.css", "traveller.js", "traveller_worker.js", "traveller_icon.svg")
)
_STYLE_DIGEST, _SCRIPT_DIGEST = _digest(_STYLE), _digest(_SCRIPT)
_UNLISTED = {"Cache-Control": "private, no-store", "X-Robots-Tag": "noindex, nofollow, noarchive"}
_PICTURES: Mapping[str, tuple[Callable[[str], bytes], str]] = {
    "svg": (delivery_rules.qr_svg, "image/svg+xml"),
    "png": (delivery_rules.qr_png, "image/png"),
}


def install(app: web.Application) -> None:
    """Give the application the page."""
    for ending in _PICTURES:
        app.router.add_get(f"{PATH}{{token}}.{ending}", show_picture)
    app.router.add_get(PATH + "{token}/worker.js", show_worker)
    app.router.add_get(PATH + "{token}/app.webmanifest", show_manifest)
    app.router.add_get(PATH + "{token}", show)
    aiohttp_jinja2.setup(
        app,
        app_key=TEMPLATES,
        loader=jinja2.PackageLoader("gateway.api"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


async def show(request: web.Request) -> web.Response:
    """The page of an eSIM, or one that says why there is none (404, 410, 503). For people: no part of the API."""
    found = await _installable(request, PAGE)
    if isinstance(found, web.Response):
        return found
    esim, code = found
    deps = request.app[state.DEPS]
    try:
        appearance = await traveller_setting_rows.find(deps.pool, esim.storefront_id)
        await poll_if_old(deps, esim)
    except DATABASE_DOWN as error:
        log.warning("page_not_shown", error=type(error).__name__)
        return _not_now(request)
    token = request.match_info["token"]
    texts = _texts(request)
    view = view_of(esim, code, texts, appearance, PAGE.expires_at(token))
    return _page(request, 200, {"title": _title(esim, texts), "esim": view, "token": token}, appearance)


async def show_picture(request: web.Request) -> web.Response:
    """The QR code of an eSIM, for an ``<img>`` of a shop's page; 404, 410 and 503 as of the page."""
    found = await _installable(request, PICTURE)
    if isinstance(found, web.Response):
        return found
    _, code = found
    draw, content_type = _PICTURES[request.path.rpartition(".")[2]]
    headers = {**_UNLISTED, "Cross-Origin-Resource-Policy": "cross-origin"}
    return web.Response(body=draw(code.text), content_type=content_type, headers=headers)


async def show_worker(request: web.Request) -> web.Response:
    """The script by which a phone opens this one page without internet. Its scope is the page's own address."""
    deps, token = request.app.get(state.DEPS), request.match_info["token"]
    if deps is None or PAGE.esim_of(deps.seal, token, deps.clock()) is None:
        raise web.HTTPNotFound
    scope = urlsplit(url_of(token, deps.settings.esim.page_base_url)).path
    headers = {
        **_UNLISTED,
        "Service-Worker-Allowed": scope,
        "Content-Security-Policy": "default-src 'none'; connect-src 'self'",
    }
    return web.Response(text=_WORKER, content_type="text/javascript", headers=headers)


async def show_manifest(request: web.Request) -> web.Response:
    """What a phone needs to put the page among its apps."""
    found = await _installable(request, PAGE)
    if isinstance(found, web.Response):
        return found
    esim, _ = found
    texts, here = _texts(request), f"../{request.match_info['token']}"
    manifest = {
        "name": _title(esim, texts),
        "short_name": "eSIM",
        "lang": texts.language,
        "dir": texts.direction,
        "start_url": f"{here}?lang={texts.language}",
        "scope": here,
        "display": "standalone",
        "icons": [{"src": f"data:image/svg+xml,{quote(_ICON)}", "sizes": "any", "type": "image/svg+xml"}],
    }
    return web.Response(body=orjson.dumps(manifest), content_type="application/manifest+json", headers=_UNLISTED)


async def _installable(request: web.Request, link: Link) -> tuple[Esim, ActivationCode] | web.Response:
    """The eSIM that the address is for, with its activation code; a page that says why there is none."""
    deps = request.app.get(state.DEPS)
    if deps is None:
        return _not_now(request)
    esim_id = link.esim_of(deps.seal, request.match_info["token"], deps.clock())
    try:
        esim = await esim_rows.get(deps.pool, deps.seal, esim_id) if esim_id is not None else None
    except DATABASE_DOWN as error:
        log.warning("page_not_shown", error=type(error).__name__)
        return _not_now(request)
    t = _texts(request)
    if esim is None:
        why = t("The address is incomplete or has expired.")
        return _nothing(request, 404, t("This page is not here"), f"{why} {t(_ASK)}")
    code = activation.parse(esim.activation_code)
    if _is_over(esim) or code is None:
        why = t("It was cancelled or withdrawn.")
        return _nothing(request, 410, t("This eSIM cannot be installed"), f"{why} {t(_ASK)}")
    return esim, code


def _not_now(request: web.Request) -> web.Response:
    t = _texts(request)
    why = t("Please load this page again in a minute. Nothing is lost.")
    response = _nothing(request, 503, t("Not possible right now"), why)
    response.headers["Retry-After"] = "30"
    return response


def _nothing(request: web.Request, status: int, title: str, why: str) -> web.Response:
    return _page(request, status, {"title": title, "message": why, "esim": None})


def _texts(request: web.Request) -> Texts:
    return texts_in(choose(request.query.get("lang"), request.headers.get(hdrs.ACCEPT_LANGUAGE, "")))


def _page(
    request: web.Request, status: int, context: Mapping[str, Any], appearance: Appearance | None = None
) -> web.Response:
    texts, colors = _texts(request), _colors(appearance)
    values = {
        **context,
        "t": texts,
        "languages": LANGUAGES,
        "style": _STYLE,
        "colors": colors,
        "script": _SCRIPT,
        "shop": _shop(appearance),
        "phones": phones(),
    }
    response = aiohttp_jinja2.render_template("traveller.html", request, values, app_key=TEMPLATES, status=status)
    styles = f"{_STYLE_DIGEST} {_digest(colors)}" if colors else _STYLE_DIGEST
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src {styles}; script-src {_SCRIPT_DIGEST}; img-src data:; connect-src 'self'; "
        "manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    response.headers["Content-Language"] = texts.language
    response.headers.update(_UNLISTED)
    return response


def _colors(appearance: Appearance | None) -> str:
    """The storefront's colours as a style; "" where it named none."""
    if appearance is None:
        return ""
    pairs = (("act", appearance.accent_color), ("shop", appearance.header_color))
    return "".join(f":root{{--{name}:{color};--on-{name}:{text_on(color)}}}" for name, color in pairs if color)


def _shop(appearance: Appearance | None) -> dict[str, Any] | None:
    """Name and logo for the top of the page; None where there is neither."""
    if appearance is None or not (appearance.shop_name or appearance.logo):
        return None
    logo = None
    if appearance.logo is not None:
        logo = f"data:{appearance.logo_type};base64,{base64.b64encode(appearance.logo).decode()}"
    return {"name": appearance.shop_name, "logo": logo, "colored": appearance.header_color is not None}


def _title(esim: Esim, texts: Texts) -> str:
    """Where the eSIM works, and how much data it has: the plan's own name is English."""
    codes = esim.plan.get("countries")
    parts = (where_text(codes, texts), data_text(esim.plan.get("data") or {}, texts)) if codes else ()
    return " · ".join(filter(None, parts)) or str(esim.plan.get("name") or texts("Your eSIM"))


def _is_over(esim: Esim) -> bool:
    revoked = esim.status is not None and esim.status.service_state is ServiceState.REVOKED
    return revoked or esim.order_status == "cancelled"
