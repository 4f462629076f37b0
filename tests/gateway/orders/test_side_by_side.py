"""Purchases of eSIMs at BepPay run side by side, and each attempt finds its own when the answers are lost."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from gateway.ledger import money
from gateway.ledger.reconcile import reconcile
from gateway.orders.admit import Admitted
from gateway.orders.process import process_order
from tests.kit.counter import Counter


async def test_two_purchases_at_once_whose_answers_are_lost_are_told_apart(counter: Counter) -> None:
    plan = await counter.plan(1, "beppay")
    counter.trigger("beppay", "charge_then_hang", calls=2)
    admitted = [await counter.admit(plan) for _ in range(2)]
    ids = [one.order_id for one in admitted if isinstance(one, Admitted)]
    await asyncio.gather(*(process_order(counter.deps, order_id) for order_id in ids))
    tries = [(await counter.attempts(order_id))[0] for order_id in ids]
    assert [one.state for one in tries] == ["unknown", "unknown"], "one of them waited for the other"
    # The history tells charge and ICCID; the code was in the answer alone, so an operator settles the orders.
    assert [(await counter.followed(order_id)).status for order_id in ids] == ["needs_review"] * 2
    sales = {sale.details["email"]: sale for sale in counter.simulator("beppay").sales()}
    assert set(sales) == {f"orders+{one.id}@example.com" for one in tries}
    for order_id in ids:
        (attempt,) = await counter.attempts(order_id)
        sale = sales[f"orders+{attempt.id}@example.com"]
        assert attempt.supplier_order_id == str(sale.number)
        assert attempt.iccid is not None
        assert counter.deps.seal.open_text(attempt.iccid) == sale.iccid
        assert await counter.ledger(order_id) == [("beppay", "charge", f"{sale.charged.normalize():f}")]
    today = datetime.now(UTC).date()
    report = await reconcile(counter.deps, today - timedelta(days=1), today, ["beppay"])
    (compared,) = report.suppliers
    assert [one.what for one in compared.differences] == []


async def test_reconcile_names_what_the_balance_fell_by_beyond_all_orders_together(counter: Counter) -> None:
    plan = await counter.plan(1, "beppay")
    today = datetime.now(UTC).date()

    async def found() -> list[tuple[str, str]]:
        await money.refresh(counter.deps, ["beppay"])
        (compared,) = (await reconcile(counter.deps, today, today + timedelta(days=1), ["beppay"])).suppliers
        return [(one.what, f"{one.theirs} for {one.ours}") for one in compared.differences]

    assert await found() == []
    admitted = [await counter.admit(plan) for _ in range(3)]
    await asyncio.gather(*(process_order(counter.deps, one.order_id) for one in admitted if isinstance(one, Admitted)))
    assert await found() == []
    counter.simulator("beppay").deposit(Decimal(-7))
    assert await found() == [("balance_fell_more", "37.00 USD for 30.00 USD")]
    counter.simulator("beppay").deposit(Decimal(500))
    assert await found() == [("balance_fell_more", "37.00 USD for 30.00 USD")]
