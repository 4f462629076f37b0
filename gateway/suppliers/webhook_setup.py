"""Where a supplier sends its webhooks: set there by a call, tried with a test, and waited for until it has arrived."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from ipaddress import ip_network
from urllib.parse import urlsplit

from gateway.access import audit_rows
from gateway.access.user_rows import Visitor
from gateway.kit.addresses import Network, fault_of_url
from gateway.kit.problem import Problem
from gateway.suppliers import supplier_check_rows
from gateway.suppliers.accounts import Account, follow_keys
from gateway.suppliers.deps import Deps
from providers.contract import Capability
from schemas.api_accounts import WebhookSetUp
from schemas.errors import GatewayError

ARRIVES_SECONDS = 30.0
_POLL_SECONDS = 0.25
_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))

Report = Callable[[str], None]


async def set_up(
    deps: Deps,
    supplier: str,
    base_url: str,
    actor: Visitor | str,
    *,
    seconds: float = ARRIVES_SECONDS,
    report: Report = lambda _: None,
) -> WebhookSetUp | Problem:
    """Have a supplier send its webhooks to this gateway, which suppliers reach at ``base_url``, and try it.

    ``report`` gets each step as a line of text. Problems: not_found, invalid (the address).
    """
    account = deps.accounts.get(supplier)
    if account is None:
        return Problem("not_found", f"no supplier {supplier} is configured")
    url = f"{base_url.rstrip('/')}/webhooks/{supplier}"
    if (fault := _fault(url, deps.settings.webhooks.allow_private)) is not None:
        return Problem("invalid", f"the base URL cannot be used: {fault}")
    await follow_keys(deps.accounts, deps.pool, deps.seal)
    account = deps.accounts[supplier]
    title, able = account.manifest.title, account.manifest.capabilities
    if Capability.WEBHOOK_SETTINGS not in able:
        advice = account.manifest.webhook_advice or f"set this address at {title}"
        note = account.manifest.capability_notes.get(Capability.WEBHOOK_SETTINGS, "")
        return WebhookSetUp(supplier, url, "by_hand", note, advice)
    return await _tried(deps, account, url, actor, seconds, report)


async def _tried(
    deps: Deps, account: Account, url: str, actor: Visitor | str, seconds: float, report: Report
) -> WebhookSetUp:
    """The address set at the supplier, and what became of its test."""
    name, title = account.name, account.manifest.title
    began = await supplier_check_rows.now(deps.pool)
    try:
        report(f"{name}: setting {url}")
        await account.provider.set_webhook(url)
        async with deps.pool.acquire() as connection, connection.transaction():
            await audit_rows.record(connection, actor, "supplier_webhook.set", f"supplier:{name}", {"url": url})
        report(f"{name}: asking for a test")
        await account.provider.test_webhook()
    except GatewayError as error:
        what = f"run `esim-gateway suppliers check {name}`, and set it at {title} by hand if it stays so"
        return WebhookSetUp(name, url, "refused", str(error), what)
    report(f"{name}: waiting for the test, {seconds:g} s at most")
    for _ in range(max(1, round(seconds / _POLL_SECONDS))):
        heard = await supplier_check_rows.heard(deps.pool, name)
        if heard.good_at is not None and heard.good_at >= began:
            return WebhookSetUp(name, url, "arrived", "the test has arrived, and its signature fits", "")
        if heard.forged_at is not None and heard.forged_at >= began:
            detail = "something has arrived, and its signature does not fit"
            what = f"suppliers.{name}.webhook_secret is not the one that {title} signs with: copy it from there"
            return WebhookSetUp(name, url, "forged", detail, what)
        await asyncio.sleep(_POLL_SECONDS)
    detail = f"{title} took the address and the test, and nothing has arrived within {seconds:g} s"
    what = (
        "see that this address reaches the gateway from outside, that `serve` runs on this database, and that what"
        " stands in front of it passes POST /webhooks/ on"
    )
    return WebhookSetUp(name, url, "not_arrived", detail, what)


def _fault(url: str, private: Sequence[Network]) -> str | None:
    """What is wrong with the address, None when nothing is. http is for this machine and for what is allowed only."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return "is no URL"
    literal = host == "localhost" or ":" in host or host.replace(".", "").isdecimal()
    return fault_of_url(url, (*private, *_LOOPBACK) if literal else ())
