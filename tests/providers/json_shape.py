"""What fields a JSON value has and of what types, to be compared with another's; and any value at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

Shape = Mapping[str, set[str]]
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
"""Any JSON value."""


def differences(example: Any, answer: Any, beside: frozenset[str] = frozenset()) -> list[str]:
    """Where an answer has other fields or types than an example; empty where it has the same.

    What the example leaves empty, or null, says nothing of what stands there, and null is of no type; but what has
    a value in the example must have one in the answer. The rows of a list may have those fields together that some
    row of the example has. ``beside`` names fields that may stand there in any case.
    """
    wanted, found = _shape(example, frozenset()), _shape(answer, beside)
    unsaid = tuple(path for path, types in wanted.items() if types in ({"null"}, {"empty"}))
    told = [path for path in found if not path.startswith(unsaid)]
    return [
        f"{path or 'the whole'}: {', '.join(sorted(found.get(path, set()))) or 'nothing'}"
        f" instead of {', '.join(sorted(wanted.get(path, set()))) or 'nothing'}"
        for path in sorted({*told, *wanted} - set(unsaid))
        if not _fits(wanted.get(path, set()) - {"null"}, found.get(path, set()) - {"null"})
    ]


def fields(value: Any, path: str = "") -> set[str]:
    """The path of every field in a JSON value."""
    if isinstance(value, list):
        return set().union(*(fields(item, f"{path}[]") for item in value))
    if isinstance(value, dict):
        return set().union(*({f"{path}.{key}"} | fields(item, f"{path}.{key}") for key, item in value.items()))
    return set()


def _fits(wanted: set[str], found: set[str]) -> bool:
    objects = {kind for kind in wanted if kind.startswith("object")}
    return found <= wanted | {"empty"} and wanted - objects - {"empty"} <= found and (not objects or found != set())


def _shape(value: Any, beside: frozenset[str]) -> Shape:
    shape: dict[str, set[str]] = defaultdict(set)

    def walk(path: str, value: Any) -> None:
        shape[path].add(_type(value, beside))
        if isinstance(value, dict):
            for name, inner in value.items():
                if name not in beside:
                    walk(f"{path}.{name}", inner)
        elif isinstance(value, list):
            for inner in value:
                walk(f"{path}[]", inner)

    walk("", value)
    return shape


def _type(value: Any, beside: frozenset[str]) -> str:
    if isinstance(value, dict):
        return f"object of {', '.join(sorted(value.keys() - beside))}"
    if isinstance(value, list):
        return "array" if value else "empty"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "null" if value is None else "string"
