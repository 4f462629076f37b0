"""Where alerts go: channels made, switched, tested, deleted."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from gateway.access import audit_rows
from gateway.access.user_rows import Visitor
from gateway.alerts import alert_message_rows, alert_rule_rows
from gateway.alerts.alert_message_rows import Due
from gateway.alerts.delivery import Sender
from gateway.kit.addresses import fault_of_url
from gateway.kit.guarded_http import GuardedHttpClient
from gateway.kit.pool import Pool
from gateway.kit.problem import Problem
from gateway.suppliers.deps import Deps
from gateway.webhooks.endpoints import new_secret
from schemas.api_alerts import AlertChannel, AlertChannelMade, AlertChannelRequest, AlertMessage, AlertsTold, AlertTest
from schemas.errors import ConfigurationError

MOST = 20
_ADDRESS = re.compile(r"[^@\s<>,;:\"\\()\[\]]{1,64}@[A-Za-z0-9.-]{1,190}\Z")


async def all_channels(pool: Pool) -> list[AlertChannel]:
    """Every channel, the oldest first."""
    return await alert_rule_rows.channels(pool)


async def create(deps: Deps, request: AlertChannelRequest, actor: Visitor | str) -> AlertChannelMade | Problem:
    """A new channel; a webhook's secret is told this once. Or what of it cannot be (conflict, with its field).

    Unavailable without a key to keep secrets under.
    """
    recipients = list(dict.fromkeys(address.strip() for address in request.recipients if address.strip()))
    if (fault := _fault(deps, request, recipients)) is not None:
        return Problem("conflict", f"{fault[0]}: {fault[1]}", ((f"/{fault[0]}", fault[1]),))
    secret = new_secret() if request.kind == "webhook" else None
    try:
        sealed = None if secret is None else deps.seal.seal(secret)
    except ConfigurationError as error:
        return Problem("unavailable", str(error))
    async with deps.pool.acquire() as connection, connection.transaction():
        if len(await alert_rule_rows.channels(connection)) >= MOST:
            return Problem("conflict", f"there are {MOST} channels already")
        made = await alert_rule_rows.add_channel(
            connection, request.name.strip(), request.kind, recipients, request.url, sealed
        )
        if made is None:
            return Problem("conflict", "another channel has that name", (("/name", "another channel has it"),))
        detail = {"name": request.name, "kind": request.kind, "to": request.url or recipients}
        await audit_rows.record(connection, actor, "alert_channel.added", f"alert_channel:{made}", detail)
        found = await alert_rule_rows.channel(connection, made)
    if found is None:
        raise LookupError("a channel that was just made is gone")
    return AlertChannelMade(**{name: getattr(found, name) for name in found.__struct_fields__}, secret=secret)


async def enable(pool: Pool, channel_id: str, actor: Visitor | str, *, enabled: bool) -> Problem | None:
    """Switch a channel on or off. What waits for one that is switched off is called off."""
    async with pool.acquire() as connection, connection.transaction():
        if not await alert_rule_rows.enable_channel(connection, channel_id, enabled=enabled):
            return Problem("not_found", "there is no such channel")
        word = "enabled" if enabled else "disabled"
        await audit_rows.record(connection, actor, f"alert_channel.{word}", f"alert_channel:{channel_id}")
    return None


async def remove(pool: Pool, channel_id: str, actor: Visitor | str) -> Problem | None:
    """Delete a channel with its messages."""
    async with pool.acquire() as connection, connection.transaction():
        found = await alert_rule_rows.channel(connection, channel_id)
        if found is None or not await alert_rule_rows.remove_channel(connection, channel_id):
            return Problem("not_found", "there is no such channel")
        detail = {"name": found.name, "kind": found.kind}
        await audit_rows.record(connection, actor, "alert_channel.removed", f"alert_channel:{channel_id}", detail)
    return None


async def test(deps: Deps, channel_id: str, actor: Visitor | str) -> AlertTest | Problem:
    """Send a test to a channel now, and tell whether it arrived. A channel that is switched off is tested all the same.

    It takes as long as the other side does, twenty seconds at most.
    """
    found = await alert_rule_rows.channel(deps.pool, channel_id)
    if found is None:
        return Problem("not_found", "there is no such channel")
    secret = await alert_rule_rows.channel_secret(deps.pool, channel_id)
    now = datetime.now(UTC)
    due = Due(
        id=f"alm_{secrets.token_hex(10)}",
        channel_id=found.id,
        channel=found.name,
        kind=found.kind,
        recipients=tuple(found.recipients),
        url=found.url,
        secret=secret,
        created_at=now,
        tries=0,
        leased_until=now,
        body=AlertsTold([], [], 0, 0, 0),
    )
    async with GuardedHttpClient(deps.settings.webhooks.allow_private) as outside:
        outcome = await Sender(deps.settings, deps.pool, deps.seal, outside).test(due)
    async with deps.pool.acquire() as connection, connection.transaction():
        detail = msgspec.to_builtins(outcome)
        await audit_rows.record(connection, actor, "alert_channel.tested", f"alert_channel:{channel_id}", detail)
    return outcome


async def messages(pool: Pool, channel_id: str, limit: int = 50) -> list[AlertMessage]:
    """The last messages to a channel, the newest first."""
    return await alert_message_rows.newest(pool, channel_id, limit)


def _fault(deps: Deps, request: AlertChannelRequest, recipients: Sequence[str]) -> tuple[str, str] | None:
    if request.kind == "webhook":
        if recipients:
            return "recipients", "are of e-mail"
        if not request.url:
            return "url", "is needed"
        fault = fault_of_url(request.url, deps.settings.webhooks.allow_private)
        return None if fault is None else ("url", fault)
    if request.url:
        return "url", "is of a webhook"
    if not recipients:
        return "recipients", "are needed"
    wrong = next((address for address in recipients if not _ADDRESS.match(address)), None)
    return None if wrong is None else ("recipients", f"{wrong[:60]} is no e-mail address")
