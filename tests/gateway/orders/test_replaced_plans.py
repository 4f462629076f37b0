"""Orders for plans whose id changed: refused with the successors, and bought where they were admitted before."""

from __future__ import annotations

from gateway.kit.problem import Problem
from gateway.selling import candidate_rows
from tests.kit.admitted import order_of
from tests.kit.counter import Counter

SUCCESSOR = "aq-other-1d-000000000000"


async def rename(counter: Counter, plan: str) -> None:
    """What a sync does that gives the plan's offers another id."""
    await counter.deps.pool.execute(
        "INSERT INTO plan_successors SELECT plan_id, id, $2, now() FROM offers WHERE plan_id = $1",
        plan, SUCCESSOR,
    )  # fmt: skip
    await counter.deps.pool.execute("UPDATE offers SET plan_id = $2 WHERE plan_id = $1", plan, SUCCESSOR)


async def test_a_new_order_for_the_old_id_names_the_successors_and_one_for_those_is_taken(counter: Counter) -> None:
    plan = await counter.plan(1, "s2s")
    await rename(counter, plan)
    answer = await counter.admit(plan, "k")
    assert isinstance(answer, Problem)
    assert (answer.code, answer.successors) == ("plan_replaced", (SUCCESSOR,))
    order_of(await counter.admit(SUCCESSOR, "k"))


async def test_a_pending_order_is_bought_from_the_offers_that_had_its_id_at_admission(counter: Counter) -> None:
    plan = await counter.plan(1, "s2s")
    order = order_of(await counter.admit(plan))
    held = [offer.supplier_plan_id for offer in await candidate_rows.of_plan(counter.deps.pool, "test", plan)]
    await rename(counter, plan)
    assert await candidate_rows.of_plan(counter.deps.pool, "test", plan) == []
    left = await candidate_rows.of_plan(counter.deps.pool, "test", plan, order)
    assert [offer.supplier_plan_id for offer in left] == held
    await counter.deps.pool.execute("UPDATE plan_successors SET at = now() - interval '1 year'")
    assert await candidate_rows.of_plan(counter.deps.pool, "test", plan, order) == []
