"""Reading an answer's body within a cap of bytes, unpacked piece by piece.

A few kilobytes of gzip can stand for gigabytes, and a client that unpacks for itself has them in
memory before anyone may object.
"""

from __future__ import annotations

import zlib

import aiohttp

from schemas.errors import UnreadableAnswer

_PLAIN = frozenset({"", "identity"})
_PACKED = frozenset({"gzip", "x-gzip", "deflate"})
ENCODINGS = "gzip, deflate"


async def read_capped(response: aiohttp.ClientResponse, cap: int) -> bytes:
    """The unpacked body of a response whose session does not unpack.

    Raises ``UnreadableAnswer`` when it is larger than ``cap`` bytes, packed or not, when the packing
    is broken or ends too early, and for an encoding that was not asked for.
    """
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in _PLAIN | _PACKED:
        raise UnreadableAnswer("packed in a way that was not asked for", status=response.status)
    unpacker = _Unpacker() if encoding in _PACKED else None
    parts: list[bytes] = []
    size = received = 0
    async for chunk in response.content.iter_any():
        received += len(chunk)
        try:
            part = chunk if unpacker is None else unpacker.feed(chunk, cap + 1 - size)
        except zlib.error:
            raise UnreadableAnswer("a broken gzip stream", status=response.status) from None
        size += len(part)
        if max(size, received) > cap:
            raise UnreadableAnswer(f"larger than {cap} bytes", status=response.status)
        parts.append(part)
    if unpacker is not None and received and not unpacker.whole:
        raise UnreadableAnswer("a gzip stream that ends too early", status=response.status)
    return b"".join(parts)


class _Unpacker:
    """gzip (of several members too), zlib and bare deflate, never more than asked for at a time."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(zlib.MAX_WBITS | 32)
        self._begun = False

    @property
    def whole(self) -> bool:
        """Whether the last stream came to its end."""
        return self._stream.eof

    def feed(self, chunk: bytes, most: int) -> bytes:
        """Unpack a chunk, at most ``most`` bytes of it; asking for one too many shows what is too large."""
        out = bytearray()
        while chunk and len(out) < most:
            if self._stream.eof:
                self._stream = zlib.decompressobj(zlib.MAX_WBITS | 32)
            try:
                out += self._stream.decompress(chunk, most - len(out))
            except zlib.error:
                if self._begun:
                    raise
                # "deflate" means zlib, but some servers send it bare.
                self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
                out += self._stream.decompress(chunk, most - len(out))
            self._begun = True
            chunk = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
        return bytes(out)
