"""Programs that tests run: found beside this Python, in what ``.ci/run`` brings, or on the machine."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.layout import ROOT

_FOLDERS = (Path(sys.executable).parent, ROOT / ".venv" / "tools", Path("/usr/sbin"))


def program(*names: str) -> str:
    """The path of a program, the first of these that is here.

    Without any the test is skipped, and fails where ``CI`` is set: ``.ci/run`` installs it.
    """
    folders = os.pathsep.join([*map(str, _FOLDERS), os.environ.get("PATH", "")])
    found = next((path for name in names if (path := shutil.which(name, path=folders)) is not None), None)
    if found is None:
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing(f"there is no {names[0]} here; .ci/run installs it")
    return str(found)
