"""What the gauges of the shop show, read in one statement: open orders, money, queues, the age of what is fetched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gateway.kit.pool import Pool

MOST_COUNTED = 10_000  # rows of each kind are counted to this many: a count must stay cheap when it is bad

# Each part reads a small table, or so many rows of an index.
SHOP = """
    WITH open_orders AS MATERIALIZED (
        SELECT mode, kind, status FROM orders WHERE status IN ('pending', 'cancel_pending', 'needs_review')
        ORDER BY mode, created_at LIMIT $1
    ), due_orders AS MATERIALIZED (
        SELECT next_poll_at FROM orders WHERE next_poll_at <= now() ORDER BY next_poll_at LIMIT $1
    ), deliveries AS MATERIALIZED (
        SELECT next_at <= now() AS due FROM webhook_deliveries WHERE next_at IS NOT NULL ORDER BY next_at LIMIT $1
    ), undispatched AS MATERIALIZED (
        SELECT at FROM webhook_events WHERE NOT dispatched ORDER BY at, id LIMIT $1
    ), jobs AS MATERIALIZED (
        SELECT entrypoint, CASE WHEN status = 'picked' THEN 'running' WHEN execute_after <= now() THEN 'due'
                                ELSE 'scheduled' END AS state
        FROM pgqueuer WHERE status IN ('queued', 'picked') ORDER BY id LIMIT $1
    ), balances AS MATERIALIZED (
        SELECT s.mode, s.name, b.at, b.balance, b.spendable, b.currency FROM suppliers s
        CROSS JOIN LATERAL (SELECT at, balance, spendable, currency FROM supplier_balances
                            WHERE supplier = s.name ORDER BY at DESC LIMIT 1) AS b
        WHERE s.configured
    )
    SELECT 'gateway_orders_open' AS gauge, ARRAY[mode, kind, status] AS labels, count(*)::float8 AS value
    FROM open_orders GROUP BY mode, kind, status
    UNION ALL SELECT 'gateway_orders_due', '{}', count(*) FROM due_orders
    UNION ALL SELECT 'gateway_jobs', ARRAY[entrypoint, state], count(*) FROM jobs GROUP BY entrypoint, state
    UNION ALL SELECT 'gateway_webhook_deliveries_waiting', ARRAY[CASE WHEN due THEN 'due' ELSE 'scheduled' END],
        count(*) FROM deliveries GROUP BY due
    UNION ALL SELECT 'gateway_webhook_deliveries_waiting', '{undispatched}', count(*) FROM undispatched
    UNION ALL SELECT 'gateway_supplier_balance', ARRAY[mode, name, currency], balance FROM balances
    UNION ALL SELECT 'gateway_supplier_spendable', ARRAY[mode, name, currency], spendable FROM balances
    UNION ALL SELECT 'gateway_supplier_balance_timestamp_seconds', ARRAY[mode, name], extract(epoch FROM at)
        FROM balances
    UNION ALL SELECT 'gateway_supplier_last_good_timestamp_seconds', ARRAY[mode, name],
        coalesce(extract(epoch FROM last_good_at), 0) FROM suppliers WHERE configured
    UNION ALL SELECT 'gateway_supplier_active', ARRAY[mode, name], (state = 'active')::int
        FROM suppliers WHERE configured
    UNION ALL SELECT 'gateway_catalog_version', ARRAY[part.name], part.version
        FROM catalog_state, LATERAL (VALUES ('content', content), ('overlay', overlay), ('pricing', pricing))
            AS part (name, version)
    UNION ALL SELECT 'gateway_rate_source_timestamp_seconds', ARRAY[source],
        extract(epoch FROM coalesce(fetched_at, since)) FROM rate_sources WHERE source = ANY($2)
    UNION ALL (SELECT 'gateway_rates_timestamp_seconds', '{}', extract(epoch FROM as_of) FROM fx_rates
        WHERE base = $3 AND as_of <= (now() AT TIME ZONE 'UTC')::date AND kind <> 'shipped'
        ORDER BY as_of DESC LIMIT 1)
"""


class GaugeRow(NamedTuple):
    """One value of a gauge, with those of its labels in their order."""

    gauge: str
    labels: tuple[str, ...]
    value: float


async def read_shop(pool: Pool, rate_sources: Sequence[str], base_currency: str) -> list[GaugeRow]:
    """The values of all gauges; those of nothing are left out."""
    rows = await pool.fetch(SHOP, MOST_COUNTED, rate_sources, base_currency)
    return [GaugeRow(row["gauge"], tuple(row["labels"]), row["value"]) for row in rows]
