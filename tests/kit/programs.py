"""Programs that tests run: found beside this Python, in what ``.ci/run`` brings, or on the machine."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.layout import ROOT

_FOLDERS = (Path(sys.executable).parent, ROOT / ".venv" / "tools", Path("/usr/sbin"))


def program(name: str) -> str:
    """The path of a program. Without it the test is skipped, and fails where ``CI`` is set: ``.ci/run`` installs it."""
    found = shutil.which(name, path=os.pathsep.join([*map(str, _FOLDERS), os.environ.get("PATH", "")]))
    if found is None:
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing(f"there is no {name} here; .ci/run installs it")
    return found
