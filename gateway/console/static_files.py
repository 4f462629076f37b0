"""The console's own files: scripts and styles, held in memory, each under an address that names its contents."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import sha256
from importlib import resources

from aiohttp import web

PREFIX = "/console/static/"
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


def address(name: str) -> str:
    """Where a file is served. Raises ``KeyError`` when there is none of that name."""
    return f"{PREFIX}{name}?v={_files()[name].digest}"


async def serve(request: web.Request) -> web.Response:
    """A file. It needs no session: there is nothing of anybody's in it."""
    found = _files().get(request.match_info["name"])
    if found is None:
        raise web.HTTPNotFound
    headers = {"Cache-Control": _FOR_GOOD if request.query.get("v") == found.digest else "no-cache"}
    packed = "gzip" in request.headers.get("Accept-Encoding", "")
    if packed:
        headers["Content-Encoding"] = "gzip"
    body = found.packed if packed else found.body
    return web.Response(body=body, content_type=found.content_type, charset="utf-8", headers=headers)


def size(name: str) -> int:
    """Bytes of a file, before compression."""
    return len(_files()[name].body)


@cache
def _files() -> dict[str, _File]:
    found = {}
    for entry in resources.files("gateway.console").joinpath("static").iterdir():
        ending = "." + entry.name.rpartition(".")[2]
        if ending in _TYPES:
            body = entry.read_bytes()
            digest = sha256(body).hexdigest()[:12]
            found[entry.name] = _File(body, _TYPES[ending], digest)
    return found
