"""Sending alerts: e-mail to the mail server, signed webhooks and chats, guarded like storefronts' webhooks.

A message is claimed for a minute, sent once, written down, and sent again after growing waits. Channels do not wait
for each other; one that takes messages again gets at once what waited for it.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime

import msgspec
import structlog

from gateway.alerts import alert_message_rows, alert_rule_rows, chat
from gateway.alerts.alert_message_rows import Due
from gateway.kit.guarded_http import GuardedHttpClient
from gateway.kit.mail import hand_over
from gateway.kit.pool import Pool
from gateway.kit.sealing import Seal, Unsealable
from gateway.kit.settings import Settings
from gateway.webhooks.deliver import signed
from gateway.webhooks.redelivery_rules import meaning, wait_before_next
from schemas.api_alerts import Alert, AlertsTold, AlertTest, AlertTry
from schemas.errors import ConfigurationError
from schemas.notice import Notice

log = structlog.get_logger(__name__)

CHANGED = "alerts.changed"
TEST = "alerts.test"
SECONDS = 20.0
LEASE_SECONDS = 60.0
AT_ONCE = 8
PAUSE_SECONDS = 2.0


async def deliver_alerts(settings: Settings, pool: Pool, stop: asyncio.Event) -> None:
    """Send alerts in this process until ``stop`` is set. A database that is away is waited for."""
    async with GuardedHttpClient(settings.webhooks.allow_private) as outside:
        sender = Sender(settings, pool, Seal.from_settings(settings), outside)
        trouble = ""
        while not stop.is_set():
            try:
                await sender.start_due()
                trouble = ""
            except Exception as error:  # noqa: BLE001 - whatever it is, alerts that come after it must be sent
                why = type(error).__name__
                if why != trouble:
                    log.warning("alert_delivery_paused", error=f"{why}: {error}")
                trouble = why
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), PAUSE_SECONDS)
        await sender.drain()


class Sender:
    """Sends messages in one process; any number of them share the work. ``draw`` gives numbers from 0 to 1."""

    def __init__(
        self,
        settings: Settings,
        pool: Pool,
        seal: Seal,
        outside: GuardedHttpClient,
        *,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._settings = settings
        self._pool = pool
        self._seal = seal
        self._outside = outside
        self._draw = draw
        self._running: set[asyncio.Task[None]] = set()

    async def start_due(self) -> int:
        """Claim what is due and has room, and begin to send it, each once; how many messages that were."""
        free = AT_ONCE - len(self._running)
        claimed = await alert_message_rows.claim_due(self._pool, free, LEASE_SECONDS) if free > 0 else []
        for due in claimed:
            task = asyncio.create_task(self._deliver(due), name=f"alert message {due.id}")
            self._running.add(task)
            task.add_done_callback(self._ended)
        return len(claimed)

    async def drain(self) -> None:
        """Wait until what was begun has ended; that is no longer than a try may take."""
        if self._running:
            await asyncio.wait(list(self._running), timeout=SECONDS + 5)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # The claim runs out and it is sent again.
            log.warning("alert_message_record_failed", task=task.get_name(), error=type(error).__name__)

    async def test(self, due: Due) -> AlertTest:
        """Send a test to a channel now, and note how it went."""
        made = await self._try(due, TEST)
        async with self._pool.acquire() as connection, connection.transaction():
            if await alert_rule_rows.went(connection, due.channel_id, made.at, None if made.arrived else made.said):
                self._turned(due, made)
            if made.arrived:
                await alert_message_rows.hurry(connection, due.channel_id)
        return AlertTest(made.arrived, made.said, made.ms)

    async def _deliver(self, due: Due) -> None:
        made = await self._try(due, CHANGED)
        wait = None if made.arrived else wait_before_next(due.tries + 1, self._draw())
        stands = "delivered" if made.arrived else "failed" if wait is None else "pending"
        async with self._pool.acquire() as connection, connection.transaction():
            if not await alert_message_rows.record(connection, due, made, stands, wait):
                return
            turned = await alert_rule_rows.went(
                connection, due.channel_id, made.at, None if made.arrived else made.said
            )
            if turned and made.arrived:
                await alert_message_rows.hurry(connection, due.channel_id)
        if turned:
            self._turned(due, made)
        if stands == "failed":
            log.error("alert_message_failed", channel=due.channel, message=due.id, said=made.said)

    async def _try(self, due: Due, kind: str) -> AlertTry:
        at, began = datetime.now(UTC), time.monotonic()
        try:
            async with asyncio.timeout(SECONDS):
                arrived, answer = await (self._email(due, kind) if due.kind == "email" else self._post(due, kind, at))
        except TimeoutError:
            arrived, answer = False, "timeout"
        return AlertTry(at, arrived, answer, round((time.monotonic() - began) * 1000))

    def _turned(self, due: Due, made: AlertTry) -> None:
        if made.arrived:
            log.info("alert_channel_recovered", channel=due.channel)
        else:
            log.error("alert_channel_failing", channel=due.channel, said=made.said)

    async def _post(self, due: Due, kind: str, at: datetime) -> tuple[bool, str]:
        if due.secret is None:
            return False, f"set the channel's secret first: esim-gateway alerts secret {due.channel_id}"
        try:
            secret = self._seal.open_text(due.secret)
        except (Unsealable, ConfigurationError) as error:
            return False, f"the secret cannot be read: {error}"
        if due.kind == "webhook":
            return await self._webhook(due, kind, at, secret)
        return await self._chat(due, kind, secret)

    async def _chat(self, due: Due, kind: str, secret: str) -> tuple[bool, str]:
        text = chat.cut([_line(_subject(due.body, kind)), "", *_text_lines(due, kind, self._settings)])
        if due.kind == "slack":
            url, body = secret, chat.slack_body(text)
        else:
            url, body = (
                chat.telegram_url(self._settings.alerts.telegram_url, secret),
                chat.telegram_body(due.recipients[0], text),
            )
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        return chat.outcome(await self._outside.post(url, body, headers, most_bytes=chat.MOST_ANSWER_BYTES))

    async def _webhook(self, due: Due, kind: str, at: datetime, secret: str) -> tuple[bool, str]:
        body = msgspec.json.encode(Notice(kind, due.id, due.created_at, due.body))
        reply = await self._outside.post(due.url or "", body, signed(due.id, body, [secret], at))
        answer = f"HTTP {reply.status}" if reply.status is not None else (reply.error or "no answer")
        return meaning(reply.status) == "delivered", answer

    async def _email(self, due: Due, kind: str) -> tuple[bool, str]:
        smtp = self._settings.smtp
        if not smtp.host or not smtp.sender:
            return False, "no mail server is set: [smtp] host and sender"
        message = written(due, kind, self._settings)
        answer = await hand_over(smtp, message, smtp.sender, due.recipients)
        return answer.outcome == "taken", answer.text


def written(due: Due, kind: str, settings: Settings) -> EmailMessage:
    """A message as an e-mail. Nothing of a supplier's text can end a header."""
    message = EmailMessage()
    message["Subject"] = _line(_subject(due.body, kind))[:200]
    message["From"] = settings.smtp.sender
    message["To"] = ", ".join(due.recipients)
    message["Date"] = format_datetime(due.created_at.astimezone(UTC))
    message["Message-ID"] = f"<{due.id}@{settings.smtp.sender.rpartition('@')[2] or 'localhost'}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n".join(_text_lines(due, kind, settings)) + "\n")
    return message


