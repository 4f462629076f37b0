"""The audit log: who changed what, newest first."""

from __future__ import annotations

import msgspec
from aiohttp import web

from gateway.access import audit_rows as store
from gateway.console.forms import query_form
from gateway.console.pages import Csv, Pages, View, deps_of, next_page, page_request_of
from gateway.console.saved_filters import with_saved_filters

pages = Pages()
_PAGE = 50
_MOST_DETAIL = 400


@pages("GET", "/console/audit", role="operator", nav="Audit")
@with_saved_filters
async def audit(request: web.Request) -> View:
    """Changes by whom, of which kind, to what."""
    form = query_form(request)
    wanted = {name: form.text(name) for name in ("actor", "action", "object")}
    found = await store.newest(
        deps_of(request).pool,
        page_request_of(request, _PAGE, store.SORTS),
        actor=wanted["actor"] or None,
        action=wanted["action"] or None,
        what=wanted["object"] or None,
    )
    context = {
        "entries": [(entry, _short(entry.detail)) for entry in found.data],
        "wanted": wanted,
        "next": next_page(request, found),
    }
    rows = [(entry.at, entry.actor, entry.action, entry.object, _json(entry.detail)) for entry in found.data]
    return View("audit.html", context, title="Audit", csv=Csv("audit", ("at", "who", "what", "of", "detail"), rows))


def _json(detail: object) -> str:
    return msgspec.json.encode(detail).decode() if detail else ""


def _short(detail: dict[str, object]) -> str:
    """A change as one line: "viewer → operator", and what else there is to it."""
    parts = [f"{name}: {_word(value)}" for name, value in detail.items() if name not in {"before", "after"}]
    if "before" in detail or "after" in detail:
        parts.insert(0, f"{_word(detail.get('before'))} → {_word(detail.get('after'))}")
    return ", ".join(parts)[:_MOST_DETAIL]


def _word(value: object) -> str:
    return value if isinstance(value, str) else "–" if value is None else _json(value)
