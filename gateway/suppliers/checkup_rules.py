"""What was found when an account at a supplier was looked at, and what to do about it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from schemas.account import Balance, SupplierAccount
from schemas.api_accounts import CheckFinding
from schemas.errors import (
    CircuitOpen,
    ConnectionLost,
    InvalidRequest,
    NotAuthorised,
    NotReached,
    RateLimited,
    ServerFault,
    SupplierError,
    TimedOut,
    UnreadableAnswer,
)

CREDENTIALS, SIGNATURE, CATALOGUE, BALANCE = "credentials", "signature", "catalogue", "balance"
BELIEVING = "webhook secret"
# What is signed holds for minutes: from here on it begins to be refused, and from there on it is noticed.
CLOCK_FAR, CLOCK_NEAR = 240.0, 30.0
FORGED_LATELY = timedelta(days=1)
_GONE = 404
_MINUTE = 60

Level = Literal["ok", "warn", "bad", "unknown"]


class ProbeResult(msgspec.Struct, frozen=True):
    """One harmless call. ``made`` False: it was not worth making. ``settings`` as in ``providers.contract.Probe``."""

    about: str
    settings: tuple[str, ...]
    error: SupplierError | None = None
    ms: int | None = None
    made: bool = True
    found: str = ""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of one account. Times are UTC, ``clock_ahead`` seconds, rates in requests a minute."""

    name: str
    title: str
    now: datetime
    probes: Sequence[ProbeResult]
    clock_ahead: float | None = None
    clock_within: float = 0.0
    account: SupplierAccount | None = None
    balance: Balance | None = None
    per_minute: int | None = None
    reported_limit: int | None = None
    remaining: int | None = None
    hears: bool = False
    sets_webhooks: bool = False
    webhook_advice: str = ""
    heard_at: datetime | None = None
    forged_at: datetime | None = None
    stops: Sequence[tuple[str, str]] = ()
    key: KeyFacts | None = None


class KeyFacts(msgspec.Struct, frozen=True):
    """The key that was made last. ``opened`` False: it is in force, and no secret of ours opens it."""

    state: str
    in_force: bool
    error: str | None
    opened: bool = True


def judge(facts: Facts) -> tuple[CheckFinding, ...]:
    """Each thing that was looked at, in the order in which it helps to put them right."""
    listed = [probe for probe in facts.probes if probe.about != BALANCE or probe.error is not None or not probe.made]
    found = [_clock(facts), *(_probe_finding(facts, probe) for probe in listed)]
    found += [_account(facts), _balance(facts), _rate(facts), _webhooks(facts), _key(facts), *_stops(facts)]
    return tuple(finding for finding in found if finding is not None)


def is_refused(probe: ProbeResult) -> bool:
    """Whether nothing else is worth asking: the supplier does not know us, or is not there."""
    return probe.about == CREDENTIALS and isinstance(probe.error, NotAuthorised | NotReached | CircuitOpen)


# --- calls ---------------------------------------------------------------------------------------------


def _probe_finding(facts: Facts, probe: ProbeResult) -> CheckFinding:
    settings = tuple(_setting(facts, name) for name in probe.settings)
    if not probe.made:
        return CheckFinding(probe.about, "unknown", "not looked at: put the credentials right first", settings=settings)
    if probe.error is None:
        return CheckFinding(probe.about, "ok", probe.found or "works", settings=settings, ms=probe.ms)
    level: Level = "warn" if probe.about == BELIEVING else "bad"
    error = probe.error
    detail = error.detail if error.status is None else f"{error.detail} (HTTP {error.status})"
    return CheckFinding(probe.about, level, detail, _what_to_do(facts, probe, error), settings, probe.ms)


def _what_to_do(facts: Facts, probe: ProbeResult, error: SupplierError) -> str:
    settings = [_setting(facts, name) for name in probe.settings]
    base = _setting(facts, "base_url")
    where = next((name for name in settings if ".paths." in name), base)
    if isinstance(error, NotAuthorised):
        return _refused(facts, probe, settings)
    if error.status == _GONE:
        return f"the path is not there: find where {facts.title} has it now, and set {where}"
    if isinstance(error, InvalidRequest) and error.status is None and settings:
        return f"set {settings[0]}"
    advice: tuple[tuple[tuple[type[SupplierError], ...], str], ...] = (
        ((NotReached,), f"nothing answers there: look at {base}, the name service and the firewall"),
        ((UnreadableAnswer,), f"what answers there is not what {facts.title} describes: look at {where}"),
        ((RateLimited, CircuitOpen), "wait and check again: it was asked too often, or failed too often"),
        ((TimedOut, ConnectionLost, ServerFault), f"check again; if it stays so, ask {facts.title}"),
        ((SupplierError,), f"look at {' and '.join(settings) or base}, or ask {facts.title}"),
    )
    return next(what for kinds, what in advice if isinstance(error, kinds))


def _refused(facts: Facts, probe: ProbeResult, settings: Sequence[str]) -> str:
    named = settings[0] if settings else _setting(facts, "base_url")
    if probe.about == SIGNATURE:
        if _is_far(facts):
            return f"put the clock right first: what is signed with it is refused; then look at {named}"
        return f"{named} is not the one that {facts.title} has for us: copy it from there; it is no other key or token"
    if probe.about == CREDENTIALS:
        stored = facts.key is not None and facts.key.in_force
        more = f"; then run `esim-gateway suppliers keys {facts.name} use-configured`" if stored else ""
        return f"the key is wrong or was revoked: make one at {facts.title} and set {named}{more}"
    return f"{facts.title} does not allow this to our account: ask there to have it allowed"


