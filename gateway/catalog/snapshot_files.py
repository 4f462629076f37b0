"""Snapshots where serving processes find them: files of the state folder, and a packed copy in Redis.

A snapshot is named by its version, so a file or a copy of that name is the right one or damaged, and
never out of date.
"""

from __future__ import annotations

import asyncio
import fcntl
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import structlog
import zstandard

from gateway.catalog.index import layout
from gateway.catalog.index.layout import NotASnapshot, SnapshotFile

log = structlog.get_logger()

KEEP = 2
NOTICE = "gateway:catalog"
CURRENT = "gateway:catalog:current"
CHUNK_BYTES = 64 * 1024 * 1024  # Redis takes values up to 512 MB
OLD_SECONDS = 900
_LEVEL = 3
_LOOK_AGAIN_SECONDS = 0.1
_NAME = re.compile(r"([0-9a-f]{32})-(live|test)\.snap")
_WHERE = "gateway:catalog:{mode}:{version}"


class Copy(msgspec.Struct, frozen=True):
    """How a snapshot lies in Redis."""

    chunks: int
    packed: int
    size: int


def folder(state_dir: Path) -> Path:
    """Where the snapshots of this host lie."""
    return state_dir / "catalog"


def path_of(state_dir: Path, mode: str, version: str) -> Path:
    return folder(state_dir) / f"{version}-{mode}.snap"


def newest(state_dir: Path, mode: str) -> SnapshotFile | None:
    """The newest snapshot of this mode that can be opened; one that cannot is named in the log."""
    found = [path for path in folder(state_dir).glob(f"*-{mode}.snap") if _NAME.fullmatch(path.name)]
    for path in sorted(found, key=lambda path: path.stat().st_mtime, reverse=True):
        file = open_or_refuse(path)
        if file is not None:
            return file
    return None


def open_or_refuse(path: Path) -> SnapshotFile | None:
    """The snapshot in this file, or None; a damaged one is named in the log and removed."""
    try:
        return layout.open_file(path)
    except FileNotFoundError:
        return None
    except OSError as error:  # no descriptor is left, or the disk fails: the file may be a good one
        log.warning("snapshot_refused", file=path.name, error=str(error))
        return None
    except NotASnapshot as error:
        log.warning("snapshot_refused", file=path.name, error=str(error))
        path.unlink(missing_ok=True)
        return None


def prune(state_dir: Path, keep: set[str]) -> None:
    """Remove all but the last two snapshots of each mode and those to keep. A process that maps one keeps its pages."""
    by_mode: dict[str, list[Path]] = {}
    for path in folder(state_dir).glob("*.snap"):
        match = _NAME.fullmatch(path.name)
        if match:
            by_mode.setdefault(match[2], []).append(path)
    for paths in by_mode.values():
        paths.sort(key=_made_at, reverse=True)
        for path in paths[KEEP:]:
            if path.name.split("-")[0] not in keep:
                path.unlink(missing_ok=True)


def _made_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another process was quicker
        return 0.0


@asynccontextmanager
async def only_one(state_dir: Path) -> AsyncIterator[None]:
    """Hold the host's lock for making snapshots; waits for who has it. It goes with the process."""
    await asyncio.to_thread(folder(state_dir).mkdir, parents=True, exist_ok=True)
    with (folder(state_dir) / "lock").open("wb") as file:
        while not _locked(file.fileno()):  # noqa: ASYNC110 - the holder is another process
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        yield


def _locked(number: int) -> bool:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def pack(path: Path) -> tuple[bytes, int]:
    """A snapshot file compressed, and its own size."""
    data = path.read_bytes()
    return zstandard.ZstdCompressor(level=_LEVEL, threads=-1).compress(data), len(data)


def unpack(packed: bytes, size: int, path: Path) -> bytes | None:
    """A packed snapshot as its file at ``path`` will hold it; None where it is not whole or of another version."""
    try:
        data = zstandard.ZstdDecompressor().decompress(packed, max_output_size=size)
        file = layout.from_memory(data)
    except (zstandard.ZstdError, NotASnapshot) as error:
        log.warning("snapshot_refused", file=f"redis:{path.name}", error=str(error))
        return None
    if not path.name.startswith(f"{file.header.digest}-") or not layout.whole(file):
        log.warning("snapshot_refused", file=f"redis:{path.name}", error="it is not what its name says")
        return None
    return data


def keep(data: bytes, path: Path) -> SnapshotFile:
    """Write a snapshot, remove older ones, and map it. Raises ``OSError``, as on a full disk."""
    layout.write(path, [data])
    match = _NAME.fullmatch(path.name)
    prune(path.parent.parent, {match[1]} if match else set())
    return layout.open_file(path)


async def push(redis: Any, mode: str, version: str, packed: bytes, size: int) -> None:
    """Lay a packed snapshot into Redis, its head last."""
    where = _WHERE.format(mode=mode, version=version)
    chunks = list(layout.chunks(packed, CHUNK_BYTES))
    for number, chunk in enumerate(chunks):
        await redis.set(f"{where}:{number}", chunk)
    await redis.set(where, msgspec.json.encode(Copy(len(chunks), len(packed), size)))


async def holds(redis: Any, mode: str, version: str) -> bool:
    """Whether Redis has this snapshot."""
    return bool(await redis.exists(_WHERE.format(mode=mode, version=version)))


async def pull(redis: Any, mode: str, version: str) -> tuple[bytes, int] | None:
    """A packed snapshot and its unpacked size, or None when Redis does not have all of it."""
    where = _WHERE.format(mode=mode, version=version)
    head = await redis.get(where)
    if head is None:
        return None
    copy = msgspec.json.decode(head, type=Copy)
    parts = [await redis.get(f"{where}:{number}") for number in range(copy.chunks)]
    packed = b"".join(part for part in parts if part is not None)
    return (packed, copy.size) if len(packed) == copy.packed else None


async def current(redis: Any) -> dict[str, str]:
    """The versions that Redis calls the newest, by mode; none when it does not know."""
    versions = await redis.get(CURRENT)
    return {} if versions is None else msgspec.json.decode(versions, type=dict[str, str])


async def publish_versions(redis: Any, versions: dict[str, str]) -> None:
    """Name the newest versions, tell who listens, and let the copies of those before run out."""
    before = await current(redis)
    await redis.set(CURRENT, msgspec.json.encode(versions))
    await redis.publish(NOTICE, b"new")
    for mode, version in before.items():
        if versions.get(mode) != version:
            where = _WHERE.format(mode=mode, version=version)
            head = await redis.get(where)
            chunks = msgspec.json.decode(head, type=Copy).chunks if head is not None else 0
            for key in (where, *(f"{where}:{number}" for number in range(chunks))):
                await redis.expire(key, OLD_SECONDS)
