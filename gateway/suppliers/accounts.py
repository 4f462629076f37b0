"""The configured supplier accounts, opened together and closed together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal

import structlog

from gateway.kit.pool import Pool
from gateway.kit.sealing import Seal, Unsealable
from gateway.kit.settings import Settings
from gateway.suppliers import supplier_key_rows, supplier_rows
from gateway.suppliers.limit_rows import SharedRateLimiter
from gateway.suppliers.metrics import declare_suppliers
from gateway.suppliers.supplier_key_rows import InForce
from providers.checks import check_settings
from providers.contract import Capability, Manifest, Provider, SupplierSettings
from providers.kit.supplier_rate import SupplierRateLimiter
from providers.loader import load_manifests, open_provider
from schemas.errors import ConfigurationError

log = structlog.get_logger(__name__)

FOLLOW_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Account:
    """One configured account at a supplier: what its plugin is, how it is set, and the way to it.

    ``key`` is the id of the stored key that ``settings`` are with, None when they are as ``configured``. ``before``
    is the way with the key before: calls may be on it.
    """

    name: str
    manifest: Manifest
    settings: SupplierSettings
    provider: Provider
    limiter: SupplierRateLimiter
    key: str | None = None
    configured: SupplierSettings | None = None
    before: Provider | None = None

    @property
    def tolerance(self) -> Decimal:
        """The share by which the supplier may charge more than it lists."""
        return self.manifest.tolerance(self.settings)


def account_of(accounts: Mapping[str, Account], supplier: str, mode: str) -> Account | None:
    """The account that sold something in a mode; None when it is not configured, or its name has the other mode now.

    What was bought with test money is never looked up, topped up or cancelled at a live account, nor the reverse.
    """
    found = accounts.get(supplier)
    return found if found is not None and found.settings.mode == mode else None


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
    settings: Settings, pool: Pool, manifests: Mapping[str, Manifest] | None = None, *, register_in: Pool | None = None
) -> dict[str, Account]:
    """Every configured account by name, its row in ``suppliers`` written. ``close_accounts`` ends them.

    ``register_in`` takes the rows in place of ``pool``, by which the suppliers' rates are still counted.

    Raises ``ConfigurationError`` for settings that a plugin refuses, and what the database raises.
    """
    checked = check_accounts(settings, manifests)
    await supplier_rows.register(
        register_in or pool,
        [supplier_rows.Configured(name, m.name, account.mode) for name, (m, account) in checked.items()],
    )
    accounts = await connect_accounts(checked, pool)
    await follow_keys(accounts, pool, Seal.from_settings(settings))
    return accounts


async def connect_accounts(checked: Mapping[str, tuple[Manifest, SupplierSettings]], pool: Pool) -> dict[str, Account]:
    """The way to each checked account, without a word to the database, which may be down."""
    opened: dict[str, Account] = {}
    declare_suppliers((name, account.mode) for name, (_, account) in checked.items())
    for name, (manifest, account) in checked.items():
        per_minute = account.requests_per_minute or manifest.limits.requests_per_minute
        limiter = SharedRateLimiter(pool, name, per_minute)
        try:
            opened[name] = Account(name, manifest, account, open_provider(manifest, name, account, limiter), limiter)
        except ConfigurationError:
            await close_accounts(opened.values())
            raise
    return opened


async def close_accounts(accounts: Iterable[Account]) -> None:
    """Close the connections and the rate limiters of all of them."""
    accounts = list(accounts)
    ways = [way for account in accounts for way in (account.provider, account.before) if way is not None]
    await asyncio.gather(*(way.close() for way in ways))
    await asyncio.gather(*(account.limiter.close() for account in accounts))


async def follow_keys(accounts: MutableMapping[str, Account], pool: Pool, seal: Seal) -> list[str]:
    """Have each account go with the stored key that is in force, else with the configured one; those that changed.

    Whoever holds an ``Account`` from before goes on with that one's key. A stored key that does not open leaves the
    account with the key that it has.
    """
    able = [name for name, account in accounts.items() if Capability.KEYS in account.manifest.capabilities]
    if not able:
        return []
    stored = await supplier_key_rows.in_force(pool, able)
    changed = []
    for name in able:
        account, found = accounts[name], stored.get(name)
        if account.key == (None if found is None else found.id):
            continue
        accounts[name] = _with_key(account, found, seal)
        changed.append(name)
        if account.before is not None:
            await account.before.close()
    return changed


async def keep_following(accounts: MutableMapping[str, Account], pool: Pool, seal: Seal) -> None:
    """Follow the keys in force until cancelled. A database that is away is asked again."""
    failing = False
    while True:
        await asyncio.sleep(FOLLOW_SECONDS)
        try:
            for name in await follow_keys(accounts, pool, seal):
                log.info("supplier_key_followed", supplier=name, key=accounts[name].key)
            failing = False
        except Exception as error:  # noqa: BLE001 - whatever it is, the next look may find a key that must be followed
            if not failing:
                log.warning("supplier_key_read_failed", error=type(error).__name__)
            failing = True


def _with_key(account: Account, found: InForce | None, seal: Seal) -> Account:
    configured = account.configured or account.settings
    if found is None:
        settings = configured
    else:
        try:
            settings = account.provider.with_key(seal.open_text(found.secret))
        except (Unsealable, ConfigurationError) as error:
            log.error("supplier_key_decrypt_failed", supplier=account.name, key=found.id, error=str(error))  # noqa: TRY400 - its words say all
            return replace(account, key=found.id, configured=configured)
    return replace(
        account,
        settings=settings,
        provider=open_provider(account.manifest, account.name, settings, account.limiter),
        key=None if found is None else found.id,
        configured=configured,
        before=account.provider,
    )


@asynccontextmanager
async def accounts_of(
    settings: Settings, pool: Pool, manifests: Mapping[str, Manifest] | None = None, *, register_in: Pool | None = None
) -> AsyncIterator[dict[str, Account]]:
    """``open_accounts`` for a ``with`` block."""
    accounts = await open_accounts(settings, pool, manifests, register_in=register_in)
    try:
        yield accounts
    finally:
        await close_accounts(accounts.values())
