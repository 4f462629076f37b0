"""Handing an e-mail to the mail server, and what it said: taken, refused for good, not taken, or nobody knows."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from email.message import EmailMessage
from typing import Any, Literal, NamedTuple

import aiosmtplib

from gateway.kit.settings import Smtp

SECONDS = 20.0
TLS_PORT = 465
_LONGEST = 300
_PERMANENT = range(500, 600)

Outcome = Literal["taken", "refused", "failed", "doubtful"]


class MailAnswer(NamedTuple):
    """What came of handing over. ``refused`` is for good (5xx for the recipient or the message), ``failed`` for now.

    ``doubtful``: the connection ended while the server may have taken the message.
    """

    outcome: Outcome
    text: str


async def hand_over(smtp: Smtp, message: EmailMessage, sender: str, recipients: Sequence[str]) -> MailAnswer:
    """Hand a message to the mail server, within ``SECONDS``. Never raises for what the server does."""
    if not smtp.host:
        return MailAnswer("failed", "no mail server is set: [smtp] host and sender")
    try:
        async with asyncio.timeout(SECONDS):
            refused, answer = await aiosmtplib.send(
                message,
                sender=sender,
                recipients=list(recipients),
                hostname=smtp.host,
                port=smtp.port,
                username=smtp.user or None,
                password=smtp.password.get_secret_value() if smtp.password is not None and smtp.user else None,
                use_tls=smtp.port == TLS_PORT,
                start_tls=smtp.starttls and smtp.port != TLS_PORT,
                timeout=SECONDS,
            )
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        return _failed(error)
    if refused:
        first = next(iter(refused.items()))
        return MailAnswer("failed", f"{first[0]}: {_line(*first[1])}")
    return MailAnswer("taken", _line(250, answer))


def _failed(error: Exception) -> MailAnswer:
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        error = error.recipients[0]
    if isinstance(error, aiosmtplib.SMTPResponseException):
        ours = isinstance(error, aiosmtplib.SMTPRecipientRefused | aiosmtplib.SMTPDataError)
        outcome: Outcome = "refused" if ours and error.code in _PERMANENT else "failed"
        return MailAnswer(outcome, _line(error.code, error.message))
    text = "timeout" if type(error) is TimeoutError else f"{type(error).__name__}: {error}"[:_LONGEST]
    unsent = isinstance(error, aiosmtplib.SMTPConnectError | ValueError)
    return MailAnswer("failed" if unsent else "doubtful", text)


def _line(code: int, text: Any) -> str:
    return f"{code} {' '.join(str(text).split())}"[:_LONGEST]
