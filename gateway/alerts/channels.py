"""Where alerts go: channels made, switched, tested, deleted."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from gateway.access import audit_rows
from gateway.access.user_rows import Visitor
from gateway.alerts import alert_message_rows, alert_rule_rows
from gateway.alerts.alert_message_rows import Due
from gateway.alerts.delivery import Sender
from gateway.kit.addresses import fault_of_url
from gateway.kit.guarded_http import GuardedHttpClient
from gateway.kit.pool import Connection, Pool
from gateway.kit.problem import Problem
from gateway.kit.settings import Settings
from gateway.suppliers.deps import Deps
from gateway.webhooks.endpoints import new_secret
from schemas.api_alerts import (
    AlertChannel,
    AlertChannelMade,
    AlertChannelRequest,
    AlertChannelSecret,
    AlertMessage,
    AlertsTold,
    AlertTest,
)
from schemas.errors import ConfigurationError

MOST = 20
_ADDRESS = re.compile(r"[^@\s<>,;:\"\\()\[\]]{1,64}@[A-Za-z0-9.-]{1,190}\Z")
_CHAT = re.compile(r"(?:-?[0-9]{1,20}|@[A-Za-z][A-Za-z0-9_]{3,63})\Z")


class _Takes(NamedTuple):
    """What a kind of channel is made of, by the fields of a request."""

    recipients: bool = False
    url: bool = False
    token: bool = False


_TAKES = {
    "email": _Takes(recipients=True),
    "webhook": _Takes(url=True),
    "slack": _Takes(url=True),
    "telegram": _Takes(recipients=True, token=True),
}


async def all_channels(pool: Pool) -> list[AlertChannel]:
    """Every channel, the oldest first."""
    return await alert_rule_rows.channels(pool)


async def create(
    deps: Deps, request: AlertChannelRequest, actor: Visitor | str, *, secret_follows: bool = False
) -> AlertChannelMade | Problem:
    """A new channel; a webhook's secret is told this once. Or what of it cannot be (conflict, with its field).

    Unavailable without a key to keep secrets under. With ``secret_follows`` the URL of Slack or the token of a bot may
    be missing: nothing is delivered until ``set_secret``.
    """
    recipients = _recipients(request)
    if (fault := _fault(deps.settings, request, recipients, secret_follows=secret_follows)) is not None:
        return _conflict(*fault)
    secret = new_secret() if request.kind == "webhook" else None
    to_keep = {"webhook": secret, "slack": request.url, "telegram": request.token}.get(request.kind)
    try:
        sealed = None if to_keep is None else deps.seal.seal(to_keep)
    except ConfigurationError as error:
        return Problem("unavailable", str(error))
    url = request.url if request.kind == "webhook" else None
    async with deps.pool.acquire() as connection, connection.transaction():
        if len(await alert_rule_rows.channels(connection)) >= MOST:
            return Problem("conflict", f"there are {MOST} channels already")
        made = await alert_rule_rows.add_channel(
            connection, request.name.strip(), request.kind, recipients, url, sealed
        )
        if made is None:
            return Problem("conflict", "another channel has that name", (("/name", "another channel has it"),))
        detail = {"name": request.name, "kind": request.kind, "to": url or recipients}
        await audit_rows.record(connection, actor, "alert_channel.added", f"alert_channel:{made}", detail)
        return await _with_secret(connection, made, secret)


async def change(deps: Deps, channel_id: str, request: AlertChannelRequest, actor: Visitor | str) -> Problem | None:
    """Send a channel's messages to other addresses, another URL or another chat; its name and kind stay."""
    recipients = _recipients(request)
    if (fault := _fault(deps.settings, request, recipients, secret_follows=True)) is not None:
        return _conflict(*fault)
    async with deps.pool.acquire() as connection, connection.transaction():
        found = await alert_rule_rows.channel(connection, channel_id)
        if found is None:
            return _NONE
        if found.kind != request.kind:
            return _conflict("kind", f"cannot change: {found.name} is a channel of kind {found.kind}")
        url = request.url if request.kind == "webhook" else None
        await alert_rule_rows.change_channel(connection, channel_id, recipients, url)
        detail = {"name": found.name, "before": found.url or found.recipients, "after": url or recipients}
        await audit_rows.record(connection, actor, "alert_channel.changed", f"alert_channel:{channel_id}", detail)
    return None


