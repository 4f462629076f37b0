"""A supplier's state: the worst of everything that keeps it from selling, with the reason and its end. Pure.

The API's list of suppliers, the console, ``suppliers`` and ``doctor`` all show what is judged here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal, TypeAlias

import msgspec

from gateway.kit.freshness import Freshness
from schemas.api_suppliers import SupplierProblem

State: TypeAlias = Literal["ok", "degraded", "paused", "stopped"]
# Of so many purchases that ended within the hour fewer than this share succeeded.
FEWEST_ENDED = 5
LOWEST_SUCCESS = Decimal("0.8")
SUCCESS_HOURS = 1
_STOPS = {
    "person": "an operator stopped it",
    "account": "it refuses our account",
    "restored": "the database was restored, and its books are not compared yet",
}
_LONGEST = 300


class StopFact(msgspec.Struct, frozen=True):
    """A stop in force; ``everywhere``: it is the stop of all suppliers."""

    reason: str
    note: str
    everywhere: bool


class SupplierFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one supplier now.

    ``available`` are the funds there in base currency, None where they are not known; ``affordable``: they suffice for
    one of its offers. ``quarantined`` is why nothing of its list is sold.
    ``succeeded`` and ``failed`` are purchases of the last ``SUCCESS_HOURS``.
    """

    configured: bool = True
    paused: bool = False
    stops: tuple[StopFact, ...] = ()
    no_balance_until: datetime | None = None
    available: Decimal | None = None
    affordable: bool = True
    base_currency: str = "USD"
    breaker: str = "closed"
    retry_at: datetime | None = None
    last_error: str | None = None
    freshness: Freshness = Freshness.FRESH
    last_good_at: datetime | None = None
    last_sync_state: str | None = None
    quarantined: str | None = None
    succeeded: int = 0
    failed: int = 0


class SupplierState(msgspec.Struct, frozen=True):
    """The state, and all that is the matter, the worst first. Of ``ok`` there is nothing."""

    state: State = "ok"
    problems: tuple[SupplierProblem, ...] = ()

    @property
    def description(self) -> str:
        """The worst of it on one line; empty when nothing is the matter."""
        return described(self.problems[0]) if self.problems else ""


UNKNOWN = SupplierState()


def supplier_state(facts: SupplierFacts, now: datetime) -> SupplierState:
    """What a supplier's state is at ``now``."""
    problems = (
        *_stopped(facts),
        *_paused(facts),
        *_without_balance(facts, now),
        *_expired(facts),
        *_broken(facts, now),
        *_quarantined(facts),
        *_stale(facts),
        *_failing(facts),
    )
    return SupplierState(_STATES.get(problems[0].cause, "degraded") if problems else "ok", problems)


_STATES: Mapping[str, State] = {"stop": "stopped", "not_configured": "stopped", "pause": "paused"}


def described(problem: SupplierProblem) -> str:
    """A problem with its end, on one line."""
    return problem.reason + (f", until {_minute(problem.until)}" if problem.until is not None else "")


def nothing_for_sale(total: int, for_sale: int, states: Mapping[str, SupplierState], why_not: Mapping[str, int]) -> str:
    """What the console says when no plan of a mode can be sold, with the reasons; empty while one can.

    ``states`` are those of the mode's configured suppliers; ``why_not`` counts offers by what keeps them from sale, for
    when nothing is the matter with any supplier.
    """
    if for_sale:
        return ""
    reasons = [f"{name}: {state.description}" for name, state in sorted(states.items()) if state.problems]
    if not reasons:
        most = sorted(why_not.items(), key=lambda entry: (-entry[1], entry[0]))
        reasons = [f"{count:,} offers are kept back: {reason.replace('_', ' ')}" for reason, count in most]
    if not reasons:
        reasons = ["no offer was taken over yet: run a sync" if states else "no supplier is configured in this mode"]
    return f"0 of {total:,} plans for sale: {'; '.join(reasons)}."


def _stopped(facts: SupplierFacts) -> Sequence[SupplierProblem]:
    found = []
    for stop in sorted(facts.stops, key=lambda each: not each.everywhere):
        where = "selling is stopped everywhere: " if stop.everywhere else ""
        note = f" ({stop.note})" if stop.note else ""
        found.append(_problem("stop", f"{where}{_STOPS.get(stop.reason, stop.reason)}{note}"))
    if not facts.configured:
        found.append(_problem("not_configured", "it is not configured any more"))
    return found


def _paused(facts: SupplierFacts) -> Sequence[SupplierProblem]:
    return [_problem("pause", "an operator paused it")] if facts.paused else []


def _without_balance(facts: SupplierFacts, now: datetime) -> Sequence[SupplierProblem]:
    if facts.no_balance_until is not None and facts.no_balance_until > now:
        return [_problem("balance", "it refused a purchase for want of balance", facts.no_balance_until)]
    if facts.available is not None and not facts.affordable:
        left = f"{facts.available:,.2f} {facts.base_currency}"
        return [_problem("balance", f"the balance there suffices for none of its offers: {left} available")]
    return []


def _expired(facts: SupplierFacts) -> Sequence[SupplierProblem]:
    if facts.freshness is not Freshness.EXPIRED:
        return []
    if facts.last_good_at is None:
        return [_problem("expired", "no sync of it was taken over yet")]
    return [_problem("expired", f"its offers expired: the last good sync was at {_minute(facts.last_good_at)}")]


def _broken(facts: SupplierFacts, now: datetime) -> Sequence[SupplierProblem]:
    if facts.breaker == "closed":
        return []
    why = f": {facts.last_error}" if facts.last_error else ""
    until = facts.retry_at if facts.retry_at is not None and facts.retry_at > now else None
    return [_problem("breaker", f"it does not answer, and its breaker is open{why}", until)]


def _quarantined(facts: SupplierFacts) -> Sequence[SupplierProblem]:
    if facts.quarantined is not None:
        return [_problem("quarantine", f"nothing of it is sold until an operator accepts it: {facts.quarantined}")]
    if facts.last_sync_state != "quarantined":
        return []
    return [_problem("quarantine", "its last sync is quarantined until an operator accepts or refuses it")]


def _stale(facts: SupplierFacts) -> Sequence[SupplierProblem]:
    if facts.freshness is not Freshness.STALE or facts.last_sync_state == "quarantined":
        return []
    since = "" if facts.last_good_at is None else f"; the last good one was at {_minute(facts.last_good_at)}"
    what = "its last sync failed" if facts.last_sync_state == "failed" else "its sync is late"
    return [_problem("stale", f"{what}, so its offers are stale{since}")]


def _failing(facts: SupplierFacts) -> Sequence[SupplierProblem]:
    ended = facts.succeeded + facts.failed
    if ended < FEWEST_ENDED or facts.succeeded >= LOWEST_SUCCESS * ended:
        return []
    return [_problem("success_rate", f"{facts.succeeded} of {ended} purchases of the last hour succeeded")]


def _problem(cause: str, reason: str, until: datetime | None = None) -> SupplierProblem:
    return msgspec.convert({"cause": cause, "reason": reason[:_LONGEST], "until": until}, SupplierProblem)


def _minute(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%M} UTC"
