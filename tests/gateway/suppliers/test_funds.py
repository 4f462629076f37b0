"""The funds at a supplier: summed from the attempts since its balance was read, however many there ever were."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from gateway.kit.pool import Pool
from gateway.suppliers import fund_rows

ATTEMPTS = 6_000
_FILLED = f"""
    INSERT INTO storefronts (id, name) VALUES ('sf_one', 'One');
    INSERT INTO suppliers (name, provider, mode) VALUES ('s2s', 's2s', 'test'), ('pikasim', 'pikasim', 'test');
    INSERT INTO orders (id, storefront_id, mode, kind, status, plan_id, plan, price, currency, price_base, max_cost,
                        base_currency)
    SELECT 'ord_' || g, 'sf_one', 'test', 'esim', 'fulfilled', 'plan', '{{}}', 6, 'USD', 6, 6, 'USD'
    FROM generate_series(1, {ATTEMPTS}) g;
    INSERT INTO attempts (id, order_id, n, kind, supplier, supplier_plan_id, state, run_id, signed_at, deadline,
                          quiescent_at, listed, currency, charged, charged_currency, started_at, call_ended_at)
    SELECT 'att_' || g, 'ord_' || g, 1, 'purchase', CASE WHEN g % 2 = 0 THEN 's2s' ELSE 'pikasim' END, 'sku',
           'succeeded', gen_random_uuid(), at, at + interval '30 s', at + interval '10 min', 5, 'USD', 5, 'USD', at, at
    FROM (SELECT g, now() - interval '10 min' - g * interval '20 s' AS at FROM generate_series(1, {ATTEMPTS}) g) x;
    INSERT INTO ledger (at, supplier, attempt_id, order_id, kind, amount, currency)
    SELECT started_at, supplier, id, order_id, 'charge', charged, 'USD' FROM attempts;
    INSERT INTO supplier_balances (supplier, at, balance, spendable, currency)
    SELECT name, now() - interval '5 min', 100, 100, 'USD' FROM suppliers;
"""


@pytest.fixture
async def filled(pool: Pool) -> Pool:
    """A database with many attempts of before the last balance, each with its charge in the ledger."""
    async with pool.acquire() as connection:
        await connection.execute(_FILLED)
        await connection.execute("ANALYZE")
    return pool


async def lately(pool: Pool, number: int, state: str, **more: Any) -> None:
    """Make an attempt one whose call ended after the balance was read."""
    await pool.execute(
        """UPDATE attempts SET state = $2, kind = $3, listed = $4, currency = $5, charged = $6, charged_currency = $7,
                  call_ended_at = now() WHERE id = $1""",
        f"att_{number}",
        state,
        more.get("kind", "purchase"),
        more.get("listed", Decimal(5)),
        "USD",
        more.get("charged"),
        None if more.get("charged") is None else more.get("currency", "USD"),
    )


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes(part)


async def test_the_sum_reads_the_attempts_since_the_balance_and_no_others(filled: Pool) -> None:
    await lately(filled, 2, "succeeded", charged=Decimal(7))
    async with filled.acquire() as connection:
        told = await connection.fetchval(
            "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + fund_rows.OF_SUPPLIERS.replace("$1", "ARRAY['s2s', 'pikasim']")
        )
    (explained,) = told if isinstance(told, list) else json.loads(told)
    plan = explained["Plan"]
    read = {node["Relation Name"] for node in nodes(plan) if "Relation Name" in node}
    assert read == {"supplier_balances", "attempts"}, "the ledger grows for ever"
    rows = sum(
        node["Actual Rows"] * node["Actual Loops"] for node in nodes(plan) if node.get("Relation Name") == "attempts"
    )
    assert rows <= 10, f"{rows} of {ATTEMPTS} attempts were read"


async def test_funds_are_what_was_charged_since_and_what_may_yet_be(filled: Pool) -> None:
    await lately(filled, 2, "succeeded", charged=Decimal(7))
    await lately(filled, 4, "accepted", charged=Decimal(3), currency="EUR")
    await lately(filled, 6, "accepted")
    await lately(filled, 8, "accepted", charged=Decimal(0))  # a zero says nothing of what it will take
    await lately(filled, 10, "charged_undeliverable", listed=None)
    await lately(filled, 12, "failed", charged=Decimal(9))
    await lately(filled, 14, "succeeded", kind="cancel", charged=Decimal(9))
    await filled.execute("UPDATE attempts SET state = 'unknown', charged = NULL, call_ended_at = NULL,"
                         " quiescent_at = now() WHERE id = 'att_16'")  # fmt: skip
    found = await fund_rows.load(filled, ["s2s", "pikasim", "nobody"])
    assert (found["s2s"].spendable, found["s2s"].currency) == (100, "USD")
    assert found["s2s"].charged == (("EUR", Decimal(3)), ("USD", Decimal(7)))
    assert found["s2s"].open == (("USD", Decimal(15)),)
    assert (found["pikasim"].charged, found["pikasim"].open) == ((), ())
    assert set(found) == {"s2s", "pikasim"}
    assert await fund_rows.load_all(filled) == found
