"""What all events have in common, and what becomes of one that is newer than this client."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec


class EventBase:
    """The base of every event's class."""

    __slots__ = ()


class UnknownEvent(EventBase, msgspec.Struct, frozen=True, kw_only=True):
    """An event of a type that is newer than this client."""

    type: str
    id: str
    timestamp: datetime
    data: dict[str, Any]
