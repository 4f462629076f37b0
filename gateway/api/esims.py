"""eSIMs of a storefront: their state and usage, pictures to scan, and more data on them."""

from __future__ import annotations

import re

from aiohttp import hdrs, web

from gateway.api import state
from gateway.api.ordering import (
    ALSO,
    HEADERS,
    PROBLEMS,
    STATUS_MEANS,
    deps_of,
    idempotency_key,
    placed,
    refusal,
    run_to_completion,
    storefront_of,
)
from gateway.api.paging import json_answer
from gateway.api.parameters import CurrencyParameters, NoParameters, PageParameters
from gateway.api.problems import Refusal
from gateway.api.reading import read_body, read_query, unset_to_none
from gateway.api.spec import BYTES_TYPE, Table
from gateway.inventory import delivery_rules, esim_rows
from gateway.inventory.esim_rows import Esim
from gateway.inventory.esims import public_esim, qr_links, with_status, with_usage
from gateway.kit.pages import price_of
from gateway.kit.problem import Problem
from gateway.orders.topup import TopupOption, admit_topup, topup_options
from providers.kit import activation
from providers.kit.plan_names import plan_name
from schemas import api_esims
from schemas.api import PlanData, PlanValidity
from schemas.order_requests import TopupForOption, TopupForPlan
from schemas.orders import WITHOUT_CODE, Order
from schemas.page import Page
from schemas.plan import Starts

routes = Table()

_NAME = re.compile("esim_[0-9a-f]{24}|[0-9]{18,22}")
ID_PART = {"id": (f"^({_NAME.pattern})$", "The eSIM's `id` or its ICCID (then your newest one).")}


