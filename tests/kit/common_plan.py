"""Plans for tests of which offer an order takes: one that several suppliers sell, one of a single supplier."""

from __future__ import annotations

from decimal import Decimal

from tests.kit.counter import Counter

PLAN_ID = "plan-of-all"
# Where it is for: on Bouvet Island it would be a trigger, whose orders teach nothing.
COUNTRY = "AQ"
# Whoever sells it, the cheapest first; an order's price covers each of them.
SELLERS = (("pikasim", "10.00"), ("s2s", "10.10"), ("beppay", "10.20"))


async def common_plan(counter: Counter, *suppliers: str) -> str:
    """Have these suppliers (all three, where none is named) sell one plan; its id."""
    for name, cost in SELLERS:
        if not suppliers or name in suppliers:
            await counter.deps.pool.execute(
                "UPDATE offers SET plan_id = $3, cost = $2, good_cost = $2, coverage = ARRAY[$4] WHERE supplier = $1"
                " AND coverage = '{BV}' AND (data->>'mb')::int = 1000 AND cost = 10",
                name,
                Decimal(cost),
                PLAN_ID,
                COUNTRY,
            )
    return PLAN_ID


async def everyday_plan(counter: Counter, supplier: str) -> str:
    """A plan that this supplier alone sells, can be topped up where it has such, and is no sandbox's trigger."""
    found = await counter.deps.pool.fetchval(
        """SELECT plan_id FROM offers WHERE plan_id IN (
               SELECT plan_id FROM offers GROUP BY plan_id HAVING count(*) = 1 AND min(supplier) = $1)
           AND visible AND suspect IS NULL AND coalesce(stock, 9) > 1 AND coverage <> '{BV}'
           ORDER BY (features->>'topup')::boolean IS TRUE DESC, plan_id LIMIT 1""",
        supplier,
    )
    assert found is not None
    return str(found)
