"""Retention: the one place where what is kept for a while only is deleted, by the settings.

Rows go in batches of a thousand, each in a transaction of its own, and so many batches of a table in one run that a
large backlog is gone within days without being felt.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import structlog

from gateway.kit import retention_rows
from gateway.kit.retention_rows import BATCH, RETENTION_RULES, RetentionRule
from gateway.kit.settings import Settings
from gateway.privacy.erase import AT_ONCE, erase_old_emails
from gateway.suppliers.deps import Deps
from gateway.webhooks import webhook_rows

log = structlog.get_logger(__name__)

MOST_BATCHES = 50  # of one table in one run
PAUSE_SECONDS = 0.02  # between batches: others write too


async def delete_expired(deps: Deps, stop: asyncio.Event | None = None) -> Counter[str]:
    """Delete and erase what its setting no longer keeps; how many rows of each table. ``stop`` ends it early.

    A table that cannot be cleaned is logged, and does not keep the others from it.
    """
    deleted: Counter[str] = Counter()
    for rule in RETENTION_RULES:
        try:
            deleted[rule.table] = await _delete(deps, rule, stop)
        except Exception as error:  # noqa: BLE001 - the next run is minutes away
            log.warning("retention_failed", table=rule.table, error=type(error).__name__)
    for _ in range(MOST_BATCHES):
        erased = await erase_old_emails(deps)
        deleted["emails"] += erased
        if erased < AT_ONCE or _is_set(stop):
            break
    await webhook_rows.erase_old_secrets(deps.pool)
    if found := {table: count for table, count in deleted.items() if count}:
        log.info("rows_expired", **found)
    return deleted


def days_kept(settings: Settings, rule: RetentionRule) -> int:
    """For how many days a rule's rows are kept; 0 for ever."""
    if rule.setting == "alerts.keep_days":
        return settings.alerts.keep_days
    days: int = getattr(settings.retention, rule.setting)
    return days


async def _delete(deps: Deps, rule: RetentionRule, stop: asyncio.Event | None) -> int:
    days, deleted = days_kept(deps.settings, rule), 0
    if not days:
        return 0
    before = deps.clock() - timedelta(days=days)
    for _ in range(MOST_BATCHES):
        some = await retention_rows.delete_batch(deps.pool, rule, before)
        deleted += some
        if some < BATCH or _is_set(stop):
            break
        await asyncio.sleep(PAUSE_SECONDS)
    return deleted


def _is_set(stop: asyncio.Event | None) -> bool:
    return stop is not None and stop.is_set()
