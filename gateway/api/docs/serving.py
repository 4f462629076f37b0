"""The pages as answers of the gateway: drawn when they are first asked for, then kept."""

from __future__ import annotations

import asyncio
from functools import partial

from aiohttp import web

from gateway.api.answers import PreparedDocument
from gateway.api.docs.site import PARTS, SEARCH, STATIC, Site
from gateway.api.problems import Refusal

_HTML = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}


class ServedSite:
    """The documentation of a process."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._kept: dict[str, PreparedDocument] = {}

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Have a router serve all pages but the first ones."""
        router.add_get(STATIC.prefix + "{name}", STATIC.serve)
        for path in ("/docs/{page:.+}", "/docs-ops/{page:.+}", "/errors/{code}"):
            router.add_get(path, self._serve)

    async def answer(self, request: web.Request, path: str) -> web.Response:
        """A page, the search's index or a picture; 304 for who holds it. Raises ``Refusal`` where there is none."""
        prepared = self._kept.get(path)
        if prepared is None:
            # The first page takes a while: it needs the description of the API.
            prepared = await asyncio.to_thread(self._prepare, path)
            self._kept[path] = prepared
        return await prepared.answer(request)

    async def _serve(self, request: web.Request) -> web.Response:
        return await self.answer(request, request.path.removeprefix("/"))

    def _prepare(self, path: str) -> PreparedDocument:
        for part in PARTS:
            if path == f"{part.home}/{SEARCH}":
                return PreparedDocument(partial(self._site.search_index, part))
        if (picture := self._site.picture(path)) is not None:
            return PreparedDocument(lambda: picture, "image/png")
        if path not in self._site.paths:
            raise Refusal("not_found", "there is no such page")
        return PreparedDocument(lambda: self._site.draw(path), "text/html; charset=utf-8", _HTML)
