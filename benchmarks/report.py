"""Writes docs/performance.md: what each part measured last, on which machine, and how to repeat it."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "performance.md"
TITLES = {
    "core": "the catalogue's index, without HTTP",
    "memory": "memory of a process that serves the catalogue",
    "swap": "a new catalogue while questions are answered",
    "http": "the catalogue over HTTP, beside a bare handler",
    "peers": "the catalogue over HTTP, beside what others would have written",
    "sync": "a price sync, over download and parse",
    "orders": "orders, beside a plain service",
    "orders_fair": "a small storefront beside a large one",
    "console": "pages of the console on a filled database",
}
_VERDICT = re.compile(r"^(met|ok|MISSED)\s+")
_GOAL = re.compile(r"(<=|>=)\s*[0-9]")
_SECTION = re.compile(r"^## (\w+): .*?\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_HEAD = """# Performance

Written by `make bench`, which measures everything below anew; `make bench ARGS="http peers"` renews two parts. Each
figure is a ratio within one run, or a count: times of different runs and machines cannot be compared. CPU time is what
is held against a floor or peer, because on a machine with few cores the load generator shares them. "Never answered
before" means other plans each time, chosen and written anew. PostgreSQL keeps every promise: fsync and
synchronous_commit are on; the databases of `orders` and `console` are filled as work fills them. What slowed
between two commits is told from noise by `make bench ARGS=compare`.

"""


def lines_with_goals(text: str) -> list[str]:
    """The lines that name a goal."""
    return [line.strip() for line in text.splitlines() if _GOAL.search(line)]


def as_verdict(part: str, line: str) -> str:
    """A line with a goal as the summary shows it."""
    return f"{'MISSED' if 'MISSED' in line else 'ok':<8}{part:<13}{_VERDICT.sub('', line)}"


def write(outputs: dict[str, str], page: Path = PAGE) -> None:
    """Put in what these parts printed; what other parts printed before stays."""
    sections = dict(_SECTION.findall(page.read_text("utf-8"))) if page.exists() else {}
    stamp = f"Measured on {datetime.now(UTC):%Y-%m-%d} at {_commit()}.\n\n"
    sections |= {part: f"\n{stamp}```text\n{text.strip()}\n```\n\n" for part, text in outputs.items()}
    summary = [
        as_verdict(part, line) for part in TITLES if part in sections for line in lines_with_goals(sections[part])
    ]
    text = f"{_HEAD}{_machine()}\n## All goals\n\n```text\n" + "\n".join(summary) + "\n```\n\n"
    text += "".join(f"## {part}: {title}\n{sections[part]}" for part, title in TITLES.items() if part in sections)
    page.write_text(text.rstrip() + "\n", "utf-8")


def _commit() -> str:
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or "a copy without history"


def _machine() -> str:
    """What the last run ran on, as a table."""
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text("utf-8"))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    node = shutil.which("node")
    rows = {
        "CPU": f"{cpu[1] if cpu else platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB",
        "Kernel": platform.release().split("-")[0],
        "Python": platform.python_version(),
        "Libraries": ", ".join(
            f"{name} {version(name)}" for name in ("aiohttp", "uvloop", "asyncpg", "numpy", "msgspec")
        ),
        "Node.js": subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
        if node
        else "none",
    }
    return "| | |\n|---|---|\n" + "".join(f"| {name} | {value} |\n" for name, value in rows.items())
