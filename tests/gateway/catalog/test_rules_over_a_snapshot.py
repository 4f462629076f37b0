"""Rules over a whole snapshot: every row has the rule, the price and the reasons that the offer alone would have."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import cache
from types import SimpleNamespace
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.catalog.index import Choice, Index, Need, PlanQuery, featured
from gateway.catalog.index.effect import effect, offers_by_rule
from gateway.catalog.index.featured import OFTEN
from gateway.catalog.index.indexes import Indexes
from gateway.catalog.index.rule_prices import MAX_SETS, rule_of_rows, rule_prices_of
from gateway.catalog.offer_lines import Limits
from gateway.kit.problem import Problem
from gateway.kit.settings import Settings, load
from gateway.pricing.price_rules import PriceRule
from gateway.pricing.pricing import Prices
from gateway.pricing.pricing_rules import Conditions, Rule, RuleSets, only, sets_at
from gateway.selling import engine
from gateway.selling.candidate_rows import Stored
from gateway.selling.engine import SaleRequest
from gateway.selling.plan_source import PlanSource, plan_lines
from gateway.suppliers.deps import Deps
from providers.contract import Capability
from schemas import api
from schemas.features import Wanted
from schemas.money import Money
from schemas.plan import WhyNot
from tests.kit.made_up_market import NOW, REGIONS, Item, Market, offer, some_items, some_rules
from tests.kit.naive_catalogue import Naive, subject_of

PROPERTY = settings(deadline=None, max_examples=50)
seeds = st.integers(0, 39)


@cache
def market(seed: int) -> tuple[Market, Index, Naive]:
    made = Market(some_items(seed, 80))
    made.rules = some_rules(seed)
    return made, made.index(), Naive(made)


@pytest.mark.no_cover  # other tests run the same lines
@PROPERTY
@given(seed=seeds)
def test_each_row_has_the_rule_that_its_offer_alone_has(seed: int) -> None:
    made, index, naive = market(seed)
    which = rule_of_rows(index.snapshot, made.rules)
    for item in made.items:
        row = index.snapshot.find_row(*item.key)
        assert which[row] == made.rules.find(subject_of(item))
        judged = next(one for one in naive.plans[item.offer.plan_id] if one.item is item)
        assert index.price_of(row) == naive.price(judged, "USD")
        assert index.reasons(row) == judged.why
    live = [one for group in naive.plans.values() for one in group if not one.why]
    counts = offers_by_rule(index)
    assert sum(counts.values()) == len(live)
    for number, count in counts.items():
        assert count == sum(made.rules.find(subject_of(one.item)) == number for one in live)


@PROPERTY
@given(seed=seeds, other=seeds, currency=st.sampled_from(["USD", "EUR"]))
def test_the_effect_of_other_rules_is_what_every_plan_looked_at_by_itself_says(seed, other, currency) -> None:
    made, before, first = market(seed)
    changed = replace(made, rules=some_rules(other))
    second = Naive(changed)
    after = Index(before.snapshot, before.standing, changed.rules)
    found = effect(before, after, currency)

    def sold(naive: Naive) -> dict[str, tuple[Decimal, Decimal]]:
        stand = {
            plan: min(live, key=lambda one: one.choice)
            for plan, group in naive.plans.items()
            if (live := [one for one in group if not one.why])
        }
        return {plan: naive.price(one, currency).amount for plan, one in stand.items()}

    was, now = sold(first), sold(second)
    both = was.keys() & now.keys()
    ups = sorted(now[plan] - was[plan] for plan in both if now[plan] > was[plan])
    downs = sorted(was[plan] - now[plan] for plan in both if now[plan] < was[plan])
    assert found.same == len(both) - len(ups) - len(downs)
    assert (found.begin, found.end) == (len(now.keys() - was.keys()), len(was.keys() - now.keys()))
    for spread, moves in ((found.rises, ups), (found.falls, downs)):
        assert (spread.count if spread else 0) == len(moves)
        if spread is not None:
            assert Decimal(spread.most).scaleb(-2) == moves[-1]
            middle = (moves[(len(moves) - 1) // 2] + moves[len(moves) // 2]) / 2
            assert abs(Decimal(spread.median).scaleb(-2) - middle) < 1
    every = [set(one.why) for group in second.plans.values() for one in group]
    thin = sum(why == {WhyNot.THIN_MARGIN} for why in every)
    assert found.thin[1] == thin
    assert len(found.examples) == min(50, len(ups) + len(downs) + found.begin + found.end)


# -- one price: shown, quoted, charged


@cache
def own_settings() -> Settings:
    return load()


def deps(made: Market) -> Deps:
    """What admission needs where there is no database."""
    manifest = SimpleNamespace(capabilities=(Capability.ORDERS,))
    unlimited = SimpleNamespace(daily_spend_limit=None)
    account = SimpleNamespace(settings=unlimited, manifest=manifest, tolerance=Decimal(0))
    dear = SimpleNamespace(settings=unlimited, manifest=manifest, tolerance=made.terms.tolerance["c"])
    accounts = {"a": account, "b": account, "c": dear}
    return Deps(None, accounts, own_settings(), None, clock=lambda: NOW)  # type: ignore[arg-type]


def stored(item: Item, naive: Naive) -> Stored:
    state = next(one for one in naive.market.overlay.suppliers if one.name == item.supplier)
    one = item.offer
    return Stored(
        supplier=item.supplier, supplier_plan_id=one.supplier_plan_id, plan_id=one.plan_id, name=one.name,
        coverage=one.coverage, data=one.data, days=one.validity.days, starts="install", networks=one.networks,
        features=one.features, cost=one.cost, stock=one.stock, visible=one.visible, suspect=item.suspect, paused=False,
        no_balance=False, last_good_at=state.last_good_at, last_sync_state=state.last_sync_state, marks=(),
        updated_at=NOW, supplier_product_id=None,
    )  # fmt: skip


def charged(made: Market, naive: Naive, plan_id: str, max_price: Money | None) -> Money | None:
    """What admission would sell the plan for, None when it would not."""
    gateway, prices = deps(made), Prices(made.rules, made.terms.rates)
    rows = [stored(judged.item, naive) for judged in naive.plans[plan_id]]
    found = engine.judged(gateway, plan_lines(gateway, rows), prices, Limits(), Capability.ORDERS)
    request = SaleRequest("sf", PlanSource("live", plan_id), max_price=max_price)
    terms = engine.terms_of(request, found, prices.rates, ())
    if isinstance(terms, Problem):
        return None
    assert terms.chosen.candidate.most <= terms.max_cost.amount
    return terms.price


@pytest.mark.no_cover  # it goes through all of the index again and again, as other tests do
@pytest.mark.parametrize("currency", ["USD", "EUR", "JPY"])
@settings(deadline=None, max_examples=12)
@given(seed=seeds)
def test_the_price_shown_quoted_and_charged_is_one_under_any_rules(currency: str, seed: int) -> None:
    import asyncio

    made, index, naive = market(seed)

    async def compare() -> None:
        for plan_id in naive.plans:
            plan = msgspec.json.decode(index.plan(plan_id, currency), type=api.Plan)
            quoted = index.choose(Need(plan_id=plan_id, currency=currency))
            high = Money.of(10**9, currency)
            sold = charged(made, naive, plan_id, high)
            assert plan.in_stock == isinstance(quoted, Choice)
            if sold is None:  # rounded otherwise in another currency a price may not cover what the offer may cost
                assert not plan.in_stock or currency != "USD"
                continue
            assert plan.in_stock
            assert Money.of(plan.price.amount, currency) == quoted.price == sold
            if currency == "USD":
                assert charged(made, naive, plan_id, None) == sold
            most = Money(sold.amount - Decimal("0.01"), currency)
            listed = index.plans(PlanQuery(currency=currency, max_price=most.amount, limit=200))
            shown = {one.id: one for one in msgspec.json.decode(listed.body, type=api.PlanList).data}
            under = charged(made, naive, plan_id, most)
            assert (plan_id in shown) == (under is not None) or (currency != "USD" and under is None)
            if under is not None:
                assert Money.of(shown[plan_id].price.amount, currency) == under

    asyncio.run(compare())


# -- sets


CHEAP = Item("a", offer("cheap", cost="4.00"))
DEAR = Item("b", offer("dear", cost="6.00"))


def with_rules(*rules: Rule, items: tuple[Item, ...] = (CHEAP, DEAR)) -> Market:
    made = Market(list(items))
    made.rules = sets_at(rules, PriceRule(), NOW, {one.code: one.countries for one in REGIONS}).shared
    return made


def test_a_plan_costs_what_its_cheapest_offer_is_sold_for_though_another_would_be_sold_for_less() -> None:
    index = with_rules(Rule("pr_1", 1, "A", Conditions(supplier="a"), PriceRule(Decimal(100)))).index()
    plan = msgspec.json.decode(index.plan(CHEAP.offer.plan_id), type=api.Plan)
    assert plan.price.amount == "8.00"
    (cheap, dear) = msgspec.json.decode(index.offers(CHEAP.offer.plan_id), type=api.OfferList).data
    assert (cheap.price.amount, cheap.price_rule) == ("8.00", "rule 1: A +100 %")
    assert (dear.price.amount, dear.price_rule) == ("6.60", "default: +10 %")
    (listed,) = msgspec.json.decode(index.plans(PlanQuery(max_price=Decimal(7))).body, type=api.PlanList).data
    assert (listed.price.amount, listed.offer_count) == ("6.60", 1)


def test_a_need_gets_the_lowest_price_though_another_plan_costs_us_less() -> None:
    local, wide = Item("a", offer("local", cost="4.00")), Item("b", offer("wide", countries="JP KR", cost="5.00"))
    rules = Rule("pr_1", 1, "A", Conditions(supplier="a"), PriceRule(Decimal(100)))
    choice = with_rules(rules, items=(local, wide)).index().choose(Need(countries=("JP",)))
    assert isinstance(choice, Choice)
    assert (choice.plan_id, str(choice.price)) == (wide.offer.plan_id, "5.50 USD")
    assert choice.next_best == (local.offer.plan_id, Money.of("8.00", "USD"))


def test_a_rule_whose_amounts_have_no_rate_keeps_its_offers_from_sale() -> None:
    rules = Rule("pr_1", 1, "A", Conditions(supplier="a"), PriceRule(floor=Decimal(1), currency="XYZ"))
    index = with_rules(rules).index()
    plan = msgspec.json.decode(index.plan(CHEAP.offer.plan_id), type=api.Plan)
    assert (plan.price.amount, plan.offer_count) == ("6.60", 1)
    shown = msgspec.json.decode(index.offers(CHEAP.offer.plan_id), type=api.OfferList).data
    assert {one.supplier: one.why_not for one in shown} == {"a": "no_rate", "b": None}
    assert shown[1].price_rule.endswith("no exchange rate for its amounts")


def test_nothing_of_a_rule_or_a_cost_stands_in_what_a_storefront_reads() -> None:
    index = with_rules(Rule("pr_1", 1, "Secret name", Conditions(supplier="a"), PriceRule(Decimal("37.5")))).index()
    read = [index.plans(PlanQuery()).body, index.plan(CHEAP.offer.plan_id), index.countries(), index.regions()]
    read.append(index.choose(Need(countries=("JP",))).plan)
    for body in read:
        assert b"5.50" in body or b"regions" in body or b'"data":[]' in body
        assert not any(word in body for word in (b"Secret", b"37.5", b"4.00", b"cost", b"rule"))


def test_storefronts_with_equal_rules_share_an_index_and_sets_are_bounded_in_number() -> None:
    made = Market(some_items(1, 60))
    shared = only(PriceRule())
    own = {f"sf_{n}": only(PriceRule(Decimal(n % 20))) for n in range(40)}
    index = made.index()
    indexes = Indexes(index.snapshot, index.standing, RuleSets(shared, own))
    assert indexes.of(None) is indexes.of("another") is indexes.of("sf_10") is indexes.shared
    assert indexes.of("sf_1") is indexes.of("sf_21")
    versions = {indexes.of(one).version for one in own}
    assert len(versions) == 20
    assert len(indexes.used) <= MAX_SETS * 2
    assert len(index.snapshot.memo("rule sets", dict)) <= MAX_SETS


def test_features_are_got_ready_once_for_storefronts_with_equal_rules_and_within_the_bytes_of_all() -> None:
    made = Market(some_items(1, 60)).index()
    own = {f"sf_{n}": only(PriceRule(Decimal(n % 2 + 1))) for n in range(40)}
    before = Indexes(made.snapshot, made.standing, RuleSets(only(PriceRule()), own))
    for storefront in (None, *own):
        index = before.of(storefront)
        for _ in range(OFTEN):
            index.plans(PlanQuery(wanted=Wanted(topup=True)))
        index.featured.make(index.featured.lacking)
    after = Indexes(made.snapshot, made.standing, RuleSets(only(PriceRule()), own), before)
    with patch.object(featured, "offers_with", wraps=featured.offers_with) as worked_out:
        after.warm(before)
    assert worked_out.call_count == 3
    assert all(len(index.featured.made) == 1 for index in after.ready)
    everyone = RuleSets(only(PriceRule()), {name: only(PriceRule()) for name in own})
    merged = Indexes(made.snapshot, made.standing, everyone, after)
    merged.warm(after)
    assert len(merged.shared.featured.made) == 1
    assert merged.shared.featured.questions.total() > after.shared.featured.questions.total(), "those of all count"


def test_a_rule_of_another_name_keeps_the_version_and_changes_the_words() -> None:
    first, second = (Rule("pr_1", 1, name, Conditions(), PriceRule(Decimal(20))) for name in ("First", "Second"))
    index = with_rules(first).index()
    other = Index(index.snapshot, index.standing, with_rules(second).rules)
    assert other.version == index.version
    row = index.snapshot.find_row("a", "cheap")
    assert (index.price_words(row), other.price_words(row)) == ("rule 1: First +20 %", "rule 1: Second +20 %")
    assert rule_prices_of(index.snapshot, with_rules(second).rules).rules.rules[0].name == "Second"
