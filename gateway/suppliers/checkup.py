"""An account at a supplier looked at: what it can do, and what is wrong with it. One report for everybody who asks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any

from pydantic import SecretStr

from gateway.kit.pages import price_of
from gateway.kit.problem import Problem
from gateway.suppliers import selling_rows, supplier_check_rows, supplier_key_rows
from gateway.suppliers.accounts import Account, follow_keys
from gateway.suppliers.checkup_rules import (
    BALANCE,
    CATALOGUE,
    CREDENTIALS,
    Facts,
    KeyFacts,
    ProbeResult,
    is_refused,
    judge,
)
from gateway.suppliers.deps import Deps
from gateway.suppliers.payment_accounts import PaymentAccount
from providers.contract import Capability, CatalogPage, Probe
from providers.kit.supplier_rate import SupplierRateLimiter
from schemas.account import Balance, SupplierAccount, SupplierKey
from schemas.api_accounts import CheckReport
from schemas.errors import GatewayError, SupplierError, TimedOut

ONE_SECONDS = 60.0


async def check(deps: Deps, supplier: str) -> CheckReport | Problem:
    """Look at one account now, and keep the report. Nothing is bought. Problem: not_found."""
    if (payments := deps.payments.get(supplier)) is not None:
        report = await _payments_report(deps, payments)
    elif supplier in deps.accounts:
        await follow_keys(deps.accounts, deps.pool, deps.seal)
        report = await _report(deps, deps.accounts[supplier])
    else:
        return Problem("not_found", f"no supplier {supplier} is configured")
    await supplier_check_rows.keep(deps.pool, report)
    return report


async def check_all(deps: Deps, names: Sequence[str] = ()) -> list[CheckReport]:
    """Look at these accounts, or at every configured one, all at once; by name."""
    every = names or sorted({*deps.accounts, *deps.payments})
    found = await asyncio.gather(*(check(deps, name) for name in every))
    return [report for report in found if isinstance(report, CheckReport)]


async def first_answer(account: Account) -> str | None:
    """Read one thing of an account, as the probe of its breaker; None when it answered, else why not."""
    run = _ProbeRun(account.limiter)
    for probe in (account.provider.probes() or _plain_probes(account))[:1]:
        await run.probe(probe.what, probe.settings, probe.read)
    if not run.made:
        await run.probe(CATALOGUE, (), lambda: _first_page(account.provider.catalog()))
    error = run.made[0].error
    return None if error is None else str(error)


class _ProbeRun:
    """The calls, one after the other, and what they gave. When the supplier does not know us no more are made."""

    def __init__(self, limiter: SupplierRateLimiter) -> None:
        self.limiter = limiter
        self.made: list[ProbeResult] = []
        self.refused = False

    async def probe(self, about: str, settings: tuple[str, ...], call: Callable[[], Awaitable[Any]]) -> Any:
        """What the call gives; None when it gives nothing, or was not worth making."""
        if self.refused:
            self.made.append(ProbeResult(about, settings, made=False))
            return None
        found, error, began = None, None, time.monotonic()
        try:
            await self.limiter.probe()
            async with asyncio.timeout(ONE_SECONDS):
                found = await call()
        except SupplierError as fault:
            error = fault
        except TimeoutError:
            error = TimedOut(f"no answer within {ONE_SECONDS:g} s")
        except GatewayError as fault:
            error = SupplierError(str(fault))
        except Exception as fault:  # noqa: BLE001 - a plugin's own fault is a finding too, and no secret is in its kind
            error = SupplierError(f"a fault of the plugin: {type(fault).__name__}")
        ms = round((time.monotonic() - began) * 1000)
        found_text = f"{found} on the first page" if about == CATALOGUE and isinstance(found, int) else ""
        result = ProbeResult(about, settings, error, ms, found=found_text)
        self.made.append(result)
        self.refused = is_refused(result)
        return found


async def _report(deps: Deps, account: Account) -> CheckReport:
    provider, able = account.provider, account.manifest.capabilities
    run = _ProbeRun(account.limiter)
    reported_account: SupplierAccount | None = None
    keys: list[SupplierKey] | None = None
    # Credentials first, whatever order the plugin names them in: they decide whether the rest is worth asking.
    for probe in sorted(provider.probes() or _plain_probes(account), key=lambda probe: probe.what != CREDENTIALS):
        found = await run.probe(probe.what, probe.settings, probe.read)
        if isinstance(found, SupplierAccount):
            reported_account = found
        elif isinstance(found, list) and all(isinstance(key, SupplierKey) for key in found):
            keys = found
    first_page = await run.probe(CATALOGUE, (), lambda: _first_page(provider.catalog()))
    balance: Balance | None = None
    if Capability.BALANCE in able:
        balance = await run.probe(BALANCE, (), provider.balance)
    facts = await _facts(deps, account, run.made, reported_account, balance)
    findings = judge(facts)
    return CheckReport(
        name=account.name,
        provider=account.manifest.name,
        mode=account.settings.mode,
        at=deps.clock(),
        answers=all(finding.level != "bad" for finding in findings),
        capabilities=sorted(capability.value for capability in able),
        cannot={
            capability.value: account.manifest.capability_notes.get(capability, "")
            for capability in Capability
            if capability not in able
        },
        account=facts.account,
        balance=price_of(None if balance is None else balance.balance),
        spendable=price_of(None if balance is None else balance.spendable),
        clock_ahead=None if facts.clock_ahead is None else round(facts.clock_ahead, 1),
        key=account.key,
        keys=keys,
        first_page=first_page,
        findings=list(findings),
    )


async def _payments_report(deps: Deps, account: PaymentAccount) -> CheckReport:
    """An account at a payment supplier: whether it lets us in. It sells nothing, so there is not much more to ask."""
    run = _ProbeRun(account.limiter)
    secrets = [name for name, value in account.settings if isinstance(value, SecretStr)]
    await run.probe(CREDENTIALS, tuple(secrets), lambda: _first(account.provider.links()))
    clock = account.provider.transport.clock
    facts = Facts(
        name=account.name,
        title=account.manifest.title,
        now=deps.clock(),
        probes=run.made,
        clock_ahead=None if clock is None else clock.ahead,
        clock_within=0.0 if clock is None else clock.within,
    )
    findings = judge(facts)
    return CheckReport(
        name=account.name,
        provider=account.manifest.name,
        mode=account.settings.mode,
        at=facts.now,
        answers=all(finding.level != "bad" for finding in findings),
        capabilities=["payment_links"],
        cannot={},
        account=None,
        balance=None,
        spendable=None,
        clock_ahead=None if clock is None else round(clock.ahead, 1),
        key=None,
        keys=None,
        first_page=None,
        findings=list(findings),
    )


async def _first(links: Any) -> None:
    async with aclosing(links) as walk:
        await anext(walk, None)


async def _facts(
    deps: Deps,
    account: Account,
    made: list[ProbeResult],
    reported: SupplierAccount | None,
    balance: Balance | None,
) -> Facts:
    manifest, clock = account.manifest, account.provider.transport.clock
    heard = await supplier_check_rows.heard(deps.pool, account.name)
    limit = await supplier_check_rows.limit(deps.pool, account.name)
    return Facts(
        name=account.name,
        title=manifest.title,
        now=deps.clock(),
        probes=made,
        clock_ahead=None if clock is None else clock.ahead,
        clock_within=0.0 if clock is None else clock.within,
        account=reported,
        balance=balance,
        per_minute=account.settings.requests_per_minute or manifest.limits.requests_per_minute,
        reported_limit=limit.reported_limit,
        remaining=limit.remaining,
        hears=Capability.WEBHOOKS in manifest.capabilities,
        sets_webhooks=Capability.WEBHOOK_SETTINGS in manifest.capabilities,
        webhook_advice=manifest.webhook_advice,
        heard_at=heard.good_at,
        forged_at=heard.forged_at,
        stops=await selling_rows.stops_of(deps.pool, account.name),
        key=await _key(deps, account),
    )


async def _key(deps: Deps, account: Account) -> KeyFacts | None:
    newest = await supplier_key_rows.newest(deps.pool, account.name)
    if newest is None:
        return None
    opened = account.key is None or account.settings is not account.configured
    return KeyFacts(newest.state, account.key is not None, newest.error, opened)


async def _first_page(pages: Any) -> int:
    """How many items the walk's first page has; ``pages`` is the generator that every plugin's walk is."""
    async with aclosing(pages) as walk:
        page: CatalogPage | None = await anext(walk, None)
    return 0 if page is None else len(page.offers) + len(page.set_aside)


def _plain_probes(account: Account) -> list[Probe]:
    """Of a plugin that names no probes: the first read of our account that it has."""
    provider, able = account.provider, account.manifest.capabilities
    reads: tuple[tuple[Capability, Callable[[], Awaitable[object]]], ...] = (
        (Capability.ACCOUNT, provider.account),
        (Capability.KEYS, provider.keys),
        (Capability.BALANCE, provider.balance),
    )
    return [Probe(CREDENTIALS, (), read) for capability, read in reads if capability in able][:1]
