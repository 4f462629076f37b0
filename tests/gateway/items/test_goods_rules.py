"""Digital goods: exact costs, what an order must tell, and what a walk comes to beside what stands."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.items.goods_rules import Terms, faults, good_id, measure, text_in, texts_of, unit_cost, widest
from gateway.items.goods_walk_rows import Stored
from gateway.items.goods_walk_rules import difference, together
from gateway.pricing.price_rules import Rates
from gateway.pricing.quarantine_rules import QuarantineBounds
from gateway.pricing.suspect_rules import SuspectBounds
from schemas.good import CustomPrice, Good, GoodField
from schemas.money import Money

DIRHAM = CustomPrice("AED", Decimal("0.272"), "USD", Decimal(-2), Decimal(0), Decimal(5), Decimal(500))
PHONE = GoodField("phone", "Phone", pattern=r"^\+?[0-9]{7,15}$")
OPERATOR = GoodField("operator/name", "Operator", options=("Jio", "Vi"))
NOTE = GoodField("note", "Note", required=False)
BOUNDS = (
    QuarantineBounds(Decimal("0.3"), Decimal("0.3"), Decimal("0.3"), 10),
    SuspectBounds(Decimal("0.6"), Decimal(2), Decimal("0.25")),
)
RATES = Rates("USD", {"EUR": Decimal("1.1")})


def usd(amount):
    return Money(Decimal(amount), "USD")


def good(sku="a", cost="2.20", locale="en", **more):
    values = {"name": f"Card {sku}", "product_name": "Card", "denomination": "fixed", "cost": cost and usd(cost)} | more
    return Good(sku=sku, product_id="p", type="voucher", locale=locale, **values)


def test_a_custom_amount_costs_rate_and_markups_rounded_up_to_cents():
    assert unit_cost(None, DIRHAM, Decimal(50)) == usd("13.33")  # 50 × 0.272 × 0.98 = 13.328
    assert unit_cost(None, DIRHAM, None) is None
    assert unit_cost(usd("2.2"), None, None) == usd("2.2")
    negative = CustomPrice("AED", Decimal("0.001"), "USD", Decimal(0), Decimal(-1))
    assert unit_cost(None, negative, Decimal(5)) is None


@given(st.decimals("0.01", "10000", places=2), st.decimals("-50", "50", places=2), st.decimals("0", "5", places=2))
def test_rounding_never_takes_a_cent_too_much_and_never_falls_below_what_is_exact(amount, percent, fixed):
    custom = CustomPrice("EUR", Decimal("1.0837"), "USD", percent, fixed)
    exact = amount * Decimal("1.0837") * (1 + percent / 100) + fixed
    cost = unit_cost(None, custom, amount)
    assert exact <= cost.amount < exact + Decimal("0.01")


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({}, []),
        ({"quantity": 6}, ["/quantity"]),
        ({"amount": None}, ["/amount"]),
        ({"amount": Money(Decimal(50), "USD")}, ["/amount/currency"]),
        ({"amount": Money(Decimal("4.99"), "AED")}, ["/amount/amount"]),
        ({"amount": Money(Decimal("500.01"), "AED")}, ["/amount/amount"]),
        ({"amount": Money(Decimal("50.001"), "AED")}, ["/amount/amount"]),
        ({"amount": Money(Decimal(-50), "AED")}, ["/amount/amount"]),
        ({"answers": {}}, ["/fields/phone", "/fields/operator~1name"]),
        ({"answers": {"phone": "12", "operator/name": "Jio"}}, ["/fields/phone"]),
        ({"answers": {"phone": "+919812345678", "operator/name": "Nobody"}}, ["/fields/operator~1name"]),
        ({"answers": {"phone": "+919812345678", "operator/name": "Vi", "x": "y"}}, ["/fields/x"]),
        ({"answers": {"phone": "+919812345678", "operator/name": "Vi", "note": "a\nb"}}, ["/fields/note"]),
    ],
)
def test_each_thing_that_is_wrong_with_an_order_is_pointed_at(changes, pointers):
    terms = Terms("custom", 5, DIRHAM, (PHONE, OPERATOR, NOTE))
    asked = {
        "quantity": 1,
        "amount": Money(Decimal(50), "AED"),
        "answers": {"phone": "+919812345678", "operator/name": "Jio"},
    } | changes
    assert [pointer for pointer, _ in faults(terms, **asked)] == pointers


def test_a_good_with_a_denomination_of_its_own_takes_no_amount():
    assert [pointer for pointer, _ in faults(Terms("fixed", None, None, ()), 1, usd(5), {})] == ["/amount"]


def test_what_one_of_two_accounts_allows_may_be_ordered():
    narrow = Terms("fixed", 2, None, (PHONE,))
    assert widest([narrow, msgspec.structs.replace(narrow, max_per_order=9)]).max_per_order == 9
    assert widest([narrow, msgspec.structs.replace(narrow, max_per_order=None)]).max_per_order is None


def test_a_language_that_is_not_told_falls_back_to_the_account_s_own():
    texts = {"en": texts_of(good()), "ru": texts_of(good(name="Карта", locale="ru"))}
    assert text_in(texts, "ru", "en").name == "Карта"
    assert text_in(texts, "de", "en").name == text_in(texts, None, "en").name == "Card a"


def test_the_versions_of_a_good_are_one_good():
    met, wrong = together([good(), good(locale="ru", name="Карта"), good(sku="b", cost="-1")])
    assert set(met) == {"a"}
    assert set(met["a"].texts) == {"en", "ru"}
    assert [one.sku for one in wrong] == ["b"]


def stored(goods, **more):
    met, _ = together(goods)
    return {
        sku: Stored(one.digest, good_id("s2s", sku), one.measure, one.measure.amount, None, None, gone=False)
        if not more
        else msgspec.structs.replace(
            Stored(one.digest, good_id("s2s", sku), one.measure, one.measure.amount, None, None, gone=False), **more
        )
        for sku, one in met.items()
    }


def walked(goods, before, *, accepted=False):
    met, _ = together(goods)
    return difference("s2s", met, before, RATES, BOUNDS, accepted=accepted)


def test_what_is_as_it_was_is_not_written_again():
    found = walked([good("a"), good("b")], stored([good("a"), good("c")]))
    assert [one.met.good.sku for one in found.judged] == ["b"]
    assert (found.gone, found.new, found.quarantined) == (("c",), 1, None)


@pytest.mark.parametrize(("cost", "suspect"), [("0.85", True), ("0.89", False), ("6.61", True), ("6.59", False)])
def test_a_price_too_far_from_its_own_past_is_suspect(cost, suspect):
    (one,) = walked([good(cost=cost)], stored([good()])).judged
    assert (one.suspect is not None) is suspect
    assert one.good_measure == (Decimal("2.20") if suspect else Decimal(cost))


def test_a_price_that_a_person_let_through_is_not_suspect_again():
    (one,) = walked([good(cost="9")], stored([good()], released=Decimal(9))).judged
    assert one.suspect is None


def test_a_custom_rate_is_watched_as_a_price_is():
    rate = {"denomination": "custom", "cost": None}
    before = stored([good(custom=DIRHAM, **rate)])
    cheap = msgspec.structs.replace(DIRHAM, rate=Decimal("0.1"))
    (one,) = walked([good(custom=cheap, **rate)], before).judged
    assert one.suspect is not None
    assert measure(None, DIRHAM) == usd("26.6560")


def test_a_walk_that_lost_too_much_waits_for_a_person_and_one_that_a_person_accepts_does_not():
    before = stored([good(f"g{n}") for n in range(30)])
    fewer = [good(f"g{n}") for n in range(20)]
    assert "vanished" in walked(fewer, before).quarantined
    assert walked(fewer, before, accepted=True).quarantined is None
    dearer = [good(f"g{n}", cost="3.20") for n in range(30)]
    assert "moved" in walked(dearer, before).quarantined
