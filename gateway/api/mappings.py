"""Mappings of terms by operators: the unmapped terms, the preview of a mapping, the added mappings."""

from __future__ import annotations

from typing import Annotated, Literal

from aiohttp import web
from msgspec import UNSET, Meta, UnsetType

from gateway.api.changes import actor_of
from gateway.api.ordering import deps_of, refusal
from gateway.api.paging import json_answer, pool_of
from gateway.api.parameters import NoParameters, PageParameters
from gateway.api.problems import Refusal
from gateway.api.reading import read_body, read_query, unset_to_none
from gateway.api.spec import Table
from gateway.kit.problem import Problem
from gateway.sync import mappings
from gateway.sync.unmapped_rows import Scope
from providers.kit.term_mappings import TermMapping
from schemas.api import SupplierName
from schemas.api_mappings import MappingEffect, MappingRequest, ProviderName, StoredMapping, Tellable, UnmappedGroup
from schemas.page import Page
from schemas.plan import About, SetAsideReason

routes = Table()

_MAPPING_PART = {"id": ("^map_[0-9a-f]{16}$", "The mapping's `id`.")}


class GroupParameters(PageParameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was not understood."""

    supplier: SupplierName | UnsetType = UNSET
    reason: SetAsideReason | UnsetType = UNSET
    about: Annotated[About, Meta(description="What the word is.")] | UnsetType = UNSET
    mode: Annotated[Literal["live", "test"], Meta(description="Only suppliers of this mode.")] | UnsetType = UNSET


class MappingParameters(PageParameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A filter for mappings."""

    provider: Annotated[ProviderName, Meta(description="Only words of this provider.")] | UnsetType = UNSET
    supplier: Annotated[SupplierName, Meta(description="Only words of this account alone.")] | UnsetType = UNSET
    about: Annotated[Tellable, Meta(description="Only places, units or attributes.")] | UnsetType = UNSET


@routes(
    "GET", "/v1/ops/unmapped/groups",
    access="ops:read", tag="mappings", answer=Page[UnmappedGroup],
    parameters=GroupParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_unmapped_groups(request: web.Request) -> web.Response:
    """List unmapped terms.

    Those with the highest total cost first. An item with two unknown terms counts under both.
    """
    sent = read_query(request, GroupParameters)
    deps = deps_of(request)
    scope = Scope(
        mode=unset_to_none(sent.mode),
        supplier=unset_to_none(sent.supplier),
        reason=unset_to_none(sent.reason),
        about=unset_to_none(sent.about),
    )
    return json_answer(await mappings.groups(deps.pool, deps.settings, scope, sent.page))


@routes(
    "GET", "/v1/ops/mappings",
    access="ops:read", tag="mappings", answer=Page[StoredMapping],
    parameters=MappingParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_mappings(request: web.Request) -> web.Response:
    """List the mappings that operators added, the newest first.

    Those of the gateway's own tables and of `config/mappings.toml` are not listed.
    """
    sent = read_query(request, MappingParameters)
    about = unset_to_none(sent.about)
    return json_answer(
        await mappings.listed(
            pool_of(request),
            sent.page,
            unset_to_none(sent.provider),
            unset_to_none(sent.supplier),
            None if about is None else About(about),
        )
    )


@routes(
    "POST", "/v1/ops/mappings",
    access="ops", tag="mappings", status=201, answer=StoredMapping, parameters=NoParameters, bodies=(MappingRequest,),
    problems=("conflict", "invalid", "unavailable"),
)  # fmt: skip
async def tell_mapping(request: web.Request) -> web.Response:
    """Add a mapping for a term.

    It replaces an earlier mapping of the term. The next sync of each supplier concerned applies it to all items. 409
    for a term that is mapped already, and for a meaning that such a term cannot have.
    """
    meaning, sent = await _meaning(request)
    added = await mappings.add_mapping(pool_of(request), meaning, sent.note, actor_of(request))
    return json_answer(added, status=201)


@routes(
    "POST", "/v1/ops/mappings/preview",
    access="ops:read", tag="mappings", answer=MappingEffect, parameters=NoParameters, bodies=(MappingRequest,),
    problems=("conflict", "invalid", "unavailable"),
)  # fmt: skip
async def preview_mapping(request: web.Request) -> web.Response:
    """Preview a mapping.

    Maps up to 2,000 of the stored unmapped items with this term. Nothing is changed.
    """
    meaning, _ = await _meaning(request)
    return json_answer(await mappings.preview(pool_of(request), deps_of(request).accounts, meaning))


@routes(
    "DELETE", "/v1/ops/mappings/{id}",
    access="ops", tag="mappings", answer=StoredMapping,
    parts=_MAPPING_PART, narrow=True, parameters=NoParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def forget_mapping(request: web.Request) -> web.Response:
    """Delete a mapping; the answer is the deleted mapping.

    Items that only this mapping mapped are unmapped again at the next sync.
    """
    read_query(request, NoParameters)
    was = await mappings.forget(pool_of(request), request.match_info["id"], actor_of(request))
    if was is None:
        raise Refusal("not_found", "there is no such mapping")
    return json_answer(was)


async def _meaning(request: web.Request) -> tuple[TermMapping, MappingRequest]:
    read_query(request, NoParameters)
    sent = await read_body(request, MappingRequest)
    meaning = mappings.meaning_of(deps_of(request).accounts, sent)
    if isinstance(meaning, Problem):
        raise refusal(meaning)
    return meaning, sent
