"""Whether a process is ready, and whether it lives."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from schemas.examples import AT, example


class Ready(msgspec.Struct, frozen=True):
    """Whether this process can answer, with what, and what does not work at present.

    Attributes:
        status: Whether a catalogue is loaded.
        degraded: What does not work at present, each as a word and the reason.
        catalog: The catalogue of each mode: its version, its offers and plans, when it was synced, whether it is stale.
    """

    status: Annotated[Literal["ready", "not_ready"], example("ready")]
    degraded: Annotated[list[str], example([])]
    catalog: Annotated[
        dict[str, Any], example({"live": {"version": "5f3a1c", "offers": 2310, "plans": 1904, "synced_at": AT}})
    ]


class Alive(msgspec.Struct, frozen=True):
    """The process runs.

    Attributes:
        status: Always `ok`.
    """

    status: Literal["ok"]
