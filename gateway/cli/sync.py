"""``esim-gateway sync``: fetch the suppliers' catalogues, for people and for cron."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.sheets import print_rows
from gateway.cli.state import StateDir, database_url, redis_url, settings_here
from gateway.kit.sheet import Column, columns, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway.kit.pool import Pool
    from gateway.kit.settings import Settings
    from gateway.sync.progress import Progress
    from gateway.sync.run_rules import SupplierRun, SyncRun

STOPPED = 130

_DRY_RUN = columns(
    "supplier, state, items=total, mapped",
    Column("unmapped", lambda part: sum(part.set_aside.values())),
    "new, changed, gone, price up=up, price down=down, back in stock=in_stock, out of stock=out_of_stock, suspect",
)


def sync(
    supplier: Annotated[list[str] | None, typer.Option(help="Only this supplier; may be repeated.")] = None,
    accept: Annotated[
        list[str] | None,
        typer.Option(
            help="Sync this supplier and apply the result, however many offers disappear or change; may be repeated."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what a sync would change, and write nothing to the database.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the sync run as JSON.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print only the suppliers that need an operator; for cron.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log each step to standard error.")] = False,
    run_id: Annotated[str | None, typer.Option(hidden=True)] = None,
    state_dir: StateDir = None,
) -> None:
    """Fetch all suppliers' catalogues at once, each alone in failure.

    Exit code 0: all were synced; 3: some; 4: none. Beside a sync that is running it waits for that one
    and ends with its result. A sync that goes well writes nothing to standard error.

    With --dry-run the catalogues are fetched, mapped and compared as ever, also beside a running sync, and for each
    supplier a table shows what would be new, changed and gone, which prices would move or be suspect, what is unmapped,
    and whether its list would be quarantined, and why. Its requests count against the suppliers' rates. Exit codes as
    above. Add --accept to see what accepting a supplier would change.
    """
    import uvloop

    from gateway.kit import log

    settings = settings_here(state_dir)
    bars = sys.stderr.isatty() and not (as_json or quiet or verbose)
    log.configure("error" if bars else _log_level(settings.log_level, verbose=verbose))
    show = _print_json if as_json else partial(_print_table if dry_run else _print_lines, quiet=quiet)
    wanted = _Wanted(tuple(supplier or ()), tuple(accept or ()), run_id, dry_run=dry_run)
    try:
        code = uvloop.run(_sync(settings, wanted, bars=bars, show=show))
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("esim-gateway sync: stopped", file=sys.stderr)
        code = STOPPED
    raise typer.Exit(code)


@dataclass(frozen=True)
class _Wanted:
    only: tuple[str, ...]
    accept: tuple[str, ...]
    run_id: str | None
    dry_run: bool


def _log_level(wanted: str, *, verbose: bool) -> str:
    """What is logged of a sync: warnings, and more only where that is asked for."""
    return wanted if verbose or wanted == "error" else "warning"


async def _sync(settings: Settings, wanted: _Wanted, *, bars: bool, show: Callable[[SyncRun], None]) -> int:
    from gateway.kit.pool import DATABASE_DOWN, open_pool
    from gateway.sync.run_rules import EXIT_NONE, exit_code

    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with AsyncExitStack() as stack:
        pool = await open_pool(database_url(settings), name="esim-gateway sync")
        stack.push_async_callback(pool.close)
        try:
            progress = stack.enter_context(_bars()) if bars else None
            run = await (_dry_run if wanted.dry_run else _run)(settings, pool, wanted, progress, stack)
        except DATABASE_DOWN as error:
            print(f"esim-gateway sync: the database is away: {str(error) or type(error).__name__}", file=sys.stderr)
            return EXIT_NONE
    show(run)
    return exit_code(run)


async def _run(
    settings: Settings, pool: Pool, wanted: _Wanted, progress: Progress | None, stack: AsyncExitStack
) -> SyncRun:
    from gateway.suppliers.accounts import accounts_of
    from gateway.sync.plan_events import publish_and_tell
    from gateway.sync.run import run_sync

    redis = await _redis(settings, stack)
    accounts = await stack.enter_async_context(accounts_of(settings, pool))
    return await run_sync(
        pool,
        accounts,
        settings,
        only=wanted.only,
        accept=wanted.accept,
        progress=progress,
        publish=lambda: publish_and_tell(pool, redis, settings),
        run_id=wanted.run_id,
    )


async def _dry_run(
    settings: Settings, pool: Pool, wanted: _Wanted, progress: Progress | None, stack: AsyncExitStack
) -> SyncRun:
    from gateway.suppliers.accounts import accounts_of
    from gateway.sync.dry_run import dry_run, open_copies

    copies = await open_copies(database_url(settings))
    stack.push_async_callback(copies.close)
    accounts = await stack.enter_async_context(accounts_of(settings, pool, register_in=copies))
    return await dry_run(copies, accounts, settings, only=wanted.only, accept=wanted.accept, progress=progress)


async def _redis(settings: Settings, stack: AsyncExitStack) -> Any:
    url = redis_url(settings)
    if url is None:
        return None
    from redis.asyncio import Redis

    return await stack.enter_async_context(Redis.from_url(url, socket_connect_timeout=3, socket_timeout=30))


def _print_json(run: SyncRun) -> None:
    import msgspec

    print(msgspec.json.format(msgspec.json.encode(run), indent=2).decode())


def _print_lines(run: SyncRun, *, quiet: bool) -> None:
    parts = [part for part in run.suppliers if not quiet or _needs_operator(part)]
    if not quiet:
        print(f"sync {run.id}: {run.state}")
    width = max((len(part.supplier) for part in parts), default=0)
    for part in parts:
        print(*_lines(part, width), *(part.warnings if quiet else ()), sep="\n")


def _print_table(run: SyncRun, *, quiet: bool) -> None:
    """What a dry run found: a table, and below it what is not a number."""
    parts = [part for part in run.suppliers if not quiet or _needs_operator(part)]
    if not quiet:
        print(f"dry run: {run.state}; nothing was written")
    print_rows(_DRY_RUN, parts)
    for part in parts:
        for line in _notes(part):
            print(f"{part.supplier}: {printable(line)}")


def _needs_operator(part: SupplierRun) -> bool:
    return bool(part.state != "ok" or part.suspect or part.warnings)


def _notes(part: SupplierRun) -> Iterator[str]:
    if part.set_aside:
        yield "unmapped: " + ", ".join(f"{count} {reason}" for reason, count in part.set_aside.items())
    if part.state == "quarantined":
        yield f"would be quarantined: {part.error}"
        yield f"to see what taking it as it is would change: esim-gateway sync --dry-run --accept {part.supplier}"
    elif part.error:
        yield part.error
    yield from part.warnings


def _lines(part: SupplierRun, width: int) -> list[str]:
    counts = (
        f"{part.total} items, {part.mapped} mapped, {sum(part.set_aside.values())} unmapped, "
        f"{part.other_products} other products"
    )
    changes = f"; {part.new} new, {part.changed} changed, {part.gone} gone" if part.state == "ok" else ""
    suspect = f", {part.suspect} suspect" if part.suspect else ""
    lines = [f"  {part.supplier:<{width}}  {part.state:<11}  {counts}{changes}{suspect}"]
    if part.error:
        lines.append(f"  {'':<{width}}  {part.error}")
    if part.state == "quarantined":
        lines.append(f"  {'':<{width}}  to take it as it is: esim-gateway sync --accept {part.supplier}")
    return lines


def _bars() -> Any:
    """Progress bars on the terminal, one a supplier, as a context manager."""
    from contextlib import contextmanager

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    @contextmanager
    def show_bars() -> Any:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
            yield _on(bars)

    return show_bars()


def _on(bars: Any) -> Progress:
    tasks: dict[str, Any] = {}

    class Shown:
        def seen(self, supplier: str, items: int, claimed: int | None) -> None:
            if supplier not in tasks:
                tasks[supplier] = bars.add_task(supplier, total=claimed)
            bars.update(tasks[supplier], completed=items, total=claimed)

        def ended(self, part: SupplierRun) -> None:
            if part.supplier not in tasks:
                tasks[part.supplier] = bars.add_task(part.supplier, total=None)
            size = max(part.total + part.other_products, 1)
            bars.update(tasks[part.supplier], description=f"{part.supplier} {part.state}", completed=size, total=size)

    return Shown()
