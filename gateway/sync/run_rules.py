"""What a sync came to: the run as people and scripts read it, its state and its exit code."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

SupplierState = Literal["ok", "failed", "quarantined"]
RunState = Literal["ok", "partial", "failed"]

EXIT_ALL, EXIT_SOME, EXIT_NONE = 0, 3, 4


class SupplierRun(msgspec.Struct, frozen=True, kw_only=True):
    """One supplier's part of a run. ``total`` = ``mapped`` + unmapped; other products are apart.

    ``new``, ``changed`` and ``gone`` count what was replaced: all 0 when it failed, or was quarantined before that;
    a list that was quarantined at the end of the run stands, and is not sold. ``up`` and
    ``down`` are costs that rose and fell, in one currency; ``in_stock`` and ``out_of_stock`` offers that
    can be had again and no longer. ``suspect`` counts this supplier's offers that a suspect price keeps
    from sale. ``ms`` is the time from the first request to the commit. A dry run counts what would be replaced, also
    where it would be quarantined.
    """

    supplier: str
    state: SupplierState
    total: int = 0
    mapped: int = 0
    set_aside: dict[str, int] = msgspec.field(default_factory=dict)
    other_products: int = 0
    new: int = 0
    changed: int = 0
    gone: int = 0
    up: int = 0
    down: int = 0
    in_stock: int = 0
    out_of_stock: int = 0
    suspect: int = 0
    warnings: list[str] = msgspec.field(default_factory=list)
    error: str | None = None
    ms: int | None = None


class SyncRun(msgspec.Struct, frozen=True, kw_only=True):
    """A sync run as ``/v1/ops/sync-runs`` and ``sync --json`` show it; ``state`` is None while it runs."""

    id: str
    started_at: datetime
    ended_at: datetime | None
    state: RunState | None
    suppliers: list[SupplierRun]


def run_state(states: Sequence[SupplierState]) -> RunState:
    """Ok when every supplier is, failed when none is, partial between."""
    good = sum(state == "ok" for state in states)
    if states and good == len(states):
        return "ok"
    return "partial" if good else "failed"


def exit_code(run: SyncRun) -> int:
    """0 when all suppliers were synced, 3 when some were, 4 when none was."""
    return {"ok": EXIT_ALL, "partial": EXIT_SOME}.get(run.state or "failed", EXIT_NONE)
