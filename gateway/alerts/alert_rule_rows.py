"""Rules of alerts and channels that alerts go to."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from gateway.alerts.alert_rules import Rule
from gateway.kit.pool import Connection, Pool
from schemas.api_alerts import AlertChannel

_RULE = "id, name, kind, threshold, direction, about, supplier, country, channels, enabled, trouble"
_CHANNEL = """c.id, c.name, c.kind, c.recipients, c.url, c.kind <> 'email' AND c.secret IS NULL AS lacks_secret,
    c.enabled, c.created_at, c.last_ok_at, c.failing_since,
    c.last_error, (SELECT count(*)::int FROM alert_messages m WHERE m.channel_id = c.id AND m.next_at IS NOT NULL)
        AS waiting"""


async def seed(connection: Connection, first: Sequence[Rule]) -> bool:
    """Make the first rules, once for ever; whether this was it."""
    if not await connection.fetchval("UPDATE alert_state SET seeded = true WHERE NOT seeded RETURNING true"):
        return False
    for rule in first:
        await add(connection, rule)
    return True


async def is_seeded(connection: Connection | Pool) -> bool:
    """Whether the first rules were made."""
    return bool(await connection.fetchval("SELECT seeded FROM alert_state"))


async def rules(connection: Connection | Pool) -> list[Rule]:
    """All rules, the oldest first."""
    rows = await connection.fetch(f"SELECT {_RULE} FROM alert_rules ORDER BY created_at, id")  # noqa: S608 - our own words
    return [_rule(row) for row in rows]


async def rule(connection: Connection | Pool, rule_id: str) -> Rule | None:
    """One rule, None when there is none of that id."""
    row = await connection.fetchrow(f"SELECT {_RULE} FROM alert_rules WHERE id = $1", rule_id)  # noqa: S608 - as above
    return None if row is None else _rule(row)


async def add(connection: Connection, new: Rule) -> Rule:
    """A new rule; its id is made here."""
    made = msgspec.structs.replace(new, id=f"alr_{secrets.token_hex(8)}")
    await connection.execute(
        """INSERT INTO alert_rules (id, name, kind, threshold, direction, about, supplier, country, channels, enabled,
                                    created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, clock_timestamp())""",
        *_values(made),
    )
    return made


async def change(connection: Connection, new: Rule) -> bool:
    """Put a rule in the place of the one with its id; False when there is none."""
    row = await connection.fetchrow(
        """UPDATE alert_rules SET name = $2, kind = $3, threshold = $4, direction = $5, about = $6, supplier = $7,
               country = $8, channels = $9, enabled = $10, trouble = NULL WHERE id = $1 RETURNING id""",
        *_values(new),
    )
    return row is not None


async def remove(connection: Connection, rule_id: str) -> bool:
    """Delete a rule; False when there is none of that id."""
    return await connection.fetchval("DELETE FROM alert_rules WHERE id = $1 RETURNING true", rule_id) is not None


async def troubles(connection: Connection, found: Mapping[str, str | None]) -> None:
    """Note of each rule why it could not be looked at, or that it could."""
    await connection.execute(
        """UPDATE alert_rules r SET trouble = t.why FROM unnest($1::text[], $2::text[]) AS t (id, why)
           WHERE r.id = t.id AND r.trouble IS DISTINCT FROM t.why""",
        list(found),
        list(found.values()),
    )


async def channels(connection: Connection | Pool) -> list[AlertChannel]:
    """All channels, the oldest first."""
    rows = await connection.fetch(f"SELECT {_CHANNEL} FROM alert_channels c ORDER BY c.created_at, c.id")  # noqa: S608 - as above
    return [msgspec.convert(dict(row), AlertChannel) for row in rows]


async def channel(connection: Connection | Pool, channel_id: str) -> AlertChannel | None:
    """One channel, None when there is none of that id."""
    row = await connection.fetchrow(f"SELECT {_CHANNEL} FROM alert_channels c WHERE c.id = $1", channel_id)  # noqa: S608 - as above
    return None if row is None else msgspec.convert(dict(row), AlertChannel)


async def add_channel(
    connection: Connection, name: str, kind: str, recipients: Sequence[str], url: str | None, secret: bytes | None
) -> str | None:
    """A new channel's id; None when another has its name. ``secret`` is sealed."""
    made: str | None = await connection.fetchval(
        """INSERT INTO alert_channels (id, name, kind, recipients, url, secret, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp()) ON CONFLICT (name) DO NOTHING RETURNING id""",
        f"ach_{secrets.token_hex(8)}",
        name,
        kind,
        list(recipients),
        url,
        secret,
    )
    return made


