"""Settings: every one in force, where it comes from and what it means. A secret is only said to be set."""

from __future__ import annotations

from itertools import groupby

from aiohttp import web

from gateway.console.pages import Csv, Pages, View, deps
from gateway.operations import running
from schemas.api_suppliers import Setting

pages = Pages()
SOURCES = {
    "default": "shipped default",
    "file": "file",
    "environment": "environment",
    "start": "start command",
}
_COLUMNS = ("setting", "value", "source", "meaning")


@pages("GET", "/console/settings", nav="Settings")
async def settings(request: web.Request) -> View:
    """All of them by section."""
    found = running.settings_in_force(deps(request).settings)
    only = request.query.get("source", "")
    if only in SOURCES:
        found = [one for one in found if one.source == only]
    sections = [(name, list(rows)) for name, rows in groupby(found, _section)]
    context = {"sections": sections, "sources": list(SOURCES.items()), "only": only}
    rows = [(one.name, _said(one), one.source, one.meaning) for one in found]
    return View("settings.html", context, title="Settings", csv=Csv("settings", _COLUMNS, rows))


def _section(one: Setting) -> str:
    parts = one.name.split(".")
    if parts[0] == "suppliers":
        return ".".join(parts[:2])
    return parts[0] if len(parts) > 1 else ""


def _said(one: Setting) -> str:
    if one.secret:
        return "set" if one.is_set else "not set"
    return one.value or "not set"
