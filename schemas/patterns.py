r"""Patterns of text, for Python and for the JSON Schema of the API's description.

In Python ``$`` matches before a final line break, too, and lets one in that nobody means; ``\Z`` is the end alone. JSON
Schema has the patterns of ECMAScript, where ``$`` is the end alone and ``\Z`` is a letter.
"""

from __future__ import annotations

from typing import Any


def as_ecmascript(schema: Any) -> Any:
    """A JSON schema with all its patterns as ECMAScript has them."""
    if isinstance(schema, list):
        return [as_ecmascript(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: pattern_as_ecmascript(value) if key == "pattern" and isinstance(value, str) else as_ecmascript(value)
        for key, value in schema.items()
    }


def pattern_as_ecmascript(pattern: str) -> str:
    """One pattern."""
    return pattern.replace(r"\Z", "$")
