"""A markup that is lowered after admission changes new prices, and no order whose price is held."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from gateway.kit.problem import Problem
from gateway.orders.process import process_order
from gateway.pricing import edit_rules
from schemas.api_pricing import RuleBody
from tests.kit.admitted import code_of, order_of
from tests.kit.common_plan import common_plan
from tests.kit.counter import Counter
from tests.kit.held_quote import held_quote
from tests.kit.paydesk import paydesk

# With none of the 10 % that the price was made with, PikaSim's tolerance for charges is no longer covered.
LOW = Decimal(0)


async def _lower(counter: Counter, how: str) -> Counter:
    """The shop after its markup was lowered, by a new rule or in the settings of a process that was started again."""
    settings = counter.deps.settings
    if how == "settings":
        pricing = settings.pricing.model_copy(update={"percent": LOW})
        return replace(counter, deps=replace(counter.deps, settings=settings.model_copy(update={"pricing": pricing})))
    made = await edit_rules.create(counter.deps.pool, settings, "a test", RuleBody(name="No markup", percent="0"))
    assert not isinstance(made, Problem), made
    return counter


async def _fulfilled_by(counter: Counter, order_id: str) -> list[str]:
    await process_order(counter.deps, order_id)
    assert (await counter.followed(order_id)).status == "fulfilled"
    return [one.supplier for one in await counter.attempts(order_id)]


@pytest.mark.parametrize("how", ["rule", "settings"])
async def test_an_admitted_order_is_bought_as_before(counter: Counter, how: str) -> None:
    plan = await common_plan(counter, "pikasim")
    order_id = order_of(await counter.admit(plan))
    lower = await _lower(counter, how)
    # A new order has no price that would cover what PikaSim may charge.
    assert code_of(await lower.admit(plan)) == "no_stock"
    assert await _fulfilled_by(lower, order_id) == ["pikasim"]
    assert (await counter.order(order_id)).price == Decimal(11)


@pytest.mark.parametrize("how", ["rule", "settings"])
async def test_an_admitted_order_goes_on_to_its_next_offer(counter: Counter, how: str) -> None:
    order_id = order_of(await counter.admit(await common_plan(counter)))
    lower = await _lower(counter, how)
    counter.trigger("pikasim", "refuse_stock")
    assert await _fulfilled_by(lower, order_id) == ["pikasim", "s2s"]


@pytest.mark.parametrize("how", ["rule", "settings"])
async def test_a_quote_from_before_is_admitted_and_bought_at_its_price(counter: Counter, how: str) -> None:
    quote_id = held_quote(counter, await common_plan(counter, "pikasim"))
    lower = await _lower(counter, how)
    order_id = order_of(await lower.admit_quote(quote_id))
    assert await _fulfilled_by(lower, order_id) == ["pikasim"]
    assert (await counter.order(order_id)).price == Decimal(11)


async def test_a_checkout_that_is_paid_afterwards_is_delivered(counter: Counter) -> None:
    async with paydesk(counter) as desk:
        checkout_id = await desk.open(await common_plan(counter, "pikasim"))
        await _lower(counter, "rule")
        await desk.pay(checkout_id)
        assert (await desk.delivered(checkout_id)).order_status == "fulfilled"
