"""A disk without room, for a process under test.

Root, and whoever may have user namespaces, gives the process a mount namespace in which the folder is a small tmpfs
that is filled up: real ENOSPC, seen by that process alone and gone with it. Where a container refuses both, the process
gets a limit for the size of its files; a write beyond it fails with EFBIG, as one on a full disk does with ENOSPC.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FILLED = 'mount -t tmpfs -o size=64k none "$0" && { head -c 1M /dev/zero >"$0/filler" 2>/dev/null; exec "$@"; }'
_NAMESPACES = (("unshare", "--mount"), ("unshare", "--user", "--map-root-user", "--mount"))
_FILE_BYTES = 4 * 2**20  # the metrics' files in memory are smaller


@dataclass(frozen=True)
class FullDisk:
    """``prefix`` stands before the command of the process. Files of up to ``room`` bytes can be written."""

    prefix: tuple[str, ...]
    room: int
    reason: str


def ways() -> list[Callable[[Path], FullDisk]]:
    """How this machine can have a full disk at a folder that exists: always one way at least."""
    return [_filled, _bounded] if any(map(_allowed, _NAMESPACES)) else [_bounded]


def _filled(folder: Path) -> FullDisk:
    namespace = next(namespace for namespace in _NAMESPACES if _allowed(namespace))
    return FullDisk((*namespace, "sh", "-c", _FILLED, str(folder)), 0, "No space left on device")


def _bounded(_folder: Path) -> FullDisk:
    return FullDisk(("prlimit", f"--fsize={_FILE_BYTES}"), _FILE_BYTES, "File too large")


@cache
def _allowed(namespace: tuple[str, ...]) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        command = (*namespace, "sh", "-c", _FILLED, folder, "true")
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
