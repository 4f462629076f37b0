"""The samples of the guides, and how they are run as a reader would."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

GUIDES = Path(__file__).parents[2] / "docs" / "guides"
CLIENTS = Path(__file__).parents[2] / "clients"
RECEIVER = "# receiver.py"
PNG = b"\x89PNG\r\n"
_BLOCKS = re.compile(r"^```(\w+)\n(.+?)^```$", re.MULTILINE | re.DOTALL)


def blocks(guide: str, language: str) -> list[str]:
    """The samples of a guide in one language."""
    return [source for name, source in _BLOCKS.findall((GUIDES / guide).read_text("utf-8")) if name == language]


def start(arguments: Sequence[str], folder: Path, **more: str) -> subprocess.Popen[str]:
    """A program of the reader's, with address and key in its environment; its output can be read."""
    return subprocess.Popen(
        arguments, cwd=folder, env=os.environ | more, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
