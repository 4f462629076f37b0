"""What operators see of suppliers and do with them: figures, balances, pausing."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from aiohttp import web
from msgspec import UNSET, Meta, UnsetType

from gateway.api import state
from gateway.api.changes import actor_of, refused
from gateway.api.ordering import deps_of
from gateway.api.paging import json_answer, pool_of
from gateway.api.parameters import NoParameters, PageParameters
from gateway.api.problems import Refusal
from gateway.api.reading import read_query, unset_to_none
from gateway.api.spec import Table
from gateway.kit.problem import Problem
from gateway.prices import supplier_figures
from gateway.suppliers import checkup, supplier_check_rows
from schemas.api_accounts import CheckReport
from schemas.api_suppliers import Supplier, SupplierBalance, SupplierFigures
from schemas.page import Page

routes = Table()

SUPPLIER_PART = {"name": ("^[a-z0-9_-]{1,40}$", "The supplier's name in the configuration.")}


class FiguresParameters(PageParameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Suppliers in figures."""

    mode: Annotated[Literal["live", "test"], Meta(description="Only suppliers of this mode.")] | UnsetType = UNSET
    hours: Annotated[int, Meta(ge=1, le=720, description="How many hours of orders are counted.")] = 24


class OneFiguresParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One supplier in figures."""

    hours: Annotated[int, Meta(ge=1, le=720, description="How many hours of orders are counted.")] = 24


@routes(
    "GET", "/v1/ops/suppliers",
    access="ops:read", tag="suppliers", answer=Page[Supplier],
    parameters=PageParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_suppliers(request: web.Request) -> web.Response:
    """Suppliers.

    Every account with its last sync, counts, breaker, rate limit and last known balance. `problems` are all that is
    the matter with it, the worst first, each with its reason and, where it is known, its end; `state` is that of the
    first of them.
    """
    sent = read_query(request, PageParameters)
    return json_answer(await supplier_figures.listed(deps_of(request), sent.page))


@routes(
    "GET", "/v1/ops/suppliers/{name}",
    access="ops:read", tag="suppliers", answer=SupplierFigures,
    parts=SUPPLIER_PART, parameters=OneFiguresParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def get_supplier(request: web.Request) -> web.Response:
    """One supplier in figures.

    How its orders and syncs went, how long its answers took, what keeps its offers from sale, our money there.
    """
    sent = read_query(request, OneFiguresParameters)
    found = await supplier_figures.figures_of(deps_of(request), request.match_info["name"], sent.hours)
    if found is None:
        raise Refusal("not_found", "there is no such supplier")
    return json_answer(found)


@routes(
    "GET", "/v1/ops/supplier-figures",
    access="ops:read", tag="suppliers", answer=Page[SupplierFigures],
    parameters=FiguresParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_supplier_figures(request: web.Request) -> web.Response:
    """Suppliers in figures, by name.

    Orders, syncs, stops and balance of each account.
    """
    sent = read_query(request, FiguresParameters)
    deps = deps_of(request)
    return json_answer(await supplier_figures.figures(deps, sent.page, unset_to_none(sent.mode), sent.hours))


@routes(
    "GET", "/v1/ops/balances",
    access="ops:read", tag="suppliers", answer=Page[SupplierBalance],
    parameters=PageParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_balances(request: web.Request) -> web.Response:
    """Balances at the suppliers.

    Suppliers are polled every ten minutes, after everything else. `days_left` goes by what the ledger says was spent in
    the last 14 days. Where there is no balance, `why_none` says why.
    """
    sent = read_query(request, PageParameters)
    return json_answer(await supplier_figures.balance_of_all(deps_of(request), sent.page))


@routes(
    "POST", "/v1/ops/suppliers/{name}/pause",
    access="ops", tag="suppliers", answer=Supplier, example={"state": "paused", "problems": [{}]},
    parts=SUPPLIER_PART, parameters=NoParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def pause_supplier(request: web.Request) -> web.Response:
    """Stop selling a supplier's offers.

    Within two seconds they leave the selection everywhere; it is still synced.
    """
    return await _set_paused(request, paused=True)


@routes(
    "POST", "/v1/ops/suppliers/{name}/resume",
    access="ops", tag="suppliers", answer=Supplier,
    parts=SUPPLIER_PART, parameters=NoParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def resume_supplier(request: web.Request) -> web.Response:
    """Sell a supplier's offers again.

    It takes back what `pause` did. A stop of all suppliers, or one for another reason, goes on.
    """
    return await _set_paused(request, paused=False)


async def _set_paused(request: web.Request, *, paused: bool) -> web.Response:
    read_query(request, NoParameters)
    name = request.match_info["name"]
    _or_refuse(await supplier_figures.set_paused(deps_of(request), name, actor_of(request), paused=paused))
    await request.app[state.CATALOG].refresh()
    return json_answer(await supplier_figures.account(deps_of(request), name))


def _or_refuse(problem: Problem | None) -> None:
    if problem is not None:
        raise refused(problem)


@routes(
    "GET", "/v1/ops/suppliers/{name}/check",
    access="ops:read", tag="suppliers", answer=CheckReport,
    parts=SUPPLIER_PART, parameters=NoParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def last_check(request: web.Request) -> web.Response:
    """The last check of an account.

    404 when it was never checked. A POST checks it now.
    """
    read_query(request, NoParameters)
    name = request.match_info["name"]
    found = await supplier_check_rows.last(pool_of(request), name)
    if found is None:
        raise Refusal("not_found", f"{name} was not checked yet")
    return json_answer(found)


@routes(
    "POST", "/v1/ops/suppliers/{name}/check",
    access="ops", tag="suppliers", answer=CheckReport,
    parts=SUPPLIER_PART, parameters=NoParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def check_supplier(request: web.Request) -> web.Response:
    """Check a supplier account.

    With calls that buy nothing: credentials, the clock, each configured path, the signature (an order for what does not
    exist), money, rate and webhooks. Each finding says what to do. Nothing is bought.
    """
    read_query(request, NoParameters)
    found = await checkup.check(deps_of(request), request.match_info["name"])
    if isinstance(found, Problem):
        raise refused(found)
    return json_answer(found)
