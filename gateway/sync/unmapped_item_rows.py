"""Items that no rule understood: the supplier's list as its last whole walk left it."""

from __future__ import annotations

from datetime import datetime

from gateway.kit.pool import Connection


async def replace(connection: Connection, supplier: str, at: datetime) -> None:
    """Make ``incoming_aside`` the supplier's list; rows that say the same are not written again."""
    await connection.execute(
        """
        DELETE FROM set_aside s WHERE supplier = $1
            AND NOT EXISTS (SELECT FROM incoming_aside i WHERE i.supplier_plan_id = s.supplier_plan_id)
        """,
        supplier,
    )
    await connection.execute(
        """
        INSERT INTO set_aside AS s (supplier, supplier_plan_id, name, reason, detail, raw, about, words, cost,
            currency, first_seen_at)
        SELECT $1, supplier_plan_id, name, reason, detail, raw, about, words, cost, currency, $2 FROM incoming_aside
        ON CONFLICT (supplier, supplier_plan_id) DO UPDATE SET
            name = excluded.name, reason = excluded.reason, detail = excluded.detail, raw = excluded.raw,
            about = excluded.about, words = excluded.words, cost = excluded.cost, currency = excluded.currency
        WHERE (s.name, s.reason, s.detail, s.raw, s.about, s.words, s.cost, s.currency)
            IS DISTINCT FROM (excluded.name, excluded.reason, excluded.detail, excluded.raw, excluded.about,
                excluded.words, excluded.cost, excluded.currency)
        """,
        supplier,
        at,
    )
