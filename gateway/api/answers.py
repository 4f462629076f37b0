"""Catalogue answers, remembered while the catalogue stands: body, ETag, headers and compressed forms.

An answer that was given before goes out as bytes that are ready, in one write to the connection. That
is what lets a query with key, rate limit and headers cost less than a bare handler's.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from hashlib import blake2b
from typing import cast

import zstandard
from aiohttp import hdrs, web

from gateway.catalog.index import Index

JSON_TYPE = "application/json"
MOST_ANSWERS = 2_000
MOST_BYTES = 12 * 1024 * 1024
MOST_MEMORIES = 16
MOST_MEMORIES_BYTES = 2 * MOST_BYTES
WORTH_COMPRESSING = 1_024
_AROUND = 3_000  # bytes that the heads and objects around a body take
_MOST_SPELLINGS = 8  # of Accept-Encoding that one answer remembers
CODINGS = ("zstd", "gzip")  # the better first
SECURITY_HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


class Heads:
    """What the heads of all catalogue answers have in common, made once."""

    def __init__(self, fixed: Mapping[str, str]) -> None:
        self.kept: Mapping[str, str] = {"Cache-Control": "private, no-cache", **fixed}
        self.ok = _head("200 OK", {"Content-Type": JSON_TYPE, **self.kept})
        self.not_modified = _head("304 Not Modified", self.kept)


class Form:
    """One way to send an answer: plain or compressed, with its own strong ETag and its finished head."""

    __slots__ = ("_coding", "_heads", "body", "etag", "head")

    def __init__(self, body: bytes, etag: str, coding: str | None, heads: Heads) -> None:
        self.body = body
        self.etag = etag
        self._coding = coding
        self._heads = heads
        encoded = f"Content-Encoding: {coding}\r\n" if coding is not None else ""
        self.head = heads.ok + f"ETag: {etag}\r\nContent-Length: {len(body)}\r\n{encoded}".encode()

    @property
    def headers(self) -> dict[str, str]:
        """The headers by name, for an ordinary response."""
        encoded = {"Content-Encoding": self._coding} if self._coding is not None else {}
        return {"Content-Type": JSON_TYPE, **self._heads.kept, "ETag": self.etag, **encoded}


class Answer:
    """The answer to one query in one version of the catalogue."""

    __slots__ = ("_forms", "_tag", "heads", "plain", "route")

    def __init__(self, body: bytes, tag: str, route: str, heads: Heads) -> None:
        self.route = route
        self._tag = tag
        self.heads = heads
        self.plain = Form(body, f'"{tag}"', None, heads)
        self._forms: dict[str | None, Form] = {None: self.plain, "": self.plain, "identity": self.plain}

    def form(self, accept_encoding: str | None) -> tuple[Form, int]:
        """The form that suits an Accept-Encoding, and how many bytes that newly takes.

        Compressed once, and not before it is asked for.
        """
        known = self._forms.get(accept_encoding)
        if known is not None:
            return known, 0
        coding = preferred_coding(accept_encoding or "") if len(self.plain.body) >= WORTH_COMPRESSING else None
        if coding is None:
            return self.plain, 0
        made = self._forms.get(coding)
        added = 0
        if made is None:
            made = Form(_compressed(self.plain.body, coding), f'"{self._tag}.{coding}"', coding, self.heads)
            self._forms[coding] = made
            added = len(made.body)
        if accept_encoding is not None and len(self._forms) < _MOST_SPELLINGS:
            self._forms[accept_encoding] = made
        return made, added

    def size(self) -> int:
        """Bytes of all its forms."""
        return sum({id(form): len(form.body) for form in self._forms.values()}.values())

    def matching_etag(self, if_none_match: str) -> str | None:
        """The ETag of the form that a client holds already, None when it holds none."""
        return held_tag(if_none_match, (self.plain.etag, *(f'"{self._tag}.{coding}"' for coding in CODINGS)))


class Memory:
    """The answers of one catalogue version, for one rule set, bounded in number and bytes; the oldest make room."""

    def __init__(self, most: int = MOST_ANSWERS, most_bytes: int = MOST_BYTES) -> None:
        self.version = ""
        self.answers: dict[str, Answer] = {}
        self._most = most
        self._most_bytes = most_bytes
        self._bytes = 0

    def at(self, version: str) -> dict[str, Answer]:
        """What is remembered of this version, by the request's path and query; another version's is dropped."""
        if version != self.version:
            self.version = version
            self.answers.clear()
            self._bytes = 0
        return self.answers

    def answer(self, question: str, body: bytes, route: str, heads: Heads, *, keep: bool) -> Answer:
        """The answer to ``question`` (a path and query) in the version that ``at`` was last told; remembered or not."""
        tag = blake2b(f"{self.version}\0{question}".encode(), digest_size=12).hexdigest()
        answer = Answer(body, tag, route, heads)
        size = len(body) + _AROUND
        if keep and size * 8 <= self._most_bytes:
            while self.answers and (len(self.answers) >= self._most or self._bytes + size > self._most_bytes):
                self._drop_oldest()
            self.answers[question] = answer
            self._bytes += size
        return answer

    def bound(self, most_bytes: int) -> None:
        """Hold no more than this."""
        self._most_bytes = most_bytes
        while self.answers and self._bytes > most_bytes:
            self._drop_oldest()

    def grew(self, added: int) -> None:
        """A remembered answer got another form."""
        self._bytes += added

    def _drop_oldest(self) -> None:
        oldest = self.answers.pop(next(iter(self.answers)))
        self._bytes = max(0, self._bytes - oldest.size() - _AROUND)


class Memories:
    """What is remembered of each mode and rule set, bounded in number and in bytes together."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, str], Memory] = {}

    def of(self, index: Index) -> Memory:
        """The memory of a catalogue as it stands now, whatever it held of another version let go."""
        memory = self._held.get(index.key)
        if memory is None:
            memory = self._make(index.key)
        if memory.version != index.version:
            memory.at(index.version)
        return memory

    def _make(self, key: tuple[str, str]) -> Memory:
        if len(self._held) >= MOST_MEMORIES:
            del self._held[next(iter(self._held))]
        memory = self._held[key] = Memory()
        share = MOST_MEMORIES_BYTES // len(self._held)
        for kept in self._held.values():
            kept.bound(min(MOST_BYTES, share))
        return memory


