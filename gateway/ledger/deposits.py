"""Filling our balance at a supplier: the ways there are, and deposits begun at those that take them online."""

from __future__ import annotations

import secrets
from decimal import Decimal

import structlog

from gateway.access import audit_rows
from gateway.access.user_rows import Visitor
from gateway.kit.problem import Problem
from gateway.ledger import deposit_rows
from gateway.ledger.deposit_rows import Deposit
from gateway.suppliers.accounts import Account
from gateway.suppliers.deps import Deps
from providers.contract import Capability
from schemas.account import DepositWay
from schemas.errors import GatewayError
from schemas.money import Money

log = structlog.get_logger(__name__)

MOST = Decimal(1_000_000)


def ways(account: Account | None) -> tuple[DepositWay, ...]:
    """The ways to fill an account, those online first; none for one that is not configured."""
    if account is None:
        return ()
    able = Capability.DEPOSITS in account.manifest.capabilities
    offered = (way for way in account.manifest.deposit_ways if able or not way.online)
    return tuple(sorted(offered, key=lambda way: not way.online))


def _wrong_amount(account: Account, way: DepositWay, amount: Money) -> Problem | None:
    if not (amount.amount.is_finite() and 0 < amount.amount <= MOST):
        part, what = "amount", f"must be more than 0 and at most {MOST}"
    elif amount != amount.rounded_up():
        part, what = "amount", f"has more decimals than {amount.currency} has"
    elif way.currency is not None and amount.currency != way.currency:
        part, what = "currency", f"{account.manifest.title} takes {way.currency} here"
    else:
        return None
    return Problem("conflict", f"amount: {what}", ((f"/amount/{part}", what),))


async def begin(deps: Deps, name: str, way: str, amount: Money, actor: Visitor | str) -> Deposit | Problem:
    """Ask the supplier for a page at which an operator pays. No money moves before somebody does.

    It is noted who began it before the supplier is asked. From then on the balance is looked at every minute for an
    hour, so that offers come back as soon as the money is there.
    """
    account = deps.accounts.get(name)
    if account is None:
        return Problem("not_found", "there is no such supplier")
    found = next((known for known in ways(account) if known.name == way), None)
    if found is None or not found.online:
        return _no_way(account, way, found)
    if (wrong := _wrong_amount(account, found, amount)) is not None:
        return wrong
    deposit_id = f"dep_{secrets.token_hex(12)}"
    async with deps.pool.acquire() as connection, connection.transaction():
        by = actor if isinstance(actor, str) else actor.name
        await deposit_rows.ask(connection, deposit_id, name, way, amount, by, deps.clock())
        detail = {"way": way, "amount": str(amount), "deposit": deposit_id}
        await audit_rows.record(connection, actor, "supplier.deposit_begun", f"supplier:{name}", detail)
    try:
        session = await account.provider.deposit(way, amount)
    except GatewayError as error:
        await deposit_rows.failed(deps.pool, deposit_id, str(error))
        log.warning("deposit_start_failed", supplier=name, way=way)
        return Problem("unavailable", f"{account.manifest.title} returned no payment page: {error}")
    await deposit_rows.begun(deps.pool, deposit_id, session.id, session.url)
    made = await deposit_rows.find(deps.pool, deposit_id)
    return made if made is not None else Problem("not_found", "the deposit is gone")


def _no_way(account: Account, way: str, found: DepositWay | None) -> Problem:
    title, names = account.manifest.title, [known.name for known in ways(account) if known.online]
    if found is not None:
        return Problem("not_supported", f"deposits: {title}, {found.title}: {found.what_to_do}")
    if not names:
        by_hand = " ".join(known.what_to_do for known in ways(account))
        return Problem("not_supported", f"deposits: {title} takes none online. {by_hand}".strip())
    what = f"one of {', '.join(names)}"
    return Problem("conflict", f"way: {way[:40]!r} is not {what}", (("/way", what),))
