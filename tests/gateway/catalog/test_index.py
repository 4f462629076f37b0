from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest

from gateway.catalog.index import Gone, Index, InStock, Need, NoMatch, PlanQuery, QueryError
from gateway.catalog.index.affordable import standing_in
from gateway.catalog.index.feature_masks import FeatureFilter
from gateway.catalog.index.featured import OFTEN, Featured
from gateway.catalog.index.name_index import terms_of
from gateway.catalog.index.overlay import Overlay, SupplierState, next_change, state_of
from gateway.kit.pages import write_cursor
from gateway.pricing.price_rules import PriceRule
from gateway.pricing.pricing_rules import only
from schemas import api
from schemas.features import Wanted
from schemas.plan import Features
from tests.kit.made_up_market import ALL_WELL, BOUNDS, NOW, Item, Market, mark, offer, some_items

CHEAP = Item("a", offer("cheap", cost="4.00", five_g="JP"))
DEAR = Item("b", offer("dear", cost="6.00", features=Features(topup=True, exit_country="HK")))
PLAN = CHEAP.offer.plan_id


def plans(index: Index, **asked: object) -> api.PlanList:
    return msgspec.json.decode(index.plans(PlanQuery(**asked)).body, type=api.PlanList)


def test_a_plan_is_shown_as_the_api_says() -> None:
    market = Market([CHEAP, DEAR], touched={PLAN: NOW})
    body = msgspec.json.decode(market.index().plan(PLAN))
    assert body == {
        "id": PLAN,
        "name": "Japan 1 GB, 7 days",
        "scope": "country",
        "countries": ["JP"],
        "data": {
            "mb": 1024, "total_mb": 1024, "declared": "1024 MB", "unlimited": False, "reset": "never", "fair_use": None,
            "full_speed": {"mb": 1024, "per": "total"}, "after": {"kbps": None, "cut_off": None}, "tier": None,
        },
        "validity": {"days": 7, "starts": "install"},
        "networks": [{"country": "JP", "operator": "Operator", "generation": "5G", "mcc_mnc": None}],
        "features": msgspec.json.decode(msgspec.json.encode(Features())),
        "price": {"amount": "4.40", "currency": "USD"},
        "price_per_gb": {"amount": "4.40", "currency": "USD"},
        "price_per_day": {"amount": "0.63", "currency": "USD"},
        "in_stock": True,
        "offer_count": 2,
        "stale": False,
        "updated_at": "2026-11-20T12:00:00Z",
    }  # fmt: skip


def test_features_pick_the_cheapest_offer_that_has_them() -> None:
    (plan,) = plans(Market([CHEAP, DEAR]).index(), wanted=Wanted(topup=True)).data
    assert (plan.price.amount, plan.offer_count, plan.features.exit_country) == ("6.60", 1, "HK")


@pytest.mark.parametrize(
    ("offers", "price"),
    [
        pytest.param([("sold out", "6.00", False), ("hidden", "4.00", False)], "4.40", id="lowest cost"),
        pytest.param([("hidden", "4.00", False), ("sold out", "1.00", True)], "4.40", id="not suspect"),
        pytest.param([("hidden", "2.00", True), ("sold out", "1.00", True)], "1.10", id="every one suspect"),
        pytest.param([("hidden", None, False), ("sold out", "1.00", True)], None, id="cost not known"),
        pytest.param([("hidden", None, False), ("sold out", "1.00", False)], "1.10", id="a cost before none"),
    ],
)
def test_a_plan_without_a_selectable_offer_shows_its_lowest_cost_that_is_not_suspect(
    offers: list[tuple[str, str | None, bool]], price: str | None
) -> None:
    items = [
        Item("a", offer(why, cost=cost, visible=why != "hidden", stock=0 if why == "sold out" else None), suspect)
        for why, cost, suspect in offers
    ]
    (plan,) = plans(Market(items).index(), in_stock=InStock.FALSE).data
    assert (plan.price.amount if plan.price else None) == price


