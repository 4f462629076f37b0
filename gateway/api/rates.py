"""Exchange rates: what is in force, what waits for an operator, and how they are fetched, set and imported."""

from __future__ import annotations

from typing import TypeVar

from aiohttp import web

from gateway.api import state
from gateway.api.changes import actor_of
from gateway.api.ordering import refusal
from gateway.api.paging import json_answer, pool_of
from gateway.api.parameters import NoParameters, PageParameters
from gateway.api.reading import read_body, read_query
from gateway.api.spec import Table
from gateway.kit.problem import Problem
from gateway.pricing import edit_rates, fetch_rates
from schemas.api_rates import (
    ExchangeRatePage,
    RateAcceptance,
    RateAcceptRequest,
    RateEntry,
    RateFile,
    RateImport,
    RateSet,
    RateUpdate,
    StoredRate,
)
from schemas.page import Page

routes = Table()
T = TypeVar("T")

_PART = {"currency": ("^[A-Z]{3,4}$", "A currency, such as `IDR`.")}


@routes(
    "GET", "/v1/ops/rates",
    access="ops:read", tag="rates", answer=ExchangeRatePage,
    parameters=NoParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_rates(request: web.Request) -> web.Response:
    """Exchange rates, by currency.

    The newest rate of each currency with its age and source, what waits to be accepted, how fetching goes, and in
    `warnings` what is old. All of them come in one page.
    """
    read_query(request, NoParameters)
    return json_answer(await edit_rates.every(pool_of(request), request.app[state.SETTINGS]))


@routes(
    "POST", "/v1/ops/rates",
    access="ops", tag="rates", answer=RateSet, parameters=NoParameters, bodies=(RateEntry,),
    problems=("conflict", "invalid", "no_rate", "unavailable"),
)  # fmt: skip
async def set_rate(request: web.Request) -> web.Response:
    """Set an exchange rate.

    From its day on, until one of a later day comes, and whatever a source says of that day. It is in force here when
    the answer comes, and everywhere within seconds. 422 `no_rate` where neither currency has a rate.
    """
    read_query(request, NoParameters)
    sent = await read_body(request, RateEntry)
    made = await edit_rates.set_rate(pool_of(request), request.app[state.SETTINGS], actor_of(request), sent)
    return await _changed(request, made)


@routes(
    "POST", "/v1/ops/rates/import",
    access="ops", tag="rates", answer=RateImport, parameters=NoParameters, bodies=(RateFile,),
    problems=("invalid", "unavailable"),
)  # fmt: skip
async def import_rates(request: web.Request) -> web.Response:
    """Import a file of exchange rates.

    The European Central Bank's XML, CSV with the columns `date,base,currency,rate`, or TOML as in the gateway's own
    `config/fx.toml`. They stand as if each was set.
    """
    read_query(request, NoParameters)
    sent = await read_body(request, RateFile)
    settings = request.app[state.SETTINGS]
    made = await edit_rates.import_rates(pool_of(request), settings, actor_of(request), sent.name, sent.text)
    return await _changed(request, made)


@routes(
    "POST", "/v1/ops/rates/update",
    access="ops", tag="rates", answer=RateUpdate, parameters=NoParameters,
    problems=("conflict", "invalid", "unavailable"),
)  # fmt: skip
async def update_rates(request: web.Request) -> web.Response:
    """Fetch exchange rates now.

    From every source of `[rates] sources`, which a worker does each day. A rate that moved by more than
    `max_move_percent` in a day waits to be accepted, and the old one stands. 409 where no source is configured.
    """
    read_query(request, NoParameters)
    return await _changed(
        request, await fetch_rates.update(pool_of(request), request.app[state.SETTINGS], actor_of(request))
    )


@routes(
    "POST", "/v1/ops/rates/accept",
    access="ops", tag="rates", answer=RateAcceptance, parameters=NoParameters, bodies=(RateAcceptRequest,),
    problems=("not_found", "conflict", "invalid", "unavailable"),
)  # fmt: skip
async def accept_rate(request: web.Request) -> web.Response:
    """Accept an exchange rate that waits.

    404 when none of the currency does; 409 when with `as_of` the one that waits is of another day.
    """
    read_query(request, NoParameters)
    sent = await read_body(request, RateAcceptRequest)
    settings = request.app[state.SETTINGS]
    return await _changed(
        request, await edit_rates.accept(pool_of(request), settings, actor_of(request), sent.currency, sent.as_of)
    )


@routes(
    "GET", "/v1/ops/rates/{currency}",
    access="ops:read", tag="rates", answer=Page[StoredRate],
    parts=_PART, narrow=True, parameters=PageParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def list_rates_of_currency(request: web.Request) -> web.Response:
    """Every rate that a currency had, the newest first.

    One for each day that has one, whether it was fetched, set or imported.
    """
    sent = read_query(request, PageParameters)
    pool, settings = pool_of(request), request.app[state.SETTINGS]
    return json_answer(await edit_rates.history(pool, settings, request.match_info["currency"], sent.page))


async def _changed(request: web.Request, made: T | Problem) -> web.Response:
    if isinstance(made, Problem):
        raise refusal(made)
    await request.app[state.CATALOG].refresh_wholly()
    return json_answer(made)
