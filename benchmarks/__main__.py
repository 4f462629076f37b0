"""``python -m benchmarks [NAME…]``: every benchmark, or those named, one after the other on a quiet machine."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

ALL = ("catalog", "http", "sync")


def main(names: list[str]) -> int:
    """Run the benchmarks; the first exit code that is not 0."""
    known = [name for name in ALL if find_spec(f"benchmarks.{name}")]
    if unknown := [name for name in names if name not in known]:
        print(f"no benchmark named {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    worst = 0
    for name in names or known:
        print(f"\n== {name}", flush=True)
        worst = worst or subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