@routes(
    "GET", "/v1/esims",
    access="storefront", tag="esims", answer=Page[api_esims.Esim],
    parameters=PageParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_esims(request: web.Request) -> web.Response:
    """Your eSIMs, the newest first.

    Each as its supplier last reported it; a GET of one of them asks the supplier.
    """
    sent = read_query(request, PageParameters)
    deps = deps_of(request)
    found = await esim_rows.newest_first(deps.pool, deps.seal, *storefront_of(request), sent.page)
    return json_answer(found.map(lambda esim: public_esim(deps, esim)))


@routes(
    "GET", "/v1/esims/{id}",
    access="storefront", tag="esims", answer=api_esims.Esim, parts=ID_PART,
    parameters=NoParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def get_esim(request: web.Request) -> web.Response:
    """One eSIM: the state of its profile and its service, and its data.

    The supplier's answer is cached for a minute; `observed_at` is its time, and `Cache-Control: no-cache` asks the
    supplier again. Usage comes late with some suppliers, by hours. Where the supplier has not reported a state yet, or
    cannot, the states are `unknown`, the data and `observed_at` null.
    """
    read_query(request, NoParameters)
    deps = deps_of(request)
    esim = await with_status(deps, *storefront_of(request), _name(request), fresh=_is_fresh(request))
    if esim is None:
        raise Refusal("not_found", "there is no such eSIM")
    return json_answer(public_esim(deps, esim))


@routes(
    "GET", "/v1/esims/{id}/usage",
    access="storefront", tag="esims", answer=api_esims.EsimUsage, parts=ID_PART,
    parameters=NoParameters, problems=("not_found", "invalid", "not_supported", "unavailable"),
)  # fmt: skip
async def get_esim_usage(request: web.Request) -> web.Response:
    """How much of an eSIM's data is used.

    501: its supplier reports no usage.
    """
    read_query(request, NoParameters)
    found = await with_usage(deps_of(request), *storefront_of(request), _name(request), fresh=_is_fresh(request))
    if isinstance(found, Problem):
        raise refusal(found)
    data = found.status.data if found.status is not None else None
    return json_answer({"data": data, "observed_at": found.observed_at})


@routes(
    "GET", "/v1/esims/{id}/qr.svg",
    access="storefront", tag="esims", answer_type="image/svg+xml", parts=ID_PART,
    parameters=NoParameters, problems=("not_found", "gone", "invalid", "unavailable"),
)  # fmt: skip
async def get_esim_qr_svg(request: web.Request) -> web.Response:
    """The activation code as a QR code, SVG.

    Whoever scans it can install the eSIM: show it to its owner alone. 410: the eSIM was cancelled.
    """
    return _picture(request, delivery_rules.qr_svg((await _installable(request))[1]), "image/svg+xml")


@routes(
    "GET", "/v1/esims/{id}/qr.png",
    access="storefront", tag="esims", answer_type="image/png", parts=ID_PART,
    parameters=NoParameters, problems=("not_found", "gone", "invalid", "unavailable"),
)  # fmt: skip
async def get_esim_qr_png(request: web.Request) -> web.Response:
    """The activation code as a QR code, PNG.

    Whoever scans it can install the eSIM: show it to its owner alone. 410: the eSIM was cancelled.
    """
    return _picture(request, delivery_rules.qr_png((await _installable(request))[1]), "image/png")


@routes(
    "GET", "/v1/esims/{id}/qr-links",
    access="storefront", tag="esims", answer=api_esims.QrLinks, parts=ID_PART,
    parameters=NoParameters, problems=("not_found", "gone", "invalid", "unavailable"),
)  # fmt: skip
async def get_esim_qr_links(request: web.Request) -> web.Response:
    """Addresses of the QR code for an `<img>`, without your key.

    They end after a while, by default an hour, and stay the same for a minute: ask for them when you show the picture.
    Whoever has one can install the eSIM. 410: the eSIM was cancelled.
    """
    esim, _ = await _installable(request)
    return json_answer(qr_links(deps_of(request), esim.id))


@routes(
    "GET", "/v1/esims/{id}/topup-plans",
    access="storefront", tag="esims", answer=api_esims.TopupPlanList, parts=ID_PART,
    parameters=CurrencyParameters, problems=("not_found", "invalid", "no_rate", "not_supported", "unavailable"),
)  # fmt: skip
async def list_esim_topup_plans(request: web.Request) -> web.Response:
    """What can be added to an eSIM now, the cheapest first.

    Empty when nothing can. 501: this supplier cannot add to an eSIM.
    """
    sent = read_query(request, CurrencyParameters)
    found = await topup_options(deps_of(request), *storefront_of(request), _name(request), unset_to_none(sent.currency))
    if isinstance(found, Problem):
        raise refusal(found)
    return json_answer(api_esims.TopupPlanList([_option(option) for option in found]))


@routes(
    "POST", "/v1/esims/{id}/topups",
    access="storefront", tag="esims", status=201, status_means=STATUS_MEANS, also=ALSO,
    answer=Order, example={"kind": "topup", "esim": WITHOUT_CODE}, parts=ID_PART,
    parameters=NoParameters, headers=HEADERS, bodies=(TopupForOption, TopupForPlan),
    problems=(*PROBLEMS, "not_topupable", "not_supported"),
)  # fmt: skip
async def top_up_esim(request: web.Request) -> web.Response:
    """Add data to an eSIM.

    An order of the kind topup, bought from the eSIM's own supplier and from no other. Send one of the ids that
    `topup-plans` lists, or the id of a plan among them. 409 `not_topupable`: a cancel of the eSIM was asked for or is
    done, or the eSIM is revoked or expired.
    """
    read_query(request, NoParameters)
    key = idempotency_key(request)
    sent: TopupForOption | TopupForPlan = await read_body(request, TopupForOption, TopupForPlan)
    key_id = request[state.CALLER].key.id
    admission = admit_topup(deps_of(request), *storefront_of(request), _name(request), sent, key, key_id=key_id)
    return await placed(request, await run_to_completion(admission))


def _is_fresh(request: web.Request) -> bool:
    """Whether the caller wants the supplier to be asked again."""
    return "no-cache" in request.headers.get("Cache-Control", "").lower()


async def _installable(request: web.Request) -> tuple[Esim, str]:
    """The eSIM asked for, with its activation code."""
    read_query(request, NoParameters)
    deps = deps_of(request)
    esim = await esim_rows.find(deps.pool, deps.seal, *storefront_of(request), _name(request))
    if esim is None:
        raise Refusal("not_found", "there is no such eSIM")
    if esim.order_status == "cancelled":
        raise Refusal("gone", "this eSIM was cancelled")
    code = activation.parse(esim.activation_code)
    if code is None:
        raise Refusal("not_found", "this eSIM has no installable activation code")
    return esim, code.text


def _name(request: web.Request) -> str:
    """The id or ICCID asked for. What cannot be one is not there."""
    name = request.match_info["id"]
    if not _NAME.fullmatch(name):
        raise Refusal("not_found", "there is no such eSIM")
    return name


def _option(option: TopupOption) -> api_esims.TopupPlan:
    offer = option.offer
    price = price_of(option.price)
    if price is None:
        raise ValueError("an option without a price is none")
    return api_esims.TopupPlan(
        id=option.id,
        plan_id=offer.plan_id,
        name=plan_name(offer.coverage, offer.data, offer.days, offer.features.included),
        data=PlanData.of(offer.data, offer.days),
        validity=PlanValidity(offer.days, Starts(offer.starts)),
        price=price,
    )


def _picture(request: web.Request, body: bytes, content_type: str) -> web.Response:
    if request.headers.get(hdrs.ACCEPT, "").strip() == BYTES_TYPE:
        content_type = BYTES_TYPE
    return web.Response(body=body, content_type=content_type, headers={"Cache-Control": "private, no-store"})
