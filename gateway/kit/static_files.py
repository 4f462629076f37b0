"""Scripts and styles of pages, held in memory, each under an address that names its contents."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from importlib import resources

from aiohttp import web

_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".txt": "text/plain"}
_FOR_GOOD = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class _File:
    body: bytes
    content_type: str
    digest: str

    @cached_property
    def packed(self) -> bytes:
        """Compressed once, when it is first asked for."""
        return gzip.compress(self.body, 9, mtime=0)


class StaticFiles:
    """The files in the folder ``static`` of a package. Names that are not there raise ``KeyError``."""

    def __init__(self, package: str, prefix: str) -> None:
        self._package = package
        self.prefix = prefix

    def address(self, name: str) -> str:
        """Where a file is served."""
        return f"{self.prefix}{self.versioned(name)}"

    def versioned(self, name: str) -> str:
        """A file's name with what names its contents."""
        return f"{name}?v={self._files[name].digest}"

    def size(self, name: str) -> int:
        """Bytes of a file, before compression."""
        return len(self._files[name].body)

    def bodies(self) -> Mapping[str, bytes]:
        """All files."""
        return {name: file.body for name, file in self._files.items()}

    async def serve(self, request: web.Request) -> web.Response:
        """A file. It needs no session: there is nothing of anybody's in it."""
        found = self._files.get(request.match_info["name"])
        if found is None:
            raise web.HTTPNotFound
        headers = {"Cache-Control": _FOR_GOOD if request.query.get("v") == found.digest else "no-cache"}
        packed = "gzip" in request.headers.get("Accept-Encoding", "")
        if packed:
            headers["Content-Encoding"] = "gzip"
        body = found.packed if packed else found.body
        return web.Response(body=body, content_type=found.content_type, charset="utf-8", headers=headers)

    @cached_property
    def _files(self) -> Mapping[str, _File]:
        found = {}
        for entry in resources.files(self._package).joinpath("static").iterdir():
            ending = "." + entry.name.rpartition(".")[2]
            if ending in _TYPES:
                body = entry.read_bytes()
                found[entry.name] = _File(body, _TYPES[ending], sha256(body).hexdigest()[:12])
        return found
