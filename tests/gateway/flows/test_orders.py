"""Orders from admission to rest, at every supplier's sandbox."""

from __future__ import annotations

import pytest

from tests.gateway.flows.counter import Counter

SUPPLIERS = ("beppay", "pikasim", "s2s")


@pytest.mark.parametrize("supplier", SUPPLIERS)
async def test_an_order_is_bought_once_and_delivered(counter: Counter, supplier: str) -> None:
    order_id = await counter.ordered(await counter.plan(1, supplier))
    order = await counter.followed(order_id)
    assert order.status == "fulfilled", (await counter.attempts(order_id), await counter.timeline(order_id))
    (attempt,) = await counter.attempts(order_id)
    assert (attempt.supplier, attempt.state) == (supplier, "succeeded")
    esim = await counter.esim(order_id)
    assert esim.activation_code is not None
    assert esim.activation_code.startswith("LPA:1$")
    sales = counter.till(supplier).sales()
    assert len(sales) == 1
    assert await counter.ledger(order_id) == [(supplier, "charge", f"{sales[0].charged.normalize():f}")]
