"""What is raised, what ends, and what is damped."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.alerts.alert_rules import (
    ActiveAlert,
    Evaluation,
    Finding,
    FlapSuppression,
    PriceMove,
    Rule,
    beyond,
    decide,
    default_rules,
    evaluate_moves,
    fault_of,
)
from providers.kit.places import unknown_country

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
RULE = Rule(id="r", name="r", kind="price_move", threshold=Decimal(25))
DAMPING = FlapSuppression(3, timedelta(hours=6), timedelta(hours=1))
DAY = timedelta(hours=24)


def found(subject, **more):
    return Finding(subject=subject, title=subject, **more)


def standing(subject, **more):
    given = {"id": subject, "rule_id": "r", "title": subject, "detail": "", "raised_at": NOW, "seen_at": NOW}
    return ActiveAlert(subject=subject, **(given | more))


def moves(*costs, subject="s"):
    pairs = pairwise(costs)
    return [PriceMove(subject, Decimal(a), Decimal(b), "USD", found(subject)) for a, b in pairs]


def test_what_is_found_is_raised_what_stands_is_not_told_again_and_what_is_gone_ends():
    look = Evaluation(rule=RULE, found=(found("new"), found("old")))
    decision = decide([look], [standing("old"), standing("gone")], {}, DAMPING, NOW)
    assert [one.finding.subject for one in decision.raised] == ["new"]
    assert decision.kept == ()
    assert [(one.alert.subject, one.sent) for one in decision.resolved] == [("gone", True)]


def test_what_could_not_be_looked_at_stays_and_a_rule_that_is_gone_takes_its_alerts_silently():
    alerts = [standing("a"), standing("b"), standing("c", rule_id="other")]
    decision = decide([Evaluation(rule=RULE, unknown=frozenset({"a"}))], alerts, {}, DAMPING, NOW)
    assert [(one.alert.subject, one.sent) for one in decision.resolved] == [("b", True), ("c", False)]
    assert decide([Evaluation(rule=RULE, all_known=False)], alerts[:2], {}, DAMPING, NOW).resolved == ()


def test_what_was_raised_often_lately_flaps_and_ends_after_some_quiet_only():
    look, empty = Evaluation(rule=RULE, found=(found("s"),)), Evaluation(rule=RULE)
    assert [decide([look], [], {("r", "s"): n}, DAMPING, NOW).raised[0].flapping for n in range(4)] == [
        False, False, True, True,
    ]  # fmt: skip
    flaps = standing("s", flapping=True)
    assert decide([empty], [flaps], {}, DAMPING, NOW + timedelta(minutes=59)).resolved == ()
    assert len(decide([empty], [flaps], {}, DAMPING, NOW + timedelta(minutes=60)).resolved) == 1
    (seen,) = decide([look], [flaps], {}, DAMPING, NOW + timedelta(minutes=30)).kept
    assert seen.alert.seen_at == NOW + timedelta(minutes=30)


def test_a_move_and_its_way_back_within_one_look_are_nothing():
    look = evaluate_moves(RULE, moves("10", "14", "10"), [], NOW, DAY)
    assert (look.found, look.values) == ((), {})


def test_the_way_back_does_not_count_as_a_move_of_its_own():
    stands = standing("s", baseline=Decimal(10), value=Decimal(14))
    assert evaluate_moves(RULE, moves("14", "10"), [stands], NOW, DAY).found == ()
    (on,) = evaluate_moves(RULE, moves("14", "13"), [stands], NOW, DAY).found
    assert (on.title, on.detail, on.baseline) == ("s: cost up 30 %", "from 10.00 to 13.00 USD", Decimal(10))


def test_a_new_move_after_a_day_is_told_anew():
    stands = standing("s", baseline=Decimal(10), value=Decimal(14), raised_at=NOW - DAY)
    look = evaluate_moves(RULE, moves("14", "20"), [stands], NOW, DAY)
    decision = decide([look], [stands], {}, DAMPING, NOW)
    assert [one.finding.baseline for one in decision.raised] == [Decimal(14)]
    assert [one.why for one in decision.resolved] == ["the new cost has become the usual one"]


def test_a_rule_on_rises_does_not_see_falls():
    up, down = (Rule(**{**_fields(RULE), "direction": way}) for way in ("up", "down"))
    assert beyond(Decimal(10), Decimal("12.5"), up)
    assert not beyond(Decimal(10), Decimal("7.5"), up)
    assert beyond(Decimal(10), Decimal("7.5"), down)
    assert not beyond(Decimal(10), Decimal("7.51"), down)


def _fields(rule):
    return {name: getattr(rule, name) for name in rule.__struct_fields__}


def test_a_rule_for_a_country_that_is_none_makes_no_sense():
    in_a_country = [(code, fault_of(Rule(**{**_fields(RULE), "country": code}))) for code in ("JP", "ZZ")]
    assert in_a_country == [("JP", {}), ("ZZ", {"country": unknown_country("ZZ")})]


def test_the_first_rules_make_sense():
    assert [(rule.kind, faults) for rule in default_rules() if (faults := fault_of(rule))] == []


@given(st.lists(st.sampled_from(["4", "8", "9", "10", "11", "12", "14", "20"]), min_size=1, max_size=12), st.data())
def test_however_moves_come_in_looks_an_alert_stands_just_while_the_cost_is_away(costs, data):
    """Told one by one or together, what stands at the end is away from what it is measured by, by the threshold."""
    path = ["10", *costs]
    steps = [move for move in moves(*path) if move.old != move.new]
    stands, told = [], 0
    while steps:
        size = data.draw(st.integers(1, len(steps)))
        look = evaluate_moves(RULE, steps[:size], stands, NOW, DAY)
        decision = decide([look], stands, {}, FlapSuppression(99, DAY, DAY), NOW)
        assert len(decision.raised) + len(stands) <= 1 + len(decision.resolved)
        told += len(decision.raised) - len(decision.resolved)
        values = {finding.subject: finding for finding in look.found}
        stands = [standing("s", baseline=values["s"].baseline, value=values["s"].value)] if values else []
        assert told == len(stands)
        assert all(beyond(one.baseline, one.value, RULE) for one in stands)
        assert all(one.value == steps[size - 1].new for one in stands)
        steps = steps[size:]
