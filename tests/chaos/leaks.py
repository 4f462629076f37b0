"""Whether a secret of this run stands in the gateway's log lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

_SHORTEST = 8


def leaks(folder: Path, secrets: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """For each kind of secret, how many of its values stand somewhere in the log files of ``folder``."""
    text = b"\n".join(path.read_bytes() for path in sorted(folder.glob("*.log")))
    found: Counter[str] = Counter()
    for kind, values in secrets.items():
        wanted = {value for value in values if len(value) >= _SHORTEST}
        assert wanted, f"there is no {kind} to look for"
        found[kind] = sum(value.encode() in text for value in wanted)
    return dict(found)
