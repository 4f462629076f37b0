"""The value of a field that the documentation shows.

It stands beside the field, ``name: Annotated[str, example("Japan 1 GB, 7 days")]``, or once in a shared name for such
fields. A JSON schema does not contain it.
"""

from __future__ import annotations

from typing import Any

from msgspec import Meta

AT = "2026-11-20T10:00:00Z"
"""The moment of every example that needs no other."""


def example(value: Any) -> Meta:
    """Show this value for a field, as JSON: a time is text. None: an optional struct is shown as null.

    Of a struct, only the fields that differ from its own example; of a list, its rows, each given in the same way.
    """
    return Meta(extra={"example": value})
