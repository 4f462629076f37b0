"""The JSON examples of S2S's page, as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parent / "page"
NAMES = sorted(path.stem for path in FOLDER.glob("*.txt"))
# Copying the page put "- " before each member of an object or array.
_MARKER = re.compile(r'(?m)(^|[{\[,]\s?)- (?=["{}\]\[])')


def example(name: str) -> bytes:
    """One example, without the line markers."""
    return _MARKER.sub(r"\1", (FOLDER / f"{name}.txt").read_text("utf-8")).encode()
