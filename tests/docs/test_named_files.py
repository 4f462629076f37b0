"""What the pages name as a file of the tree is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FOLDERS = ("gateway", "providers", "schemas", "tests", "benchmarks", "clients", "examples", "config", "deploy")
NAMED = re.compile(r"`([\w./-]+/[\w.-]+\.(?:py|sql|toml|html|css|js|yaml))`")


@pytest.fixture(scope="module")
def files() -> list[str]:
    """All files as paths from the root, each after a slash."""
    return [f"/{path.relative_to(ROOT)}" for folder in FOLDERS for path in (ROOT / folder).rglob("*.*")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_a_page_names_is_there(page: Path, files: list[str]) -> None:
    named = NAMED.findall(page.read_text("utf-8"))
    assert [name for name in named if not any(path.endswith(f"/{name}") for path in files)] == []
