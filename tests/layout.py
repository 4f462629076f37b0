"""What import-linter cannot see of the layout: circles between files, and SQL outside of the files for it.

python -m tests.layout

It prints each fault and ends with 1 where there is one; ``make check`` runs it, and ``test_layout.py``.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[1]
PARTS = ("gateway", "providers", "schemas")
_SQL = re.compile(
    r'"(?:"")?\s*(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH \w+ AS|LISTEN|NOTIFY|SET LOCAL|LOCK TABLE|TRUNCATE)\s'
)


def modules(root: Path = ROOT) -> dict[str, Path]:
    """Every module of the three parts, with its file."""
    found = {}
    for part in PARTS:
        for file in sorted((root / part).rglob("*.py")):
            words = file.relative_to(root).with_suffix("").parts
            found[".".join(words[:-1] if words[-1] == "__init__" else words)] = file
    return found


def imports(files: Mapping[str, Path]) -> dict[str, set[str]]:
    """What each module imports of the others, at whatever place and for whatever purpose."""
    found: dict[str, set[str]] = {}
    for name, file in files.items():
        named = set()
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                named |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module is not None:
                whole = {f"{node.module}.{alias.name}" for alias in node.names}
                named |= {one if one in files else node.module for one in whole}
        found[name] = (named & files.keys()) - {name}
    return found


def circle(edges: Mapping[str, Iterable[str]]) -> list[str]:
    """The modules of one circle of imports, the first one again at the end; empty where there is none."""
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def is_for_sql(file: str) -> bool:
    """Whether statements may stand there."""
    return file.startswith(("gateway/kit/", "gateway/migrations/")) or file.endswith("_rows.py")


def sql_elsewhere(root: Path = ROOT) -> set[str]:
    """The files of the gateway that hold statements and are not for them."""
    files = {str(file.relative_to(root)): file for file in (root / "gateway").rglob("*.py")}
    return {name for name, file in files.items() if not is_for_sql(name) and _SQL.search(file.read_text())}


def faults(root: Path = ROOT) -> list[str]:
    """Every fault of the layout, as a line for people."""
    found = []
    if around := circle(imports(modules(root))):
        found.append(f"import circle: {' -> '.join(around)}")
    return found + [f"{file}: SQL stands in *_rows.py, kit or migrations" for file in sorted(sql_elsewhere(root))]


if __name__ == "__main__":
    lines = faults()
    print(*lines, sep="\n")
    sys.exit(bool(lines))
