"""``python -m providers.scaffold NAME``: stamp a new supplier plugin into this checkout."""

from __future__ import annotations

import sys
from pathlib import Path

from providers.scaffold import stamp
from schemas.errors import ConfigurationError


def main(arguments: list[str]) -> int:
    """Stamp the plugin that the one argument names; 0, or 2 with a line that says what is wrong."""
    if len(arguments) != 1 or not arguments[0].strip():
        sys.stderr.write("make provider name=acme: the name of the new provider is missing\n")
        return 2
    root = Path(__file__).resolve().parents[2]
    try:
        written = stamp(arguments[0].strip(), root)
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    name = arguments[0].strip()
    sys.stdout.write("".join(f"  {path.relative_to(root)}\n" for path in written))
    sys.stdout.write(
        f"Now read providers/ADDING_A_PROVIDER.md, and let the tests say what to fill in:\n"
        f"  make test ARGS=tests/providers/{name}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
