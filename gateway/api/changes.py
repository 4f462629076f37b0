"""What operators see of the suppliers' past: changes, price history, syncs in full and what they quarantined."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from aiohttp import web
from msgspec import UNSET, Meta, UnsetType

from gateway.api import state
from gateway.api.paging import json_answer, pool_of
from gateway.api.parameters import NoParameters, PageParameters
from gateway.api.problems import Refusal
from gateway.api.reading import clamped, read_body, read_query, require_country, unset_to_none
from gateway.api.spec import Table
from gateway.kit.problem import Problem
from gateway.kit.settings import Settings
from gateway.prices import changes
from gateway.prices.change_rules import ChangeFilter
from gateway.prices.history import price_history
from gateway.sync import requests
from schemas.api import CountryCode, PlanId, SupplierName
from schemas.api_changes import (
    Change,
    ChangeKind,
    ChangeSummary,
    DifferencePage,
    PriceHistory,
    Quarantine,
    RefuseRequest,
    SyncRunDetail,
)
from schemas.page import Page

routes = Table()

_Figure = Annotated[str, Meta(pattern=r"^[0-9]{1,9}(\.[0-9]{1,6})?\Z", max_length=16)]
_Suppliers = Annotated[list[SupplierName], Meta(max_length=50, description="Only these suppliers; may be repeated.")]
_Kinds = Annotated[list[ChangeKind], Meta(max_length=6, description="Only these kinds; may be repeated.")]
_Mode = Annotated[Literal["live", "test"], Meta(description="Only suppliers in this mode.")]
_OfferId = Annotated[
    str, Meta(pattern=r"^[a-z0-9_]{1,60}\Z", max_length=60, description="Only this offer of the plan.")
]


class ChangeParameters(PageParameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Changes at the suppliers."""

    kind: Annotated[list[ChangeKind], Meta(max_length=6, description="Only these kinds; may be repeated.")] = (
        msgspec.field(default_factory=list)
    )
    supplier: _Suppliers = msgspec.field(default_factory=list)
    mode: _Mode | UnsetType = UNSET
    country: Annotated[CountryCode, Meta(description="Only offers that cover this country.")] | UnsetType = UNSET
    plan_id: PlanId | UnsetType = UNSET
    since: Annotated[datetime, Meta(tz=True, description="Only what changed after this time.")] | UnsetType = UNSET
    min_percent: (
        Annotated[_Figure, Meta(description="Costs that moved by so many percent or more.", examples=["10"])]
        | UnsetType
    ) = UNSET
    min_amount: (
        Annotated[
            _Figure, Meta(description="Costs that moved by so much or more, in base currency.", examples=["0.50"])
        ]
        | UnsetType
    ) = UNSET


class ChangeSummaryParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What changed since a moment."""

    since: Annotated[datetime, Meta(tz=True, description="What changed after this time.")]
    supplier: _Suppliers = msgspec.field(default_factory=list)
    mode: _Mode | UnsetType = UNSET


class PriceHistoryParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The history of a plan's costs."""

    plan_id: PlanId
    offer_id: _OfferId | UnsetType = UNSET
    supplier: _Suppliers = msgspec.field(default_factory=list)
    mode: _Mode | UnsetType = UNSET
    since: Annotated[datetime, Meta(tz=True, description="From when on; 30 days by default.")] | UnsetType = UNSET