@pytest.mark.parametrize("hidden", [("a", "x2"), ("b", "x1")])
def test_equal_costs_that_cannot_be_sold_go_by_supplier_and_then_by_its_plan_id(hidden: tuple[str, str]) -> None:
    """Whether an offer was unavailable when the catalogue was made, or is marked so since, decides nothing."""
    keys = {("b", "x1"): "BA", ("a", "x3"): "AC", ("a", "x2"): "AB"}
    items = [
        Item(supplier, offer(key, visible=(supplier, key) != hidden, features=Features(exit_country=code)))
        for (supplier, key), code in keys.items()
    ]
    overlay = Overlay(ALL_WELL, tuple(mark(*key) for key in keys))
    (plan,) = plans(Market(items, overlay=overlay).index(), in_stock=InStock.FALSE).data
    assert plan.features.exit_country == "AB"


def test_the_version_changes_with_all_that_changes_an_answer_and_with_nothing_else() -> None:
    market = Market([CHEAP, DEAR])
    first = market.index()
    assert market.index(NOW + timedelta(seconds=1)).version == first.version
    versions = {first.version, market.index(NOW + timedelta(hours=1)).version}
    market.overlay = Overlay(market.overlay.suppliers, (mark("a", "cheap"),))
    versions.add(market.index().version)
    market.overlay = Overlay(market.overlay.suppliers, (mark("a", "cheap", "stopped"),))
    versions.add(market.index().version)
    versions.add(Index(first.snapshot, first.standing, only(PriceRule(percent=Decimal(11)))).version)
    versions.add(Market([CHEAP]).index().version)
    assert len(versions) == 6


@pytest.mark.parametrize("changed", [1, 30])
def test_an_index_worked_out_from_the_one_before_answers_as_one_made_anew(changed: int) -> None:
    market = Market(some_items(5, 200))
    before = market.index()
    marks = tuple(mark(item.supplier, item.offer.supplier_plan_id) for item in market.items[:changed])
    for overlay in (Overlay(ALL_WELL, marks), Overlay(ALL_WELL[:2], marks), Overlay(ALL_WELL)):
        now = standing_in(before.snapshot, overlay, NOW, BOUNDS)
        after, anew = Index(before.snapshot, now, market.rules, before), Index(before.snapshot, now, market.rules)
        assert (after.stands() == anew.stands()).all()
        for in_stock in InStock:
            query = PlanQuery(in_stock=in_stock, limit=200)
            assert after.plans(query) == anew.plans(query)
        before = after


@pytest.mark.parametrize("changed", [1, 30])
def test_features_asked_for_often_are_ready_in_the_next_index_and_let_go_when_nobody_asks(changed: int) -> None:
    market = Market(some_items(5, 200))
    before = market.index()
    queries = [PlanQuery(wanted=Wanted(topup=True), in_stock=in_stock, limit=200) for in_stock in InStock]
    for _ in range(OFTEN):
        before.plans(queries[0])
    before.featured.make(before.featured.lacking)
    marks = tuple(mark(item.supplier, item.offer.supplier_plan_id) for item in market.items[:changed])
    for overlay in (Overlay(ALL_WELL, marks), Overlay(ALL_WELL[:2], marks), Overlay(ALL_WELL)):
        now = standing_in(before.snapshot, overlay, NOW, BOUNDS)
        after, anew = Index(before.snapshot, now, market.rules, before), Index(before.snapshot, now, market.rules)
        after.featured.take_over([before.featured])
        assert after.featured.made.keys() == {FeatureFilter(Wanted(topup=True), ())}
        assert [after.plans(query) for query in queries] == [anew.plans(query) for query in queries]
        before = after
    while before.featured.made:
        after = Index(before.snapshot, before.standing, market.rules, before)
        after.featured.take_over([before.featured])
        before = after


