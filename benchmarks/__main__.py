"""Every measurement beside its goal, each a ratio within one run or a plain bound.

    python -m benchmarks [core] [memory] [swap] [http] [peers] [sync] [orders] [orders_fair] [console]
    python -m benchmarks compare [COMMIT]

Each part is a process of its own, one after the other; at the end every line that names a goal is
shown again in one table, and what was printed is written into docs/performance.md. ``compare`` tells whether the work
tree is slower than a commit, the last one or another.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from benchmarks import report
from benchmarks.catalog_offers import SHARED_FOLDER


def run(part: str) -> tuple[str, bool]:
    """Run one part, show what it prints, and give that, and whether it ended well."""
    print(f"\n== {part}\n", flush=True)
    printed: list[str] = []
    with subprocess.Popen([sys.executable, "-m", f"benchmarks.{part}"], stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            printed.append(line)
    return "".join(printed), process.returncode == 0


def main() -> None:
    """The command line."""
    chosen = sys.argv[1:] or list(report.TITLES)
    if chosen[0] == "compare":
        os.execv(sys.executable, [sys.executable, "-m", "benchmarks.compare", *chosen[1:]])
    unknown = sorted(set(chosen) - set(report.TITLES))
    if unknown:
        raise SystemExit(f"no part {', '.join(unknown)}; there are {', '.join(report.TITLES)}, and compare")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        os.environ[SHARED_FOLDER] = folder
        results = {part: run(part) for part in chosen}
    report.write({part: text for part, (text, well) in results.items() if well})
    print("\n== all goals\n")
    for part, (text, well) in results.items():
        for line in report.lines_with_goals(text):
            print(report.as_verdict(part, line))
        if not well:
            print(f"{'FAILED':<8}{part:<13}this part ended with an error")
    raise SystemExit(0 if all(well for _, well in results.values()) else 1)


if __name__ == "__main__":
    main()
