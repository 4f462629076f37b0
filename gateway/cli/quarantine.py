"""``esim-gateway quarantine``: quarantined syncs, and what operators decide about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gateway.cli.connected import agreed, cli_actor, print_json, run_connected
from gateway.cli.declared import AsCsv, AsJson
from gateway.cli.sheets import print_rows
from gateway.cli.state import StateDir
from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    from gateway.suppliers.deps import Deps
    from schemas.api_changes import DifferencePage, Quarantine

app = typer.Typer(
    help="Quarantined syncs: show how they differ from the current offers, accept or refuse them.", no_args_is_help=True
)
Supplier = Annotated[str, typer.Argument(metavar="SUPPLIER", help="The supplier of the quarantined sync.")]


@app.command("list")
def list_(as_json: AsJson = False, state_dir: StateDir = None) -> None:
    """Show quarantined syncs, the oldest first."""

    async def read(deps: Deps) -> list[Quarantine]:
        from gateway.sync.requests import waiting

        return await waiting(deps.pool)

    found = run_connected(state_dir, read)
    if as_json:
        print_json(found)
        return
    for quarantine in found:
        print(f"{quarantine.supplier}  {quarantine.at:%Y-%m-%d %H:%M}  {quarantine.run_id}  {quarantine.reason}")
        print(f"  {_counts(quarantine)}")


@app.command()
def show(
    supplier: Supplier,
    kind: Annotated[
        Literal["moved", "gone", "new"] | None, typer.Option(help="Only moved prices, what is gone, or what is new.")
    ] = None,
    limit: Annotated[int, typer.Option(help="How many differences at most.", min=1, max=10_000)] = 50,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Show how a quarantined sync differs from the current offers, the largest differences first."""

    async def read(deps: Deps) -> DifferencePage:
        from gateway.kit.pages import PageRequest
        from gateway.sync.requests import difference

        quarantine = await _waiting(deps, supplier)
        page = await difference(deps.pool, quarantine.run_id, supplier, PageRequest(limit), kind=kind)
        if page is None:
            raise ConfigurationError(f"nothing of {supplier} waits")
        return page

    found = run_connected(state_dir, read)
    if as_json:
        print_json(found)
    else:
        _print(found, as_csv=as_csv)


@app.command()
def accept(supplier: Supplier, as_json: AsJson = False, state_dir: StateDir = None) -> None:
    """Sync a supplier and apply the result, however many offers disappear or change. Exits like `sync --accept`."""
    from gateway.cli.sync import sync

    async def note(deps: Deps) -> None:
        from gateway.sync.requests import note_accepted

        quarantine = await _waiting(deps, supplier)
        await note_accepted(deps.pool, quarantine.run_id, supplier, cli_actor())

    run_connected(state_dir, note)
    sync(supplier=None, accept=[supplier], as_json=as_json, run_id=None, state_dir=state_dir)


@app.command()
def refuse(
    supplier: Supplier,
    why: Annotated[str, typer.Option(help="The reason, kept with the decision.")],
    state_dir: StateDir = None,
) -> None:
    """Keep the current offers. No new decision is requested while the supplier sends the same offers."""

    async def act(deps: Deps) -> None:
        from gateway.sync.requests import refuse as refuse_it

        quarantine = await _waiting(deps, supplier)
        agreed(await refuse_it(deps.pool, deps.accounts, quarantine.run_id, supplier, cli_actor(), why))

    run_connected(state_dir, act)
    print(f"what {supplier} brought is refused; its offers stay as they were")


async def _waiting(deps: Deps, supplier: str) -> Quarantine:
    from gateway.sync.requests import waiting

    for quarantine in await waiting(deps.pool):
        if quarantine.supplier == supplier:
            return quarantine
    raise ConfigurationError(f"nothing of {supplier} waits")


def _print(found: DifferencePage, *, as_csv: bool) -> None:
    from gateway.prices.change_tables import difference_columns

    quarantine = found.quarantine
    if not as_csv:
        print(f"{quarantine.supplier}, {quarantine.at:%Y-%m-%d %H:%M} UTC: {quarantine.reason}")
        print(_counts(quarantine))
    print_rows(difference_columns(quarantine.supplier), found.data, as_csv=as_csv)
    if found.has_more and not as_csv:
        print(f"the first {len(found.data)}; more with --limit")


def _counts(row: Quarantine) -> str:
    return f"of {row.before} offers: {row.up} up, {row.down} down, {row.new} new, {row.gone} gone"
