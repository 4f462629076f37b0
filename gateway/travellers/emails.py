"""E-mails to the customers of storefronts that want it: sent by workers, one after the other, and again on request.

An event queues its e-mail in the transaction that dispatches it, once (``gateway.webhooks.event_rows``). A worker
claims one, sends it and records the end before it claims the next, so that a crash between sending and recording
leaves one e-mail of which nobody knows: that one is sent once more, and never a third time.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import msgspec
import structlog

from gateway.access import audit_rows
from gateway.access.key_rows import Mode
from gateway.access.user_rows import Visitor
from gateway.inventory import esim_rows
from gateway.inventory.esims import page_url
from gateway.kit.mail import MailAnswer, hand_over
from gateway.kit.pool import Pool
from gateway.kit.problem import Problem
from gateway.kit.sealing import Unsealable
from gateway.suppliers.deps import Deps
from gateway.travellers import traveller_email_rows, traveller_setting_rows
from gateway.travellers.email_rules import EmailFacts, Sender, without_addresses, write_email
from gateway.travellers.languages import choose, texts_in
from gateway.travellers.traveller_email_rows import DueEmail, EmailStatus, StoredEmail
from gateway.webhooks.redelivery_rules import wait_before_next
from schemas.errors import ConfigurationError

log = structlog.get_logger(__name__)

PAUSE_SECONDS = 2.0
LEASE = timedelta(minutes=2)
RESEND_PAUSE = timedelta(minutes=1)
_MOST_DOUBTS = 1


class _Skipped(Exception):  # noqa: N818 - a fact about the e-mail
    """This e-mail is not sent; the text says why."""


async def keep_sending(deps: Deps, pool: Pool, stop: asyncio.Event) -> None:
    """Send what is due until ``stop`` is set. A database that is away is waited for."""
    trouble = ""
    while not stop.is_set():
        try:
            while not stop.is_set() and await send_next(deps, pool):
                pass
            trouble = ""
        except Exception as error:  # noqa: BLE001 - whatever it is, e-mails that come after it must be sent
            why = type(error).__name__
            if why != trouble:
                log.warning("traveller_emails_paused", error=why)
            trouble = why
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), PAUSE_SECONDS)


async def send_next(deps: Deps, pool: Pool, draw: Callable[[], float] = random.random) -> bool:
    """Claim the e-mail that is due longest, send it and record the end; False when none is due."""
    due = await traveller_email_rows.claim(pool, LEASE)
    if due is None:
        return False
    if due.doubts > _MOST_DOUBTS:
        await traveller_email_rows.record(pool, due, "unknown", "it was handed over twice, and no answer was recorded")
        return True
    try:
        answer = await _send(deps, pool, due)
    except _Skipped as skipped:
        await traveller_email_rows.record(pool, due, "skipped", str(skipped))
        return True
    status, wait = _what_next(answer, due, draw())
    await traveller_email_rows.record(
        pool, due, status, answer.text, wait=wait, doubtful=status == "pending" and answer.outcome == "doubtful"
    )
    if status in {"bounced", "failed"}:
        log.warning("traveller_email_failed", email=due.id, order=due.order_id, status=status)
    return True


def _what_next(answer: MailAnswer, due: DueEmail, drawn: float) -> tuple[EmailStatus, float | None]:
    """The status after an answer, and in how many seconds it is tried again."""
    if answer.outcome == "taken":
        return "sent", None
    if answer.outcome == "refused":
        return "bounced", None
    if answer.outcome == "doubtful" and due.doubts >= _MOST_DOUBTS:
        return "unknown", None
    wait = wait_before_next(due.tries + 1, drawn)
    return ("failed", None) if wait is None else ("pending", wait)


async def _send(deps: Deps, pool: Pool, due: DueEmail) -> MailAnswer:
    appearance = await traveller_setting_rows.find(pool, due.storefront_id)
    if appearance is None or not appearance.email_enabled:
        raise _Skipped("e-mails of this storefront are switched off")
    if due.address is None:
        raise _Skipped("the order has no e-mail address")
    esim = None if due.esim_id is None else await esim_rows.get(pool, deps.seal, due.esim_id)
    if esim is None or (due.kind == "delivery" and esim.order_status != "fulfilled"):
        raise _Skipped("there is no eSIM to install")
    try:
        recipient = deps.seal.open_text(due.address)
    except (Unsealable, ConfigurationError):
        return MailAnswer("failed", "the address cannot be read with the secret keys of this worker")
    texts = texts_in(choose(due.language, default=appearance.email_language or "en"))
    smtp = deps.settings.smtp
    sender = Sender(appearance.email_name or appearance.shop_name or "", appearance.email_address or smtp.sender)
    if not sender.address:
        return MailAnswer("failed", "no mail server is set: [smtp] host and sender")
    facts = EmailFacts(
        id=due.id,
        kind=due.kind,
        order_id=due.order_id,
        plan=str(due.plan.get("name") or texts("Your eSIM")),
        threshold=_threshold(deps, due),
        at=due.created_at,
        page_url=_page_url(deps, esim.id, texts.language),
    )
    try:
        message = write_email(facts, esim, texts, appearance, sender, recipient)
    except ValueError as error:
        raise _Skipped(without_addresses(str(error), recipient)) from None
    answer = await hand_over(smtp, message, sender.address, [recipient])
    return answer._replace(text=without_addresses(answer.text, recipient))


class _UsageBody(msgspec.Struct):
    data: dict[str, Any]


def _threshold(deps: Deps, due: DueEmail) -> int | None:
    if due.event is None:
        return None
    found = msgspec.json.decode(deps.seal.open(due.event), type=_UsageBody).data.get("threshold")
    return found if isinstance(found, int) else None


def _page_url(deps: Deps, esim_id: str, language: str) -> str | None:
    """The page's whole address; None where the settings do not say where travellers reach it."""
    return f"{page_url(deps, esim_id)}?lang={language}" if deps.settings.esim.page_base_url else None


async def resend(
    deps: Deps, order_id: str, actor: Visitor | str, storefront_id: str | None = None, mode: Mode | None = None
) -> StoredEmail | Problem:
    """Queue the delivery of an order once more; asked for twice within a minute it is one.

    Problems: not_found, conflict (e-mails are switched off, no address, nothing delivered).
    """
    async with deps.pool.acquire() as connection, connection.transaction():
        found = await traveller_email_rows.mailable(connection, order_id, storefront_id, mode)
        if found is None:
            return Problem("not_found", "there is no such order")
        if not found.enabled:
            return Problem("conflict", "e-mails to travellers are switched off for this storefront")
        if not found.has_email:
            return Problem("conflict", "this order has no customer.email")
        if not found.can_be_sent:
            return Problem("conflict", "this order has no eSIM to install")
        name = actor.name if isinstance(actor, Visitor) else actor
        email = await traveller_email_rows.add_again(connection, order_id, name, RESEND_PAUSE)
        if email is None:
            return Problem("conflict", "this order has no eSIM to install")
        await audit_rows.record(connection, actor, "order.email_resent", f"order:{order_id}", {"email": email.id})
    return email
