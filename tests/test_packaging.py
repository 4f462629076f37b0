"""What an installed gateway has outside this tree."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]
PARTS = ("gateway", "providers", "schemas", "config", "docs")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The built wheel, unpacked into a folder of its own."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")],
        cwd=HOUSE,
        check=True,
        capture_output=True,
    )
    (wheel,) = (folder / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def files(root):
    """What belongs into the wheel of a part: all that is in the tree and not made by running it."""
    for part in PARTS:
        for path in (root / part).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path.relative_to(root)


def test_the_wheel_holds_every_file_of_its_parts(installed):
    assert set(files(HOUSE)) - set(files(installed)) == set()


@pytest.mark.parametrize("name", ["config/gateway.toml", "gateway/migrations/versions/0001_catalog.sql"])
def test_the_wheel_holds_what_is_no_python(installed, name):
    assert (installed / name).stat().st_size > 0


def test_the_wheel_holds_the_static_files(installed):
    assert [path for path in files(installed) if "static" in path.parts]


def test_tests_and_benchmarks_stay_out(installed):
    assert {path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")} == set(PARTS)


def test_an_installed_gateway_runs_away_from_the_tree(installed, tmp_path):
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from gateway.kit import settings\n"
        "assert settings.__file__.startswith(sys.argv[1]), settings.__file__\n"
        "from gateway.migrations import HEAD\n"
        "from providers.loader import load_manifests\n"
        "print(settings.load().base_currency, HEAD, *load_manifests())\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, str(installed)],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"]},
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("USD ")
