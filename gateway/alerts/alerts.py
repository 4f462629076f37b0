"""Alerts: every rule looked at, what rose and what ended written down with the messages that tell of it; the rules.

Evaluations stand in line, in one transaction each: whoever comes second finds what the first raised. Nobody holds a
connection in that line: whose turn it is needs a second one, and behind a pooler there may be no more than two.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec
import structlog

from gateway.access import audit_rows
from gateway.access.user_rows import Visitor
from gateway.alerts import alert_message_rows, alert_rows, alert_rule_rows
from gateway.alerts.alert_kinds import HEALTH_KINDS, KINDS
from gateway.alerts.alert_rules import (
    ActiveAlert,
    Decision,
    Evaluation,
    FlapSuppression,
    Rule,
    decide,
    default_rules,
    fault_of,
)
from gateway.alerts.evaluate import Gathered, evaluate_or_report, evaluate_prices
from gateway.alerts.evaluate_health import evaluate_health_rule, evaluate_rates_rule
from gateway.kit.pool import Connection, Pool, allow_long_work
from gateway.kit.problem import Problem
from gateway.kit.settings import Settings
from gateway.orders import worker_rows
from gateway.pricing.rates import bounds_of, rate_report, rates_now
from gateway.suppliers import supplier_list_rows
from gateway.suppliers.deps import Deps
from schemas.api_alerts import Alert, AlertChannel, AlertRule, AlertRuleRequest, AlertsTold

log = structlog.get_logger(__name__)

MOST_LISTED = 50
MOST_RULES = 200
_TURN_SECONDS = 0.2
_LONGEST_WAIT_SECONDS = 120.0


class Evaluated(msgspec.Struct, frozen=True):
    """What an evaluation came to: how many alerts rose and ended, and the messages that were made."""

    raised: int
    resolved: int
    messages: int


async def evaluate(deps: Deps) -> Evaluated:
    """Look at every rule now but those on health. Raises what the database raises; nothing is changed then."""
    await _ensure_rules(deps.pool)
    deadline = time.monotonic() + _LONGEST_WAIT_SECONDS
    while (done := await _evaluate_in_turn(deps)) is None:
        if time.monotonic() > deadline:
            raise TimeoutError("another evaluation of alerts does not end")
        await asyncio.sleep(_TURN_SECONDS)
    return _logged(done)


async def _evaluate_in_turn(deps: Deps) -> Evaluated | None:
    """None while another evaluates."""
    async with deps.pool.acquire() as connection, connection.transaction():
        if not await alert_rows.try_only_one(connection):
            return None
        now = deps.clock()
        await allow_long_work(connection)
        kinds = [kind for kind in KINDS if kind not in HEALTH_KINDS]
        rules = [rule for rule in await alert_rule_rows.rules(connection) if rule.enabled and rule.kind in kinds]
        active = await alert_rows.active(connection, kinds)
        gathered = Gathered(deps, now, active, await rates_now(deps.pool, deps.settings))
        since = await alert_rows.marks(connection)
        to = await alert_rows.horizon(deps.pool)
        priced = [rule for rule in rules if rule.kind == "price_move"]
        evaluations, reached = await evaluate_prices(connection, gathered, priced, since, to)
        evaluations += [await evaluate_or_report(gathered, rule) for rule in rules if rule.kind != "price_move"]
        done = await _decided(connection, deps, evaluations, active, now)
        await alert_rows.looked_to(connection, reached, now)
    return done


async def evaluate_health(deps: Deps, watched_seconds: float) -> Evaluated:
    """Look at the rules on health now, apart from the others: those may take a minute, or wait for a frozen process.

    Where no worker was ever seen, that counts once it was watched for ``watched_seconds``.
    """
    now = deps.clock()
    await _ensure_rules(deps.pool)
    async with deps.pool.acquire() as connection, connection.transaction():
        if not await alert_rows.try_only_one_on_health(connection):
            return Evaluated(0, 0, 0)
        rules = [rule for rule in await alert_rule_rows.rules(connection) if rule.enabled and rule.kind in HEALTH_KINDS]
        active = await alert_rows.active(connection, sorted(HEALTH_KINDS))
        health = await worker_rows.order_health(connection)
        rates = await rate_report(connection, deps.settings)
        bounds = bounds_of(deps.settings)
        evaluations = [
            evaluate_rates_rule(rule, rates, bounds, now)
            if rule.kind == "stale_rates"
            else evaluate_health_rule(rule, health, watched_seconds)
            for rule in rules
        ]
        done = await _decided(connection, deps, evaluations, active, now)
    return _logged(done)


async def _decided(
    connection: Connection, deps: Deps, evaluations: Sequence[Evaluation], active: Sequence[ActiveAlert], now: datetime
) -> Evaluated:
    """Decide by what was found, and write down what rises and ends with the messages that tell of it."""
    lately = now - timedelta(hours=deps.settings.alerts.flap_hours)
    keys = [(evaluation.rule.id, finding.subject) for evaluation in evaluations for finding in evaluation.found]
    counts = await alert_rows.raised_lately(connection, keys, lately)
    decision = decide(evaluations, active, counts, _damping(deps.settings), now)
    written = await alert_rows.write(connection, decision.raised, decision.kept, decision.resolved, now)
    messages = await _add_messages(connection, evaluations, decision, written, deps)
    await alert_rule_rows.troubles(connection, {evaluation.rule.id: evaluation.trouble for evaluation in evaluations})
    return Evaluated(len(decision.raised), len(decision.resolved), messages)


def _logged(done: Evaluated) -> Evaluated:
    if done.raised or done.resolved:
        log.info("alerts_changed", raised=done.raised, resolved=done.resolved, messages=done.messages)
    return done


async def _add_messages(
    connection: Connection,
    evaluations: Sequence[Evaluation],
    decision: Decision,
    written: dict[tuple[str, str, bool], Alert],
    deps: Deps,
) -> int:
    """One message to each channel that some of it goes to; how many."""
    rules = {evaluation.rule.id: evaluation.rule for evaluation in evaluations}
    raised = [(new.rule, written[new.rule.id, new.finding.subject, True]) for new in decision.raised]
    resolved = [
        (rules[done.alert.rule_id], written[done.alert.rule_id, done.alert.subject, False])
        for done in decision.resolved
        if done.sent
    ]
    if not raised and not resolved:
        return 0
    count, stands = 0, sum((await alert_rows.counts(connection)).values())
    for channel in await alert_rule_rows.channels(connection):
        up, down = (_for(channel, part) for part in (raised, resolved))
        if channel.enabled and (up or down):
            message = AlertsTold(up[:MOST_LISTED], down[:MOST_LISTED], len(up), len(down), stands)
            await alert_message_rows.add(connection, channel.id, message, deps.clock())
            count += 1
    return count


def _for(channel: AlertChannel, alerts: Sequence[tuple[Rule, Alert]]) -> list[Alert]:
    """What of it goes to a channel, the worst first."""
    mine = [alert for rule, alert in alerts if not rule.channels or channel.id in rule.channels]
    return sorted(mine, key=lambda alert: alert.level)


def _damping(settings: Settings) -> FlapSuppression:
    alerts_ = settings.alerts
    return FlapSuppression(
        alerts_.flap_times, timedelta(hours=alerts_.flap_hours), timedelta(minutes=alerts_.calm_minutes)
    )


# -- rules


async def all_rules(pool: Pool) -> list[AlertRule]:
    """Every rule, the oldest first. The first rules are made when there never were any."""
    async with pool.acquire() as connection, connection.transaction():
        return [present(rule) for rule in await _rules(connection)]


async def one_rule(pool: Pool, rule_id: str) -> AlertRule | None:
    """One rule, None when there is none of that id."""
    found = await alert_rule_rows.rule(pool, rule_id)
    return None if found is None else present(found)


async def add_rule(pool: Pool, request: AlertRuleRequest, actor: Visitor | str) -> AlertRule | Problem:
    """A new rule, or what of it makes no sense (conflict, each with its field)."""
    async with pool.acquire() as connection, connection.transaction():
        if len(await _rules(connection)) >= MOST_RULES:
            return Problem("conflict", f"there are {MOST_RULES} rules already")
        rule = _rule(request, "")
        if (problem := await _fault(connection, rule)) is not None:
            return problem
        made = await alert_rule_rows.add(connection, rule)
        await audit_rows.record(connection, actor, "alert_rule.added", f"alert_rule:{made.id}", _detail(made))
    return present(made)


async def change_rule(pool: Pool, rule_id: str, request: AlertRuleRequest, actor: Visitor | str) -> AlertRule | Problem:
    """Put a rule in the place of another. What stands under it is judged by the new one from the next look on."""
    async with pool.acquire() as connection, connection.transaction():
        before = await alert_rule_rows.rule(connection, rule_id)
        if before is None:
            return Problem("not_found", "there is no such rule of alerts")
        rule = _rule(request, rule_id)
        if (problem := await _fault(connection, rule)) is not None:
            return problem
        await alert_rule_rows.change(connection, rule)
        changed = {name: value for name, value in _detail(rule).items() if _detail(before)[name] != value}
        was = {name: _detail(before)[name] for name in changed}
        await audit_rows.record(
            connection, actor, "alert_rule.changed", f"alert_rule:{rule_id}", {"before": was, "after": changed}
        )
    return present(rule)


async def remove_rule(pool: Pool, rule_id: str, actor: Visitor | str) -> Problem | None:
    """Delete a rule. What stands under it ends with the next look, and nobody is told."""
    async with pool.acquire() as connection, connection.transaction():
        before = await alert_rule_rows.rule(connection, rule_id)
        if before is None or not await alert_rule_rows.remove(connection, rule_id):
            return Problem("not_found", "there is no such rule of alerts")
        await audit_rows.record(connection, actor, "alert_rule.removed", f"alert_rule:{rule_id}", _detail(before))
    return None


async def enable_rule(pool: Pool, rule_id: str, actor: Visitor | str, *, enabled: bool) -> Problem | None:
    """Switch a rule on or off."""
    async with pool.acquire() as connection, connection.transaction():
        before = await alert_rule_rows.rule(connection, rule_id)
        if before is None:
            return Problem("not_found", "there is no such rule of alerts")
        await alert_rule_rows.change(connection, msgspec.structs.replace(before, enabled=enabled))
        word = "enabled" if enabled else "disabled"
        await audit_rows.record(connection, actor, f"alert_rule.{word}", f"alert_rule:{rule_id}", {"name": before.name})
    return None


def present(rule: Rule) -> AlertRule:
    """A rule as the API writes it."""
    return AlertRule(
        id=rule.id,
        name=rule.name,
        kind=rule.kind,
        threshold=None if rule.threshold is None else f"{rule.threshold.normalize():f}",
        direction=rule.direction,
        about=rule.about,
        supplier=rule.supplier,
        country=rule.country,
        channels=list(rule.channels),
        enabled=rule.enabled,
        trouble=rule.trouble,
    )


async def _ensure_rules(pool: Pool) -> None:
    """Make the first rules when there never were any, apart from what may take long."""
    if not await alert_rule_rows.is_seeded(pool):
        async with pool.acquire() as connection, connection.transaction():
            await _rules(connection)


async def _rules(connection: Connection) -> list[Rule]:
    if not await alert_rule_rows.is_seeded(connection):
        await alert_rows.marks(connection)
        await alert_rule_rows.seed(connection, default_rules())
    return await alert_rule_rows.rules(connection)


def _rule(request: AlertRuleRequest, rule_id: str) -> Rule:
    values = {name: getattr(request, name) for name in request.__struct_fields__}
    threshold = None if request.threshold is None else Decimal(request.threshold)
    return Rule(**{**values, "id": rule_id, "threshold": threshold, "channels": tuple(dict.fromkeys(request.channels))})


async def _fault(connection: Connection, rule: Rule) -> Problem | None:
    faults = fault_of(rule)
    if rule.supplier is not None and not await supplier_list_rows.is_supplier(connection, rule.supplier):
        faults.setdefault("supplier", "there is no such supplier")
    known = {channel.id for channel in await alert_rule_rows.channels(connection)}
    if unknown := [channel_id for channel_id in rule.channels if channel_id not in known]:
        faults["channels"] = f"there is no channel {unknown[0]}"
    if not faults:
        return None
    first = next(iter(faults.items()))
    errors = tuple((f"/{name}", why) for name, why in faults.items())
    return Problem("conflict", f"{first[0]}: {first[1]}", errors)


def _detail(rule: Rule) -> dict[str, object]:
    found: dict[str, object] = msgspec.to_builtins(rule)
    return {name: value for name, value in found.items() if name not in {"id", "trouble"}}