def _text_lines(due: Due, kind: str, settings: Settings) -> list[str]:
    return _lines(due.body, kind, settings.alerts.console_url.rstrip("/"))


def _subject(message: AlertsTold, kind: str) -> str:
    if kind == TEST:
        return "[eSIM gateway] a test"
    first = (message.raised or message.cleared)[0].title
    if message.raised_count + message.cleared_count == 1:
        return f"[eSIM gateway] {'' if message.raised else 'over: '}{first}"
    parts = [f"{message.raised_count} raised"] if message.raised_count else []
    parts += [f"{message.cleared_count} over"] if message.cleared_count else []
    return f"[eSIM gateway] {', '.join(parts)}: {first}"


def _lines(message: AlertsTold, kind: str, console: str) -> list[str]:
    if kind == TEST:
        return ["This is a test of a channel for alerts. It arrived."]
    lines: list[str] = []
    parts = (("Raised", message.raised, message.raised_count), ("Over", message.cleared, message.cleared_count))
    for word, some, count in parts:
        if count:
            lines += [f"{word}: {count}", ""]
            lines += [line for alert in some for line in _lines_of(alert, console)]
            lines += [f"... and {count - len(some)} more", ""] if count > len(some) else []
    lines.append(f"{message.standing_count} alerts stand now." + (f" {console}/console/alerts" if console else ""))
    return lines


def _lines_of(alert: Alert, console: str) -> list[str]:
    mode = " (test)" if alert.mode == "test" else ""
    lines = [f"- {_line(alert.title)}{mode}"]
    if alert.detail:
        lines.append(f"  {_line(alert.detail)}")
    if alert.flapping:
        lines.append("  It comes and goes: it ends only after some quiet.")
    if alert.cleared_at is not None and alert.cleared_why:
        lines.append(f"  Over: {_line(alert.cleared_why)}; raised {alert.raised_at:%Y-%m-%d %H:%M} UTC")
    if console and alert.link:
        lines.append(f"  {console}{alert.link}")
    return [*lines, ""]


def _line(text: str) -> str:
    """Text that others wrote, on one line and without control characters."""
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())
