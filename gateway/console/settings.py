"""Settings: every one in force, where it comes from and what it means. A secret is only said to be set."""

from __future__ import annotations

from itertools import groupby

from aiohttp import web

from gateway.console.pages import Csv, Pages, View, deps_of
from gateway.console.saved_filters import with_saved_filters
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
@with_saved_filters
async def settings(request: web.Request) -> View:
    """All of them by section."""
    found = running.settings_in_force(deps_of(request).settings)
    only = request.query.get("source", "")
    if only in SOURCES:
        found = [setting for setting in found if setting.source == only]
    sections = [(name, list(rows)) for name, rows in groupby(found, _section)]
    context = {"sections": sections, "sources": list(SOURCES.items()), "only": only}
    rows = [(setting.name, _said(setting), setting.source, setting.meaning) for setting in found]
    return View("settings.html", context, title="Settings", csv=Csv("settings", _COLUMNS, rows))


def _section(setting: Setting) -> str:
    parts = setting.name.split(".")
    if parts[0] == "suppliers":
        return ".".join(parts[:2])
    return parts[0] if len(parts) > 1 else ""


def _said(setting: Setting) -> str:
    if setting.secret:
        return "set" if setting.is_set else "not set"
    return setting.value or "not set"