def test_features_are_ready_within_their_bytes_what_is_asked_most_first() -> None:
    index = Market(some_items(5, 200)).index()
    stocks = Featured(index.stock, 2 * (4 * index.offer_count + 12 * index.plan_count))

    def ask(minutes: int, times: int) -> None:
        for _ in range(times):
            stocks.stock(FeatureFilter(Wanted(voice_minutes=minutes), ()))
        stocks.make(stocks.lacking)

    def ready() -> set[int]:
        return {features.wanted.voice_minutes for features in stocks.made}

    for minutes in range(3, 600):
        ask(minutes, 1)
    assert ready() == set()
    ask(1, OFTEN)
    ask(2, OFTEN + 1)
    assert ready() == {1, 2}
    ask(3, OFTEN + 2)
    assert ready() == {1, 2}, "what is ready gives way to what is asked for twice as often"
    ask(3, OFTEN)
    assert ready() == {2, 3}
    for minutes in range(10, 600):
        ask(minutes, OFTEN)
        assert len(ready()) == 2
    assert not ready() & {2, 3}, "nobody asks for them any more"


def test_no_features_are_got_ready_for_questions_that_they_would_not_help() -> None:
    index = Market(some_items(5, 200)).index()
    for _ in range(OFTEN):
        index.plans(PlanQuery(wanted=Wanted(topup=True), max_price=Decimal(5), in_stock=InStock.ANY))
    assert index.featured.lacking == []


def test_a_mark_of_an_offer_that_is_not_here_changes_no_price() -> None:
    market = Market([CHEAP])
    market.overlay = Overlay(market.overlay.suppliers, (mark("a", "another"), mark("x", "cheap")))
    assert plans(market.index()).data[0].price.amount == "4.40"


def test_a_supplier_that_the_database_does_not_know_is_not_sold() -> None:
    market = Market([CHEAP])
    market.overlay = Overlay(())
    index = market.index()
    assert plans(index).data == []
    offers = msgspec.json.decode(index.offers(PLAN), type=api.OfferList).data
    assert offers[0].why_not == "supplier_paused"


def test_a_plan_that_was_replaced_names_its_successors() -> None:
    left = NOW - timedelta(hours=1)
    market = Market([CHEAP], gone={"a-plan": left, "old-plan": left}, successors={"old-plan": (PLAN, "z-plan")})
    index = market.index()
    assert index.plan("old-plan") == Gone("old-plan", left, (PLAN, "z-plan"))
    assert index.plan("a-plan") == Gone("a-plan", left)
    chosen = index.choose(Need(plan_id="old-plan"))
    assert isinstance(chosen, NoMatch)
    assert (chosen.gone, chosen.successors) == (True, (PLAN, "z-plan"))


def test_a_plan_that_is_gone_says_when_and_is_listed_to_those_who_ask_since() -> None:
    left = NOW - timedelta(hours=3)
    market = Market([CHEAP], touched={PLAN: NOW}, gone={"old-plan": left})
    index = market.index()
    assert index.plan("old-plan") == Gone("old-plan", left)
    assert index.offers("old-plan") == Gone("old-plan", left)
    assert index.plan("never-was") is None
    assert plans(index, updated_since=left).gone == ["old-plan"]
    assert plans(index, updated_since=left + timedelta(seconds=1)).gone == []
    assert plans(index).gone is msgspec.UNSET


@pytest.mark.parametrize(
    ("asked", "parameter"),
    [
        ({"sort": "cheapest"}, "sort"),
        ({"currency": "XYZ"}, "currency"),
        ({"region": "atlantis"}, "region"),
    ],
)
def test_what_cannot_be_answered_names_the_parameter(asked: dict[str, str], parameter: str) -> None:
    with pytest.raises(QueryError) as caught:
        Market([CHEAP]).index().plans(PlanQuery(**asked))
    assert caught.value.parameter == parameter