class DifferenceParameters(PageParameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a quarantined supplier differs."""

    supplier: SupplierName
    kind: (
        Annotated[
            Literal["moved", "gone", "new"],
            Meta(description="Only prices that would move, offers that would go, or new ones."),
        ]
        | UnsetType
    ) = UNSET


HISTORY_DAYS = 30
_RUN_PART = {"id": ("^[a-z0-9_]{1,60}$", "The sync run's `id`.")}
_REFUSED = {
    "state": "refused", "decided_at": "2026-11-20T10:12:00Z", "decided_by": "key key_0d41aa of My shop",
    "why": "they confirm a fault of theirs",
}  # fmt: skip


@routes(
    "GET", "/v1/ops/changes",
    access="ops:read", tag="prices", answer=Page[Change],
    parameters=ChangeParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_changes(request: web.Request) -> web.Response:
    """What changed at the suppliers, the newest first.

    Costs that went up or down, new and removed offers, stock that ended or came back. Thresholds are for moved costs,
    `min_amount` in base currency. A page may hold fewer than `limit` although `has_more`.
    """
    sent = read_query(request, ChangeParameters)
    require_country(sent.country)
    wanted = ChangeFilter(
        kinds=frozenset(sent.kind),
        suppliers=tuple(dict.fromkeys(sent.supplier)),
        mode=unset_to_none(sent.mode),
        country=unset_to_none(sent.country),
        plan_id=unset_to_none(sent.plan_id),
        since=_moment(unset_to_none(sent.since)),
        min_percent=_figure(unset_to_none(sent.min_percent)),
        min_amount=_figure(unset_to_none(sent.min_amount)),
    )
    return json_answer(await changes.feed(pool_of(request), _settings(request), wanted, sent.page))


@routes(
    "GET", "/v1/ops/changes/summary",
    access="ops:read", tag="prices", answer=ChangeSummary,
    parameters=ChangeSummaryParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def sum_changes(request: web.Request) -> web.Response:
    """What changed since a moment, for each supplier and each country.

    Suppliers are summed over all their accepted syncs, countries over the newest changes: `complete` says whether
    these were all.
    """
    sent = read_query(request, ChangeSummaryParameters)
    since = clamped(sent.since)
    suppliers = tuple(dict.fromkeys(sent.supplier))
    return json_answer(
        await changes.summary(
            pool_of(request), _settings(request), since, mode=unset_to_none(sent.mode), suppliers=suppliers
        )
    )


@routes(
    "GET", "/v1/ops/price-history",
    access="ops:read", tag="prices", answer=PriceHistory,
    parameters=PriceHistoryParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def get_price_history(request: web.Request) -> web.Response:
    """What the offers of a plan cost over time.

    For each supplier's offer the steps of its cost, in its own currency and in the base currency by today's rates, and
    the spans in which its supplier was not synced. The last 30 days unless `since` says otherwise.
    """
    sent = read_query(request, PriceHistoryParameters)
    found = await price_history(
        pool_of(request),
        _settings(request),
        sent.plan_id,
        since=_moment(unset_to_none(sent.since)) or datetime.now(UTC) - timedelta(days=HISTORY_DAYS),
        mode=unset_to_none(sent.mode),
        suppliers=tuple(dict.fromkeys(sent.supplier)),
        offer_id=unset_to_none(sent.offer_id),
    )
    if found is None:
        raise Refusal("not_found", "no supplier has, or had in this time, such a plan")
    return json_answer(found)


@routes(
    "GET", "/v1/ops/sync-runs/{id}",
    access="ops:read", tag="sync", answer=SyncRunDetail, parts=_RUN_PART,
    parameters=NoParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def get_sync_run(request: web.Request) -> web.Response:
    """One sync in full.

    With how far it is while it runs, and what it quarantined.
    """
    read_query(request, NoParameters)
    found = await requests.detail(pool_of(request), request.match_info["id"])
    if found is None:
        raise Refusal("not_found", "there is no such sync run")
    return json_answer(found)


@routes(
    "GET", "/v1/ops/sync-runs/{id}/difference",
    access="ops:read", tag="sync", answer=DifferencePage, parts=_RUN_PART,
    parameters=DifferenceParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def get_difference(request: web.Request) -> web.Response:
    """How a quarantined sync differs from the current offers.

    Counts of all of it, and the largest differences: changed prices, then removed offers, then new ones. They are kept
    until another sync of the supplier overtakes them.
    """
    sent = read_query(request, DifferenceParameters)
    found = await requests.difference(
        pool_of(request),
        request.match_info["id"],
        sent.supplier,
        sent.page,
        kind=unset_to_none(sent.kind),
    )
    if found is None:
        raise Refusal("not_found", "nothing of this supplier was quarantined in this run, or it is not kept any more")
    return json_answer(found)


@routes(
    "POST", "/v1/ops/sync-runs/{id}/refuse",
    access="ops", tag="sync", answer=Quarantine, example=_REFUSED, parts=_RUN_PART,
    parameters=NoParameters, bodies=(RefuseRequest,), problems=("not_found", "conflict", "invalid", "unavailable"),
)  # fmt: skip
async def refuse_quarantined(request: web.Request) -> web.Response:
    """Refuse a quarantined sync.

    The current offers stay. No new decision is requested while the supplier sends the same offers. 409 when it does not
    wait for a decision.
    """
    read_query(request, NoParameters)
    sent = await read_body(request, RefuseRequest)
    pool, run_id = pool_of(request), request.match_info["id"]
    configured = request.app[state.CAPABILITIES]
    problem = await requests.refuse(pool, configured, run_id, sent.supplier, actor_of(request), sent.why)
    if problem is not None:
        raise refused(problem)
    found = await requests.detail(pool, run_id)
    quarantines = (
        []
        if found is None
        else [quarantine for quarantine in found.quarantines if quarantine.supplier == sent.supplier]
    )
    return json_answer(quarantines[0])


def actor_of(request: web.Request) -> str:
    """Whose key asks, for the log of changes."""
    return request[state.CALLER].actor


def refused(problem: Problem) -> Refusal:
    """The answer that a flow's problem comes to."""
    return Refusal(problem.code, problem.detail)


def _moment(sent: datetime | None) -> datetime | None:
    return None if sent is None else clamped(sent)


def _figure(sent: str | None) -> Decimal | None:
    return None if sent is None else Decimal(sent)


def _settings(request: web.Request) -> Settings:
    return request.app[state.SETTINGS]
