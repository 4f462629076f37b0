"""Lines of code, without blank lines, comments and docstrings: ``python -m tests.code_lines [FOLDER …]``."""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("gateway", "providers", "schemas", "tests")
_NO_CODE = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER,
}  # fmt: skip
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def code_lines(source: str) -> int:
    """How many lines of a module hold code."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            docstring = node.body[0]
            lines.difference_update(range(docstring.lineno, (docstring.end_lineno or docstring.lineno) + 1))
    return len(lines)


def folder_lines(folder: Path) -> tuple[int, int, int]:
    """Files, lines of code, and the lines of the longest file."""
    texts = [path.read_text("utf-8") for path in sorted(folder.rglob("*.py"))]
    return len(texts), sum(map(code_lines, texts)), max((text.count("\n") for text in texts), default=0)


if __name__ == "__main__":
    for name in sys.argv[1:] or FOLDERS:
        files, lines, longest = folder_lines(ROOT / name)
        print(f"{name:<12}{files:>6} files{lines:>8,} lines of code, the longest file has {longest}")  # noqa: T201 - its answer
