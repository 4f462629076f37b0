"""``esim-gateway mappings``: mappings of terms that operators added."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.cli.connected import run_connected
from gateway.cli.declared import Command, command_group
from gateway.cli.state import StateDir

if TYPE_CHECKING:
    from gateway.suppliers.deps import Deps


def _show(mappings: Any) -> None:
    for row in mappings.data:
        waits = "" if row.applied else "  (from the next sync on)"
        print(f"{row.provider or 'every provider'}: {row.about} {row.word!r} means {row.means}{waits}")


app = command_group(
    "Mappings of terms that operators added.",
    {
        "list": Command(
            operation="mappings.list_mappings",
            help="Show the mappings added in the console and over the API, the newest first.",
            show=_show,
        )
    },
)


@app.command()
def export(state_dir: StateDir = None) -> None:
    """Print all that is in force as the file config/mappings.toml would hold it."""

    async def read(deps: Deps) -> str:
        from gateway.sync import mappings

        return await mappings.toml(deps.pool)

    print(run_connected(state_dir, read), end="")
