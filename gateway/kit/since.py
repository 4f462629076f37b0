"""From when on: "24h", "7d" or "12w" before now, a date, or a moment."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_SPAN = re.compile(r"([0-9]{1,5})\s*(h|d|w|y)\Z")
_HOURS = {"h": 1, "d": 24, "w": 24 * 7, "y": 24 * 365}
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


def since(text: str, now: datetime) -> datetime | None:
    """The moment that ``text`` means, in UTC and not before 1970; None when it means none."""
    spelled = text.strip().lower()
    span = _SPAN.match(spelled)
    if span is not None:
        hours = int(span[1]) * _HOURS[span[2]]
        try:
            return max(now - timedelta(hours=hours), _EARLIEST)
        except OverflowError:
            return _EARLIEST
    try:
        found = datetime.fromisoformat(spelled.upper())
        return max(found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC), _EARLIEST)
    except (ValueError, OverflowError):
        return None
