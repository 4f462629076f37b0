"""Periodic jobs at other times: a test waits for no cron, and is not disturbed by one."""

from gateway.worker import periodic_jobs

NEVER = "0 0 1 1 *"
EVERY_SECOND = "* * * * * *"


def reschedule(monkeypatch, **crons):
    """Give the periodic jobs of these names another cron."""
    names = {job.name for job in periodic_jobs.PERIODIC_JOBS}
    assert names >= set(crons)
    changed = tuple(job._replace(cron=crons.get(job.name, job.cron)) for job in periodic_jobs.PERIODIC_JOBS)
    monkeypatch.setattr(periodic_jobs, "PERIODIC_JOBS", changed)
