"""When an alert is raised, when it ends, and what may not be told again. Pure.

A rule is looked at as a whole: what of its matter holds now. An alert is one thing that holds, by rule and subject.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, TypeAlias

import msgspec

from gateway.alerts.alert_kinds import HEALTH_KINDS, KINDS
from providers.kit.places import is_country, unknown_country
from schemas.api_alerts import AlertKind

Direction: TypeAlias = Literal["any", "up", "down"]
About: TypeAlias = Literal["offer", "plan"]
_CENT = Decimal("0.01")
SHORTEST_HISTORY = 5  # orders that ended, below which a success rate says nothing


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to be told of. ``channels`` empty: every one. ``supplier`` and ``country`` None: all."""

    id: str
    name: str
    kind: AlertKind
    threshold: Decimal | None = None
    direction: Direction = "any"
    about: About = "offer"
    supplier: str | None = None
    country: str | None = None
    channels: tuple[str, ...] = ()
    enabled: bool = True
    trouble: str | None = None


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that holds now and that a rule is about. ``baseline`` and ``value`` are of a moved price."""

    subject: str
    title: str
    detail: str = ""
    supplier: str | None = None
    mode: str | None = None
    link: str = ""
    baseline: Decimal | None = None
    value: Decimal | None = None


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """What holds of a rule's matter.

    A subject in ``unknown`` could not be looked at: what stands of it stays. ``all_known`` False says so of every
    subject that was not found. ``over`` are ended whatever else, with the reason. ``values`` are prices that are
    within the bounds again.
    """

    rule: Rule
    found: tuple[Finding, ...] = ()
    unknown: frozenset[str] = frozenset()
    all_known: bool = True
    over: Mapping[str, str] = msgspec.field(default_factory=dict)
    values: Mapping[str, Decimal] = msgspec.field(default_factory=dict)
    trouble: str | None = None


class ActiveAlert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that was raised and has not ended."""

    id: str
    rule_id: str
    subject: str
    title: str
    detail: str
    raised_at: datetime
    seen_at: datetime
    flapping: bool = False
    baseline: Decimal | None = None
    value: Decimal | None = None


class FlapSuppression(msgspec.Struct, frozen=True):
    """Raised ``times`` within ``within``, an alert flaps: it then stands until it was quiet for ``calm``."""

    times: int
    within: timedelta
    calm: timedelta


class Raised(msgspec.Struct, frozen=True):
    """An alert to be raised."""

    rule: Rule
    finding: Finding
    flapping: bool


class Unchanged(msgspec.Struct, frozen=True):
    """An alert that stands on, as it stands now; nobody is told."""

    alert: ActiveAlert


class Resolved(msgspec.Struct, frozen=True):
    """An alert that ends. ``sent`` is whether users hear of it."""

    alert: ActiveAlert
    why: str
    sent: bool = True


class Decision(msgspec.Struct, frozen=True):
    """What an evaluation comes to."""

    raised: tuple[Raised, ...]
    kept: tuple[Unchanged, ...]
    resolved: tuple[Resolved, ...]


def decide(
    evaluations: Sequence[Evaluation],
    active: Iterable[ActiveAlert],
    raised_lately: Mapping[tuple[str, str], int],
    damping: FlapSuppression,
    now: datetime,
) -> Decision:
    """What is raised, what ends, what stands on. ``raised_lately`` counts alerts by rule and subject.

    ``looks`` are of every rule that is in force: what stands under another one ends, and nobody is told.
    """
    raised: list[Raised] = []
    kept: list[Unchanged] = []
    resolved: list[Resolved] = []
    stands = {(alert.rule_id, alert.subject): alert for alert in active}
    for evaluation in evaluations:
        for finding in evaluation.found:
            old = stands.pop((evaluation.rule.id, finding.subject), None)
            if old is not None and finding.subject in evaluation.over:
                resolved.append(Resolved(old, evaluation.over[finding.subject]))
                old = None
            if old is None:
                count = raised_lately.get((evaluation.rule.id, finding.subject), 0)
                raised.append(Raised(evaluation.rule, finding, flapping=count + 1 >= damping.times))
            elif (new := _seen(old, finding, now)) is not old:
                kept.append(Unchanged(new))
    by_rule = {evaluation.rule.id: evaluation for evaluation in evaluations}
    for old in stands.values():
        outcome = _not_found(old, by_rule.get(old.rule_id), damping, now)
        if isinstance(outcome, Resolved):
            resolved.append(outcome)
        elif outcome is not None:
            kept.append(outcome)
    return Decision(tuple(raised), tuple(kept), tuple(resolved))


def _not_found(
    old: ActiveAlert, evaluation: Evaluation | None, damping: FlapSuppression, now: datetime
) -> Resolved | Unchanged | None:
    """What becomes of an alert that was not found again; None leaves it as it is."""
    if evaluation is None:
        return Resolved(old, "the rule is no longer in force", sent=False)
    if old.subject in evaluation.over:
        return Resolved(old, evaluation.over[old.subject])
    if not evaluation.all_known or old.subject in evaluation.unknown:
        return None
    if not old.flapping or now - old.seen_at >= damping.calm:
        return Resolved(old, "it is over")
    value = evaluation.values.get(old.subject)
    return None if value in {None, old.value} else Unchanged(msgspec.structs.replace(old, value=value))


