"""What comes to ``/webhooks/{name}``: verified at the same cost whoever the name is, then taken in by its kind.

Nobody learns from the time of a refusal which suppliers there are: every request is verified once with an account of
each plugin that sends anything, its own account among them where the name has one, and every refusal writes one row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Literal

import structlog

from gateway.checkouts import payments
from gateway.intake import incoming
from gateway.kit.pool import DATABASE_DOWN
from gateway.suppliers import supplier_check_rows
from gateway.suppliers.accounts import Account
from gateway.suppliers.deps import Deps
from gateway.suppliers.payment_accounts import PaymentAccount
from providers.contract import Capability

log = structlog.get_logger(__name__)

Outcome = Literal["taken", "forged", "unreadable"]

_NOBODY = ""  # no supplier has this name


async def receive(deps: Deps, name: str, headers: Mapping[str, str], body: bytes, now: datetime) -> Outcome:
    """Take in what was sent to a name. A name that is unknown, or sends no webhooks, is "forged".

    Raises what the database raises when something genuine cannot be stored: it is then sent again.
    """
    senders = _senders(deps)
    named = senders.get(name)
    outcome: Outcome = "forged"
    for sender in _one_of_each_kind(senders.values(), named):
        if sender is not named:
            _verify(sender, headers, body, now)
        elif isinstance(sender, PaymentAccount):
            outcome = await payments.receive(deps, sender, headers, body, now)
        else:
            outcome = await incoming.receive(deps, sender, headers, body, now)
    if outcome == "forged":
        log.warning("webhook_forged", supplier=None if named is None else named.name)  # anybody may write a name
        with suppress(*DATABASE_DOWN):  # it is for operators, and changes no answer
            await supplier_check_rows.heard_forged(deps.pool, _NOBODY if named is None else named.name)
    return outcome


def _senders(deps: Deps) -> Mapping[str, Account | PaymentAccount]:
    hearing = {
        name: account for name, account in deps.accounts.items() if Capability.WEBHOOKS in account.manifest.capabilities
    }
    return {**deps.payments, **hearing}


def _one_of_each_kind(
    senders: Iterable[Account | PaymentAccount], named: Account | PaymentAccount | None
) -> list[Account | PaymentAccount]:
    """For each plugin one of its accounts, ``named`` for its own; always in the same order."""
    kinds = {sender.manifest.name: sender for sender in senders}
    if named is not None:
        kinds[named.manifest.name] = named
    return [kinds[kind] for kind in sorted(kinds)]


def _verify(sender: Account | PaymentAccount, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    """Do the work of verifying, for its own sake."""
    if isinstance(sender, PaymentAccount):
        sender.provider.verify_notice(headers, body)
    else:
        sender.provider.verify_webhook(headers, body, now)
