"""The page of a plan: where it and its tabs are, and what stands above each tab."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from aiohttp import web

from gateway.catalog.index import Gone, Index
from gateway.console.filters import clean
from gateway.console.pages import Csv, View, deps_of
from gateway.prices import history_rows
from schemas.api import Plan

PLAN = "/console/plans/{id}"
# What each tab has behind the plan's address, and its name.
TABS = {"": "Offers", "compare": "Compare", "history": "History", "changes": "Changes"}
_NAME = 80


def plan_url(plan_id: str, tab: str = "", /, **query: str | Sequence[str] | None) -> str:
    """Where a plan's page is, or one of its tabs."""
    path = "/".join(filter(None, (PLAN.format(id=quote(plan_id, safe="")), tab)))
    wanted = urlencode({name: value for name, value in query.items() if value is not None}, doseq=True)
    return f"{path}?{wanted}" if wanted else path


def moved(request: web.Request, plan_id: str, tab: str, **more: str | None) -> web.Response:
    """Lead an address that names a plan in its query to that plan's tab, with the rest of its query and ``more``."""
    kept = {name: request.query.getall(name) for name in request.query if name != "plan"}
    return web.Response(status=301, headers={"Location": plan_url(plan_id, tab, **{**kept, **more})})


async def plan_view(
    request: web.Request, index: Index, tab: str, context: Mapping[str, Any], csv: Csv | None = None
) -> View:
    """A tab of the plan that the address names, below the plan's name, countries and tabs."""
    plan_id = request.match_info["id"]
    found = index.plan(plan_id)
    plan = msgspec.json.decode(found, type=Plan) if isinstance(found, bytes) else None
    name = plan_id
    if plan is not None:
        name = plan.name
    elif (offered_as := await history_rows.last_name(deps_of(request).pool, plan_id)) is not None:
        name = offered_as
    heading = {
        "plan": plan,
        "plan_id": plan_id,
        "plan_name": name,
        "gone": found if isinstance(found, Gone) else None,
        "tabs": [(label, plan_url(plan_id, each), each == tab) for each, label in TABS.items()],
    }
    title = f"{clean(name)[:_NAME]}: {TABS[tab]}"
    return View(f"plan_{TABS[tab].lower()}.html", {**context, **heading}, title=title, csv=csv)
