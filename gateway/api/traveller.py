"""What a traveller sees without a key: the page that says how to install the eSIM, and its QR code alone.

The address is the permission: unguessable, good for a while. The page is one answer, which asks for nothing else: no
script, no picture from elsewhere, nothing that a third party learns of.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from importlib import resources
from typing import Any

import aiohttp_jinja2
import jinja2
import msgspec
import structlog
from aiohttp import web

from gateway.api import state
from gateway.inventory import delivery_rules, esim_rows
from gateway.inventory.esim_rows import Esim
from gateway.inventory.esims import install_by
from gateway.inventory.traveller_link_rules import PAGE, PATH, PICTURE, Link
from gateway.kit.pool import DATABASE_DOWN
from providers.kit import activation
from providers.kit.activation import ActivationCode
from providers.kit.places import country_name
from schemas.esim import ServiceState
from schemas.plan import Features, Starts

TEMPLATES: web.AppKey[jinja2.Environment] = web.AppKey("traveller_templates", jinja2.Environment)
log = structlog.get_logger(__name__)
_MOST_NAMED = 12
_ASK = "Please ask the shop where you bought it."
_STYLE = resources.files("gateway.api").joinpath("templates/traveller.css").read_text("utf-8").strip()
_STYLE_DIGEST = base64.b64encode(sha256(_STYLE.encode()).digest()).decode()
_UNLISTED = {"Cache-Control": "private, no-store", "X-Robots-Tag": "noindex, nofollow, noarchive"}
_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_DIGEST}'; img-src data:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    **_UNLISTED,
}
_PICTURES: Mapping[str, tuple[Callable[[str], bytes], str]] = {
    "svg": (delivery_rules.qr_svg, "image/svg+xml"),
    "png": (delivery_rules.qr_png, "image/png"),
}
_STARTS = {
    Starts.INSTALL: "Its time begins when it is installed.",
    Starts.FIRST_USE: "Its time begins when it is first used.",
    Starts.PURCHASE: "Its time began when it was bought.",
}

_SENTENCES: tuple[tuple[str, bool, str], ...] = (
    ("hotspot", True, "You may share its data with other devices."),
    ("hotspot", False, "Its data cannot be shared with other devices."),
    ("phone_number", True, "It has a phone number of its own."),
    ("kyc_required", True, "You must show who you are before it works: have your passport ready."),
)


def install(app: web.Application) -> None:
    """Give the application the page."""
    for ending in _PICTURES:
        app.router.add_get(f"{PATH}{{token}}.{ending}", show_picture)
    app.router.add_get(PATH + "{token}", show)
    aiohttp_jinja2.setup(
        app, app_key=TEMPLATES, loader=jinja2.PackageLoader("gateway.api"), undefined=jinja2.StrictUndefined
    )


async def show(request: web.Request) -> web.Response:
    """The page of an eSIM, or one that says why there is none (404, 410, 503). For people: no part of the API."""
    found = await _installable(request, PAGE)
    if isinstance(found, web.Response):
        return found
    esim, code = found
    return _page(request, 200, {"title": _title(esim), "esim": _shown(esim, code, request.match_info["token"])})


async def show_picture(request: web.Request) -> web.Response:
    """The QR code of an eSIM, for an ``<img>`` of a shop's page; 404, 410 and 503 as of the page."""
    found = await _installable(request, PICTURE)
    if isinstance(found, web.Response):
        return found
    _, code = found
    draw, content_type = _PICTURES[request.path.rpartition(".")[2]]
    headers = {**_UNLISTED, "Cross-Origin-Resource-Policy": "cross-origin"}
    return web.Response(body=draw(code.text), content_type=content_type, headers=headers)


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
    if esim is None:
        return _nothing(request, 404, "This page is not here", f"Its time is over, or the address is not whole. {_ASK}")
    code = activation.parse(esim.activation_code)
    if _is_over(esim) or code is None:
        return _nothing(request, 410, "This eSIM cannot be installed", f"It was cancelled or taken back. {_ASK}")
    return esim, code


def _not_now(request: web.Request) -> web.Response:
    why = "Something is being put right. Please load this page again in a minute: nothing is lost."
    response = _nothing(request, 503, "Not possible right now", why)
    response.headers["Retry-After"] = "30"
    return response


def _nothing(request: web.Request, status: int, title: str, why: str) -> web.Response:
    return _page(request, status, {"title": title, "message": why, "esim": None})


def _page(request: web.Request, status: int, context: dict[str, Any]) -> web.Response:
    response = aiohttp_jinja2.render_template(
        "traveller.html", request, {**context, "style": _STYLE}, app_key=TEMPLATES, status=status
    )
    response.headers.update(_HEADERS)
    return response


def _title(esim: Esim) -> str:
    return str(esim.plan.get("name") or "Your eSIM")


def _is_over(esim: Esim) -> bool:
    revoked = esim.status is not None and esim.status.service_state is ServiceState.REVOKED
    return revoked or esim.order_status == "cancelled"


def _shown(esim: Esim, code: ActivationCode, token: str) -> dict[str, Any]:
    validity = esim.plan.get("validity") or {}
    days = validity.get("days")
    expires_at = PAGE.expires_at(token)
    return {
        "data": _data(esim.plan.get("data") or {}),
        "validity": f"{days} {'day' if days == 1 else 'days'}" if days else "",
        "where": _where(esim.plan.get("countries") or []),
        "starts": _STARTS.get(validity.get("starts", ""), ""),
        "confirmation_code_required": esim.confirmation_code_required or code.confirmation_code_required,
        "install": delivery_rules.install_links(code.text),
        "qr_svg": delivery_rules.qr_svg(code.text).decode(),
        "smdp_address": code.smdp_address,
        "matching_id": code.matching_id,
        "activation_code": code.text,
        "iccid": esim.iccid,
        "apn": esim.status.apn if esim.status is not None else None,
        "phone_number": esim.status.msisdn if esim.status is not None else None,
        "install_by": _day(install_by(esim)),
        "facts": _facts(esim.plan.get("features") or {}),
        "until": _day(expires_at - timedelta(seconds=1)),
    }


def _day(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment.day} {moment:%B %Y}"


def _facts(stated: dict[str, Any]) -> list[str]:
    """What else a traveller wants to know of the plan, in sentences; what its supplier did not say is left out."""
    features = msgspec.convert(stated, Features)
    included = [f"It includes {' and '.join(features.included)}."] if features.included else []
    return included + [text for name, value, text in _SENTENCES if getattr(features, name) is value]


def _data(data: dict[str, Any]) -> str:
    if data.get("unlimited"):
        return "Unlimited data"
    return str(data.get("declared") or "").replace("/", " a ")


def _where(codes: list[str]) -> str:
    names = sorted(country_name(code) for code in codes)
    if len(names) > _MOST_NAMED:
        return f"{len(names)} countries, among them " + ", ".join(names[:_MOST_NAMED])
    return ", ".join(names)
