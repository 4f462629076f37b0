"""The JSON examples of PikaSim's page, as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parent / "page"
NAMES = sorted(path.stem for path in FOLDER.glob("*.txt"))
# Two things on the page are no JSON: `[...]` for a list that was left out, and `// …` behind a value.
_LEFT_OUT = "[...]"
_REMARK = re.compile(r"(?m) // .*$")


def example(name: str) -> str:
    text = (FOLDER / f"{name}.txt").read_text("utf-8")
    return _REMARK.sub("", text.replace(_LEFT_OUT, "[]"))
