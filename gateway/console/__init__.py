"""The ops console: pages for people, drawn here, enhanced by htmx, whole without any script.

A feature's pages stand in the module of its name, or of one that ``gateway.features`` gives beside it.
"""

from __future__ import annotations

from aiohttp import web

from gateway.console import render, static_files
from gateway.console.guard import Guard
from gateway.console.navigation import navigation
from gateway.console.pages import CONTEXT, DECISIONS, FINDERS, NOTICES, ConsoleContext, ConsolePage, Pages, View
from gateway.features import face_modules

__all__ = ["ConsoleContext", "all_pages", "install"]

MODULES: tuple[Pages, ...] = tuple(module.pages for module in face_modules("console"))


def all_pages() -> list[ConsolePage]:
    """Every route of the console but its static files and what is not there."""
    return [page for module in MODULES for page in module.table]


def install(app: web.Application, context: ConsoleContext) -> None:
    """Give the application the console. ``context`` is what the application gives it."""
    app[CONTEXT] = context
    app[NOTICES] = tuple(source for module in MODULES for source in module.notices)
    app[DECISIONS] = tuple(source for module in MODULES for source in module.decisions)
    app[FINDERS] = tuple(finder for module in MODULES for finder in module.finders)
    render.setup(app)
    table = all_pages()
    guard = Guard(navigation(table, (entry for module in MODULES for entry in module.entries)))
    app.router.add_get(static_files.PREFIX + "{name}", static_files.serve)
    # Fixed paths before those with parts, so that no part swallows another page's name.
    for page in sorted(table, key=lambda page: "{" in page.path):
        if page.method == "GET":
            app.router.add_get(page.path, guard.around(page))
        else:
            app.router.add_route(page.method, page.path, guard.around(page))
    nowhere = ConsolePage("*", "/console/{rest:.*}", _nowhere, "viewer", "", own=True)
    app.router.add_route("*", nowhere.path, guard.around(nowhere))


async def _nowhere(_request: web.Request) -> View:
    raise web.HTTPNotFound
