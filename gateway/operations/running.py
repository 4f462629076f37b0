"""The gateway's own running as people look at it: the queue of jobs, and the settings in force."""

from __future__ import annotations

import msgspec

from gateway.kit import job_queue
from gateway.kit.pages import PageRequest
from gateway.kit.pool import Pool
from gateway.operations.settings_in_force import settings_in_force
from schemas.api_suppliers import JobPage

__all__ = ["jobs", "settings_in_force"]


async def jobs(pool: Pool, page_request: PageRequest) -> JobPage:
    """A page of what waits or runs, and what is known of the queue as a whole."""
    found = await job_queue.jobs(pool, page_request)
    return JobPage(
        **msgspec.structs.asdict(found),
        kinds=await job_queue.kinds(pool),
        schedules=await job_queue.schedules(pool),
        failures=await job_queue.failures(pool),
    )