async def change_channel(connection: Connection, channel_id: str, recipients: Sequence[str], url: str | None) -> None:
    """Send a channel's messages elsewhere from now on."""
    await connection.execute(
        "UPDATE alert_channels SET recipients = $2, url = $3 WHERE id = $1", channel_id, list(recipients), url
    )


async def set_channel_secret(connection: Connection, channel_id: str, secret: bytes) -> None:
    """Another sealed secret in the place of the one before."""
    await connection.execute("UPDATE alert_channels SET secret = $2 WHERE id = $1", channel_id, secret)


async def enable_channel(connection: Connection, channel_id: str, *, enabled: bool) -> bool:
    """Switch a channel on or off; False when there is none. What waits for one that is off is called off."""
    row = await connection.fetchrow(
        "UPDATE alert_channels SET enabled = $2 WHERE id = $1 RETURNING id", channel_id, enabled
    )
    if row is not None and not enabled:
        await connection.execute(
            "UPDATE alert_messages SET status = 'failed', next_at = NULL WHERE channel_id = $1 AND next_at IS NOT NULL",
            channel_id,
        )
    return row is not None


async def remove_channel(connection: Connection, channel_id: str) -> bool:
    """Delete a channel with its messages, and take it out of the rules that name it; False when there is none.

    A rule that named this one alone is switched off: with none it would go to every channel.
    """
    if await connection.fetchval("DELETE FROM alert_channels WHERE id = $1 RETURNING true", channel_id) is None:
        return False
    await connection.execute(
        """UPDATE alert_rules SET channels = array_remove(channels, $1), enabled = enabled AND channels <> ARRAY[$1]
           WHERE $1 = ANY (channels)""",
        channel_id,
    )
    return True


async def went(connection: Connection, channel_id: str, at: datetime, error: str | None) -> bool:
    """Note how a try at a channel went; whether it failed before and arrives now, or the other way round."""
    before = await connection.fetchval(
        """WITH old AS (SELECT failing_since FROM alert_channels WHERE id = $1 FOR UPDATE)
           UPDATE alert_channels c SET
               last_ok_at = CASE WHEN $3::text IS NULL THEN $2 ELSE c.last_ok_at END,
               failing_since = CASE WHEN $3 IS NOT NULL THEN coalesce(c.failing_since, $2) END,
               last_error = $3
           FROM old WHERE c.id = $1 RETURNING old.failing_since IS NOT NULL""",
        channel_id,
        at,
        error,
    )
    return before is not None and before != (error is not None)


def _values(rule: Rule) -> tuple[Any, ...]:
    scope = (rule.direction, rule.about, rule.supplier, rule.country)
    return (rule.id, rule.name, rule.kind, rule.threshold, *scope, list(rule.channels), rule.enabled)


def _rule(row: Any) -> Rule:
    return Rule(**{**dict(row), "channels": tuple(row["channels"])})


async def channel_secret(connection: Connection | Pool, channel_id: str) -> bytes | None:
    """The sealed secret of a channel: what signs a webhook, a Slack URL, a bot's token; None where none is stored."""
    secret: bytes | None = await connection.fetchval("SELECT secret FROM alert_channels WHERE id = $1", channel_id)
    return secret