async def set_secret(
    deps: Deps, channel_id: str, sent: AlertChannelSecret, actor: Visitor | str
) -> AlertChannelMade | Problem:
    """Another URL of Slack or token of a bot, or a new secret of a webhook, told this once. It counts at once."""
    async with deps.pool.acquire() as connection, connection.transaction():
        found = await alert_rule_rows.channel(connection, channel_id)
        if found is None:
            return _NONE
        if found.kind == "email":
            return _conflict("kind", "an e-mail channel has no secret")
        request = AlertChannelRequest(
            name=found.name,
            kind=found.kind,
            recipients=found.recipients,
            url=sent.url or found.url,
            token=sent.token,
        )
        if found.kind == "webhook" and sent.url is not None:
            return _conflict("url", "belongs to Slack; a webhook gets a new secret")
        if (fault := _fault(deps.settings, request, found.recipients)) is not None:
            return _conflict(*fault)
        secret = new_secret() if found.kind == "webhook" else None
        try:
            sealed = deps.seal.seal(secret or sent.token or sent.url or "")
        except ConfigurationError as error:
            return Problem("unavailable", str(error))
        await alert_rule_rows.set_channel_secret(connection, channel_id, sealed)
        detail = {"name": found.name, "kind": found.kind}
        await audit_rows.record(connection, actor, "alert_channel.secret_set", f"alert_channel:{channel_id}", detail)
        return await _with_secret(connection, channel_id, secret)


async def enable(pool: Pool, channel_id: str, actor: Visitor | str, *, enabled: bool) -> Problem | None:
    """Switch a channel on or off. What waits for one that is switched off is called off."""
    async with pool.acquire() as connection, connection.transaction():
        if not await alert_rule_rows.enable_channel(connection, channel_id, enabled=enabled):
            return _NONE
        word = "enabled" if enabled else "disabled"
        await audit_rows.record(connection, actor, f"alert_channel.{word}", f"alert_channel:{channel_id}")
    return None


async def remove(pool: Pool, channel_id: str, actor: Visitor | str) -> Problem | None:
    """Delete a channel with its messages."""
    async with pool.acquire() as connection, connection.transaction():
        found = await alert_rule_rows.channel(connection, channel_id)
        if found is None or not await alert_rule_rows.remove_channel(connection, channel_id):
            return _NONE
        detail = {"name": found.name, "kind": found.kind}
        await audit_rows.record(connection, actor, "alert_channel.removed", f"alert_channel:{channel_id}", detail)
    return None


async def test(deps: Deps, channel_id: str, actor: Visitor | str) -> AlertTest | Problem:
    """Send a test to a channel now, and tell whether it arrived. A channel that is switched off is tested all the same.

    It takes as long as the other side does, twenty seconds at most.
    """
    found = await alert_rule_rows.channel(deps.pool, channel_id)
    if found is None:
        return _NONE
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


async def _with_secret(connection: Connection, channel_id: str, secret: str | None) -> AlertChannelMade:
    found = await alert_rule_rows.channel(connection, channel_id)
    if found is None:
        raise LookupError("a channel that was just made is gone")
    return AlertChannelMade(**{name: getattr(found, name) for name in found.__struct_fields__}, secret=secret)


def _recipients(request: AlertChannelRequest) -> list[str]:
    return list(dict.fromkeys(address.strip() for address in request.recipients if address.strip()))


def _fault(
    settings: Settings, request: AlertChannelRequest, recipients: list[str], *, secret_follows: bool = False
) -> tuple[str, str] | None:
    """What of a channel cannot be: the field, and why."""
    takes = _TAKES[request.kind]
    filled = _Takes(recipients=bool(recipients), url=bool(request.url), token=bool(request.token))
    needed = takes
    if secret_follows:
        needed = takes._replace(token=False, url=takes.url and request.kind != "slack")
    for field in _Takes._fields:
        if getattr(filled, field) and not getattr(takes, field):
            return field, f"does not belong to a channel of kind {request.kind}"
        if getattr(needed, field) and not getattr(filled, field):
            return field, "is needed"
    if request.url and (fault := fault_of_url(request.url, settings.webhooks.allow_private)) is not None:
        return "url", fault
    if request.kind == "email" and (wrong := [text for text in recipients if not _ADDRESS.match(text)]):
        return "recipients", f"{wrong[0][:60]} is no e-mail address"
    if request.kind == "telegram" and (len(recipients) != 1 or not _CHAT.match(recipients[0])):
        return "recipients", "takes one chat: its id, such as -1001234567890, or the name of a channel, such as @alerts"
    return None


def _conflict(field: str, why: str) -> Problem:
    return Problem("conflict", f"{field}: {why}", ((f"/{field}", why),))


_NONE = Problem("not_found", "there is no such channel")
