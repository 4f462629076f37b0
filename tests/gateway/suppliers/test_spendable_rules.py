"""What can still be spent at a supplier, and what of a catalogue our money suffices for."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog.index.affordable import affordable_costs
from gateway.catalog.index.overlay import Overlay
from gateway.pricing.price_rules import Rates
from gateway.suppliers.spendable_rules import (
    Funds,
    available_funds,
    available_funds_by_supplier,
    covers,
    ends_refusal,
    funds_increased,
    highest_affordable_cost,
    insufficient,
)
from schemas.money import Money
from tests.kit.made_up_market import ALL_WELL, NOW, RATES, Item, Market, offer

EUR = Rates("EUR", {"USD": Decimal("0.92")})


def funds(spendable: str, **more: object) -> Funds:
    return Funds("c", NOW, "USD", Decimal(spendable), **more)  # type: ignore[arg-type]


def test_what_was_charged_and_what_may_yet_be_is_gone() -> None:
    spent = funds("100", charged=(("USD", Decimal(10)), ("EUR", Decimal(5))), open=(("USDT", Decimal(20)),))
    assert available_funds(spent, RATES, Decimal("0.05")) == Decimal(100) - 10 - Decimal("5.40") - 21
    assert available_funds(funds("10"), EUR, Decimal(0)) == Decimal("9.20")


def test_without_a_rate_nothing_is_known_and_nothing_kept_from_sale() -> None:
    assert available_funds(funds("10", open=(("XXX", Decimal(1)),)), RATES, Decimal(0)) is None
    assert available_funds_by_supplier({"c": funds("10", open=(("XXX", Decimal(1)),))}, RATES, {}) == {}
    assert not insufficient(None, Decimal(10**6), Decimal(0))
    assert not insufficient(Decimal(0), None, Decimal(0))


@pytest.mark.parametrize(
    ("left", "cost", "tolerance", "short"),
    [("10", "10", "0", False), ("10", "10.01", "0", True), ("10.5", "10", "0.05", False), ("10.49", "10", "0.05", True),
     ("0", "0.01", "0", True), ("-3", "0.01", "0", True)],
)  # fmt: skip
def test_an_offer_is_too_dear_when_it_may_come_to_cost_more(left: str, cost: str, tolerance: str, short: bool) -> None:
    assert insufficient(Decimal(left), Decimal(cost), Decimal(tolerance)) is short


money = st.decimals(min_value=-50, max_value=1000, places=4)


@given(left=money, whole=st.integers(0, 2_000_000), tolerance=st.sampled_from(["0", "0.05", "0.333"]))
def test_the_highest_payable_cost_is_the_last_that_is_not_too_much(left: Decimal, whole: int, tolerance: str) -> None:
    share = Decimal(tolerance)
    cost = Decimal(whole).scaleb(-3)
    assert (whole <= highest_affordable_cost(left, share, 3)) is not insufficient(left, cost, share)


def test_only_more_than_was_left_means_that_money_came_in() -> None:
    before = funds("100", charged=(("USD", Decimal(30)), ("EUR", Decimal(500))), open=(("USD", Decimal(5)),))
    assert not funds_increased(before, Money(Decimal(65), "USD"))
    assert funds_increased(before, Money(Decimal("65.01"), "USD"))
    assert not funds_increased(before, Money(Decimal(900), "EUR"))


def test_a_purchase_that_leaves_enough_changes_no_answer() -> None:
    market = Market([Item("c", offer("one", cost="5.00")), Item("c", offer("two", mb=3072, cost="9.00"))])
    snapshot = market.snapshot()

    def short(spendable: str) -> tuple[tuple[str, int], ...]:
        return affordable_costs(snapshot, (funds(spendable),))

    assert short("1000") == short("9.45") == ()
    assert short("9.44") == short("5.25") == (("c", 0),)
    assert short("5.24") == short("0") == short("-7") == (("c", -1),)
    assert affordable_costs(snapshot, (msgspec.structs.replace(funds("0"), supplier="nobody"),)) == ()


def test_the_version_moves_with_what_is_sold_and_not_with_the_money() -> None:
    market = Market([Item("c", offer("one", cost="5.00")), Item("c", offer("two", mb=3072, cost="9.00"))])

    def version(spendable: str) -> str:
        market.overlay = Overlay(ALL_WELL, (), (funds(spendable),))
        return market.index().version

    assert version("1000") == version("500")
    assert version("8") == version("6")
    assert len({version("1000"), version("8"), version("1")}) == 3


def test_however_many_purchases_spend_the_money_the_version_goes_down_in_few_steps() -> None:
    costs = [Decimal(cents) / 100 for cents in range(100, 40_000, 100)]
    snapshot = Market(
        [Item("c", offer(f"sku{at}", mb=1024 + at, cost=str(c))) for at, c in enumerate(costs)]
    ).snapshot()
    shown: list[tuple[tuple[str, int], ...]] = []
    for left in (Decimal(cents) / 100 for cents in range(42_100, 0, -30)):
        now = affordable_costs(snapshot, (funds(str(left)),))
        ((_, most),) = now or (("c", len(snapshot.whole_costs) - 1),)
        dearest = Decimal(snapshot.whole_costs[most]).scaleb(-snapshot.scale) if most >= 0 else Decimal(0)
        least = left / (1 + snapshot.tolerance["c"])
        assert dearest <= least, "nothing is shown for sale that our money does not suffice for"
        assert dearest >= min(least / Decimal("1.05") - 1, costs[-1]), "no more than a step is kept back"
        shown += [now] if not shown or shown[-1] != now else []
    assert len(shown) < 110  # for 1,404 purchases
    assert len(set(shown)) == len(shown)


@pytest.mark.parametrize(
    ("before", "seen", "refused", "ends"),
    [
        (None, "10", "10", True),  # nothing was known: it covers what was refused
        (None, "9.99", "10", False),
        (None, "9.99", None, True),
        (None, "0", None, False),
        ("50", "50", "10", False),  # with the same money it was refused
        ("50", "60", "10", True),
        ("1", "5", "10", False),  # more came in, and too little
    ],
)
def test_a_refusal_for_want_of_money_ends_with_money_that_covers_it(before, seen, refused, ends):
    known = None if before is None else funds(before)
    cost = None if refused is None else Money(Decimal(refused), "USD")
    assert ends_refusal(known, Money(Decimal(seen), "USD"), cost) is ends


def test_a_balance_in_another_currency_than_what_was_refused_covers_it_when_there_is_any():
    assert covers(Money(Decimal(1), "EUR"), Money(Decimal(10), "USD"))
    assert not covers(Money(Decimal(0), "EUR"), Money(Decimal(10), "USD"))
