"""The configured supplier accounts, opened together and closed together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from gateway.settings import Settings
from gateway.store import suppliers
from gateway.store.limits import SupplierGate
from gateway.store.pool import Pool
from providers.contract import Manifest, Provider, SupplierSettings, check_settings
from providers.gate import Gate
from providers.loader import load_manifests, open_provider
from schemas.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Account:
    """One configured account at a supplier: what its plugin is, how it is set, and the way to it."""

    name: str
    manifest: Manifest
    settings: SupplierSettings
    provider: Provider
    gate: Gate


def check_accounts(
    settings: Settings, manifests: Mapping[str, Manifest] | None = None
) -> dict[str, tuple[Manifest, SupplierSettings]]:
    """Hold ``[suppliers]`` against the plugins, by name. Raises ``ConfigurationError`` with every fault found.

    Accounts at payment suppliers are checked and left out: they have no catalogue and no orders.
    """
    checked = check_all(settings, manifests)
    return {
        name: (manifest, own) for name, (manifest, own) in checked.items() if issubclass(manifest.provider, Provider)
    }


def check_all(
    settings: Settings, manifests: Mapping[str, Manifest] | None = None
) -> dict[str, tuple[Manifest, SupplierSettings]]:
    """``check_accounts`` with the payment suppliers' among them."""
    known = load_manifests() if manifests is None else manifests
    found: dict[str, tuple[Manifest, SupplierSettings]] = {}
    faults: list[str] = []
    for name, values in sorted(settings.suppliers.items()):
        provider = str(values.get("provider"))
        if provider not in known:
            faults.append(f"suppliers.{name}.provider: {provider!r} is none of {', '.join(known)}")
            continue
        manifest = known[provider]
        try:
            found[name] = manifest, check_settings(manifest, name, values)
        except ConfigurationError as error:
            faults.append(str(error))
    if faults:
        raise ConfigurationError("; ".join(faults))
    return found


async def open_accounts(
    settings: Settings, pool: Pool, manifests: Mapping[str, Manifest] | None = None
) -> dict[str, Account]:
    """Every configured account by name, its row in ``suppliers`` written. ``close_accounts`` ends them.

    Raises ``ConfigurationError`` for settings that a plugin refuses, and what the database raises.
    """
    checked = check_accounts(settings, manifests)
    await suppliers.register(
        pool, [suppliers.Configured(name, m.name, account.mode) for name, (m, account) in checked.items()]
    )
    return await connect_accounts(checked, pool)


async def connect_accounts(checked: Mapping[str, tuple[Manifest, SupplierSettings]], pool: Pool) -> dict[str, Account]:
    """The way to each checked account, without a word to the database, which may be down."""
    opened: dict[str, Account] = {}
    for name, (manifest, account) in checked.items():
        gate = SupplierGate(pool, name, account.requests_per_minute or manifest.limits.requests_per_minute)
        try:
            opened[name] = Account(name, manifest, account, open_provider(manifest, name, account, gate), gate)
        except ConfigurationError:
            await close_accounts(opened.values())
            raise
    return opened


async def close_accounts(accounts: Iterable[Account]) -> None:
    """Close the connections of all of them."""
    await asyncio.gather(*(account.provider.close() for account in accounts))


@asynccontextmanager
async def accounts_of(
    settings: Settings, pool: Pool, manifests: Mapping[str, Manifest] | None = None
) -> AsyncIterator[dict[str, Account]]:
    """``open_accounts`` for a ``with`` block."""
    accounts = await open_accounts(settings, pool, manifests)
    try:
        yield accounts
    finally:
        await close_accounts(accounts.values())
