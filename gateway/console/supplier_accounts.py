"""Our account at a supplier, on the supplier's page: what a check found, its keys, where its webhooks go."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from gateway.access import audit_rows
from gateway.console.forms import form_data
from gateway.console.pages import BEHIND, Pages, deps, see_other, visitor
from gateway.kit.problem import Problem
from gateway.suppliers import checkup, key_rotation, supplier_check_rows, supplier_key_rows, webhook_setup
from gateway.suppliers.deps import Deps
from providers.contract import Capability

pages = Pages()
_PAGE = "/console/suppliers/{name}"
# Longer than a supplier's test takes, and no longer than a person waits for a page.
_ARRIVES_SECONDS = 10.0
_LEVELS = {"bad": "bad", "warn": "warn", "ok": "ok", "unknown": ""}
_SAID = {
    "arrived": "The test has arrived, and its signature fits.",
    "by_hand": "It has no call for that.",
    "refused": "It was refused",
    "forged": "Its signature does not fit",
    "not_arrived": "Nothing has arrived",
}


async def account_of(request: web.Request, behind: Deps, name: str) -> dict[str, Any]:
    """What the supplier's page shows of our account there; nothing of it asks the supplier."""
    account = behind.accounts.get(name)
    if account is None:
        return {"report": None, "rotation": None, "able": frozenset()}
    newest = await supplier_key_rows.newest(behind.pool, name)
    return {
        "report": await supplier_check_rows.last(behind.pool, name),
        "levels": _LEVELS,
        "rotation": None if newest is None else key_rotation.shown(newest),
        "stored": account.key,
        "able": {capability.value for capability in account.manifest.capabilities},
        "hears": Capability.WEBHOOKS in account.manifest.capabilities,
        "heard": await supplier_check_rows.heard(behind.pool, name),
        "advice": account.manifest.webhook_advice,
        "origin": request.app[BEHIND].origin(request),
    }


@pages("POST", _PAGE + "/check", role="operator", nav="Suppliers")
async def check(request: web.Request) -> web.Response:
    """Look at the account now."""
    name = request.match_info["name"]
    found = await checkup.check(deps(request), name)
    if isinstance(found, Problem):
        raise web.HTTPNotFound
    behind = deps(request)
    async with behind.pool.acquire() as connection, connection.transaction():
        await audit_rows.record(connection, visitor(request), "supplier.checked", f"supplier:{name}")
    wrong = sum(finding.level == "bad" for finding in found.findings)
    told = "All is good." if not wrong else f"{wrong} {'thing is' if wrong == 1 else 'things are'} wrong; see below."
    return _back(request, told)


@pages("POST", _PAGE + "/keys/rotate", role="admin", nav="Suppliers")
async def rotate(request: web.Request) -> web.Response:
    """Turn the key over, as far as that goes now."""
    name = request.match_info["name"]
    done = await key_rotation.rotate(deps(request), name, visitor(request))
    if isinstance(done, Problem):
        return _problem(request, done)
    if done.in_force:
        return _back(request, "The new key is in force. The old one is revoked when every process has followed.")
    return _back(request, f"No new key is in force: {done.error or done.state}")


@pages("POST", _PAGE + "/webhooks", role="admin", nav="Suppliers")
async def webhooks(request: web.Request) -> web.Response:
    """Have it send its webhooks here, and wait for a test."""
    name, form = request.match_info["name"], await form_data(request)
    base = form.text("base_url", required=True, most=500)
    done = await webhook_setup.set_up(deps(request), name, base, visitor(request), seconds=_ARRIVES_SECONDS)
    if isinstance(done, Problem):
        return _problem(request, done)
    words = _SAID[done.state]
    if done.state in {"refused", "forged", "not_arrived"}:
        words = f"{words}: {done.detail}."
    return _back(request, f"{words} {done.what_to_do}".strip())


def _problem(request: web.Request, problem: Problem) -> web.Response:
    if problem.code == "not_found":
        raise web.HTTPNotFound
    return _back(request, problem.detail)


def _back(request: web.Request, told: str) -> web.Response:
    return see_other(request, _PAGE.format(name=request.match_info["name"]), told=told)
