"""A plan that several suppliers sell, for tests of which offer an order takes."""

from __future__ import annotations

from decimal import Decimal

from tests.gateway.flows.counter import Counter

PLAN_ID = "plan-of-all"
# Whoever sells it, the cheapest first; an order's price covers each of them.
SELLERS = (("pikasim", "10.00"), ("s2s", "10.10"), ("beppay", "10.20"))


async def common_plan(counter: Counter, *suppliers: str) -> str:
    """Have these suppliers (all three, where none is named) sell one plan; its id."""
    for name, cost in SELLERS:
        if not suppliers or name in suppliers:
            await counter.deps.pool.execute(
                "UPDATE offers SET plan_id = $3, cost = $2, good_cost = $2 WHERE supplier = $1"
                " AND coverage = '{BV}' AND (data->>'mb')::int = 1024 AND cost = 10",
                name,
                Decimal(cost),
                PLAN_ID,
            )
    return PLAN_ID
