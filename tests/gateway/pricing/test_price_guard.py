"""The price guard's rules over plain lists: what others ask, suspect prices, lists that an operator must look at."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pricing.guard_rules import GuardBounds, SupplierList, judge_list, judge_lists, measures
from gateway.pricing.market_rules import Market, per_gb
from gateway.pricing.quarantine_rules import LIST_FAULTS, QuarantineBounds, list_faults, moved_far
from gateway.pricing.suspect_rules import SuspectBounds, beside_others
from tests.kit.price_lists import offers, price_list, times

LISTS = QuarantineBounds(Decimal("0.30"), Decimal("0.40"), Decimal("0.30"), 10)
PRICES = SuspectBounds(Decimal("0.60"), Decimal("2.00"), Decimal("0.25"))
BOUNDS = GuardBounds(LISTS, PRICES, 0.05)
costs = st.decimals(min_value="0.01", max_value="1000", places=2)
some_offers = st.lists(
    st.fixed_dictionaries(
        {
            "of": st.integers(0, 4),
            "mb": st.sampled_from([500, 1000, 3000, 10_000]),
            "days": st.sampled_from([1, 7, 30]),
            "where": st.sampled_from(["JP", "KR"]),
            "cost": costs,
            "stated": st.booleans(),
        }
    ),
    max_size=14,
)


def suspects(*rows, minimum=0.05):
    """The rules by which each of these offers is suspect, the first one's provider's offers judged by all others."""
    made = offers(rows)
    own, others = made[made["provider"] == rows[0]["of"]], made[made["provider"] != rows[0]["of"]]
    market = Market(others[others["counts"]])
    found = beside_others(own, market, market.rival_prices(own, rows[0]["of"]), PRICES, minimum)
    return {at: suspicion.reason.partition(":")[0] for at, suspicion in found.items()}


def test_an_offer_under_a_quarter_of_the_median_of_two_other_providers_is_suspect():
    two = {"of": 2, "cost": "9"}, {"of": 3, "cost": "11"}
    assert suspects({"of": 1, "cost": "2.49"}, *two) == {0: "below_others"}
    assert suspects({"of": 1, "cost": "2.50"}, *two) == {}
    assert suspects({"of": 1, "cost": "2.49", "judged": False}, *two) == {}
    assert suspects({"of": 1, "cost": "2.49", "stated": False}, *two) == {}


def test_one_other_provider_is_not_enough_however_many_accounts_it_has():
    others = [{"of": 2, "supplier": number, "cost": "9"} for number in range(4)]
    assert suspects({"of": 1, "cost": "2"}, *others) == {}


@pytest.mark.parametrize(
    ("cost", "mb", "days", "rule"),
    [
        ("1.49", 5000, 30, "below_less"),  # others ask 10 for 3 GB and 15 days, the cheapest of them
        ("1.50", 5000, 30, None),
        ("1.49", 3000, 15, "below_less"),
        ("1.49", 2999, 15, None),  # nobody else sells as little
        ("1.49", 5000, 14, None),
    ],
)
def test_an_offer_is_suspect_that_costs_less_than_15_percent_of_what_others_ask_for_less(cost, mb, days, rule):
    less = [{"of": 2, "mb": 3000, "days": 15, "cost": "10"}, {"of": 3, "mb": 3000, "days": 15, "cost": "12"}]
    found = suspects({"of": 1, "mb": mb, "days": days, "cost": cost}, *less[:1])
    assert found == ({0: rule} if rule else {})
    assert found.keys() == suspects({"of": 1, "mb": mb, "days": days, "cost": cost}, *less).keys()


def test_what_others_ask_for_less_is_the_cheapest_price_at_which_one_of_them_has_at_least_that():
    dear = {"of": 2, "mb": 1000, "days": 7, "cost": "20"}
    more_for_less = {"of": 3, "mb": 10_000, "days": 30, "cost": "8"}
    assert suspects({"of": 1, "mb": 2000, "days": 7, "cost": "2"}, dear) == {0: "below_less"}
    assert suspects({"of": 1, "mb": 2000, "days": 7, "cost": "2"}, dear, more_for_less) == {}
    assert suspects({"of": 1, "mb": 2000, "days": 7, "cost": "2"}, {**dear, "where": "KR"}) == {}


def test_next_to_nothing_is_suspect_without_anybody_else():
    assert suspects({"of": 1, "cost": "0.04"}) == {0: "below_minimum"}
    assert suspects({"of": 1, "cost": "0.05"}) == {}
    assert suspects({"of": 1, "cost": "0.04"}, minimum=None) == {}


@pytest.mark.no_cover  # other tests run the same lines
@given(some_offers)
def test_what_others_ask_is_what_a_look_at_each_offer_finds(rows):
    made = offers(rows)
    for of in range(5):
        own, others = made[made["provider"] == of], made[made["provider"] != of]
        rivals = Market(made).rival_prices(own, of)
        for at, offer in enumerate(own):
            there = others[others["coverage"] == offer["coverage"]]
            as_much = there["cost"][(there["mb"] >= offer["mb"]) & (there["days"] >= offer["days"])]
            assert same(rivals.as_much[at], as_much.min() if len(as_much) else None)
            at_least = [
                there["cost"][(there["mb"] >= less["mb"]) & (there["days"] >= less["days"])].min()
                for less in there
                if less["mb"] <= offer["mb"] and less["days"] <= offer["days"]
            ]
            assert same(rivals.for_less[at], max(at_least, default=None))
            plan = others[(others["plan"] == offer["plan"]) & others["stated"]]
            cheapest = [plan["cost"][plan["provider"] == other].min() for other in set(plan["provider"].tolist())]
            assert same(rivals.median[at], np.median(cheapest) if cheapest and offer["stated"] else None)


def same(found, wanted):
    return np.isnan(found) if wanted is None else found == pytest.approx(wanted)


@pytest.mark.no_cover  # other tests run the same lines
@given(some_offers)
def test_an_offer_that_asks_as_much_as_the_dearest_is_never_below_the_others(rows):
    made = offers(rows)
    lists = [SupplierList(number, number) for number in range(5)]
    found = {key for judged in judge_lists(made, lists, BOUNDS).values() for key in judged.suspicions}
    for offer in made:
        if offer["cost"] == made["cost"].max() and offer["cost"] >= 0.05:
            assert offer["id"].tobytes() not in found


@pytest.mark.no_cover  # other tests run the same lines
@given(some_offers, st.randoms())
def test_the_order_of_offers_decides_nothing(rows, chance):
    made = offers(rows)
    lists = [SupplierList(number, number) for number in range(5)]
    mixed = made[chance.sample(range(len(made)), len(made))]
    assert judge_lists(made, lists, BOUNDS) == judge_lists(mixed, lists, BOUNDS)


def test_suppliers_that_passed_are_the_measure_and_all_are_where_none_has():
    made = offers([{"of": 1}, {"of": 2}, {"of": 2, "suspect": 1}, {"of": 2, "counts": False}])
    assert sorted(measures(made, [SupplierList(1, 1, passed=True), SupplierList(2, 2)])) == [0]
    assert sorted(measures(made, [SupplierList(1, 1), SupplierList(2, 2)])) == [0, 1]


def test_a_sale_and_its_end_are_the_same_move():
    assert not moved_far(Decimal(10), Decimal(7), LISTS.moved_by)
    assert not moved_far(Decimal(7), Decimal(10), LISTS.moved_by)
    assert moved_far(Decimal(10), Decimal("5.99"), LISTS.moved_by)
    assert moved_far(Decimal("5.99"), Decimal(10), LISTS.moved_by)


def faults(rows, others=(), suspect=0):
    own = offers(rows)
    return set(list_faults(own, Market(offers(others)).rival_prices(own, 1), suspect, LISTS))


@pytest.mark.parametrize(("same_cost", "all_of_it", "found"), [(9, 18, False), (10, 20, True), (10, 21, False)])
def test_half_of_a_list_at_one_cost_is_looked_at_from_ten_offers_on(same_cost, all_of_it, found):
    alike = [{"of": 1, "where": f"C{n}", "mb": 1000 * (n + 1), "cost": 9} for n in range(same_cost)]
    other = [{"of": 1, "where": "KR", "days": n + 1, "cost": n + 20} for n in range(all_of_it - same_cost)]
    assert faults([*alike, *other]) == ({"one_cost"} if found else set())


def test_one_cost_for_what_is_alike_is_no_fault():
    assert faults([{"of": 1, "where": f"C{n}", "cost": 9} for n in range(30)]) == set()
    assert faults([{"of": 1, "where": f"C{n}", "days": 7 + n % 21, "cost": 9} for n in range(30)]) == set()


def test_one_cost_for_every_amount_of_equal_countries_and_days_is_a_fault():
    rows = [{"of": 1, "where": f"C{n}", "mb": mb, "cost": 5 + n} for n in range(6) for mb in (1000, 2000)]
    assert faults(rows) == {"flat_cost"}
    graded = [{"of": 1, "where": f"D{n}", "mb": mb, "cost": 5 + mb / 1000 + n} for n in range(6) for mb in (1000, 2000)]
    assert faults([*rows, *graded]) == set()


@given(some_offers, st.lists(st.sampled_from(["5", "6"]), min_size=14, max_size=14))
def test_what_has_one_cost_for_every_amount_is_what_a_look_at_each_group_finds(rows, few_costs):
    rows = [{**row, "of": 1, "cost": cost} for row, cost in zip(rows, few_costs, strict=False)]
    groups = [
        [row for row in rows if (row["where"], row["days"]) == group]
        for group in {(row["where"], row["days"]) for row in rows}
    ]
    several = [group for group in groups if len({row["mb"] for row in group}) > 1]
    flat = [group for group in several if len({row["cost"] for row in group}) == 1]
    own = offers(rows)
    bounds = QuarantineBounds(Decimal(1), Decimal(1), Decimal(1), 1, max_flat_share=Decimal(0))
    found = list_faults(own, Market(own[:0]).rival_prices(own, 1), 0, bounds).get("flat_cost")
    words = f"for equal countries and days it has one cost for every amount, {len(flat)} of {len(several)} times"
    assert found == (words if flat else None)


@pytest.mark.parametrize(("suspect", "found"), [(9, set()), (10, set()), (11, {"suspect"})])
def test_a_fifth_of_suspect_prices_is_still_a_list(suspect, found):
    assert faults([{"of": 1, "where": f"C{n}"} for n in range(50)], suspect=suspect) == found


def broken(rows):
    """Lists that are not as the supplier means them, from a list that is."""
    return {
        "a cent for everything": [{**row, "cost": 0.01} for row in rows],
        "six cents for everything": [{**row, "cost": 0.06} for row in rows],
        "one number for all": [{**row, "cost": 9.99} for row in rows],
        "dollars read as cents": times(rows, 0.01),
        "cents read as dollars": times(rows, 100),
        "rupiah read as dollars": times(rows, 16_000),
        "dollars read as rupiah": times(rows, 1 / 16_000),
        "yen read as dollars": times(rows, 150),
        "megabytes read as gigabytes": [{**row, "mb": row["mb"] * 1024} for row in rows],
        "gigabytes read as megabytes": [{**row, "mb": max(1, row["mb"] // 1024)} for row in rows],
    }


@pytest.mark.parametrize("how", broken(price_list(1)))
@pytest.mark.parametrize("others", [1, 2, 5])
def test_a_broken_list_is_found_beside_one_that_passed_and_spoils_nobody_elses(how, others):
    rows = broken(price_list(1))[how]
    honest = [row for of in range(2, 2 + others) for row in price_list(of)]
    made = offers([*rows, *honest])
    lists = [SupplierList(1, 1), *(SupplierList(of, of, passed=True) for of in range(2, 2 + others))]
    judged = judge_lists(made, lists, BOUNDS)
    assert judged[1].reason
    assert not any(judged[of].faults or judged[of].suspicions for of in range(2, 2 + others))
    standing = Market(made, measures(made, lists))
    assert judge_list(made[made["supplier"] == 1], standing, lists[0], BOUNDS).faults == judged[1].faults


@pytest.mark.parametrize("how", broken(price_list(1)))
def test_of_three_lists_that_nobody_knows_yet_the_broken_one_is_found(how):
    made = offers([*broken(price_list(1))[how], *price_list(2), *price_list(3)])
    judged = judge_lists(made, [SupplierList(of, of) for of in (1, 2, 3)], BOUNDS)
    assert judged[1].reason
    assert not any(judged[of].faults or judged[of].suspicions for of in (2, 3))


@pytest.mark.parametrize("factor", [1, 0.7, 1 / 0.7])
@pytest.mark.parametrize("seed", range(5))
def test_true_lists_pass_at_a_sale_too(factor, seed):
    made = offers([*times(price_list(1, seed), factor), *price_list(2, seed), *price_list(3, seed)])
    judged = judge_lists(made, [SupplierList(of, of, passed=of > 1) for of in (1, 2, 3)], BOUNDS)
    assert not any(each.faults or each.suspicions for each in judged.values())


def test_what_an_operator_accepted_is_no_fault_and_is_remembered_while_it_holds():
    made = offers([*times(price_list(1), 100), *price_list(2)])
    accepting = SupplierList(1, 1, accepted=frozenset(LIST_FAULTS))
    judged = judge_lists(made, [accepting, SupplierList(2, 2, passed=True)], BOUNDS)[1]
    assert (judged.reason, judged.accepted) == (None, {"dear", "per_gb"})
    true = offers([*price_list(1), *price_list(2)])
    judged = judge_lists(true, [accepting, SupplierList(2, 2, passed=True)], BOUNDS)[1]
    assert judged.accepted == frozenset()


def test_an_offer_says_what_it_was_compared_with():
    made = offers([{"of": 1, "cost": "0.50"}, {"of": 2, "cost": "9"}, {"of": 3, "cost": "11"}])
    judged = judge_lists(made, [SupplierList(of, of) for of in (1, 2, 3)], BOUNDS)
    (suspicion,) = judged[1].suspicions.values()
    assert suspicion.reason == "below_others: under 25 % of 10.00, the median of 2 others"
    assert set(suspicion.compared_with) == {made[1]["id"].tobytes(), made[2]["id"].tobytes()}


def test_the_cost_of_a_gigabyte_is_known_where_the_amount_is_stated():
    made = offers([{"of": 1, "mb": 2000, "cost": 5}, {"of": 1, "mb": 0}, {"of": 1, "stated": False}])
    assert per_gb(made)[0] == 2.5
    assert np.isnan(per_gb(made)[1:]).all()