def _seen(old: ActiveAlert, finding: Finding, now: datetime) -> ActiveAlert:
    """The alert with what was found now; itself where that is nothing new."""
    same = (old.title, old.detail) == (finding.title, finding.detail) and finding.value in {None, old.value}
    if same and not old.flapping:
        return old
    value = old.value if finding.value is None else finding.value
    return msgspec.structs.replace(old, title=finding.title, detail=finding.detail, value=value, seen_at=now)


class PriceMove(msgspec.Struct, frozen=True):
    """A cost that moved, in ``currency``, the base; ``finding`` has what moved for its title."""

    subject: str
    old: Decimal
    new: Decimal
    currency: str
    finding: Finding


def beyond(old: Decimal, new: Decimal, rule: Rule) -> bool:
    """Whether a cost that went from one to the other moved as far as the rule says, and its way."""
    if old <= 0 or rule.threshold is None:
        return False
    percent = (new - old) / old * 100
    if rule.direction == "up":
        return percent >= rule.threshold
    if rule.direction == "down":
        return percent <= -rule.threshold
    return abs(percent) >= rule.threshold


def evaluate_moves(
    rule: Rule, moves: Iterable[PriceMove], active: Iterable[ActiveAlert], now: datetime, lasts: timedelta
) -> Evaluation:
    """What holds after these moves, in their order.

    A move is measured by the cost before it, later ones by that same cost, until one leads back within the bounds or
    the alert stood for as long as it ``lasts``.
    """
    stands = active_of(rule, active)
    over = {
        key: "the new cost has become the usual one" for key, alert in stands.items() if now - alert.raised_at >= lasts
    }
    at = {
        subject: _Course(alert.baseline, alert.value, Finding(subject=subject, title=alert.title, detail=alert.detail))
        for subject, alert in stands.items()
        if subject not in over and alert.baseline is not None and alert.value is not None
    }
    kept = frozenset(at)
    for move in moves:
        course = at.get(move.subject)
        if course is not None:
            at[move.subject] = course.on_to(move)
            if move.subject not in kept and not beyond(course.baseline, move.new, rule):
                del at[move.subject]
        elif beyond(move.old, move.new, rule):
            at[move.subject] = _Course(move.old, move.old, move.finding).on_to(move)
    return Evaluation(
        rule=rule,
        found=tuple(course.finding for course in at.values() if beyond(course.baseline, course.value, rule)),
        over=over,
        values={key: alert.value for key, alert in at.items() if not beyond(alert.baseline, alert.value, rule)},
    )


class _Course(msgspec.Struct, frozen=True):
    """A cost under way: what it is measured by, and what it is."""

    baseline: Decimal
    value: Decimal
    finding: Finding

    def on_to(self, move: PriceMove) -> _Course:
        percent = (move.new - self.baseline) / self.baseline * 100
        finding = msgspec.structs.replace(
            move.finding,
            title=f"{move.finding.title}: cost {'up' if percent > 0 else 'down'} {float(abs(percent)):.3g} %",
            detail=f"from {_figure(self.baseline)} to {_figure(move.new)} {move.currency}",
            baseline=self.baseline,
            value=move.new,
        )
        return _Course(self.baseline, move.new, finding)


def _figure(amount: Decimal) -> str:
    rounded = amount.quantize(_CENT) if amount >= 1 else amount.quantize(_CENT / 100)
    return f"{rounded:f}"


def default_rules() -> tuple[Rule, ...]:
    """The rules that a gateway begins with. Their ids are made when they are stored."""
    return tuple(
        Rule(id="", kind=name, name=rule.name, threshold=rule.threshold, about=rule.about, enabled=rule.enabled)
        for name, kind in KINDS.items()
        for rule in kind.first
    )


def active_of(rule: Rule, active: Iterable[ActiveAlert]) -> dict[str, ActiveAlert]:
    """What stands under a rule, by subject."""
    return {alert.subject: alert for alert in active if alert.rule_id == rule.id}


def _country_fault(kind: str, country: str) -> str | None:
    if kind != "price_move":
        return "is only of moved prices"
    return None if is_country(country) else unknown_country(country)


def fault_of(rule: Rule) -> dict[str, str]:
    """What is wrong with a rule, by field; empty when nothing is."""
    faults: dict[str, str] = {}
    kind = KINDS[rule.kind]
    if rule.threshold is None:
        if kind.unit is not None and not kind.optional:
            faults["threshold"] = "is needed"
    elif kind.unit is None:
        faults["threshold"] = "means nothing for this kind"
    elif rule.threshold < 0 or (rule.threshold == 0 and kind.positive):
        faults["threshold"] = "must be more than 0"
    elif kind.most is not None and rule.threshold > kind.most:
        faults["threshold"] = f"must be {kind.most} or less"
    if rule.kind != "price_move" and (rule.direction != "any" or rule.about != "offer"):
        faults["direction"] = "is only of moved prices"
    if rule.kind in HEALTH_KINDS and rule.supplier is not None:
        faults["supplier"] = "means nothing for this kind"
    if rule.country is not None and (fault := _country_fault(rule.kind, rule.country)) is not None:
        faults["country"] = fault
    if rule.kind == "price_move" and rule.about == "plan" and rule.supplier is not None:
        faults["supplier"] = "means nothing for the cheapest of all suppliers"
    return faults
