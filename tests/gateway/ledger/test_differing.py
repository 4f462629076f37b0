"""The comparison that leaves to PostgreSQL what agrees, against the one that reads every line of both books."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from benchmarks.orders_history import fill_history
from gateway.ledger import supplier_statement_rows, supplier_statements
from gateway.ledger.ledger_view_rules import DIFFERENT
from gateway.ledger.reconcile_rows import NotAlike, not_alike
from gateway.ledger.reconcile_rules import Day
from tests.kit.counter import Counter

SUPPLIER = "s2s"
ORDERS = 40
ROUNDS = 40
_STATE = """
INSERT INTO supplier_transactions
    (supplier, key, kind, amount, currency, at, supplier_order_id, reference, seen_at)
SELECT l.supplier, $1 || l.id, 'charge', -l.amount, l.currency, l.at + make_interval(secs => $2), {order}, {reference},
       now()
FROM ledger l JOIN attempts a ON a.id = l.attempt_id WHERE l.supplier = $3 AND l.kind = 'charge'
"""
_STATED = _STATE.format(order="a.supplier_order_id", reference="NULL")
_SOME = " AND l.attempt_id = ANY($4)"
# What happens to some orders. Each is done to a few of them, and an order may meet several.
_FATES = {
    "nothing of it is stated": "DELETE FROM supplier_transactions t USING attempts a"
    " WHERE a.id = ANY($1) AND t.supplier_order_id = a.supplier_order_id",
    "another amount is stated": "UPDATE supplier_transactions t SET amount = amount - 1 FROM attempts a"
    " WHERE a.id = ANY($1) AND t.supplier_order_id = a.supplier_order_id",
    "another currency is stated": "UPDATE supplier_transactions t SET currency = 'EUR' FROM attempts a"
    " WHERE a.id = ANY($1) AND t.supplier_order_id = a.supplier_order_id",
    "it is stated as given back": "UPDATE supplier_transactions t SET kind = 'refund', amount = -amount FROM attempts a"
    " WHERE a.id = ANY($1) AND t.supplier_order_id = a.supplier_order_id",
    "it is stated as given back, with the sign of a charge": "UPDATE supplier_transactions t SET kind = 'refund'"
    " FROM attempts a WHERE a.id = ANY($1) AND t.supplier_order_id = a.supplier_order_id",
    "it is stated with our reference alone": "UPDATE supplier_transactions t SET supplier_order_id = NULL,"
    " reference = a.id FROM attempts a WHERE a.id = ANY($1) AND t.supplier_order_id = a.supplier_order_id",
    "it is stated for nobody": "UPDATE supplier_transactions t SET supplier_order_id = NULL FROM attempts a"
    " WHERE a.id = ANY($1) AND t.supplier_order_id = a.supplier_order_id",
    "it was stated long ago": "UPDATE supplier_transactions t SET at = t.at - interval '40 days' FROM attempts a"
    " WHERE a.id = ANY($1) AND t.supplier_order_id = a.supplier_order_id",
    "our ledger lacks it": "DELETE FROM ledger WHERE attempt_id = ANY($1)",
    "our ledger has it at another time": "UPDATE ledger SET at = at - interval '10 days' WHERE attempt_id = ANY($1)",
    "our ledger has it given back": "INSERT INTO ledger (at, supplier, attempt_id, order_id, kind, amount, currency)"
    " SELECT at, supplier, attempt_id, order_id, 'refund', amount, currency FROM ledger"
    " WHERE attempt_id = ANY($1) AND kind = 'charge' ON CONFLICT DO NOTHING",
    "it was cancelled and given back": "WITH cancel AS (INSERT INTO attempts SELECT (jsonb_populate_record(a,"
    " jsonb_build_object('id', 'c-' || a.id, 'n', a.n + 1, 'kind', 'cancel'))).* FROM attempts a"
    " WHERE id = ANY($1) RETURNING *) INSERT INTO ledger (at, supplier, attempt_id, order_id, kind, amount, currency)"
    " SELECT started_at, supplier, id, order_id, 'refund', 1, 'USD' FROM cancel",
    "its number at the supplier is not known": "UPDATE attempts SET supplier_order_id = NULL WHERE id = ANY($1)",
    "its end is open": "UPDATE attempts SET state = 'unknown' WHERE id = ANY($1)",
}


async def _befall(connection: Any, dice: random.Random, attempts: list[str]) -> None:
    await connection.execute("DELETE FROM supplier_transactions")
    await connection.execute(_STATED, "line:", dice.choice([0, 0, 600, -600]), SUPPLIER)
    for fate in dice.sample(list(_FATES), dice.randrange(len(_FATES))):
        await connection.execute(_FATES[fate], dice.sample(attempts, dice.randrange(1, 4)))
    # A second line for the same order, by its number there or by our reference.
    for number, order in enumerate(("a.supplier_order_id", "NULL")):
        statement = _STATE.format(order=order, reference="a.id") + _SOME
        await connection.execute(statement, f"more:{number}:", 5, SUPPLIER, dice.sample(attempts, dice.randrange(3)))


@pytest.mark.parametrize("part", range(2))
async def test_the_differences_are_those_that_a_whole_comparison_finds(counter: Counter, part: int) -> None:
    order = await counter.followed(await counter.ordered(await counter.plan(1, SUPPLIER)))
    dice, verdicts, compared = random.Random(part), set(), []
    async with counter.deps.pool.acquire() as connection:
        currency = await connection.fetchval("SELECT currency FROM ledger WHERE order_id = $1", order.id)
        await fill_history(connection, SUPPLIER, currency, ORDERS)
        attempts = [row["id"] for row in await connection.fetch("SELECT id FROM attempts ORDER BY id")]
        deps = replace(counter.deps, pool=connection)
        day = Day(deps.clock() - timedelta(days=7), deps.clock() + timedelta(hours=1))
        await supplier_statement_rows.whole(connection, SUPPLIER, day.end, day.start)
        for _ in range(ROUNDS):
            change = connection.transaction()
            await change.start()
            await _befall(connection, dice, attempts)
            whole = [
                line for line in await supplier_statements.ledger(deps, SUPPLIER, day) if line.verdict in DIFFERENT
            ]
            assert await supplier_statements.differing(deps, SUPPLIER, day) == whole
            verdicts |= {line.verdict for line in whole}
            left = await not_alike(connection, SUPPLIER, Day(day.start - timedelta(days=1), day.end), day)
            compared.append(len(left.lines))
            await change.rollback()
    assert verdicts == DIFFERENT
    assert max(compared) < ORDERS


async def test_where_all_agrees_nothing_is_read(counter: Counter) -> None:
    await counter.followed(await counter.ordered(await counter.plan(1, SUPPLIER)))
    pool, now = counter.deps.pool, counter.clock()
    await pool.execute(_STATED, "line:", 0, SUPPLIER)
    day = Day(now - timedelta(days=7), now + timedelta(hours=1))
    assert await not_alike(pool, SUPPLIER, day, day) == NotAlike([], [])
    await pool.execute("UPDATE ledger SET amount = amount + 1")
    found = await not_alike(pool, SUPPLIER, day, day)
    assert (len(found.lines), len(found.attempts)) == (1, 1)
