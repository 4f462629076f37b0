"""A new plugin as its author meets it: stamped, failing with what to fill in, filled in, passing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import providers
from providers.scaffold import stamp
from providers.scaffold.__main__ import main
from schemas.errors import ConfigurationError

CHECKOUT = Path(providers.__file__).resolve().parents[1]
SOURCES = ("providers/night_owl", "tests/providers/night_owl")
PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short")
NOT_COPIED = shutil.ignore_patterns("__pycache__", "*.csv", "static")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a plugin and its tests stand on, with one freshly stamped plugin."""
    root = tmp_path_factory.mktemp("checkout")
    for folder in ("providers", "schemas", "config", "gateway", "tests/kit"):
        shutil.copytree(CHECKOUT / folder, root / folder, ignore=NOT_COPIED)
    (root / "tests" / "providers").mkdir()
    for file in ("pyproject.toml", "tests/__init__.py", "tests/conftest.py", "tests/patient_loop.py"):
        shutil.copy(CHECKOUT / file, root / file)
    for path in (CHECKOUT / "tests" / "providers").glob("*.py"):
        if not path.name.startswith("test_"):
            shutil.copy(path, root / "tests" / "providers" / path.name)
    stamp("night_owl", root)
    return root


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # Coverage of a subprocess would be measured in a tree that is gone when it is reported.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("COV_", "COVERAGE_"))}
    environment |= {"PYTHONPATH": str(root), "COLUMNS": "200"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, check=False, cwd=root, capture_output=True, text=True, timeout=300, env=environment)


@pytest.mark.long
@pytest.mark.xdist_group("scaffold")
def test_a_stamped_plugin_says_what_to_fill_in_and_passes_once_three_plans_are(checkout):
    tests = "tests/providers/night_owl"
    # Only those that have something to say yet; the others pass already.
    empty = run(checkout, *PYTEST, "-k", "whole_walk or example", tests)
    assert empty.returncode == 1, empty.stdout + empty.stderr
    mapping = checkout / "providers" / "night_owl" / "mapping.py"
    rows = re.findall(r'"([^"]+)": None,  # (.+) (\d+ [MG]B) (\d+) days\n', mapping.read_text())
    assert len(rows) == 3
    assert "providers/night_owl/mapping.py: fill in how these become offers" in empty.stdout
    for key, *_ in rows:
        assert f'fill in PLANS["{key}"]' in empty.stdout

    text = mapping.read_text()
    for key, _, data, days in rows:
        text = text.replace(f'"{key}": None', f'"{key}": Known(("{key[:2]}",), "{data}", {days})')
    mapping.write_text(text)
    filled = run(checkout, *PYTEST, tests)
    assert filled.returncode == 0, filled.stdout + filled.stderr


@pytest.mark.long
@pytest.mark.xdist_group("scaffold")
def test_a_stamped_plugin_is_found_lints_and_type_checks(checkout):
    linted = run(checkout, "-m", "ruff", "check", "--no-cache", *SOURCES)
    assert linted.returncode == 0, linted.stdout
    typed = run(checkout, "-m", "mypy", "--follow-imports=silent", "--cache-dir", ".types", SOURCES[0])
    assert typed.returncode == 0, typed.stdout
    code = "from providers.loader import load_manifests; assert 'night_owl' in load_manifests()"
    found = run(checkout, "-c", code)
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize("name", ["", "Acme", "9lives", "a", "a-b", "a b", "../x", "class", "é", "x" * 41, "end_"])
def test_a_name_that_cannot_be_a_package_is_refused(checkout, name):
    with pytest.raises(ConfigurationError, match="cannot be a provider's name"):
        stamp(name, checkout)


@pytest.mark.parametrize("name", ["night_owl", "simulator", "pikasim", "loader"])
def test_a_name_that_is_taken_is_refused_and_nothing_is_written(checkout, name):
    before = sorted(checkout.rglob("*.py"))
    with pytest.raises(ConfigurationError, match="there already"):
        stamp(name, checkout)
    assert sorted(checkout.rglob("*.py")) == before


def test_a_folder_that_is_no_checkout_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="no checkout"):
        stamp("acme", tmp_path)


@pytest.mark.parametrize(("arguments", "said"), [([], "is missing"), ([" "], "is missing"), (["No"], "cannot be")])
def test_the_command_says_what_is_wrong_with_its_name(capsys, arguments, said):
    assert main(arguments) == 2
    assert said in capsys.readouterr().err
