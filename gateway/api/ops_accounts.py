"""What operators do with our accounts at suppliers: look at them."""

from __future__ import annotations

from aiohttp import web

from gateway.api.ops_changes import refused
from gateway.api.ops_suppliers import SUPPLIER_PART
from gateway.api.ordering import deps_of
from gateway.api.paging import json_answer, pool_of
from gateway.api.parameters import NoParameters
from gateway.api.problems import Refusal
from gateway.api.reading import read_query
from gateway.api.spec import Table
from gateway.kit.problem import Problem
from gateway.suppliers import checkup, supplier_check_rows
from schemas.api_accounts import CheckReport

routes = Table()


@routes(
    "GET", "/v1/ops/suppliers/{name}/check",
    access="ops:read", tag="Operations", answer=CheckReport,
    parts=SUPPLIER_PART, parameters=NoParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def last_check(request: web.Request) -> web.Response:
    """The last check of an account."""
    read_query(request, NoParameters)
    name = request.match_info["name"]
    found = await supplier_check_rows.last(pool_of(request), name)
    if found is None:
        raise Refusal("not_found", f"{name} was not checked yet")
    return json_answer(found)


@routes(
    "POST", "/v1/ops/suppliers/{name}/check",
    access="ops", tag="Operations", answer=CheckReport,
    parts=SUPPLIER_PART, parameters=NoParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def check_supplier(request: web.Request) -> web.Response:
    """Look at an account now.

    By harmless calls: credentials, the clock, each configured path, the signature (an order for what does not exist),
    money, rate and webhooks. Each finding says what to do. Nothing is bought.
    """
    read_query(request, NoParameters)
    found = await checkup.check(deps_of(request), request.match_info["name"])
    if isinstance(found, Problem):
        raise refused(found)
    return json_answer(found)
