"""The index agrees with the obvious way of doing it, whatever is asked of whatever market."""

import itertools
from collections.abc import Callable, Iterator, Sequence, Sized
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gateway.catalog.index import (
    Choice,
    Index,
    InStock,
    Need,
    NoMatch,
    PlanQuery,
    page,
    row_order,
)
from gateway.catalog.index.feature_masks import feature_filter
from gateway.catalog.index.featured import Featured
from gateway.catalog.index.overlay import Overlay, SupplierState
from gateway.pricing.price_rules import PriceRule
from gateway.pricing.pricing_rules import only
from gateway.suppliers.spendable_rules import Funds
from schemas import api
from schemas.features import Wanted
from schemas.money import Money
from schemas.plan import Scope
from tests.kit.made_up_market import NOW, Item, Market, mark, some_items, some_rules
from tests.kit.naive_catalogue import Naive

PROPERTY = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)


# Blocks so small that a small market takes every path that a huge one does.
SHORT = ((page, "FEW", 3), (row_order, "BLOCK", 5), (row_order, "MOST_BYTES", 200), (row_order, "_STEP", 3))


@cache
def market(seed: int) -> tuple[Naive, Index, Index]:
    """A few markets: calm ones, some with marks, with a paused or an expired supplier, with .99 prices."""
    made = Market(some_items(seed, 40 + 120 * (seed % 3)))
    plans = sorted({item.offer.plan_id for item in made.items})
    made.touched = {plan: NOW - timedelta(hours=at % 48, microseconds=at) for at, plan in enumerate(plans)}
    if seed % 2:
        marked = made.items[:: 3 + seed % 4]
        marks = tuple(
            mark(i.supplier, i.offer.supplier_plan_id, ("out_of_stock", "stopped")[n % 2]) for n, i in enumerate(marked)
        )
        made.overlay = Overlay(made.overlay.suppliers, marks)
    if seed % 4 > 1:
        one, _, three = made.overlay.suppliers
        old = SupplierState("b", "live", last_good_at=NOW - timedelta(hours=seed % 3 * 20), last_sync_state="ok")
        paused = msgspec.structs.replace(three, state="paused") if seed % 8 > 5 else three
        if seed % 8 == 3:
            paused = msgspec.structs.replace(three, quarantined=True)
        made.overlay = Overlay((one, old, paused), made.overlay.marks)
    if seed % 3 == 1:
        costs = sorted(i.offer.cost.amount for i in made.items if i.offer.cost is not None and i.supplier == "c")
        least = costs[len(costs) // 2] if costs else Decimal(5)
        # What is there is just what one offer may come to cost, in another currency; at b there is nothing.
        funds = (
            Funds("b", NOW, "USD", Decimal(9), (("USDT", Decimal(9)),)),
            Funds("c", NOW, "EUR", least * Decimal("1.05") / Decimal("1.08") + 1, (), (("EUR", 1 / Decimal("1.05")),)),
        )
        made.overlay = Overlay(made.overlay.suppliers, made.overlay.marks, funds)
    if seed % 5 == 4:
        made.rules = only(PriceRule(Decimal("12.5"), Decimal("0.3"), ".99"))
    if seed % 3:
        made.rules = some_rules(seed)
    with short_stretches():
        huge = made.index()
    return Naive(made), made.index(), huge


@contextmanager
def short_stretches() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for module, name, value in SHORT:
            patch.setattr(module, name, value)
        yield


def in_both_sizes(seed: int, compare: Callable[[Index], None]) -> None:
    """Compare the index of a market, and then as if the market were huge."""
    _, index, huge = market(seed)
    compare(index)
    with short_stretches():
        compare(huge)


some = st.one_of
wanted = st.fixed_dictionaries(
    {},
    optional={
        "topup": st.just(True),
        "voice": st.just(True),
        "sms": st.just(True),
        "network": st.just("5G"),
        "operator": st.sampled_from(["Operator", "mobile", "JP Mobile", "44010", "nobody"]),
        "exit_country": st.sampled_from(["HK", "ZZ"]),
        "not_exit_country": st.sampled_from(["HK", "CN,HK", "JP"]),
        "hotspot": st.just(True),
        "voice_minutes": st.sampled_from([1, 100, 101]),
        "sms_count": st.sampled_from([1, 50]),
        "phone_number": st.just(True),
        "kyc_required": st.booleans(),
        "usage": st.just(True),
        "refundable": st.just(True),
    },
).flatmap(
    lambda every: st.sets(st.sampled_from(sorted(every) or [""]), max_size=2).map(
        lambda names: Wanted(**{name: every[name] for name in names if name})
    )
)
countries = st.sampled_from([(), (), ("JP",), ("KR",), ("TR",), ("JP", "KR"), ("US", "FR", "DE"), ("JP", "AQ")])
queries = st.builds(
    PlanQuery,
    countries=countries,
    region=st.sampled_from([None, None, None, "europe", "asia"]),
    scope=st.sampled_from([None, None, None, Scope.COUNTRY, Scope.REGION]),
    min_data_mb=st.sampled_from([None, None, 1024, 3000, 9000]),
    unlimited=st.sampled_from([None, None, None, True, False]),
    min_days=st.sampled_from([None, None, None, 1, 5, 7, 31]),
    max_days=st.sampled_from([None, None, None, 1, 7]),
    wanted=wanted,
    max_price=st.sampled_from([None, None, None, Decimal("5.50"), Decimal(700), Decimal(0)]),
    currency=st.sampled_from([None, None, "EUR", "JPY"]),
    in_stock=st.sampled_from([InStock.TRUE, InStock.TRUE, InStock.FALSE, InStock.ANY]),
    q=st.sampled_from(
        [None, None, None, "japan", "tur", "ASIA", "5 gb", "unlimited", "5", "europe 7", "nothing", "1 gb fra"]
    ),
    updated_since=st.sampled_from([None, None, None, NOW - timedelta(hours=20), NOW]),
    sort=st.sampled_from(["price", "price_per_gb", "price_per_day", "data", "days"]).flatmap(
        lambda sort: st.sampled_from([sort, f"-{sort}"])
    ),
    limit=st.sampled_from([1, 2, 3, 7, 50]),
)


def walk(index: Index, query: PlanQuery) -> list[api.Plan]:
    plans: list[api.Plan] = []
    for _ in range(1000):
        page = index.plans(query)
        answer = msgspec.json.decode(page.body, type=api.PlanList)
        orjson.loads(page.body)
        assert page.count == len(answer.data) <= query.limit
        assert answer.has_more == page.has_more == (answer.next_cursor is not None)
        assert answer.catalog.version == index.version
        plans += answer.data
        if answer.next_cursor is None:
            return plans
        assert len(answer.data) == query.limit
        query = msgspec.structs.replace(query, cursor=answer.next_cursor)
    raise AssertionError("the pages never end")


def amount(price: api.Price | None) -> Decimal | None:
    return None if price is None else Decimal(price.amount)


FIXED_QUERIES = [
    PlanQuery(in_stock=in_stock, sort=sort, **narrower)
    for in_stock in InStock
    for sort in ("price", "-price", "price_per_gb", "-price_per_day", "data", "-days")
    for narrower in (
        {},
        {"countries": ("JP",), "limit": 3},
        {"max_price": Decimal("5.50"), "limit": 7},
        {"wanted": Wanted(topup=True), "min_days": 5},
    )
]


@pytest.mark.no_cover  # other tests run the same lines
@PROPERTY
@given(seed=st.integers(0, 39), query=queries)
def test_every_query_walks_through_the_plans_that_the_obvious_way_finds_in_the_same_order(
    seed: int, query: PlanQuery
) -> None:
    compare_lists(seed, [query])


@pytest.mark.no_cover  # other tests run the same lines
@PROPERTY
@given(seed=st.integers(0, 39), query=queries)
def test_features_that_are_asked_for_often_change_no_answer(seed: int, query: PlanQuery) -> None:
    asking = feature_filter(query.wanted, query.countries)
    assume(asking is not None)
    expected = market(seed)[0].listed(query)

    def compare(index: Index) -> None:
        index.featured.make([asking])
        compare_list(walk(index, query), expected, query)
        index.featured = Featured(index.stock)

    in_both_sizes(seed, compare)


FEATURES = (Wanted(topup=True), Wanted(voice=True), Wanted(network="5G"), Wanted(topup=True, kyc_required=False))
NARROWER = (
    {}, {"countries": ("JP",)}, {"min_data_mb": 3000}, {"max_price": Decimal("5.50")}, {"limit": 3},
    {"unlimited": True}, {"unlimited": False}, {"min_data_mb": 9000, "min_days": 7}, {"max_days": 7},
)  # fmt: skip


@pytest.mark.no_cover  # other tests run the same lines
@pytest.mark.parametrize("seed", range(0, 40, 3))
def test_features_that_are_ready_beside_each_other_answer_each_its_own(seed: int) -> None:
    queries = [
        PlanQuery(wanted=features, in_stock=in_stock, sort=sort, **narrower)
        for in_stock, sort, narrower in itertools.product(InStock, ("price", "-data"), NARROWER)
        for features in FEATURES
    ]
    listed = [(query, market(seed)[0].listed(query)) for query in queries]

    def compare(index: Index) -> None:
        filters = {feature_filter(query.wanted, query.countries) for query in queries}
        index.featured.make([features for features in filters if features is not None])
        for query, expected in listed:
            compare_list(walk(index, query), expected, query)
        index.featured = Featured(index.stock)

    in_both_sizes(seed, compare)


MEASURED_SEEDS = {0, 1, 3, 6}  # they run all the lines that the others do


@pytest.mark.parametrize(
    "seed",
    [pytest.param(seed, marks=() if seed in MEASURED_SEEDS else pytest.mark.no_cover) for seed in range(40)],
)
def test_a_fixed_set_of_queries_finds_the_same_plans_in_every_market(seed: int) -> None:
    compare_lists(seed, FIXED_QUERIES)


@pytest.mark.parametrize("seed", range(0, 40, 5))
def test_an_offer_with_a_suspect_price_changes_no_answer(seed: int) -> None:
    honest = [item for item in some_items(seed, 60) if not item.suspect]
    for_nothing = [
        Item(
            item.supplier,
            msgspec.structs.replace(item.offer, supplier_plan_id=f"nothing{n}", cost=Money.of(cost, "USD")),
            True,
        )
        for n, (item, cost) in enumerate(itertools.product(honest, ("0.01", "900")))
    ]
    before, after = Market(honest).index(), Market([*honest, *for_nothing]).index()
    for query in FIXED_QUERIES:
        if query.max_price is None:
            assert told(walk(before, query)) == told(walk(after, query))
    for need in (Need(("JP",)), Need(("KR",), data_mb=1024), Need((), unlimited=True)):
        assert told([before.choose(need)]) == told([after.choose(need)])


def told(found: list[Any]) -> Any:
    """An answer without the version of the catalogue, and without how many offers were considered."""
    return [
        {
            name: value
            for name, value in msgspec.to_builtins(each).items()
            if name not in {"considered", "catalog", "plan"}
        }
        for each in found
    ]


def compare_lists(seed: int, queries: Sequence[PlanQuery]) -> None:
    listed = [(query, market(seed)[0].listed(query)) for query in queries]

    def compare(index: Index) -> None:
        for query, expected in listed:
            compare_list(walk(index, query), expected, query)

    in_both_sizes(seed, compare)


def compare_list(found: list[api.Plan], expected: list[dict[str, Any]], query: PlanQuery) -> None:
    assert [plan.id for plan in found] == [plan["id"] for plan in expected], query
    for plan, wanted in zip(found, expected, strict=True):
        assert amount(plan.price) == wanted["price"]
        assert amount(plan.price_per_gb) == wanted["price_per_gb"]
        assert amount(plan.price_per_day) == wanted["price_per_day"]
        assert plan.offer_count == wanted["offer_count"]
        assert plan.in_stock == (wanted["offer_count"] > 0)
        assert plan.stale == wanted["stale"]
        assert msgspec.to_builtins(plan.features) == msgspec.to_builtins(wanted["features"])


needs = st.builds(
    Need,
    countries=countries,
    data_mb=st.sampled_from([None, 1024, 3000, 9000]),
    days=st.sampled_from([None, 1, 7, 20]),
    unlimited=st.sampled_from([False, False, False, True]),
    wanted=wanted,
    currency=st.sampled_from([None, "EUR"]),
)


@PROPERTY
@given(seed=st.integers(0, 39), need=needs)
def test_every_need_gets_the_cheapest_plan_in_stock_that_the_obvious_way_finds(seed: int, need: Need) -> None:
    naive, *_ = market(seed)
    found = naive.meeting(need)
    in_both_sizes(seed, lambda index: compare_choice(index.choose(need), need, naive, *found))


def compare_choice(got: Choice | NoMatch, need: Need, naive: Naive, considered: Sized, live: list[Any]) -> None:
    if not live:
        assert isinstance(got, NoMatch)
        assert got.code == ("no_stock" if considered else "no_plan")
        assert got.considered == len(considered)
        near = [] if considered else naive.nearest(need)
        assert [msgspec.json.decode(plan, type=api.Plan).id for plan, _ in got.nearest] == [plan for plan, _ in near]
        assert [[(one.what, one.wanted, one.has) for one in missed] for _, missed in got.nearest] == [
            missed for _, missed in near
        ]
        return
    assert isinstance(got, Choice)
    assert (got.plan_id, got.considered, got.in_stock) == (live[0][0], len(considered), len(live))
    assert got.price == naive.price(live[0][1], need.currency or "USD")
    assert got.cost_base.amount == live[0][1].base
    assert msgspec.json.decode(got.plan, type=api.Plan).id == got.plan_id
    assert (got.next_best[0] if got.next_best else None) == (live[1][0] if len(live) > 1 else None)


@pytest.mark.no_cover  # other tests run the same lines
@PROPERTY
@given(seed=st.integers(0, 39))
def test_offers_tell_the_same_reasons_as_the_rule_does(seed: int) -> None:
    in_both_sizes(seed, lambda index: compare_offers(index, market(seed)[0]))


def compare_offers(index: Index, naive: Naive) -> None:
    for plan_id, judged in naive.plans.items():
        body = index.offers(plan_id)
        assert isinstance(body, bytes)
        shown = msgspec.json.decode(body, type=api.OfferList).data
        assert [offer.selectable for offer in shown] == sorted((not one.why for one in judged), reverse=True)
        by_key = {one.item.key: one for one in judged}
        for offer in shown:
            one = by_key[offer.supplier, offer.supplier_plan_id]
            assert offer.why_not == (one.why[0] if one.why else None)
            assert amount(offer.cost_base) == one.base
            assert amount(offer.price) == (p.amount if (p := naive.price(one, "USD")) else None)
        for group in (True, False):
            costs = [amount(o.cost_base) for o in shown if o.selectable is group and o.cost_base is not None]
            assert costs == sorted(costs, key=lambda cost: cost or 0)


@PROPERTY
@given(seed=st.integers(0, 39))
def test_countries_and_regions_count_the_plans_in_stock_and_name_the_lowest_price(seed: int) -> None:
    in_both_sizes(seed, lambda index: compare_places(index, market(seed)[0]))


def compare_places(index: Index, naive: Naive) -> None:
    live = {p: g for p, j in naive.plans.items() if (g := [one for one in j if not one.why])}
    codes = sorted({c for j in naive.plans.values() for c in j[0].item.offer.coverage})
    shown = {c.code: c for c in msgspec.json.decode(index.countries(), type=api.CountryList).data}
    for code in codes:
        here = [g for g in live.values() if code in g[0].item.offer.coverage]
        if not here:
            assert code not in shown
            continue
        assert shown[code].plan_count == len(here)
        stand = [min(group, key=lambda one: one.choice) for group in here]
        assert amount(shown[code].from_price) == min(naive.price(one, "USD").amount for one in stand)
    for region in msgspec.json.decode(index.regions(), type=api.RegionList).data:
        listed = naive.listed(PlanQuery(region=region.code))
        assert (region.plan_count, amount(region.from_price)) == (len(listed), listed[0]["price"])
