"""What workers do for the ledger: they read the suppliers' own statements."""

from __future__ import annotations

import asyncio

import structlog

from gateway.kit.tasks import end, until_set
from gateway.kit.worker_jobs import EVERY_MINUTE, JobContext, PeriodicJob
from gateway.ledger.supplier_statements import read_if_due
from gateway.suppliers.deps import Deps

log = structlog.get_logger(__name__)


async def _statements_if_due(context: JobContext[Deps]) -> None:
    # The first time this is a month of statements, which no shutdown waits for: what was read is kept.
    reading = asyncio.create_task(_read_statements(context.deps))
    stopped = asyncio.create_task(until_set(context.stop))
    await asyncio.wait([reading, stopped], return_when=asyncio.FIRST_COMPLETED)
    await end(reading, stopped)


async def _read_statements(deps: Deps) -> None:
    try:
        await read_if_due(deps)
    except Exception:
        log.exception("supplier_statement_read_failed")


PERIODIC_JOBS = (PeriodicJob("books_if_due", EVERY_MINUTE, _statements_if_due),)
