"""What is checked with a pattern has no line break at its end that the pattern does not allow."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.patterns import as_ecmascript

ROOT = Path(__file__).parents[2]
FILES = [*(ROOT / "schemas").glob("*.py"), *(ROOT / "gateway" / "api").rglob("*.py"), ROOT / "gateway/kit/pages.py"]


def patterns_in(source: str) -> Iterator[str]:
    """The patterns of ``Meta`` in a module, and what it calls a form."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Meta":
            found = [keyword.value for keyword in node.keywords if keyword.arg == "pattern"]
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found = [node.value] if node.targets[0].id in {"_LINE", "_MEANS", "CURSOR_FORM"} else []
        else:
            found = []
        yield from (value.value for value in found if isinstance(value, ast.Constant) and isinstance(value.value, str))
        yield from (ast.unparse(value)[2:-1] for value in found if isinstance(value, ast.JoinedStr))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_pattern_ends_at_the_end_alone(file: Path) -> None:
    found = [*patterns_in(file.read_text("utf-8"))]
    assert [pattern for pattern in found if not pattern.endswith(r"\Z")] == []


def test_there_are_patterns_and_the_description_has_them_as_ecmascript_does() -> None:
    found = [pattern for file in FILES for pattern in patterns_in(file.read_text("utf-8"))]
    assert len(found) > 50
    schema = {"properties": {"pattern": {"type": "string", "pattern": r"^[a-z]+\Z"}}, "anyOf": [{"pattern": r"^a\Z"}]}
    assert as_ecmascript(schema) == {
        "properties": {"pattern": {"type": "string", "pattern": "^[a-z]+$"}},
        "anyOf": [{"pattern": "^a$"}],
    }
    assert re.search("^a$", "a\n"), "why it matters"