class ReadyResponse:
    """A response whose head and body are bytes already. aiohttp asks no more of one than this.

    Only for HTTP/1.1 with the connection kept open; everything else goes out as an ordinary response.
    """

    __slots__ = ("keep_alive", "parts", "status")

    def __init__(self, status: int, parts: tuple[bytes, ...]) -> None:
        self.status = status
        self.parts = parts
        self.keep_alive = True

    def as_response(self) -> web.StreamResponse:
        """Itself, as aiohttp's types want it named."""
        return cast("web.StreamResponse", self)

    async def prepare(self, request: web.BaseRequest) -> None:
        """Write it, all at once."""
        if (transport := request.transport) is not None:
            transport.writelines(self.parts)
            await request.writer.drain()  # a client that does not read is not written to without end

    async def write_eof(self, _data: bytes = b"") -> None:
        """Nothing is left to write."""


class PreparedDocument:
    """A document that stays as it is while the process lives: its bytes, compressed once, and its ETags.

    ``make`` takes a while, and few processes are ever asked: it runs in a thread when the first one asks.
    ``headers`` go out with each answer that has a body.
    """

    def __init__(
        self, make: Callable[[], bytes], content_type: str = JSON_TYPE, headers: Mapping[str, str] | None = None
    ) -> None:
        self._make = make
        self._headers = {"Content-Type": content_type, **(headers or {})}

    @cached_property
    def plain(self) -> bytes:
        """The document, uncompressed."""
        return self._make()

    def body(self) -> bytes:
        """The same, for who needs it later or never."""
        return self.plain

    @cached_property
    def _packed(self) -> tuple[bytes, str]:
        """The document compressed, and what its ETags are made of."""
        return gzip.compress(self.plain, 9, mtime=0), blake2b(self.plain, digest_size=12).hexdigest()

    async def answer(self, request: web.Request) -> web.Response:
        """The document in the form that suits the request; 304 for who holds it."""
        packed, tag = await asyncio.to_thread(lambda: self._packed)
        etags = {None: f'"{tag}"', "gzip": f'"{tag}.gzip"'}
        kept = {"Cache-Control": "no-cache"}
        held_etag = held_tag(request.headers.get(hdrs.IF_NONE_MATCH, ""), tuple(etags.values()))
        if held_etag is not None:
            return web.Response(status=304, headers={**kept, "ETag": held_etag})
        coding = preferred_coding(request.headers.get(hdrs.ACCEPT_ENCODING, ""), ("gzip",))
        headers = {**kept, "ETag": etags[coding], **self._headers}
        if coding is None:
            return web.Response(body=self.plain, headers=headers)
        return web.Response(body=packed, headers={**headers, "Content-Encoding": coding})


def held_tag(if_none_match: str, ours: Sequence[str]) -> str | None:
    """The ETag of ours that an If-None-Match names, the first for "*"; None when it names none."""
    if if_none_match.strip() == "*":
        return ours[0]
    tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return next((tag for tag in ours if tag in tags), None)


def preferred_coding(accept_encoding: str, codings: Sequence[str] = CODINGS) -> str | None:
    """The best of ``codings`` that an Accept-Encoding allows; None for plain."""
    accepted: dict[str, float] = {}
    for part in accept_encoding.lower().split(","):
        name, _, parameters = part.partition(";")
        quality = 1.0
        key, _, value = parameters.strip().partition("=")
        if key.strip() == "q":
            try:
                quality = float(value)
            except ValueError:
                quality = 0.0
        accepted[name.strip()] = quality
    anything = accepted.get("*", 0.0)
    offered = [(accepted.get(coding, anything), -place, coding) for place, coding in enumerate(codings)]
    quality, _, coding = max(offered)
    return coding if quality > 0 else None


def _compressed(body: bytes, coding: str) -> bytes:
    if coding == "zstd":
        return zstandard.compress(body, 6)
    return gzip.compress(body, 6, mtime=0)


def _head(status: str, headers: Mapping[str, str]) -> bytes:
    return f"HTTP/1.1 {status}\r\n".encode() + b"".join(f"{k}: {v}\r\n".encode("latin-1") for k, v in headers.items())
