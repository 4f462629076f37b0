"""One selling engine: what keeps a plan from sale keeps a top-up, a number and a digital good from sale as well."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from gateway.catalog.offer_lines import OfferLine, OfferSource, SupplierAnswer
from gateway.items import goods_rows, item_source
from gateway.items.number_list_rows import key_of
from gateway.kit.problem import Problem
from gateway.orders.admit import Body, admit, offered_for
from gateway.orders.process import process_order
from gateway.orders.topup import admit_topup
from gateway.selling import engine
from gateway.selling.choosing_rules import NoneLeft, choose
from gateway.selling.engine import Sale, SaleRequest
from gateway.selling.plan_source import PlanSource
from gateway.suppliers import selling_rows, supplier_list_rows
from schemas.errors import NotFound, NotReached
from schemas.money import Money
from schemas.order_requests import (
    NumberChoice,
    OrderForGood,
    OrderForNumber,
    OrderForPlan,
    OrderForQuote,
    PriceLimit,
    SupplierChoice,
    TopupForPlan,
)
from schemas.quotes import NeedFeatures
from tests.gateway.items.test_goods import CARD, SHELF
from tests.kit.admitted import code_of
from tests.kit.common_plan import everyday_plan
from tests.kit.counter import STOREFRONT, Counter

KINDS = ("plan", "topup", "number", "voucher")
_keys = itertools.count(1)


@dataclass
class Thing:
    """One thing of a kind that one supplier sells, and how it is asked for."""

    counter: Counter
    kind: str
    supplier: str
    key: str
    body: type[Any]
    values: dict[str, Any]
    esim_id: str = ""

    async def ask(self, **more: Any) -> str:
        """What an order for it would meet: "sold", or the code of the problem."""
        body = self.body(**self.values, **more)
        if self.kind == "topup":
            key = f"engine-{next(_keys)}"
            found: object = await admit_topup(self.counter.deps, STOREFRONT, "test", self.esim_id, body, key)
        else:
            found = await offered_for(self.counter.deps, STOREFRONT, "test", body)
        return found.code if isinstance(found, Problem) else "sold"


async def _thing(counter: Counter, kind: str) -> Thing:
    pool = counter.deps.pool
    if kind == "number":
        number = NumberChoice("US", "7d")
        return Thing(counter, kind, "beppay", key_of("US", "7d"), OrderForNumber, {"number": number})
    if kind == "voucher":
        (row,) = await goods_rows.of_account(pool, "s2s", SHELF[CARD])
        return Thing(counter, kind, "s2s", row.sku, OrderForGood, {"good_id": row.good_id})
    plan_id = await everyday_plan(counter, "pikasim")
    key = await pool.fetchval("SELECT supplier_plan_id FROM offers WHERE plan_id = $1", plan_id)
    if kind == "plan":
        return Thing(counter, kind, "pikasim", key, OrderForPlan, {"plan_id": plan_id})
    order_id = await counter.ordered(plan_id)
    assert (await counter.followed(order_id)).status == "fulfilled"
    esim = await counter.esim(order_id)
    account = counter.deps.accounts["pikasim"]
    (key,) = [
        one.supplier_plan_id for one in await account.provider.topup_plans(esim.iccid, key) if one.plan_id == plan_id
    ]
    return Thing(counter, kind, "pikasim", key, TopupForPlan, {"plan_id": plan_id}, esim.id)


@pytest.fixture(params=KINDS)
async def thing(request: pytest.FixtureRequest, counter: Counter) -> Thing:
    """A thing of each kind, that is sold."""
    made = await _thing(counter, request.param)
    assert await made.ask() == "sold"
    return made


async def test_nothing_is_sold_during_a_stop(thing: Thing) -> None:
    await selling_rows.stop(thing.counter.deps.pool, "", "person")
    assert await thing.ask() == "selling_stopped"


async def test_nothing_is_sold_at_a_paused_supplier(thing: Thing) -> None:
    await supplier_list_rows.set_supplier_state(thing.counter.deps.pool, thing.supplier, "paused")
    assert await thing.ask() == "selling_stopped"


async def test_nothing_is_sold_without_our_money_there(thing: Thing) -> None:
    await thing.counter.deps.pool.execute("UPDATE suppliers SET no_balance_until = now() + interval '1 hour'")
    assert await thing.ask() in {"no_stock", "no_plan"}


async def test_nothing_is_sold_that_the_supplier_has_none_of(thing: Thing) -> None:
    until = datetime.now(UTC) + timedelta(hours=1)
    async with thing.counter.deps.pool.acquire() as connection:
        await selling_rows.mark_out_of_stock(connection, thing.supplier, thing.key, until, "a test")
    assert await thing.ask() in {"no_stock", "no_plan"}


async def test_nothing_is_sold_for_more_than_its_highest_price(thing: Thing) -> None:
    assert await thing.ask(max_price=PriceLimit("0.01", "USD")) == "price_changed"
    assert await thing.ask(max_price=PriceLimit("999999.00", "USD")) == "sold"
    assert await thing.ask(max_price=PriceLimit("1.00", "XTS")) == "no_rate"


async def test_suppliers_that_are_not_allowed_sell_nothing(thing: Thing) -> None:
    if thing.kind == "topup":  # data is added at the eSIM's own supplier, so there is nothing to allow
        assert "suppliers" not in TopupForPlan.__struct_fields__
        return
    assert await thing.ask(suppliers=SupplierChoice(ignore=[thing.supplier])) == "no_plan"
    assert await thing.ask(suppliers=SupplierChoice(only=[thing.supplier])) == "sold"


async def test_features_are_asked_of_plans(thing: Thing) -> None:
    if thing.kind == "plan":
        assert await thing.ask(features=NeedFeatures(voice=True, sms=True)) == "no_plan"
    else:
        assert "features" not in thing.body.__struct_fields__
    assert "features" in OrderForQuote.__struct_fields__


# -- the price check, on real lines with an answer of our own ----------------------------------------------------------


class AnsweringSource:
    """A source whose supplier answers what a test says; lines and state are the real ones."""

    def __init__(self, real: OfferSource, answer: Money | Exception | None) -> None:
        self.real, self.answer, self.asked = real, answer, 0
        self.capability = real.capability

    async def lines(self, deps: Any) -> list[OfferLine]:
        return [msgspec.structs.replace(line, needs_check=True) for line in await self.real.lines(deps)]

    async def missing(self, deps: Any) -> Problem:
        return await self.real.missing(deps)

    async def ask(self, _deps: Any, line: OfferLine) -> SupplierAnswer | None:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return None if self.answer is None else SupplierAnswer(self.answer, self.answer)

    async def take_over(self, _deps: Any, line: OfferLine, answer: SupplierAnswer) -> OfferLine | None:
        return msgspec.structs.replace(line, cost=answer.cost, needs_check=False)


async def _source(thing: Thing) -> OfferSource:
    if thing.kind == "plan":
        return PlanSource("test", thing.values["plan_id"])
    body: Body = thing.body(**thing.values)
    asked = await item_source.asked_for(thing.counter.deps, "test", body)  # type: ignore[arg-type]
    assert not isinstance(asked, Problem)
    source = item_source.source_of("test", asked.item)
    assert source is not None
    return source


SOURCES = [kind for kind in KINDS if kind != "topup"]  # a top-up's offers were listed a moment ago


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize(
    ("factor", "meets"),
    [("1.02", "old price"), ("0.80", "new price"), ("0.50", "old price"), ("3.00", "price_changed")],
    ids=["a small rise", "a fall that is believed", "a fall that is none", "a jump"],
)
async def test_an_old_price_is_checked_in_the_same_way(counter: Counter, kind: str, factor: str, meets: str) -> None:
    real = await _source(await _thing(counter, kind))
    usual = await engine.sale(counter.deps, SaleRequest(STOREFRONT, real))
    assert isinstance(usual, Sale)
    assert usual.line.cost is not None
    cost = Money(usual.line.cost.amount * Decimal(factor), usual.line.cost.currency)
    source = AnsweringSource(real, cost)
    found = await engine.sale(counter.deps, SaleRequest(STOREFRONT, source))
    assert source.asked == 1
    if meets == "price_changed":
        assert isinstance(found, Problem)
        assert found.code == meets
        return
    assert isinstance(found, Sale)
    same = found.terms.price == usual.terms.price
    assert same == (meets == "old price")
    assert found.terms.price <= usual.terms.price


@pytest.mark.parametrize("kind", SOURCES)
async def test_what_is_not_there_any_more_is_marked_and_who_cannot_be_asked_changes_nothing(
    counter: Counter, kind: str
) -> None:
    thing = await _thing(counter, kind)
    real = await _source(thing)
    away = AnsweringSource(real, NotReached("nobody there", supplier=thing.supplier))
    assert isinstance(await engine.sale(counter.deps, SaleRequest(STOREFRONT, away)), Sale)
    gone = AnsweringSource(real, NotFound("no such thing", supplier=thing.supplier))
    assert code_of(await engine.sale(counter.deps, SaleRequest(STOREFRONT, gone))) == "no_stock"
    assert await thing.ask() == "no_stock"


@pytest.mark.parametrize("kind", SOURCES)
async def test_a_held_price_stands_and_a_cost_above_it_is_a_changed_price(counter: Counter, kind: str) -> None:
    real = await _source(await _thing(counter, kind))
    usual = await engine.sale(counter.deps, SaleRequest(STOREFRONT, real))
    assert isinstance(usual, Sale)
    held = Money(usual.terms.price.amount * 2, usual.terms.price.currency)
    found = await engine.sale(counter.deps, SaleRequest(STOREFRONT, real, quoted_price=held, quoted_cost=held))
    assert isinstance(found, Sale)
    assert found.terms.price == held
    little = Money(Decimal("0.01"), usual.terms.max_cost.currency)
    refused = await engine.sale(counter.deps, SaleRequest(STOREFRONT, real, quoted_price=held, quoted_cost=little))
    assert code_of(refused) == "price_changed"


async def test_after_its_only_offer_failed_an_order_has_none_left(thing: Thing) -> None:
    counter = thing.counter
    if thing.kind == "topup":
        made = await admit_topup(counter.deps, STOREFRONT, "test", thing.esim_id, thing.body(**thing.values), "last")
    else:
        made = await admit(counter.deps, STOREFRONT, "test", thing.body(**thing.values), "last")
    assert not isinstance(made, Problem)
    act = "topup" if thing.kind == "topup" else "order"
    counter.trigger(thing.supplier, "refuse_stock", act=act)
    await process_order(counter.deps, made.order_id)
    order = await counter.followed(made.order_id)
    attempts = [(one.supplier, one.state.value) for one in await counter.attempts(made.order_id)]
    assert order.status == "failed", attempts
    assert attempts == [(thing.supplier, "failed")]


def test_nothing_is_chosen_of_nothing() -> None:
    assert isinstance(choose((), Decimal("Infinity")), NoneLeft)
