"""Every measurement beside its goal, each a ratio within one run or a plain bound.

    python -m benchmarks [core] [memory] [swap] [http] [sync] [orders] [orders_fair] [console]

Each part is a process of its own, one after the other; at the end every line that names a goal is
shown again in one table.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile

from benchmarks.catalog_offers import SHARED_FOLDER

PARTS = ("core", "memory", "swap", "http", "sync", "orders", "orders_fair", "console")
_VERDICT = re.compile(r"^(met|ok|MISSED)\s+")
_GOAL = re.compile(r"(<=|>=)\s*[0-9]")


def run(part: str) -> tuple[list[str], bool]:
    """Run one part, show what it prints, and give its lines that name a goal, and whether it ended well."""
    print(f"\n== {part}\n", flush=True)
    found: list[str] = []
    with subprocess.Popen([sys.executable, "-m", f"benchmarks.{part}"], stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            if _GOAL.search(line):
                found.append(line.strip())
    return found, process.returncode == 0


def main() -> None:
    """The command line."""
    chosen = sys.argv[1:] or list(PARTS)
    unknown = sorted(set(chosen) - set(PARTS))
    if unknown:
        raise SystemExit(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        os.environ[SHARED_FOLDER] = folder
        results = {part: run(part) for part in chosen}
    print("\n== all goals\n")
    for part, (lines, well) in results.items():
        for line in lines:
            print(f"{'MISSED' if 'MISSED' in line else 'ok':<8}{part:<13}{_VERDICT.sub('', line)}")
        if not well:
            print(f"{'FAILED':<8}{part:<13}this part ended with an error")


if __name__ == "__main__":
    main()
