"""JSON of the gateway as the types of ``models``."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from .events import EventBase, UnknownEvent
from .models import EVENT_TYPES

T = TypeVar("T")


def decode(content: bytes, kind: type[T]) -> T:
    """Raises ``ValueError`` for what is not JSON of that type; fields that the type does not have are ignored."""
    return msgspec.json.decode(content, type=kind, dec_hook=_event)


def _event(kind: type, value: Any) -> Any:
    """The event in a place where any may stand."""
    if kind is not EventBase or not isinstance(value, dict):
        raise ValueError("an event was expected")
    return msgspec.convert(value, EVENT_TYPES.get(value.get("type", ""), UnknownEvent))
