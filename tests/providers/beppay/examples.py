"""The JSON examples of BepPay's two pages, as they stand there. ``older_`` ones are only on the older page."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "page"
NAMES = sorted(path.stem for path in FOLDER.glob("*.txt"))


def example(name: str) -> str:
    return (FOLDER / f"{name}.txt").read_text("utf-8")
