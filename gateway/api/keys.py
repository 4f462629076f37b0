"""API keys: the one that a request is sent with, and all of them as operators see, make, bound and revoke them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
from aiohttp import web

from gateway.access import key_rows, mandate_rows
from gateway.access.key_rows import ApiKey
from gateway.access.mandate_rows import Mandate as KeyMandate
from gateway.access.scope_rules import SCOPES, fault_of_scopes
from gateway.api import state
from gateway.api.changes import actor_of, refused
from gateway.api.paging import json_answer, pool_of
from gateway.api.parameters import NoParameters, PageParameters
from gateway.api.problems import Refusal, invalid
from gateway.api.reading import clamped, read_body, read_query, unset_to_none
from gateway.api.spec import Table
from gateway.kit.pool import Pool
from gateway.kit.problem import Problem
from gateway.operations import storefronts
from gateway.suppliers import spend_rows
from schemas.api import Price
from schemas.api_keys import CreatedKey, KeyEntry, KeyLimits, KeyRequest, Mandate, MandateRequest, OwnKey
from schemas.money import Money
from schemas.page import Page

routes = Table()

_KEY_PART = {"id": ("^key_[0-9a-f]{16}$", "The key's `id`.")}


@routes(
    "GET", "/v1/me", access="any key", tag="keys", answer=OwnKey, parameters=NoParameters, problems=("unavailable",)
)
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
    "GET", "/v1/me/mandate",
    access="storefront", tag="keys", answer=Mandate, parameters=NoParameters, problems=("not_found", "unavailable"),
)  # fmt: skip
async def get_own_mandate(request: web.Request) -> web.Response:
    """What this key may spend, and what it has spent.

    An operator sets it. 404: the key has no mandate, so that only the limit of its storefront bounds it.
    """
    read_query(request, NoParameters)
    pool, key_id = pool_of(request), request[state.CALLER].key.id
    return json_answer(await _mandate(pool, _found(await mandate_rows.find(pool, key_id), key_id)))


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


@routes(
    "GET", "/v1/ops/keys/{id}/mandate",
    access="ops:read", tag="keys", answer=Mandate,
    parts=_KEY_PART, parameters=NoParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def get_key_mandate(request: web.Request) -> web.Response:
    """What a key may spend, and what it has spent.

    404: there is no such key, or it has no mandate.
    """
    read_query(request, NoParameters)
    pool, key_id = pool_of(request), request.match_info["id"]
    return json_answer(await _mandate(pool, _found(await mandate_rows.find(pool, key_id), key_id)))


@routes(
    "PUT", "/v1/ops/keys/{id}/mandate",
    access="ops", tag="keys", answer=Mandate,
    parts=_KEY_PART, parameters=NoParameters, bodies=(MandateRequest,),
    problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def set_key_mandate(request: web.Request) -> web.Response:
    """Bound what a key may spend.

    For each order, each UTC day and each UTC month, until an end. It holds for every order that is placed with the key,
    from the next one on, and lets an agent buy through `esim-gateway mcp`. An order beyond it is 409
    `mandate_exceeded`, one after its end 409 `mandate_ended`. What was spent under an earlier mandate counts.
    """
    read_query(request, NoParameters)
    sent = await read_body(request, MandateRequest)
    pool, settings = pool_of(request), request.app[state.SETTINGS]
    key_id = request.match_info["id"]
    made = await storefronts.set_mandate(
        pool,
        actor_of(request),
        key_id,
        per_order=Decimal(sent.per_order),
        per_day=Decimal(sent.per_day),
        per_month=Decimal(sent.per_month),
        currency=settings.base_currency,
        ends_at=clamped(sent.ends_at),
    )
    if made is None:
        raise Refusal("not_found", f"there is no key {key_id}")
    return json_answer(await _mandate(pool, made))


@routes(
    "DELETE", "/v1/ops/keys/{id}/mandate",
    access="ops", tag="keys", answer=Mandate,
    parts=_KEY_PART, parameters=NoParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def remove_key_mandate(request: web.Request) -> web.Response:
    """Take a key's mandate away; the answer is the mandate that it had.

    The key buys no more through `esim-gateway mcp`. At the API it is then bounded by its storefront's limit alone: to
    stop it altogether, revoke it.
    """
    read_query(request, NoParameters)
    pool, key_id = pool_of(request), request.match_info["id"]
    return json_answer(
        await _mandate(pool, _found(await storefronts.remove_mandate(pool, actor_of(request), key_id), key_id))
    )


def _found(mandate: KeyMandate | None, key_id: str) -> KeyMandate:
    if mandate is None:
        raise Refusal("not_found", f"there is no key {key_id} with a mandate")
    return mandate


async def _mandate(pool: Pool, mandate: KeyMandate) -> Mandate:
    spent = await spend_rows.spent_under_mandate(pool, mandate.key_id, datetime.now(UTC))

    def amount(value: Decimal) -> Price:
        padded = Money(value, mandate.currency).padded()
        return Price(f"{padded.amount:f}", padded.currency)

    return Mandate(
        per_order=amount(mandate.per_order),
        per_day=amount(mandate.per_day),
        per_month=amount(mandate.per_month),
        spent_today=amount(spent.day),
        spent_this_month=amount(spent.month),
        ends_at=mandate.ends_at,
    )


def _entry(key: ApiKey) -> KeyEntry:
    return msgspec.convert(key, KeyEntry, from_attributes=True)
