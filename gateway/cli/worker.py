"""``esim-gateway worker``: the durable jobs and the schedule."""

from __future__ import annotations

import asyncio
import signal

from gateway.cli.state import StateDir, database_url, settings_here


def worker(state_dir: StateDir = None) -> None:
    """Run the durable jobs, and a sync every [sync] interval_seconds. SIGTERM ends it in good order."""
    import uvloop

    from gateway.kit import log, tracing

    settings = settings_here(state_dir)
    log.configure(settings.log_level)
    tracing.start("worker")
    dsn = database_url(settings)

    async def run() -> None:
        from gateway.suppliers.accounts import check_accounts
        from gateway.worker.jobs import work

        check_accounts(settings)  # a wrong account is said now, not by every child
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for ending in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(ending, stop.set)
        await work(settings, dsn, stop)

    uvloop.run(run())
    tracing.stop()
