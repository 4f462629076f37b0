"""Deleting rows that only tell of the past, by age, a bounded number at a time.

Each statement takes its rows with SKIP LOCKED over an index on their age, so that it waits for nobody, and nobody waits
for it longer than a batch takes.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from gateway.kit.pool import Connection, Pool

BATCH = 1_000


class RetentionRule(msgspec.Struct, frozen=True, kw_only=True):
    """What of a table is deleted. ``setting`` is a field of ``[retention]``, or ``alerts.keep_days``.

    ``delete`` takes the moment before which rows are old, and how many it may delete.
    """

    table: str
    setting: str
    delete: str


def _by_age(table: str, setting: str, *, at: str = "at", also: str = "") -> RetentionRule:
    """A rule for a table on which nothing depends but what goes with it by a cascade."""
    return RetentionRule(
        table=table,
        setting=setting,
        delete=f"""WITH old AS MATERIALIZED (
                SELECT ctid FROM {table} AS t WHERE t.{at} < $1 {also} ORDER BY t.{at} LIMIT $2
                FOR UPDATE OF t SKIP LOCKED)
            DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM old))""",  # noqa: S608 - our own words
    )


# Events of these types are read by decisions: a late charge that nobody settled, an address that was erased.
_NOT_READ = "AND t.type NOT IN ('charged_after_failure', 'late_charge_settled', 'email_erased')"
_FINAL_ORDER = """AND EXISTS (SELECT FROM orders o WHERE o.id = t.order_id AND o.updated_at < $1
    AND o.status IN ('fulfilled', 'failed', 'cancelled'))"""
_ANSWER_OF_FINAL_ORDER = """AND EXISTS (SELECT FROM attempts a JOIN orders o ON o.id = a.order_id
    WHERE a.id = t.attempt_id AND o.status IN ('fulfilled', 'failed', 'cancelled'))"""
_FINAL_CHECKOUT = """AND EXISTS (SELECT FROM checkouts c WHERE c.id = t.checkout_id AND c.updated_at < $1
    AND c.next_poll_at IS NULL AND c.open_cases = 0)"""
_NOT_WAITING = """AND t.ended_at IS NOT NULL
    AND NOT EXISTS (SELECT FROM quarantines q WHERE q.run_id = t.id AND q.state = 'waiting')"""
_NO_DEPOSIT = "AND NOT EXISTS (SELECT FROM deposits d WHERE d.transaction_id = t.id)"
# An event goes with its deliveries; one that is still to be dispatched or delivered stays.
_WEBHOOK_EVENTS = """WITH old AS MATERIALIZED (
        SELECT id FROM webhook_events AS t WHERE t.at < $1 AND t.dispatched AND NOT EXISTS (
            SELECT FROM webhook_deliveries d WHERE d.event_id = t.id AND d.next_at IS NOT NULL)
        ORDER BY t.at LIMIT $2 FOR UPDATE OF t SKIP LOCKED),
    deliveries AS (DELETE FROM webhook_deliveries WHERE event_id IN (SELECT id FROM old))
    DELETE FROM webhook_events WHERE id IN (SELECT id FROM old)"""
# The statements of that time count as not read from then on: nothing is said to be missing from them.
_TRANSACTIONS = f"""WITH old AS MATERIALIZED (
        SELECT id FROM supplier_transactions AS t WHERE t.at < $1 {_NO_DEPOSIT}
        ORDER BY t.at LIMIT $2 FOR UPDATE OF t SKIP LOCKED),
    walks AS (UPDATE supplier_book_walks SET whole_from = $1 WHERE whole_from < $1 AND EXISTS (SELECT FROM old))
    DELETE FROM supplier_transactions WHERE id IN (SELECT id FROM old)"""  # noqa: S608 - our own words

RETENTION_RULES: tuple[RetentionRule, ...] = (
    _by_age("pgqueuer_log", "queue_log_days", at="created"),
    _by_age("pgqueuer_statistics", "queue_log_days", at="created"),
    _by_age("exchanges", "supplier_calls_days"),
    _by_age("supplier_answers", "supplier_calls_days", also=_ANSWER_OF_FINAL_ORDER),
    RetentionRule(table="webhook_events", setting="webhooks_days", delete=_WEBHOOK_EVENTS),
    _by_age("traveller_emails", "webhooks_days", at="created_at", also="AND t.next_at IS NULL"),
    _by_age("supplier_webhooks", "webhooks_days", at="received_at"),
    _by_age("sync_runs", "sync_runs_days", at="started_at", also=_NOT_WAITING),
    _by_age("price_changes", "price_changes_days"),
    _by_age("goods_changes", "price_changes_days"),
    _by_age("offer_events", "offer_events_days"),
    _by_age("plan_successors", "plan_successors_days"),
    _by_age("order_events", "order_events_days", also=f"{_NOT_READ} {_FINAL_ORDER}"),
    _by_age("esim_usage", "esim_usage_days"),
    _by_age("checkout_events", "checkout_events_days", also=_FINAL_CHECKOUT),
    RetentionRule(table="supplier_transactions", setting="supplier_transactions_days", delete=_TRANSACTIONS),
    _by_age("audit_log", "audit_days"),
    _by_age("alerts", "alerts.keep_days", at="cleared_at"),
    _by_age("alert_messages", "alerts.keep_days", at="created_at", also="AND t.next_at IS NULL"),
)


async def delete_batch(pool: Pool | Connection, rule: RetentionRule, before: datetime, most: int = BATCH) -> int:
    """Delete up to so many of a rule's rows from before then, the oldest first; how many it was."""
    status = await pool.execute(rule.delete, before, most)
    return int(str(status).rpartition(" ")[2])
