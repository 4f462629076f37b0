"""Webhooks both ways: what suppliers send, and where storefronts want their events; and the list of those events."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypeVar

import msgspec
from aiohttp import web

from gateway.api import state
from gateway.api.paging import json_answer, pool_of
from gateway.api.parameters import EventParameters, NoParameters, PageParameters
from gateway.api.problems import Refusal, invalid, unavailable
from gateway.api.reading import read_body, read_query, unset_to_none
from gateway.api.spec import Table
from gateway.intake import inbound
from gateway.kit.addresses import fault_of_url
from gateway.kit.request_body import receive_body
from gateway.suppliers.deps import Deps
from gateway.webhooks import endpoint_rows
from gateway.webhooks import endpoints as making
from gateway.webhooks.endpoint_rows import Owner
from gateway.webhooks.notify import recent_events
from schemas.events import EventPage
from schemas.notice import NoticeType
from schemas.page import Page
from schemas.webhooks import (
    Delivery,
    Endpoint,
    EndpointChange,
    EndpointList,
    EndpointWithSecret,
    NewEndpoint,
    WebhookTaken,
)

routes = Table()
E = TypeVar("E", bound=Endpoint)

_SUPPLIER_PART = {"supplier": ("^[a-z0-9_-]{1,40}$", "The supplier's name in the configuration.")}
_ID = "^[a-z0-9_]{1,60}$"
_ENDPOINT_PART = {"id": (_ID, "The endpoint's `id`.")}
_DELIVERY_PARTS = {**_ENDPOINT_PART, "delivery_id": (_ID, "The delivery's `id`.")}


@routes(
    "POST", "/webhooks/{supplier}",
    access="public", tag="incoming", operators=True, answer=WebhookTaken, parts=_SUPPLIER_PART,
    problems=("malformed", "unauthorized", "request_timeout", "too_large", "unsupported_media_type", "unavailable"),
)  # fmt: skip
async def take_supplier_webhook(request: web.Request) -> web.Response:
    """Receive a supplier webhook.

    For suppliers only: verified by the supplier's own signature, stored once, and answered when it is stored. Its
    content is a hint; the order is then fetched from the supplier. A supplier that is not configured, or sends no
    webhooks, is answered like a wrong signature and at the same cost, so that callers cannot find out which suppliers
    this gateway uses.
    """
    deps, body = _deps(request), await receive_body(request)
    outcome = await inbound.receive(deps, request.match_info["supplier"], request.headers, body, datetime.now(UTC))
    if outcome == "forged":
        raise Refusal("unauthorized", "the signature is missing, wrong or too old")
    if outcome == "unreadable":
        raise Refusal("malformed", "this is signed, and no webhook of that supplier")
    return json_answer(WebhookTaken(received=True))


@routes(
    "GET", "/v1/events",
    access="storefront", tag="events", answer=EventPage,
    parameters=EventParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_events(request: web.Request) -> web.Response:
    """Events of the last 30 days, the newest first.

    Those of your storefront, in the mode of the key, as webhook endpoints get them. An event is listed whether or not
    an endpoint asks for it; only `plan.price_changed` and `plan.out_of_stock` need one that does. `endpoint.test` is
    not listed.
    """
    sent = read_query(request, EventParameters)
    types = list(NoticeType) if sent.type is msgspec.UNSET else [sent.type]
    owner = _owner(request)
    found = await recent_events(
        pool_of(request), _deps(request).seal, owner.storefront_id, owner.mode, types, sent.page
    )
    return json_answer(found)


@routes(
    "POST", "/v1/webhook-endpoints",
    access="storefront", tag="webhooks", status=201, answer=EndpointWithSecret,
    parameters=NoParameters, bodies=(NewEndpoint,), problems=("conflict", "invalid", "unavailable"),
)  # fmt: skip
async def create_webhook_endpoint(request: web.Request) -> web.Response:
    """Create a webhook endpoint.

    Without `events` all are sent. They are signed as Standard Webhooks says, with the `secret` that is shown here and
    never again. An event that is not answered with 2xx is retried ten times within three days; 410 disables the
    endpoint.
    """
    read_query(request, NoParameters)
    sent: NewEndpoint = await read_body(request, NewEndpoint)
    _check(request, sent.url)
    made = await making.create(
        pool_of(request),
        _deps(request).seal,
        _owner(request),
        url=sent.url,
        events=sent.events,
        description=sent.description,
    )
    if made is None:
        raise Refusal("conflict", f"there are {making.MOST} endpoints already")
    return json_answer(made, status=201)


@routes(
    "GET", "/v1/webhook-endpoints",
    access="storefront", tag="webhooks", answer=EndpointList,
    parameters=NoParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_webhook_endpoints(request: web.Request) -> web.Response:
    """Your endpoints.

    The oldest first, without their secrets.
    """
    read_query(request, NoParameters)
    return json_answer(EndpointList(await endpoint_rows.all_of(pool_of(request), _owner(request))))


@routes(
    "GET", "/v1/webhook-endpoints/{id}",
    access="storefront", tag="webhooks", answer=Endpoint,
    parts=_ENDPOINT_PART, parameters=NoParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def get_webhook_endpoint(request: web.Request) -> web.Response:
    """One endpoint.

    Without its secret, which is shown when it is made and when it is rotated.
    """
    read_query(request, NoParameters)
    return json_answer(await _endpoint(request))


@routes(
    "PATCH", "/v1/webhook-endpoints/{id}",
    access="storefront", tag="webhooks", answer=Endpoint,
    parts=_ENDPOINT_PART, parameters=NoParameters, bodies=(EndpointChange,),
    problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def change_webhook_endpoint(request: web.Request) -> web.Response:
    """Change an endpoint.

    What is left out stays. Disabling calls off what is on its way; enabling sends what happens from then on.
    """
    read_query(request, NoParameters)
    sent = await read_body(request, EndpointChange)
    if sent.url is not msgspec.UNSET:
        _check(request, sent.url)
    made = await endpoint_rows.change(
        pool_of(request),
        _owner(request),
        request.match_info["id"],
        url=unset_to_none(sent.url),
        events=unset_to_none(sent.events),
        description=unset_to_none(sent.description),
        status=unset_to_none(sent.status),
    )
    return json_answer(_found(made))


@routes(
    "DELETE", "/v1/webhook-endpoints/{id}",
    access="storefront", tag="webhooks", answer=Endpoint,
    parts=_ENDPOINT_PART, parameters=NoParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def delete_webhook_endpoint(request: web.Request) -> web.Response:
    """Delete an endpoint and its delivery log; the answer is the deleted endpoint.

    What is on its way to it is called off.
    """
    read_query(request, NoParameters)
    was = await _endpoint(request)
    await endpoint_rows.remove(pool_of(request), _owner(request), was.id)
    return json_answer(was)


@routes(
    "POST", "/v1/webhook-endpoints/{id}/rotate",
    access="storefront", tag="webhooks", answer=EndpointWithSecret,
    parts=_ENDPOINT_PART, parameters=NoParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def rotate_webhook_secret(request: web.Request) -> web.Response:
    """Make a new secret.

    For 24 hours each event is signed with both, the new one first. Rotating again within them ends the oldest.
    """
    read_query(request, NoParameters)
    made = await making.rotate(pool_of(request), _deps(request).seal, _owner(request), request.match_info["id"])
    return json_answer(_found(made))


@routes(
    "POST", "/v1/webhook-endpoints/{id}/test",
    access="storefront", tag="webhooks", status=202, answer=Delivery,
    parts=_ENDPOINT_PART, parameters=NoParameters, problems=("not_found", "conflict", "invalid", "unavailable"),
)  # fmt: skip
async def test_webhook_endpoint(request: web.Request) -> web.Response:
    """Send a test.

    An event of the type `endpoint.test` goes to this endpoint, signed and logged like every other.
    """
    read_query(request, NoParameters)
    endpoint = _enabled(await _endpoint(request))
    delivery = await making.test(pool_of(request), _deps(request).seal, _owner(request), endpoint)
    return json_answer(delivery, status=202)


@routes(
    "GET", "/v1/webhook-endpoints/{id}/deliveries",
    access="storefront", tag="webhooks", answer=Page[Delivery],
    parts=_ENDPOINT_PART, parameters=PageParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def list_webhook_deliveries(request: web.Request) -> web.Response:
    """List the deliveries of an endpoint.

    The newest first, each with its attempts.
    """
    sent = read_query(request, PageParameters)
    endpoint = await _endpoint(request)
    return json_answer(await endpoint_rows.deliveries(pool_of(request), endpoint.id, sent.page))


@routes(
    "POST", "/v1/webhook-endpoints/{id}/deliveries/{delivery_id}/replay",
    access="storefront", tag="webhooks", status=202, answer=Delivery,
    parts=_DELIVERY_PARTS, parameters=NoParameters, problems=("not_found", "conflict", "invalid", "unavailable"),
)  # fmt: skip
async def replay_webhook_delivery(request: web.Request) -> web.Response:
    """Send an event again.

    A new delivery of the same event: its `webhook-id` is the same, so that a receiver can tell.
    """
    read_query(request, NoParameters)
    endpoint = _enabled(await _endpoint(request))
    delivery = await endpoint_rows.replay(pool_of(request), endpoint.id, request.match_info["delivery_id"])
    if delivery is None:
        raise Refusal("not_found", "this endpoint has no such delivery")
    return json_answer(delivery, status=202)


def _deps(request: web.Request) -> Deps:
    deps = request.app.get(state.DEPS)
    if deps is None:
        raise unavailable("no database is configured")
    return deps


def _owner(request: web.Request) -> Owner:
    caller = request[state.CALLER]
    return Owner(caller.key.storefront_id, caller.mode)


async def _endpoint(request: web.Request) -> Endpoint:
    """The endpoint of the path, if it is the caller's."""
    return _found(await endpoint_rows.find(pool_of(request), _owner(request), request.match_info["id"]))


def _found(endpoint: E | None) -> E:
    if endpoint is None:
        raise Refusal("not_found", "there is no such endpoint")
    return endpoint


def _enabled(endpoint: Endpoint) -> Endpoint:
    if endpoint.status != "enabled":
        raise Refusal("conflict", "this endpoint is disabled")
    return endpoint


def _check(request: web.Request, url: str) -> None:
    fault = fault_of_url(url, request.app[state.SETTINGS].webhooks.allow_private)
    if fault is not None:
        raise invalid("/url", fault)
