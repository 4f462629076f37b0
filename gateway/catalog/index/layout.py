"""The snapshot as a file: a header of JSON, then aligned arrays that every process of a host maps.

::

    8 bytes   magic
    8 bytes   length of the header, little endian
    16 bytes  digest of the header
    header    JSON: layout, digest, size, meta, basis, arrays {name: [dtype, offset, count]}
    arrays    each at a multiple of 64 bytes

``digest`` is of what the arrays and ``meta`` say, so equal catalogues have equal digests on every
host. ``basis`` tells what the file was made from and is no part of it. A file appears whole or not
at all: it is written under another name, synced and renamed.
"""

from __future__ import annotations

import hashlib
import mmap
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

LAYOUT = 12
_MAGIC = b"ESIMCAT\x01"
_ALIGN = 64
_DIGEST_BYTES = 16
_START = len(_MAGIC) + 8 + _DIGEST_BYTES
_MAX_HEADER = 64 * 1024 * 1024


class NotASnapshot(ValueError):  # noqa: N818 - says what the file is not
    """The file is truncated, of another layout, or something else altogether."""


class Header(msgspec.Struct, frozen=True):
    """What stands before the arrays."""

    layout: int
    digest: str
    size: int
    meta: dict[str, Any]
    basis: str
    arrays: dict[str, tuple[str, int, int]]


class SnapshotFile:
    """A mapped snapshot: ``header``, ``arrays`` by name, and slices of its text."""

    def __init__(self, header: Header, memory: mmap.mmap | bytes) -> None:
        self.header = header
        self.memory = memory
        self.arrays: dict[str, Array] = {
            name: np.frombuffer(memory, dtype=np.dtype(kind), count=count, offset=offset)
            for name, (kind, offset, count) in header.arrays.items()
        }
        self.blob_at = header.arrays["blob"][1]

    def text(self, start: int, end: int) -> bytes:
        """Bytes of the blob, by offsets within it."""
        return self.memory[self.blob_at + start : self.blob_at + end]


def encode(meta: Mapping[str, Any], basis: str, arrays: Mapping[str, Array]) -> tuple[str, list[bytes | memoryview]]:
    """The digest of a snapshot and its file in parts, to be written one after the other."""
    digest = hashlib.blake2b(msgspec.json.encode(meta, order="sorted"), digest_size=_DIGEST_BYTES)
    for name in sorted(arrays):
        column = np.ascontiguousarray(arrays[name])
        digest.update(f"\n{name} {column.dtype.str} {column.size}\n".encode())
        digest.update(column.data.cast("B") if column.size else b"")
    version = digest.hexdigest()
    header = _header(version, dict(meta), basis, arrays)
    parts: list[bytes | memoryview] = [header]
    at = len(header)
    for name in arrays:
        column = np.ascontiguousarray(arrays[name])
        gap = -at % _ALIGN
        parts.append(bytes(gap))
        if column.size:
            parts.append(column.data.cast("B"))
        at += gap + column.nbytes
    return version, parts


def _header(digest: str, meta: dict[str, Any], basis: str, arrays: Mapping[str, Array]) -> bytes:
    """The header with true offsets: its own length moves them, so it is padded to a fixed one."""
    size = 0
    while True:
        at = _START + size
        placed: dict[str, tuple[str, int, int]] = {}
        for name, column in arrays.items():
            at += -at % _ALIGN
            placed[name] = (column.dtype.str, at, column.size)
            at += column.nbytes
        head = msgspec.json.encode(Header(LAYOUT, digest, at, meta, basis, placed))
        if len(head) <= size:
            head = head.ljust(size)
            break
        size = len(head) + _ALIGN
    mark = hashlib.blake2b(head, digest_size=_DIGEST_BYTES).digest()
    return _MAGIC + len(head).to_bytes(8, "little") + mark + head


def write(path: Path, parts: list[bytes | memoryview]) -> None:
    """Write a snapshot whole: another process sees the old file or the new one, never a piece."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("wb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)


def open_file(path: Path) -> SnapshotFile:
    """Map a snapshot. Raises ``NotASnapshot`` or ``OSError``."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size < _START:
            raise NotASnapshot(f"{path.name}: {size} bytes are too few")
        memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    try:
        header = _read_header(memory, path.name)
    except NotASnapshot:
        memory.close()
        raise
    return SnapshotFile(header, memory)


def from_memory(data: bytes) -> SnapshotFile:
    """A snapshot that is held in memory alone. Raises ``NotASnapshot``."""
    return SnapshotFile(_read_header(data, "memory"), data)


def peek(path: Path) -> Header:
    """The header of a snapshot file alone. Raises ``NotASnapshot`` or ``OSError``."""
    with path.open("rb") as file:
        start = file.read(_START)
        length = int.from_bytes(start[8:16], "little") if len(start) == _START else 0
        return _read_header(start + file.read(min(length, _MAX_HEADER)), path.name, os.fstat(file.fileno()).st_size)


def whole(file: SnapshotFile) -> bool:
    """Whether the arrays still say what the digest says; reads all of the file."""
    header = file.header
    return encode(header.meta, header.basis, file.arrays)[0] == header.digest


def _read_header(memory: mmap.mmap | bytes, name: str, size: int | None = None) -> Header:
    if memory[: len(_MAGIC)] != _MAGIC:
        raise NotASnapshot(f"{name}: not a catalogue snapshot of this layout")
    length = int.from_bytes(memory[8:16], "little")
    head = memory[_START : _START + length]
    if length > _MAX_HEADER or hashlib.blake2b(head, digest_size=_DIGEST_BYTES).digest() != memory[16:_START]:
        raise NotASnapshot(f"{name}: its header is damaged")
    try:
        header = msgspec.json.decode(head, type=Header)
    except msgspec.DecodeError as error:
        raise NotASnapshot(f"{name}: {error}") from None
    here = len(memory) if size is None else size
    if header.layout != LAYOUT or header.size != here:
        raise NotASnapshot(f"{name}: {here} bytes of layout {header.layout}, {header.size} expected")
    return header


def chunks(data: bytes, size: int) -> Iterator[bytes]:
    """``data`` in pieces of at most ``size`` bytes."""
    return (data[at : at + size] for at in range(0, len(data), size))
