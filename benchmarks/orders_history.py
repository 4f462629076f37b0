"""A history of orders as real work leaves it, copied from orders that were really bought."""

from __future__ import annotations

from typing import Any

# One fulfilled order a second into the past, each with its own attempt, charge, eSIM, key and three events.
_ORDER = "'ord_made' || made.number"
_ATTEMPT = "'att_made' || made.number"
_AT = "now() - make_interval(secs => made.number)"
_DIGEST = "sha256(convert_to('{what}' || made.number, 'UTF8'))"
_COPIES: dict[str, tuple[str, dict[str, str]]] = {
    "orders": ("status = 'fulfilled' AND kind = 'esim'", {
        "id": _ORDER, "reference": "'made-' || made.number", "failure_code": "NULL", "next_look_at": "NULL",
        "next_poll_at": "NULL", "created_at": _AT, "updated_at": _AT, "fulfilled_at": _AT,
    }),
    "idempotency_keys": ("order_id IS NOT NULL", {
        "key": "'made-' || made.number", "order_id": _ORDER, "created_at": _AT,
    }),
    "attempts": ("state = 'succeeded' AND kind = 'purchase'", {
        "id": _ATTEMPT, "order_id": _ORDER, "n": "1", "supplier_order_id": "'made-' || made.number",
        "signed_at": _AT, "started_at": _AT, "call_ended_at": _AT, "ended_at": _AT,
        "deadline": f"{_AT} + interval '15 seconds'", "quiescent_at": f"{_AT} + interval '10 minutes'",
    }),
    "ledger": ("kind = 'charge'", {"at": _AT, "attempt_id": _ATTEMPT, "order_id": _ORDER}),
    "esims": ("true", {
        "id": "'esim_' || lpad(to_hex(made.number), 24, '0')", "order_id": _ORDER, "created_at": _AT,
        "next_poll_at": "NULL", "observed_at": "NULL",
    }),
    "order_events": ("true", {"order_id": _ORDER, "at": _AT}),
}  # fmt: skip
_EVENTS_OF_AN_ORDER = 3
_BALANCE_MINUTES = 7 * 24 * 60
# A balance a minute, as the worker notes it; with money enough that it never runs out.
_BALANCES = """
INSERT INTO supplier_balances (supplier, at, balance, spendable, currency)
SELECT $1, now() - make_interval(mins => number), 100000000 + number, 100000000 + number, $2
FROM generate_series(1, $3) AS number ON CONFLICT DO NOTHING
"""
# The supplier's statement of the same orders, as it was read.
_STATEMENT = """
INSERT INTO supplier_transactions (supplier, key, kind, amount, currency, at, supplier_order_id, seen_at)
SELECT l.supplier, 'made-' || l.id, 'charge', -l.amount, l.currency, l.at, a.supplier_order_id, l.at
FROM ledger l JOIN attempts a ON a.id = l.attempt_id WHERE l.supplier = $1 AND l.attempt_id LIKE 'att\\_made%'
"""
_COLUMNS = """
SELECT column_name FROM information_schema.columns
WHERE table_name = $1 AND table_schema = 'public' AND is_identity = 'NO' AND is_generated = 'NEVER'
ORDER BY ordinal_position
"""


async def fill_history(connection: Any, supplier: str, currency: str, orders: int) -> None:
    """Bring the tables to so many orders. There must be one fulfilled eSIM order to copy."""
    missing = orders - await connection.fetchval("SELECT count(*) FROM orders")
    if missing > 0:
        await connection.execute("SET synchronous_commit = off")
        for table, (which, changes) in _COPIES.items():
            copies = _EVENTS_OF_AN_ORDER if table == "order_events" else 1
            for _ in range(copies):
                await _copy(connection, table, which, changes, missing)
        await connection.execute(_STATEMENT, supplier, timeout=600)
    await connection.execute(_BALANCES, supplier, currency, _BALANCE_MINUTES)
    await connection.execute("VACUUM ANALYZE", timeout=300)
    await connection.execute("CHECKPOINT", timeout=300)


async def _copy(connection: Any, table: str, which: str, changes: dict[str, str], count: int) -> None:
    columns = [row["column_name"] for row in await connection.fetch(_COLUMNS, table)]
    values = ", ".join(_value(name, changes) for name in columns)
    await connection.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values}"
        f" FROM (SELECT * FROM {table} WHERE {which} LIMIT 1) sample, generate_series(1, {count}) AS made(number)",
        timeout=600,
    )


def _value(name: str, changes: dict[str, str]) -> str:
    """What a copy has in this column. Digests are unique, as those of different eSIMs are."""
    if name in changes:
        return changes[name]
    return _DIGEST.format(what=name) if name.endswith("_digest") and "email" not in name else f"sample.{name}"