# --- the rest ------------------------------------------------------------------------------------------


def _clock(facts: Facts) -> CheckFinding | None:
    if facts.clock_ahead is None:
        return None
    off = abs(facts.clock_ahead)
    if off <= CLOCK_NEAR + facts.clock_within:
        return CheckFinding("clock", "ok", "agrees with the supplier's")
    way = "ahead of" if facts.clock_ahead > 0 else "behind"
    detail = f"the supplier's clock is {_span(off)} {way} ours"
    level: Level = "bad" if _is_far(facts) and _signs(facts) else "warn"
    signed = " What is signed with the time is refused when clocks are minutes apart." if _signs(facts) else ""
    return CheckFinding(
        "clock", level, detail, f"set this machine's clock (NTP); if it is right, tell {facts.title}.{signed}"
    )


def _is_far(facts: Facts) -> bool:
    return facts.clock_ahead is not None and abs(facts.clock_ahead) > CLOCK_FAR + facts.clock_within


def _signs(facts: Facts) -> bool:
    return any(probe.about == SIGNATURE for probe in facts.probes)


def _account(facts: Facts) -> CheckFinding | None:
    if facts.account is None:
        return None
    named = facts.account.name or "our account"
    if facts.account.active is not False:
        return CheckFinding("account", "ok", named)
    status = f": {facts.account.status}" if facts.account.status else ""
    return CheckFinding("account", "bad", f"{named} is not active{status}", f"ask {facts.title} why")


def _balance(facts: Facts) -> CheckFinding | None:
    if facts.balance is None:
        return None
    spendable = facts.balance.spendable
    text = f"{spendable.padded().amount:f} {spendable.currency} can be spent"
    if spendable.amount > 0:
        return CheckFinding("money", "ok", text)
    return CheckFinding("money", "bad", text, f"fill our balance at {facts.title}: nothing is bought there until then")


def _rate(facts: Facts) -> CheckFinding:
    limit, reported = facts.per_minute, facts.reported_limit
    if limit is not None and reported is not None and reported < limit:
        setting = _setting(facts, "requests_per_minute")
        detail = f"the supplier allows {reported} requests a minute, the gateway is set to {limit}"
        return CheckFinding("rate limit", "warn", detail, f"the lower one is kept to; set {setting} = {reported}")
    if facts.remaining == 0:
        return CheckFinding(
            "rate limit", "warn", "nothing is left of this minute", "ask for less, or for a higher limit"
        )
    stated = f"{reported or limit} requests a minute" if reported or limit else "none is stated"
    left = f", {facts.remaining} left" if facts.remaining is not None else ""
    return CheckFinding("rate limit", "ok", stated + left)


def _webhooks(facts: Facts) -> CheckFinding | None:
    if not facts.hears:
        return None
    good, forged = facts.heard_at, facts.forged_at
    names = [name for probe in facts.probes if probe.about in (BELIEVING, SIGNATURE) for name in probe.settings]
    settings = tuple(_setting(facts, name) for name in names)
    if forged is not None and facts.now - forged < FORGED_LATELY and (good is None or forged > good):
        detail = f"at {forged:%Y-%m-%d %H:%M} UTC one came in its name whose signature does not fit"
        what = f"{' or '.join(settings) or 'the secret'} is not what {facts.title} signs with, or somebody forges"
        return CheckFinding("webhooks", "bad" if good is None else "warn", detail, what, settings)
    if good is not None:
        return CheckFinding("webhooks", "ok", f"last heard {good:%Y-%m-%d %H:%M} UTC", settings=settings)
    by_call = f"run `esim-gateway suppliers setup-webhooks {facts.name} --base-url https://…`"
    by_hand = f"{facts.webhook_advice}: https://…/webhooks/{facts.name}" if facts.webhook_advice else ""
    what = by_call if facts.sets_webhooks else by_hand
    return CheckFinding("webhooks", "unknown", "none has come yet; orders are settled by asking", what, settings)


def _key(facts: Facts) -> CheckFinding | None:
    key = facts.key
    if key is None or key.state == "undone":
        return None
    if key.in_force and not key.opened:
        what = "put the key that sealed it back into secret_key; until then the configured key is tried"
        return CheckFinding("stored key", "bad", "no key of secret_key opens it", what, ("secret_key",))
    if key.state == "done":
        what = "see to it at the supplier; nothing here waits for it" if key.error else ""
        text = key.error or ("is in force" if key.in_force else "was let go: the configured one is in force")
        return CheckFinding("stored key", "warn" if key.error else "ok", text, what)
    detail = f"is being rotated ({key.state}){': ' + key.error if key.error else ''}"
    what = f"nothing: it is gone on with; `esim-gateway suppliers keys {facts.name} rotate` goes on at once"
    return CheckFinding("stored key", "warn" if key.error else "ok", detail, what)


def _stops(facts: Facts) -> list[CheckFinding]:
    why = {
        "person": "an operator stopped it",
        "account": "it refused our account",
        "restored": "the database was put back, and its books are not compared yet",
    }
    what = {"restored": "run `esim-gateway reconcile`"}
    resume = f"when that is put right, run `esim-gateway selling resume --supplier {facts.name}`"
    return [
        CheckFinding("selling", "bad", f"stopped: {why[reason]}{': ' + note if note else ''}", what.get(reason, resume))
        for reason, note in facts.stops
    ]


def _setting(facts: Facts, name: str) -> str:
    return f"suppliers.{facts.name}.{name}"


def _span(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole} s" if whole < 2 * _MINUTE else f"{whole // _MINUTE} min {whole % _MINUTE} s"
