"""The configured accounts at payment suppliers: opened beside those at suppliers, and closed with them.

They have no row in ``suppliers``: nothing is synced, bought or held back there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.kit.pool import Pool
from gateway.kit.settings import Settings
from gateway.suppliers.accounts import check_all
from gateway.suppliers.limit_rows import SharedRateLimiter
from providers.contract import Manifest, PaymentProvider, SupplierSettings
from providers.kit.supplier_rate import SupplierRateLimiter
from providers.loader import open_payment
from schemas.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class PaymentAccount:
    """One configured account at a payment supplier. ``settings.mode`` says which keys' checkouts it serves."""

    name: str
    manifest: Manifest
    settings: SupplierSettings
    provider: PaymentProvider
    limiter: SupplierRateLimiter


def check_payment_accounts(
    settings: Settings, manifests: Mapping[str, Manifest] | None = None
) -> dict[str, tuple[Manifest, SupplierSettings]]:
    """Those of ``[suppliers]`` that take payments, by name. Raises ``ConfigurationError`` with every fault found."""
    checked = check_all(settings, manifests)
    return {
        name: (manifest, own)
        for name, (manifest, own) in checked.items()
        if issubclass(manifest.provider, PaymentProvider)
    }


async def connect_payment_accounts(
    checked: Mapping[str, tuple[Manifest, SupplierSettings]], pool: Pool
) -> dict[str, PaymentAccount]:
    """The way to each checked account, without a word to the database, which may be down."""
    opened: dict[str, PaymentAccount] = {}
    for name, (manifest, account) in checked.items():
        per_minute = account.requests_per_minute or manifest.limits.requests_per_minute
        # Without open checkouts nobody reads there, and nothing is bought: a write may probe an open breaker.
        limiter = SharedRateLimiter(pool, name, per_minute, writes_may_probe=True)
        try:
            opened[name] = PaymentAccount(
                name, manifest, account, open_payment(manifest, name, account, limiter), limiter
            )
        except ConfigurationError:
            await close_payment_accounts(opened.values())
            raise
    return opened


async def close_payment_accounts(accounts: Iterable[PaymentAccount]) -> None:
    """Close the connections and the rate limiters of all of them."""
    accounts = list(accounts)
    await asyncio.gather(*(account.provider.close() for account in accounts))
    await asyncio.gather(*(account.limiter.close() for account in accounts))
