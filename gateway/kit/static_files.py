"""Scripts, styles and fonts of pages, held in memory, each under an address that names its contents."""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from importlib import resources

from aiohttp import web

_FONT = "font/woff2"
_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".woff2": _FONT,
}
_LOADED = re.compile(rb'url\("([a-z0-9._-]+)"\)')
_FOR_GOOD = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class _File:
    body: bytes
    content_type: str
    digest: str
    loads: tuple[str, ...] = ()

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
        """Bytes of a file and of those that it loads, before compression."""
        file = self._files[name]
        return len(file.body) + sum(self.size(loaded) for loaded in file.loads)

    def bodies(self) -> Mapping[str, bytes]:
        """All files."""
        return {name: file.body for name, file in self._files.items()}

    async def serve(self, request: web.Request) -> web.Response:
        """A file. It needs no session: there is nothing of anybody's in it."""
        found = self._files.get(request.match_info["name"])
        if found is None:
            raise web.HTTPNotFound
        headers = {"Cache-Control": _FOR_GOOD if request.query.get("v") == found.digest else "no-cache"}
        is_text = found.content_type != _FONT  # a font is compressed by itself
        packed = is_text and "gzip" in request.headers.get("Accept-Encoding", "")
        if packed:
            headers["Content-Encoding"] = "gzip"
        body, charset = found.packed if packed else found.body, "utf-8" if is_text else None
        return web.Response(body=body, content_type=found.content_type, charset=charset, headers=headers)

    @cached_property
    def _files(self) -> Mapping[str, _File]:
        folder = resources.files(self._package).joinpath("static")
        entries = {entry.name: entry for entry in folder.iterdir() if _ending(entry.name) in _TYPES}
        found: dict[str, _File] = {}

        def versioned(match: re.Match[bytes]) -> bytes:
            name = match[1].decode()
            return f'url("{name}?v={found[name].digest}")'.encode()

        # Style sheets last: what they load has its contents named there.
        for name in sorted(entries, key=lambda name: (name.endswith(".css"), name)):
            body = entries[name].read_bytes()
            loads: tuple[str, ...] = ()
            if name.endswith(".css"):
                loads = tuple(loaded.decode() for loaded in _LOADED.findall(body))
                body = _LOADED.sub(versioned, body)
            found[name] = _File(body, _TYPES[_ending(name)], sha256(body).hexdigest()[:12], loads)
        return found


def _ending(name: str) -> str:
    return "." + name.rpartition(".")[2]
