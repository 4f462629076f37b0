"""API keys: the one that a request is sent with, and all of them as operators see them: listed, made, revoked."""

from __future__ import annotations

import msgspec
from aiohttp import web

from gateway.access import key_rows
from gateway.access.key_rows import ApiKey
from gateway.access.scope_rules import SCOPES, fault_of_scopes
from gateway.api import state
from gateway.api.changes import actor_of, refused
from gateway.api.paging import json_answer, pool_of
from gateway.api.parameters import NoParameters, PageParameters
from gateway.api.problems import Refusal, invalid
from gateway.api.reading import read_body, read_query, unset_to_none
from gateway.api.spec import Table
from gateway.kit.problem import Problem
from gateway.operations import storefronts
from schemas.api_keys import CreatedKey, KeyEntry, KeyLimits, KeyRequest, OwnKey
from schemas.page import Page

routes = Table()

_KEY_PART = {"id": ("^key_[0-9a-f]{16}$", "The key's `id`.")}


@routes("GET", "/v1/me", access="any key", tag="keys", answer=OwnKey, parameters=NoParameters)
async def get_own_key(request: web.Request) -> web.Response:
    """Which key this is.

    Whose it is, in which mode, what it opens, and its limits. It is a good first request of a new client.
    """
    read_query(request, NoParameters)
    caller, settings = request[state.CALLER], request.app[state.SETTINGS]
    key = caller.key
    return json_answer(
        OwnKey(
            id=key.id,
            name=key.name,
            storefront=key.storefront,
            mode=key.mode,
            scopes=[scope for scope in SCOPES if scope in caller.granted],
            limits=KeyLimits(requests_per_minute=caller.bucket.capacity, open_orders=settings.orders.max_open or None),
        )
    )


@routes(
    "GET", "/v1/ops/keys",
    access="ops:read", tag="keys", answer=Page[KeyEntry],
    parameters=PageParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_keys(request: web.Request) -> web.Response:
    """API keys, the newest first.

    Those of all storefronts and both modes, never with their text. A revoked key stays in the list.
    """
    sent = read_query(request, PageParameters)
    found = await key_rows.newest_first(pool_of(request), sent.page)
    return json_answer(found.map(_entry))


@routes(
    "POST", "/v1/ops/keys",
    access="ops", tag="keys", status=201, answer=CreatedKey, parameters=NoParameters, bodies=(KeyRequest,),
    problems=("invalid", "unavailable"),
)  # fmt: skip
async def make_key(request: web.Request) -> web.Response:
    """Make an API key.

    The answer holds the text of the key, which nothing shows again. Sent twice it makes two keys.
    """
    read_query(request, NoParameters)
    sent = await read_body(request, KeyRequest)
    if (fault := fault_of_scopes(sent.scopes)) is not None:
        raise invalid("/scopes", fault)
    made = await storefronts.make_key(
        pool_of(request),
        actor_of(request),
        storefront=sent.storefront,
        mode=sent.mode,
        scopes=sent.scopes,
        name=unset_to_none(sent.name),
        per_minute=unset_to_none(sent.per_minute),
    )
    if isinstance(made, Problem):
        raise refused(made)
    return json_answer(msgspec.convert(made, CreatedKey, from_attributes=True), status=201)


@routes(
    "POST", "/v1/ops/keys/{id}/revoke",
    access="ops", tag="keys", answer=KeyEntry, example={"revoked_at": "2026-11-20T11:00:00Z"},
    parts=_KEY_PART, parameters=NoParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def revoke_key(request: web.Request) -> web.Response:
    """Revoke an API key.

    Refused for good, by every process within five seconds. Revoking it again changes nothing.
    """
    read_query(request, NoParameters)
    pool, key_id = pool_of(request), request.match_info["id"]
    revoked = await storefronts.revoke_key(pool, actor_of(request), key_id)
    found = await key_rows.one_key(pool, key_id) if revoked else None
    if found is None:
        raise Refusal("not_found", f"there is no key {key_id}")
    return json_answer(_entry(found))


def _entry(key: ApiKey) -> KeyEntry:
    return msgspec.convert(key, KeyEntry, from_attributes=True)
