"""What must never happen twice cannot, whatever a process believes: the database itself refuses."""

from __future__ import annotations

import asyncpg
import pytest

from tests.kit.counter import Counter

_COPY = """
INSERT INTO attempts SELECT (jsonb_populate_record(a, jsonb_build_object('id', 'att_other', 'n', a.n + 1) || $2)).*
FROM attempts a WHERE order_id = $1 AND kind = 'purchase'
"""


@pytest.mark.parametrize("state", ["sending", "accepted", "succeeded", "unknown", "charged_undeliverable"])
async def test_an_order_has_one_purchase_that_has_not_failed(counter: Counter, state: str) -> None:
    order_id = await counter.ordered(await counter.plan(1, "s2s"))
    other = {"state": state, "supplier_order_id": None}
    with pytest.raises(asyncpg.UniqueViolationError, match="attempts_one_live_purchase"):
        await counter.deps.pool.execute(_COPY, order_id, other)
    await counter.deps.pool.execute(_COPY, order_id, {**other, "state": "failed"})


async def test_a_suppliers_order_belongs_to_one_attempt(counter: Counter) -> None:
    order_id = await counter.ordered(await counter.plan(1, "s2s"))
    with pytest.raises(asyncpg.UniqueViolationError, match="attempts_supplier_order"):
        await counter.deps.pool.execute(_COPY, order_id, {"state": "failed"})


@pytest.mark.parametrize(
    ("table", "changed", "constraint"),
    [
        ("ledger", "id", "ledger_one_charge"),
        ("idempotency_keys", None, "idempotency_keys_pkey"),
        ("esims", "id", "esims_order_id_key"),
    ],
)
async def test_a_charge_a_key_and_a_delivery_stand_once(
    counter: Counter, table: str, changed: str | None, constraint: str
) -> None:
    order_id = await counter.ordered(await counter.plan(1, "s2s"))
    other = {} if changed is None else {changed: 10**6}
    copied = f"""INSERT INTO {table} OVERRIDING SYSTEM VALUE
        SELECT (jsonb_populate_record(t, $2)).* FROM {table} t WHERE order_id = $1"""
    with pytest.raises(asyncpg.UniqueViolationError, match=constraint):
        await counter.deps.pool.execute(copied, order_id, other)