@pytest.mark.parametrize("sort", ["price", "-price", "price_per_gb", "-price_per_day", "data", "-days"])
def test_a_cursor_goes_on_by_position_in_the_next_catalogue(sort: str) -> None:
    items = some_items(5, 150)
    index = Market(items).index()
    first = index.plans(PlanQuery(sort=sort, limit=10))
    expected = plans(index, sort=sort, cursor=first.next_cursor).data
    seen = {plan.id for plan in msgspec.json.decode(first.body, type=api.PlanList).data}
    fewer = Market([item for item in items if item.offer.plan_id not in seen]).index()
    assert fewer.version != index.version
    after = plans(fewer, sort=sort, cursor=first.next_cursor).data
    assert [plan.id for plan in after] == [plan.id for plan in expected]


@pytest.mark.parametrize("place", [(10**18 - 1, "zz"), (0, "a"), ("x", "zz"), ("x", "a")])
@pytest.mark.parametrize("sort", ["price", "-price", "price_per_gb", "-price_per_gb", "data", "-days"])
def test_a_made_up_cursor_is_only_another_place_to_begin(place: tuple[int | str, str], sort: str) -> None:
    assert len(plans(Market(some_items(5, 150)).index(), sort=sort, cursor=write_cursor(*place)).data) >= 0


@pytest.mark.parametrize("cursor", ["nonsense", "550.a-plan", write_cursor("five", "a"), write_cursor(-5, "a"), "00"])
@pytest.mark.parametrize("sort", ["price", "-price", "price_per_gb", "-price_per_gb", "data", "-days"])
def test_a_cursor_that_names_no_place_stands_behind_all_plans(cursor: str, sort: str) -> None:
    page = plans(Market(some_items(5, 150)).index(), sort=sort, cursor=cursor)
    assert (page.data, page.has_more) == ([], False)


def test_an_empty_catalogue_answers_everything() -> None:
    index = Market([]).index()
    for sort in ("price", "-price_per_gb", "data", "-days"):
        assert plans(index, sort=sort).data == []
    assert plans(index, q="japan", countries=("JP",)).data == []
    assert msgspec.json.decode(index.countries()) == {"data": []}
    assert msgspec.json.decode(index.regions()) == {"data": []}


def test_views_of_many_currencies_are_bounded() -> None:
    market = Market([CHEAP])
    rates = {f"Z{chr(65 + n)}{chr(65 + n)}": Decimal(n + 1) for n in range(20)}
    market.terms = msgspec.structs.replace(market.terms, rates=msgspec.structs.replace(market.terms.rates, worth=rates))
    index = market.index()
    for currency in rates:
        plans(index, currency=currency)
    assert len(index.rule_prices.views) <= 8


def test_staleness_comes_from_a_failed_sync_or_two_intervals_and_expiry_from_a_day() -> None:
    def now(**changes: object) -> tuple[bool, bool]:
        state = msgspec.structs.replace(SupplierState("a", "live", last_good_at=NOW, last_sync_state="ok"), **changes)
        (one,) = state_of(Overlay((state,)), "live", NOW, BOUNDS).suppliers
        return one.stale, one.expired

    assert now() == (False, False)
    assert now(last_sync_state="quarantined") == (True, False)
    assert now(last_good_at=NOW - timedelta(seconds=1801)) == (True, False)
    assert now(last_good_at=NOW - timedelta(seconds=86401)) == (True, True)
    assert now(last_good_at=None) == (True, True)


def test_the_clock_changes_things_next_when_a_mark_ends_or_offers_grow_old() -> None:
    state = SupplierState("a", "live", last_good_at=NOW, last_sync_state="ok")
    assert next_change(Overlay((state,)), NOW, BOUNDS) == NOW + timedelta(seconds=1800)
    ending = msgspec.structs.replace(mark("a", "cheap"), until=NOW + timedelta(seconds=30))
    assert next_change(Overlay((state,), (ending,)), NOW, BOUNDS) == NOW + timedelta(seconds=30)
    assert next_change(Overlay(), NOW, BOUNDS) is None


def test_words_are_folded() -> None:
    assert terms_of("Türkiye, Île-de-France 10GB 7days ＡＢＣ") == [
        "turkiye", "ile", "de", "france", "10", "gb", "7", "days", "abc",
    ]  # fmt: skip
