"""The job queue as people look at it: what waits, what runs, what failed lately, what runs again and when.

Payloads are read by the types of our own jobs and told in a few words; whatever else stands in one is not shown.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from gateway.kit.jobs import SYNC, SyncJob
from gateway.kit.pages import PageRequest, SortKey, SortOrders
from gateway.kit.pool import Pool
from schemas.api_suppliers import Job, JobFailure, JobKind, Schedule
from schemas.page import Page

LATELY_HOURS = 24
MOST_FAILURES = 20
# An entry point is checked against what it can be before it stands on a page.
_ERROR = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,99}")


SORTS = SortOrders(id=(SortKey("id", int),))


async def jobs(pool: Pool, page_request: PageRequest) -> Page[Job]:
    """The jobs that wait or run, the oldest first or as the page is sorted."""
    arguments: list[Any] = []
    keyset = SORTS.keyset(page_request, arguments)
    rows = await pool.fetch(
        f"""SELECT id, entrypoint, status::text AS status, payload, created, execute_after, attempts, heartbeat
            FROM pgqueuer WHERE {keyset.condition} ORDER BY {keyset.order} LIMIT ${len(arguments) + 1}""",  # noqa: S608
        *arguments,
        page_request.fetch,
    )
    return page_request.page(rows, keyset.key).map(_job)


async def kinds(pool: Pool) -> list[JobKind]:
    """Each kind of job with its numbers; kinds that did nothing lately and have nothing to do are left out."""
    rows = await pool.fetch(
        """
        WITH now_there AS (
            SELECT entrypoint, count(*) FILTER (WHERE status = 'queued') AS waiting,
                   count(*) FILTER (WHERE status = 'queued' AND execute_after <= now()) AS late,
                   count(*) FILTER (WHERE status = 'picked') AS running,
                   min(greatest(created, execute_after)) FILTER (WHERE status = 'queued' AND execute_after <= now())
                       AS oldest_at
            FROM pgqueuer GROUP BY entrypoint
        ), lately AS (
            SELECT entrypoint, count(*) FILTER (WHERE status IN ('exception', 'failed')) AS failed,
                   count(*) FILTER (WHERE status = 'successful') AS done
            FROM pgqueuer_log WHERE created > now() - make_interval(hours => $1)
                AND status IN ('exception', 'failed', 'successful') GROUP BY entrypoint
        )
        SELECT entrypoint AS kind, coalesce(waiting, 0)::int AS waiting, coalesce(late, 0)::int AS late,
               coalesce(running, 0)::int AS running, coalesce(failed, 0)::int AS failed,
               coalesce(done, 0)::int AS done, oldest_at
        FROM now_there FULL JOIN lately USING (entrypoint) ORDER BY entrypoint
        """,
        LATELY_HOURS,
    )
    return [JobKind(**dict(row)) for row in rows]


async def schedules(pool: Pool) -> list[Schedule]:
    """What runs again and again; one that a former release had and that nobody works on any more is left out."""
    rows = await pool.fetch(
        """SELECT entrypoint AS name, expression, last_run AS last_run_at, next_run AS next_run_at,
                  next_run < now() - interval '1 minute' AS overdue
           FROM pgqueuer_schedules WHERE heartbeat > now() - interval '7 days' ORDER BY entrypoint"""
    )
    return [Schedule(**dict(row)) for row in rows]


async def failures(pool: Pool) -> list[JobFailure]:
    """The last jobs that ended with a fault, the newest first."""
    rows = await pool.fetch(
        """SELECT job_id, entrypoint, created, traceback->>'exception_type' AS error FROM pgqueuer_log
           WHERE status IN ('exception', 'failed') AND created > now() - make_interval(hours => $1)
           ORDER BY created DESC LIMIT $2""",
        LATELY_HOURS,
        MOST_FAILURES,
    )
    return [JobFailure(row["job_id"], row["entrypoint"], row["created"], _error(row["error"])) for row in rows]


async def oldest_late(pool: Pool) -> datetime | None:
    """Since when the oldest job waits that could have begun."""
    found: datetime | None = await pool.fetchval(
        "SELECT min(greatest(created, execute_after)) FROM pgqueuer WHERE status = 'queued' AND execute_after <= now()"
    )
    return found


def _job(row: asyncpg.Record) -> Job:
    return Job(
        id=row["id"],
        kind=row["entrypoint"],
        state="failed" if row["status"] not in {"queued", "picked"} else row["status"],
        about=_about(row["entrypoint"], row["payload"] or b"{}"),
        created_at=row["created"],
        due_at=row["execute_after"],
        attempts=row["attempts"],
        heartbeat_at=row["heartbeat"] if row["status"] == "picked" else None,
    )


def _about(kind: str, payload: bytes) -> str:
    """What one of our jobs is to do; nothing of any other."""
    try:
        if kind == SYNC:
            sync = msgspec.json.decode(payload, type=SyncJob)
            return ", ".join((*sync.only, *(f"accepting {name}" for name in sync.accept))) or "all suppliers"
    except (msgspec.MsgspecError, ValueError):
        return "not readable"
    return ""


def _error(name: Any) -> str:
    found = _ERROR.fullmatch(str(name or ""))
    return found[0] if found else "a fault"
