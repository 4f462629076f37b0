"""``esim-gateway mappings``: mappings of terms that operators added."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.cli.connected import run_connected
from gateway.cli.declared import Command, Option, command_group
from gateway.cli.state import StateDir

if TYPE_CHECKING:
    from gateway.suppliers.deps import Deps

_TERM = {
    "about": Option(help="What the term is."),
    "word": Option(help="The term as the supplier writes it."),
    "means": Option(
        help='A place: "AU HK JP". A unit: its days, "14" or "1/1440". An attribute: country, data or days.'
    ),
    "provider": Option(help="For every account at this provider [every provider]."),
    "supplier": Option(help="For this account alone; goes before a mapping of its provider."),
    "note": Option(help="Source of this meaning."),
}


def _show_one(row: Any) -> None:
    waits = "" if row.applied else "  (from the next sync on)"
    scope = row.supplier or row.provider or "every provider"
    print(f"{scope}: {row.about} {row.word!r} means {row.means}{waits}")


def _show(mappings: Any) -> None:
    for row in mappings.data:
        _show_one(row)


def _show_effect(effect: Any) -> None:
    print(f"{effect.would_map} of {effect.tried} unmapped items would become offers of {effect.plans} plans")
    for reason, count in effect.still_set_aside.items():
        print(f"still unmapped: {count} {reason}")


app = command_group(
    "Mappings of terms that operators added.",
    {
        "list": Command(
            operation="mappings.list_mappings",
            help="Show the mappings added in the console and over the API, the newest first.",
            show=_show,
        ),
        "preview": Command(
            operation="mappings.preview_mapping",
            help="Show how many unmapped items a mapping would map; nothing is changed.",
            options=_TERM,
            show=_show_effect,
        ),
        "add": Command(
            operation="mappings.tell_mapping",
            help="Add a mapping for a term. It applies from the next sync on.",
            options=_TERM,
            show=_show_one,
        ),
        "remove": Command(
            operation="mappings.forget_mapping",
            help="Remove a mapping. Items that only it mapped are unmapped at the next sync.",
            show=lambda row: print(f"removed: {row.about} {row.word!r}"),
        ),
    },
)


@app.command()
def export(state_dir: StateDir = None) -> None:
    """Print all that is in force as the file config/mappings.toml would hold it."""

    async def read(deps: Deps) -> str:
        from gateway.sync import mappings

        return await mappings.toml(deps.pool)

    print(run_connected(state_dir, read), end="")
