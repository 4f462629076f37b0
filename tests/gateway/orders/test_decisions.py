"""What answers, errors and looks make of an order, by values."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.orders.rules import cancelling, failures, schedule, verdicts
from gateway.orders.rules.cancelling import CancelSeen
from gateway.orders.rules.changes import change
from gateway.orders.rules.states import AttemptNow, AttemptState, OrderNow
from gateway.selling import choosing_rules
from gateway.selling.choosing_rules import Candidate, Chosen, NoneLeft
from schemas import errors
from schemas.errors import Outcome
from schemas.features import Wanted
from schemas.money import Money
from schemas.order import Cancellation, Delivery, SupplierOrder, SupplierOrderState
from schemas.orders import FailureCode
from schemas.plan import Features, Network, WhyNot

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
S = AttemptState
DOCS = Path(__file__).parents[3] / "docs" / "orders.md"
GIVEN = Delivery("8944501234567890123", "LPA:1$a.example$M-1", "a.example", "M-1")


def attempt(state: AttemptState = S.UNKNOWN, age: float = 10, **more: object) -> AttemptNow:
    at = NOW - timedelta(seconds=age)
    values = {
        "id": "att_1", "kind": "purchase", "n": 1, "supplier": "a", "supplier_plan_id": "p", "state": state,
        "started_at": at, "deadline": at + timedelta(seconds=15), "quiescent_at": at + timedelta(seconds=600),
        "provision_by": at + timedelta(seconds=1800),
    }  # fmt: skip
    return AttemptNow(**values | more)  # type: ignore[arg-type]


def order(status: str = "pending", **more: object) -> OrderNow:
    return OrderNow(id="ord_1", kind="esim", status=status, **more)  # type: ignore[arg-type]


def told(state: str, charged: str | None = None, delivery: Delivery | None = None) -> SupplierOrder:
    money = None if charged is None else Money.of(charged, "USD")
    return SupplierOrder("9", "att_1", SupplierOrderState(state), money, delivery)


ALL_ERRORS = [
    one
    for one in vars(errors).values()
    if isinstance(one, type) and issubclass(one, errors.SupplierError) and one is not errors.SupplierError
]


@pytest.mark.parametrize("error", ALL_ERRORS)
def test_only_what_certainly_did_not_happen_is_a_failure(error: type[errors.SupplierError]) -> None:
    definite = error.outcome is Outcome.DID_NOT_HAPPEN
    assert verdicts.of_error(error("x")).state is (S.FAILED if definite else S.UNKNOWN)


@pytest.mark.parametrize(
    ("said", "age", "state", "review"),
    [
        (told("completed", "5", GIVEN), 10, S.SUCCEEDED, False),
        (told("completed", "5"), 10, S.ACCEPTED, False),
        (told("completed", "5", Delivery("8944", None)), 10, S.CHARGED_UNDELIVERABLE, True),
        (told("completed", "5", Delivery("8944", "LPA:1$8944")), 10, S.CHARGED_UNDELIVERABLE, True),
        (
            told("completed", "5", Delivery("8944", "LPA:1$a.example$M", "a.example", "M", conflict=True)),
            10, S.CHARGED_UNDELIVERABLE, True,
        ),
        (told("pending", "5"), 10, S.ACCEPTED, False),
        (told("pending", "5"), 1800, S.ACCEPTED, True),
        (told("failed", "0"), 10, S.FAILED, False),
        (told("cancelled", "0"), 10, S.FAILED, False),
        (told("failed", "5"), 599, S.ACCEPTED, False),
        (told("failed", "5"), 600, S.ACCEPTED, True),
        (told("failed"), 599, S.ACCEPTED, False),
        (told("failed"), 600, S.ACCEPTED, True),
        (told("partial", "10"), 10, S.CHARGED_UNDELIVERABLE, True),
    ],
)  # fmt: skip
def test_a_suppliers_word_is_believed_as_far_as_it_goes(
    said: SupplierOrder, age: float, state: AttemptState, review: bool
) -> None:
    verdict = verdicts.of_order(said, attempt(age=age), NOW)
    assert (verdict.state, verdict.review is not None) == (state, review)


@pytest.mark.parametrize(
    ("age", "trust", "state", "review"),
    [(599, True, None, False), (600, True, S.FAILED, False), (599, False, None, False), (600, False, None, True)],
)
def test_absence_means_nothing_before_the_quiescence_and_then_only_where_trusted(
    age: float, trust: bool, state: AttemptState | None, review: bool
) -> None:
    verdict = verdicts.of_absence(attempt(age=age), NOW, trust_absence=trust)
    assert (verdict.state, verdict.review is not None) == (state, review)


def test_absence_of_what_was_accepted_is_no_failure_even_where_trusted() -> None:
    verdict = verdicts.of_absence(attempt(S.ACCEPTED, age=700), NOW, trust_absence=True)
    assert (verdict.state, verdict.review) == (None, None)


def test_the_looks_come_at_the_ages_of_the_rule_and_then_every_quarter_of_an_hour() -> None:
    ages, age = [], 0.0
    for _ in range(8):
        age = schedule.seconds_to_next(age)
        ages.append(age)
    assert ages == [2, 5, 15, 60, 300, 1200, 2100, 3000]


def test_a_look_comes_when_a_bound_is_reached() -> None:
    bound = NOW + timedelta(seconds=100)
    assert schedule.next_poll(NOW, NOW - timedelta(seconds=60), (None, bound)) == bound
    assert schedule.next_poll(NOW, NOW, (bound,)) == NOW + timedelta(seconds=2)


def test_a_bound_takes_no_place_in_the_schedule() -> None:
    bound, now, polls = NOW + timedelta(seconds=20), NOW, []
    while len(polls) < 7:
        now = schedule.next_poll(now, NOW, (bound,))
        polls.append((now - NOW).total_seconds())
    assert polls == [2, 5, 15, 20, 60, 300, 1200]


def test_a_failed_attempt_frees_the_order_for_the_next_supplier() -> None:
    verdict = verdicts.of_error(errors.OutOfStock("none"))
    what = change(order(), attempt(S.SENDING), verdict, NOW)
    assert (what.attempt, what.status, what.next_poll_at) == (S.FAILED, None, NOW + schedule.CONTINUES)


def test_a_refusal_that_comes_after_the_supplier_accepted_is_not_believed() -> None:
    assert change(order(), attempt(S.ACCEPTED), verdicts.of_error(errors.OutOfStock("none")), NOW).nothing


def test_a_failed_topup_ends_its_order() -> None:
    what = change(order(), attempt(S.SENDING, kind="topup"), verdicts.of_error(errors.OutOfStock("none")), NOW)
    assert (what.status, what.failure_code) == ("failed", "no_stock")


def test_a_charge_for_an_attempt_that_had_failed_is_shown() -> None:
    verdict = verdicts.of_order(told("completed", "5", GIVEN), attempt(S.FAILED), NOW)
    what = change(order(), attempt(S.FAILED), verdict, NOW)
    assert what.contradiction
    assert what.status is None


def test_what_waits_for_a_person_still_settles_when_it_comes() -> None:
    verdict = verdicts.of_order(told("completed", "5", GIVEN), attempt(), NOW)
    assert change(order("needs_review"), attempt(), verdict, NOW).status == "fulfilled"


def test_a_delivered_order_that_is_to_be_cancelled_goes_on_to_be() -> None:
    verdict = verdicts.of_order(told("completed", "5", GIVEN), attempt(), NOW)
    what = change(order("cancel_pending", cancel_requested=True), attempt(), verdict, NOW)
    assert (what.status, what.next_poll_at) == ("cancel_pending", NOW)


_states = st.sampled_from(list(S))
_words = st.sampled_from(list(SupplierOrderState))
_moneys = st.sampled_from([None, "0", "5"])
_deliveries = st.sampled_from([None, GIVEN, Delivery("8944", None), Delivery("8944", "x", conflict=True)])
_truths = st.one_of(
    st.builds(lambda w, m, d: told(w.value, m, d), _words, _moneys, _deliveries),
    st.sampled_from([one("x") for one in ALL_ERRORS]),
)
_final = {"fulfilled", "failed", "cancelled"}


@given(state=_states, truths=st.lists(_truths, max_size=8), gaps=st.lists(st.integers(0, 900), min_size=8, max_size=8))
def test_whatever_is_heard_in_whatever_order_state_moves_one_way(
    state: AttemptState, truths: list[object], gaps: list[int]
) -> None:
    now, status, at = NOW, "pending", attempt(state)
    for truth, gap in zip(truths, gaps, strict=False):
        now += timedelta(seconds=gap)
        is_order = isinstance(truth, SupplierOrder)
        verdict = verdicts.of_order(truth, at, now) if is_order else verdicts.of_error(truth)  # type: ignore[arg-type]
        what = change(order(status), at, verdict, now)
        if at.state in {S.SUCCEEDED, S.FAILED}:
            assert what.attempt is None
        if status in _final:
            assert what.status is None
        if what.attempt is S.FAILED and at.state not in {S.SENDING, S.UNKNOWN}:
            assert verdict.gone
        if what.attempt is S.FAILED and isinstance(truth, SupplierOrder):
            assert truth.charged is not None
            assert truth.charged.amount == 0
        if what.status == "fulfilled":
            assert isinstance(truth, SupplierOrder)
            assert truth.state is SupplierOrderState.COMPLETED
            assert truth.delivery is GIVEN
        if (what.status or status) in {"pending", "cancel_pending"} and not what.keep_schedule and what.attempt:
            assert what.next_poll_at is not None
        status = what.status or status
        at = attempt(what.attempt or at.state)


def offer(supplier: str, cost: str, **more: object) -> Candidate:
    money = Money.of(cost, "USD")
    values = {"supplier": supplier, "supplier_plan_id": f"{supplier}-1", "cost": money, "cost_base": money.amount}
    return Candidate(**values | more)  # type: ignore[arg-type]


def failed(supplier: str, code: str, n: int = 1) -> AttemptNow:
    return attempt(S.FAILED, n=n, supplier=supplier, supplier_plan_id=f"{supplier}-1", error_code=code)


def chosen(found: Chosen | NoneLeft) -> str:
    assert isinstance(found, Chosen), found
    return found.candidate.supplier


def code(found: Chosen | NoneLeft) -> str:
    assert isinstance(found, NoneLeft), found
    return found.code


def test_the_cheapest_is_chosen_and_ties_go_by_name() -> None:
    assert chosen(choosing_rules.choose([offer("b", "5"), offer("a", "5"), offer("c", "5.1")], Decimal(9))) == "a"


def test_what_may_come_to_cost_more_than_the_order_may_is_left() -> None:
    dear = offer("a", "5", tolerance=Decimal("0.05"))
    assert code(choosing_rules.choose([dear], Decimal("5.24"))) == "price_changed"
    assert chosen(choosing_rules.choose([dear], Decimal("5.25"))) == "a"


def test_an_offer_is_tried_once_and_one_that_we_called_off_again() -> None:
    both = [offer("a", "5"), offer("b", "6")]
    assert chosen(choosing_rules.choose(both, Decimal(9), [failed("a", "out_of_stock")])) == "b"
    assert chosen(choosing_rules.choose(both, Decimal(9), [failed("a", "deadline_passed")])) == "a"
    thrice = [failed("a", "gate_unavailable", n) for n in range(3)]
    assert chosen(choosing_rules.choose(both, Decimal(9), thrice)) == "b"


def test_a_supplier_that_is_refused_as_a_whole_is_not_asked_for_its_other_offer() -> None:
    both = [offer("a", "5"), offer("a", "5.5", supplier_plan_id="a-2"), offer("b", "6")]
    assert chosen(choosing_rules.choose(both, Decimal(9), [failed("a", "insufficient_balance")])) == "b"
    assert chosen(choosing_rules.choose(both, Decimal(9), [failed("a", "out_of_stock")])) == "a"


@pytest.mark.parametrize(
    ("left", "tries", "expected"),
    [
        ([], [], "no_stock"),
        ([offer("a", "5", why_not=(WhyNot.STOPPED,))], [], "no_stock"),
        ([offer("a", "5")], [failed("a", "not_reached")], "supplier_unavailable"),
        ([offer("a", "5")], [failed("a", "invalid_request")], "supplier_refused"),
        ([offer("a", "5"), offer("b", "99")], [failed("a", "not_reached")], "price_changed"),
    ],
)
def test_the_failure_is_that_of_the_last_supplier_or_the_price(
    left: list[Candidate], tries: list[AttemptNow], expected: str
) -> None:
    assert code(choosing_rules.choose(left, Decimal(9), tries)) == expected


def test_a_spent_day_is_its_own_failure() -> None:
    assert code(choosing_rules.choose([offer("a", "5")], Decimal(9), (), {("a", "a-1")})) == "spend_limit"


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 9), st.booleans()), max_size=6, unique_by=lambda o: o[0]),
    st.integers(0, 10),
    st.permutations(range(6)),
)
def test_the_choice_is_the_cheapest_that_fits_in_any_order(
    made: list[tuple[str, int, bool]], most: int, mixed: list[int]
) -> None:
    offers = [offer(n, str(c), why_not=() if ok else (WhyNot.STOPPED,)) for n, c, ok in made]
    shuffled = [offers[i] for i in mixed if i < len(offers)]
    fitting = sorted((c, n) for n, c, ok in made if ok and c <= most)
    found = choosing_rules.choose(shuffled, Decimal(most))
    if fitting:
        assert chosen(found) == fitting[0][1]
    else:
        assert isinstance(found, NoneLeft)
    assert len(found.left) <= len(offers)


def test_features_are_held_by_what_is_known() -> None:
    five_g = (Network("JP", "Docomo", "5G"),)
    assert choosing_rules.fits(Wanted(), Features(), (), ()) is None
    assert choosing_rules.fits(Wanted(topup=True), Features(), (), ()) is not None
    assert choosing_rules.fits(Wanted(topup=True), Features(topup=True), (), ()) is None
    assert choosing_rules.fits(Wanted(exit_country="HK"), Features(), (), ()) is not None
    assert choosing_rules.fits(Wanted(network="5G"), Features(), five_g, ()) is None
    assert choosing_rules.fits(Wanted(network="5G"), Features(), five_g, ("JP", "KR")) is not None


def test_every_error_has_a_failure_code_of_the_api() -> None:
    assert {failures.failure_of(one.code)[0] for one in ALL_ERRORS} <= set(get_args(FailureCode))


def test_every_failure_code_of_the_api_has_words_and_is_documented() -> None:
    assert set(failures.DETAILS) == set(get_args(FailureCode))
    rows = re.findall(r"^\| `(\w+)` \|", DOCS.read_text(), re.MULTILINE)
    assert set(get_args(FailureCode)) <= set(rows)


@pytest.mark.parametrize(
    ("seen", "age", "trust", "end"),
    [
        (CancelSeen(True, Money.of("5", "USD")), 10, False, "cancelled"),
        (CancelSeen(None, Money.of("5", "USD")), 10, False, "cancelled"),
        (CancelSeen(True), 10, False, None),
        (CancelSeen(True), 600, False, "review"),
        (CancelSeen(False), 599, True, None),
        (CancelSeen(False), 600, True, "refused"),
        (CancelSeen(False), 600, False, "review"),
        (CancelSeen(False, Money.of("5", "USD")), 600, True, "review"),
    ],
)
def test_a_cancel_is_over_when_the_money_came_back(seen: CancelSeen, age: float, trust: bool, end: str | None) -> None:
    assert cancelling.of_poll(seen, attempt(age=age, kind="cancel"), NOW, trust_absence=trust).end == end


def test_the_answer_to_a_cancel_is_the_end_only_when_it_is_definite() -> None:
    assert cancelling.of_answer(Cancellation("8944", None)).end == "cancelled"
    assert cancelling.of_answer(errors.Refused("used")).end == "refused"
    assert cancelling.of_answer(errors.TimedOut("?")).end is None
