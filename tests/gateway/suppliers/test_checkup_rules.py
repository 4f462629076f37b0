"""What was seen of an account, judged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.suppliers.checkup_rules import Facts, KeyFacts, ProbeResult, is_refused, judge
from gateway.suppliers.key_rotation_rules import in_use, made
from schemas.account import SupplierKey
from schemas.errors import (
    CircuitOpen,
    InvalidRequest,
    NotAuthorised,
    NotReached,
    RateLimited,
    ServerFault,
    SupplierError,
    TimedOut,
    UnreadableAnswer,
)

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def judged(*looked: ProbeResult, **more) -> dict[str, tuple[str, str]]:
    facts = Facts(name="acme", title="Acme", now=NOW, probes=looked, **more)
    return {finding.about: (finding.level, finding.what_to_do) for finding in judge(facts)}


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NotAuthorised("no", status=403), "Acme does not allow this to our account"),
        (UnreadableAnswer("HTML", status=404), "set suppliers.acme.paths.orders"),
        (UnreadableAnswer("HTML", status=200), "is not what Acme describes: look at suppliers.acme.paths.orders"),
        (NotReached("no name"), "look at suppliers.acme.base_url"),
        (RateLimited("slow down"), "wait and check again"),
        (CircuitOpen("not called"), "wait and check again"),
        (TimedOut("late"), "if it stays so, ask Acme"),
        (ServerFault("500"), "if it stays so, ask Acme"),
        (InvalidRequest("none is set"), "set suppliers.acme.paths.orders"),
        (SupplierError("odd"), "look at suppliers.acme.paths.orders, or ask Acme"),
    ],
)
def test_every_fault_says_what_to_do(error, words):
    level, what = judged(ProbeResult("path orders", ("paths.orders",), error))["path orders"]
    assert level == "bad"
    assert words in what


@pytest.mark.parametrize(
    ("ahead", "within", "signs", "level"),
    [(0.4, 0.5, True, "ok"), (-29, 1, True, "ok"), (45, 1, True, "warn"), (360, 1, True, "bad"), (-360, 1, True, "bad"),
     (360, 1, False, "warn"), (245, 10, True, "warn")],
)  # fmt: skip
def test_a_clock_is_as_bad_as_what_is_signed_with_it(ahead, within, signs, level):
    looked = [ProbeResult("signature", ("secret",))] if signs else []
    assert judged(*looked, clock_ahead=ahead, clock_within=within)["clock"][0] == level


def test_only_refused_credentials_end_the_looking():
    assert is_refused(ProbeResult("credentials", (), NotAuthorised("no", status=401)))
    assert is_refused(ProbeResult("credentials", (), NotReached("no")))
    assert not is_refused(ProbeResult("credentials", (), UnreadableAnswer("?", status=404)))
    assert not is_refused(ProbeResult("signature", (), NotAuthorised("no", status=401)))


def test_webhooks_are_judged_by_what_was_heard_last():
    hour = timedelta(hours=1)
    assert judged(hears=True, sets_webhooks=True)["webhooks"] == (
        "unknown", "run `esim-gateway suppliers setup-webhooks acme --base-url https://…`",
    )  # fmt: skip
    assert judged(hears=True, heard_at=NOW, forged_at=NOW - hour)["webhooks"][0] == "ok"
    assert judged(hears=True, heard_at=NOW - 2 * hour, forged_at=NOW - hour)["webhooks"][0] == "warn"
    assert judged(hears=True, forged_at=NOW - hour)["webhooks"][0] == "bad"
    assert judged(hears=True, forged_at=NOW - 48 * hour)["webhooks"][0] == "unknown"
    assert "webhooks" not in judged()


def test_a_stored_key_that_does_not_open_is_bad_and_one_left_to_a_person_is_a_warning():
    assert judged(key=KeyFacts("done", in_force=True, error=None, opened=False))["stored key"][0] == "bad"
    assert judged(key=KeyFacts("done", in_force=True, error="revoke it by hand"))["stored key"][0] == "warn"
    assert judged(key=KeyFacts("done", in_force=True, error=None))["stored key"] == ("ok", "")
    assert judged(key=KeyFacts("switched", in_force=True, error=None))["stored key"][0] == "ok"
    assert "stored key" not in judged(key=KeyFacts("undone", in_force=False, error="refused"))


def key(number: int, prefix: str, name: str = "", *, active: bool = True) -> SupplierKey:
    return SupplierKey(id=str(number), name=name, prefix=prefix, active=active)


def test_the_key_in_use_is_the_known_one_else_the_only_one_that_begins_alike_else_nobody_s():
    ours = ["pk_live_abcdef"]
    assert in_use([key(1, "pk_live_abc"), key(2, "pk_live_xyz")], ours, None) == "1"
    assert in_use([key(1, "pk_live_abc"), key(2, "pk_live_abc")], ours, None) is None
    assert in_use([key(1, "pk_live_abc"), key(2, "pk_live_abc", active=False)], ours, None) == "1"
    assert in_use([key(1, "pk_live_")], ours, None) is None, "every key begins so"
    assert in_use([], ours, "7") == "7"


def test_a_made_key_is_found_by_its_name_and_its_beginning():
    mine = key(3, "pk_live_new", "gw 1")
    assert made([key(1, "pk_live_abc", "other"), mine], "gw 1", "pk_live_new") == mine
    assert made([key(3, "pk_live_new", "gw 1", active=False)], "gw 1", "pk_live_new") == "none"
    assert made([mine, key(4, "pk_live_zzz", "gw 1")], "gw 1", "pk_live_new") == "several"
    assert made([key(4, "pk_live_zzz", "gw 1")], "gw 1", "pk_live_new") == "several"
