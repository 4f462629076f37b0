"""A supplier's state: the worst that is the matter, with its reason and its end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from gateway.kit.freshness import Freshness
from gateway.suppliers.state_rules import StopFact, SupplierFacts, SupplierState, nothing_for_sale, supplier_state

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
SOON = NOW + timedelta(minutes=14)
GOOD_AT = NOW - timedelta(hours=5)
PERSON, ACCOUNT = StopFact("person", "wrong prices", everywhere=False), StopFact("account", "", everywhere=False)
EVERYWHERE = StopFact("restored", "", everywhere=True)

# Each cause alone: what is known, the state, the cause, words of the reason, the end. The worst comes first.
CAUSES: list[tuple[dict[str, Any], str, str, str, datetime | None]] = [
    ({"stops": (PERSON,)}, "stopped", "stop", "an operator stopped it (wrong prices)", None),
    ({"stops": (ACCOUNT,)}, "stopped", "stop", "refuses our account", None),
    ({"stops": (EVERYWHERE,)}, "stopped", "stop", "selling is stopped everywhere: the database was restored", None),
    ({"configured": False}, "stopped", "not_configured", "not configured", None),
    ({"paused": True}, "paused", "pause", "an operator paused it", None),
    ({"no_balance_until": SOON}, "degraded", "balance", "for want of balance", SOON),
    ({"available": Decimal("3.5"), "affordable": False}, "degraded", "balance", "3.50 USD available", None),
    ({"freshness": Freshness.EXPIRED}, "degraded", "expired", "no sync of it was taken over yet", None),
    ({"freshness": Freshness.EXPIRED, "last_good_at": GOOD_AT}, "degraded", "expired", "2026-11-20 05:00 UTC", None),
    ({"breaker": "open", "retry_at": SOON, "last_error": "timed_out"}, "degraded", "breaker", "timed_out", SOON),
    ({"breaker": "half_open", "retry_at": GOOD_AT}, "degraded", "breaker", "does not answer", None),
    (
        {"last_sync_state": "quarantined", "freshness": Freshness.STALE},
        "degraded", "quarantine", "until an operator accepts or refuses it", None,
    ),
    ({"freshness": Freshness.STALE, "last_sync_state": "failed"}, "degraded", "stale", "its last sync failed", None),
    ({"freshness": Freshness.STALE, "last_sync_state": "ok"}, "degraded", "stale", "its sync is late", None),
    ({"succeeded": 3, "failed": 2}, "degraded", "success_rate", "3 of 5 purchases of the last hour succeeded", None),
]  # fmt: skip


@pytest.mark.parametrize(("known", "state", "cause", "words", "until"), CAUSES)
def test_each_cause_gives_the_state_with_its_reason_and_end(known, state, cause, words, until):
    found = supplier_state(SupplierFacts(**known), NOW)
    (problem,) = found.problems
    assert (found.state, problem.cause, problem.until) == (state, cause, until)
    assert words in problem.reason
    assert words in found.description


@pytest.mark.parametrize(
    "known",
    [
        {},
        {"no_balance_until": NOW},  # it is over
        {"available": Decimal(5), "affordable": True},
        {"affordable": False},  # without known funds nothing is known
        {"succeeded": 4, "failed": 1},
        {"succeeded": 0, "failed": 4},  # too few to say anything
    ],
)
def test_nothing_of_this_is_the_matter(known):
    assert supplier_state(SupplierFacts(**known), NOW) == SupplierState("ok", ())


def test_the_worst_comes_first_and_all_others_after_it():
    everything: dict[str, Any] = {
        "stops": (PERSON, EVERYWHERE), "paused": True, "no_balance_until": SOON, "freshness": Freshness.EXPIRED,
        "breaker": "open", "last_sync_state": "quarantined", "failed": 9,
    }  # fmt: skip
    found = supplier_state(SupplierFacts(**everything), NOW)
    assert [one.cause for one in found.problems] == [
        "stop", "stop", "pause", "balance", "expired", "breaker", "quarantine", "success_rate"
    ]  # fmt: skip
    assert found.state == "stopped"
    assert found.description.startswith("selling is stopped everywhere")
    assert supplier_state(SupplierFacts(**{**everything, "stops": ()}), NOW).state == "paused"


def test_the_reasons_of_nothing_for_sale_are_those_of_the_suppliers_else_of_their_offers():
    poor = supplier_state(SupplierFacts(no_balance_until=SOON), NOW)
    stopped = supplier_state(SupplierFacts(stops=(PERSON,)), NOW)
    said = nothing_for_sale(3222, 0, {"pikasim": stopped, "beppay": poor, "s2s": SupplierState()}, {"expired": 2})
    assert said == (
        "0 of 3,222 plans for sale: beppay: it refused a purchase for want of balance, until 2026-11-20 10:14 UTC;"
        " pikasim: an operator stopped it (wrong prices)."
    )
    offers = nothing_for_sale(7, 0, {"s2s": SupplierState()}, {"thin_margin": 2, "no_rate": 1200})
    assert offers == "0 of 7 plans for sale: 1,200 offers are kept back: no rate; 2 offers are kept back: thin margin."
    assert "run a sync" in nothing_for_sale(0, 0, {"s2s": SupplierState()}, {})
    assert "no supplier is configured" in nothing_for_sale(0, 0, {}, {})
    assert nothing_for_sale(3222, 1, {"pikasim": stopped}, {}) == ""
