"""Alerts: every rule looked at, what rose and what ended written down with the messages that tell of it; the rules.

Evaluations stand in line, in one transaction each: whoever comes second finds what the first raised.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec
import structlog

from gateway.access import audit_rows
from gateway.access.user_rows import Visitor
from gateway.alerts import alert_message_rows, alert_rows, alert_rule_rows
from gateway.alerts.alert_rules import (
    HEALTH_KINDS,
    KINDS,
    ActiveAlert,
    Decision,
    Evaluation,
    FlapSuppression,
    Rule,
    decide,
    default_rules,
    fault_of,
)
from gateway.alerts.evaluate import Gathered, look_at_health, look_at_prices, look_or_say_why, rates_of
from gateway.kit.pool import Connection, Pool, allow_long_work
from gateway.kit.problem import Problem
from gateway.kit.settings import Settings
from gateway.orders import worker_rows
from gateway.suppliers import supplier_list_rows
from gateway.suppliers.deps import Deps
from schemas.api_alerts import Alert, AlertChannel, AlertRule, AlertRuleRequest, AlertsTold

log = structlog.get_logger(__name__)

MOST_TOLD = 50
MOST_RULES = 200


class Evaluated(msgspec.Struct, frozen=True):
    """What an evaluation came to: how many alerts rose and ended, and the messages that were made."""

    raised: int
    cleared: int
    messages: int


async def evaluate(deps: Deps) -> Evaluated:
    """Look at every rule now but those on health. Raises what the database raises; nothing is changed then."""
    now = deps.clock()
    worth = await rates_of(deps)
    async with deps.pool.acquire() as connection, connection.transaction():
        await allow_long_work(connection)
        await alert_rows.only_one(connection)
        kinds = [kind for kind in KINDS if kind not in HEALTH_KINDS]
        rules = [rule for rule in await _rules(connection) if rule.enabled and rule.kind in kinds]
        standing = await alert_rows.standing(connection, kinds)
        gathered = Gathered(deps, now, standing, worth)
        since = await alert_rows.marks(connection)
        to = await alert_rows.horizon(deps.pool)
        priced = [rule for rule in rules if rule.kind == "price_move"]
        looks, reached = await look_at_prices(connection, gathered, priced, since, to)
        looks += [await look_or_say_why(gathered, rule) for rule in rules if rule.kind != "price_move"]
        done = await _decided(connection, deps, looks, standing, now)
        await alert_rows.looked_to(connection, reached, now)
    return _logged(done)


async def evaluate_health(deps: Deps, watched_seconds: float) -> Evaluated:
    """Look at the rules on health now, apart from the others: those may take a minute, or wait for a frozen process.

    Where no worker was ever seen, that counts once it was watched for ``watched_seconds``.
    """
    now = deps.clock()
    async with deps.pool.acquire() as connection, connection.transaction():
        if not await alert_rule_rows.is_seeded(connection):
            await alert_rows.only_one(connection)
        if not await alert_rows.try_only_one_on_health(connection):
            return Evaluated(0, 0, 0)
        rules = [rule for rule in await _rules(connection) if rule.enabled and rule.kind in HEALTH_KINDS]
        standing = await alert_rows.standing(connection, sorted(HEALTH_KINDS))
        health = await worker_rows.order_health(connection)
        looks = [look_at_health(rule, health, watched_seconds) for rule in rules]
        done = await _decided(connection, deps, looks, standing, now)
    return _logged(done)


async def _decided(
    connection: Connection, deps: Deps, looks: Sequence[Evaluation], standing: Sequence[ActiveAlert], now: datetime
) -> Evaluated:
    """Decide by what was found, and write down what rises and ends with the messages that tell of it."""
    lately = now - timedelta(hours=deps.settings.alerts.flap_hours)
    keys = [(look.rule.id, finding.subject) for look in looks for finding in look.found]
    counts = await alert_rows.raised_lately(connection, keys, lately)
    decision = decide(looks, standing, counts, _damping(deps.settings), now)
    told = await alert_rows.write(connection, decision.raised, decision.kept, decision.cleared, now)
    messages = await _announce(connection, looks, decision, told, deps)
    await alert_rule_rows.troubles(connection, {look.rule.id: look.trouble for look in looks})
    return Evaluated(len(decision.raised), len(decision.cleared), messages)


def _logged(done: Evaluated) -> Evaluated:
    if done.raised or done.cleared:
        log.info("alerts_changed", raised=done.raised, cleared=done.cleared, messages=done.messages)
    return done


async def _announce(
    connection: Connection,
    looks: Sequence[Evaluation],
    decision: Decision,
    written: dict[tuple[str, str, bool], Alert],
    deps: Deps,
) -> int:
    """One message to each channel that some of it goes to; how many."""
    rules = {look.rule.id: look.rule for look in looks}
    raised = [(one.rule, written[one.rule.id, one.finding.subject, True]) for one in decision.raised]
    cleared = [
        (rules[one.standing.rule_id], written[one.standing.rule_id, one.standing.subject, False])
        for one in decision.cleared
        if one.told
    ]
    if not raised and not cleared:
        return 0
    count, stands = 0, sum((await alert_rows.counts(connection)).values())
    for channel in await alert_rule_rows.channels(connection):
        up, down = (_for(channel, part) for part in (raised, cleared))
        if channel.enabled and (up or down):
            told = AlertsTold(up[:MOST_TOLD], down[:MOST_TOLD], len(up), len(down), stands)
            await alert_message_rows.add(connection, channel.id, told, deps.clock())
            count += 1
    return count


def _for(channel: AlertChannel, told: Sequence[tuple[Rule, Alert]]) -> list[Alert]:
    """What of it goes to a channel, the worst first."""
    mine = [alert for rule, alert in told if not rule.channels or channel.id in rule.channels]
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
        return [shown(rule) for rule in await _rules(connection)]


async def one_rule(pool: Pool, rule_id: str) -> AlertRule | None:
    """One rule, None when there is none of that id."""
    found = await alert_rule_rows.rule(pool, rule_id)
    return None if found is None else shown(found)


async def add_rule(pool: Pool, asked: AlertRuleRequest, who: Visitor | str) -> AlertRule | Problem:
    """A new rule, or what of it makes no sense (conflict, each with its field)."""
    async with pool.acquire() as connection, connection.transaction():
        if len(await _rules(connection)) >= MOST_RULES:
            return Problem("conflict", f"there are {MOST_RULES} rules already")
        rule = _asked(asked, "")
        if (problem := await _fault(connection, rule)) is not None:
            return problem
        made = await alert_rule_rows.add(connection, rule)
        await audit_rows.record(connection, who, "alert_rule.added", f"alert_rule:{made.id}", _detail(made))
    return shown(made)


async def change_rule(pool: Pool, rule_id: str, asked: AlertRuleRequest, who: Visitor | str) -> AlertRule | Problem:
    """Put a rule in the place of another. What stands under it is judged by the new one from the next look on."""
    async with pool.acquire() as connection, connection.transaction():
        before = await alert_rule_rows.rule(connection, rule_id)
        if before is None:
            return Problem("not_found", "there is no such rule of alerts")
        rule = _asked(asked, rule_id)
        if (problem := await _fault(connection, rule)) is not None:
            return problem
        await alert_rule_rows.change(connection, rule)
        changed = {name: value for name, value in _detail(rule).items() if _detail(before)[name] != value}
        was = {name: _detail(before)[name] for name in changed}
        await audit_rows.record(
            connection, who, "alert_rule.changed", f"alert_rule:{rule_id}", {"before": was, "after": changed}
        )
    return shown(rule)


async def remove_rule(pool: Pool, rule_id: str, who: Visitor | str) -> Problem | None:
    """Delete a rule. What stands under it ends with the next look, and nobody is told."""
    async with pool.acquire() as connection, connection.transaction():
        before = await alert_rule_rows.rule(connection, rule_id)
        if before is None or not await alert_rule_rows.remove(connection, rule_id):
            return Problem("not_found", "there is no such rule of alerts")
        await audit_rows.record(connection, who, "alert_rule.removed", f"alert_rule:{rule_id}", _detail(before))
    return None


async def enable_rule(pool: Pool, rule_id: str, who: Visitor | str, *, enabled: bool) -> Problem | None:
    """Switch a rule on or off."""
    async with pool.acquire() as connection, connection.transaction():
        before = await alert_rule_rows.rule(connection, rule_id)
        if before is None:
            return Problem("not_found", "there is no such rule of alerts")
        await alert_rule_rows.change(connection, msgspec.structs.replace(before, enabled=enabled))
        word = "enabled" if enabled else "disabled"
        await audit_rows.record(connection, who, f"alert_rule.{word}", f"alert_rule:{rule_id}", {"name": before.name})
    return None


def shown(rule: Rule) -> AlertRule:
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


async def _rules(connection: Connection) -> list[Rule]:
    if not await alert_rule_rows.is_seeded(connection):
        await alert_rows.marks(connection)
        await alert_rule_rows.seed(connection, default_rules())
    return await alert_rule_rows.rules(connection)


def _asked(asked: AlertRuleRequest, rule_id: str) -> Rule:
    values = {name: getattr(asked, name) for name in asked.__struct_fields__}
    threshold = None if asked.threshold is None else Decimal(asked.threshold)
    return Rule(**{**values, "id": rule_id, "threshold": threshold, "channels": tuple(dict.fromkeys(asked.channels))})


async def _fault(connection: Connection, rule: Rule) -> Problem | None:
    faults = fault_of(rule)
    if rule.supplier is not None and not await supplier_list_rows.is_supplier(connection, rule.supplier):
        faults.setdefault("supplier", "there is no such supplier")
    known = {channel.id for channel in await alert_rule_rows.channels(connection)}
    if unknown := [one for one in rule.channels if one not in known]:
        faults["channels"] = f"there is no channel {unknown[0]}"
    if not faults:
        return None
    first = next(iter(faults.items()))
    errors = tuple((f"/{name}", why) for name, why in faults.items())
    return Problem("conflict", f"{first[0]}: {first[1]}", errors)


def _detail(rule: Rule) -> dict[str, object]:
    found: dict[str, object] = msgspec.to_builtins(rule)
    return {name: value for name, value in found.items() if name not in {"id", "trouble"}}
