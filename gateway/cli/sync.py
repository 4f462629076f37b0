"""``esim-gateway sync``: fetch the suppliers' catalogues, for people and for cron."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.state import StateDir, database_url, redis_url, settings_here

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.kit.settings import Settings
    from gateway.sync.progress import Progress
    from gateway.sync.run_rules import SupplierRun, SyncRun

STOPPED = 130


def sync(
    supplier: Annotated[list[str] | None, typer.Option(help="Only this supplier; may be repeated.")] = None,
    accept: Annotated[
        list[str] | None,
        typer.Option(
            help="Sync this supplier and apply the result, however many offers disappear or change; may be repeated."
        ),
    ] = None,
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
    """
    import uvloop

    from gateway.kit import log

    settings = settings_here(state_dir)
    bars = sys.stderr.isatty() and not (as_json or quiet or verbose)
    log.configure("error" if bars else _log_level(settings.log_level, verbose=verbose))
    printed = _as_json if as_json else _of_interest if quiet else _as_text
    try:
        code = uvloop.run(
            _sync(settings, tuple(supplier or ()), tuple(accept or ()), run_id, bars=bars, printed=printed)
        )
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("esim-gateway sync: stopped", file=sys.stderr)
        code = STOPPED
    raise typer.Exit(code)


def _log_level(wanted: str, *, verbose: bool) -> str:
    """What is logged of a sync: warnings, and more only where that is asked for."""
    return wanted if verbose or wanted == "error" else "warning"


async def _sync(
    settings: Settings,
    only: tuple[str, ...],
    accept: tuple[str, ...],
    run_id: str | None,
    *,
    bars: bool,
    printed: Callable[[SyncRun], str],
) -> int:
    from gateway.kit.pool import DATABASE_DOWN, open_pool
    from gateway.suppliers.accounts import accounts_of
    from gateway.sync.plan_events import publish_and_tell
    from gateway.sync.run import run_sync
    from gateway.sync.run_rules import EXIT_NONE, exit_code

    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with AsyncExitStack() as stack:
        pool = await open_pool(database_url(settings), name="esim-gateway sync")
        stack.push_async_callback(pool.close)
        redis = await _redis(settings, stack)
        try:
            accounts = await stack.enter_async_context(accounts_of(settings, pool))
            progress = stack.enter_context(_bars()) if bars else None
            run = await run_sync(
                pool,
                accounts,
                settings,
                only=only,
                accept=accept,
                progress=progress,
                publish=lambda: publish_and_tell(pool, redis, settings),
                run_id=run_id,
            )
        except DATABASE_DOWN as error:
            print(f"esim-gateway sync: the database is away: {str(error) or type(error).__name__}", file=sys.stderr)
            return EXIT_NONE
    if text := printed(run):
        print(text)
    return exit_code(run)


async def _redis(settings: Settings, stack: AsyncExitStack) -> Any:
    url = redis_url(settings)
    if url is None:
        return None
    from redis.asyncio import Redis

    return await stack.enter_async_context(Redis.from_url(url, socket_connect_timeout=3, socket_timeout=30))


def _as_json(run: SyncRun) -> str:
    import msgspec

    return msgspec.json.format(msgspec.json.encode(run), indent=2).decode()


def _as_text(run: SyncRun) -> str:
    width = max((len(part.supplier) for part in run.suppliers), default=0)
    return "\n".join([f"sync {run.id}: {run.state}", *(line for part in run.suppliers for line in _lines(part, width))])


def _of_interest(run: SyncRun) -> str:
    """What an operator has to look at: suppliers that were not synced, and those with suspect prices or warnings."""
    parts = [part for part in run.suppliers if part.state != "ok" or part.suspect or part.warnings]
    width = max((len(part.supplier) for part in parts), default=0)
    return "\n".join(line for part in parts for line in (*_lines(part, width), *part.warnings))


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
