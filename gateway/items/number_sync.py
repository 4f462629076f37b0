"""Reading where suppliers sell virtual numbers, for how long and for how much: by the sync's schedule, each alone."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import structlog

from gateway.items import number_list_rows
from gateway.items.number_list_rows import KnownTier
from gateway.kit.database_retry import retry_while_database_down
from gateway.kit.pool import Pool
from gateway.kit.settings import Settings
from gateway.pricing.bounds import suspect_bounds
from gateway.pricing.suspect_rules import SuspectBounds, against_past
from gateway.suppliers.accounts import Account
from providers.contract import Capability
from schemas.account import NumberCountry, NumberTier
from schemas.errors import GatewayError

log = structlog.get_logger(__name__)


async def sync_numbers(pool: Pool, account: Account, settings: Settings, *, accepted: bool = False) -> list[str]:
    """Read an account's lists and take them over, both or none; what an operator should know of it, in a few words.

    A fault of the supplier's leaves what stands and is told; it keeps nothing else from being synced. A cost that
    moved too far from the last good one is not sold until an operator releases it, or the sync of that supplier is
    accepted. Nothing is done for an account that sells no numbers.
    """
    if Capability.NUMBERS not in account.manifest.capabilities:
        return []
    try:
        countries = await account.provider.number_countries()
        tiers = await account.provider.number_tiers()
        suspects = await retry_while_database_down(_replace)(
            pool, account.name, countries, tiers, suspect_bounds(settings.sync), accepted
        )
    except Exception as error:  # noqa: BLE001 - the supplier's plans do not depend on its numbers
        message = str(error) if isinstance(error, GatewayError) else f"{type(error).__name__} while syncing"
        log.warning("number_sync_failed", supplier=account.name, error=message)
        await retry_while_database_down(number_list_rows.failed)(pool, account.name, message, datetime.now(UTC))
        return [f"numbers: {message}"]
    return [f"numbers: tier {tier} is held back, {why}" for tier, why in suspects.items()]


async def _replace(
    pool: Pool,
    supplier: str,
    countries: list[NumberCountry],
    tiers: list[NumberTier],
    bounds: SuspectBounds,
    accepted: bool,
) -> dict[str, str]:
    async with pool.acquire() as connection, connection.transaction():
        known = await number_list_rows.known_tiers(connection, supplier)
        found = {number_tier.id: _suspect(number_tier, known.get(number_tier.id), bounds) for number_tier in tiers}
        suspects = {} if accepted else {tier: why for tier, why in found.items() if why is not None}
        await number_list_rows.replace(connection, supplier, countries, tiers, suspects, datetime.now(UTC))
    return suspects


def _suspect(tier: NumberTier, known: KnownTier | None, bounds: SuspectBounds) -> str | None:
    if known is None:
        return None
    if known.cost.currency != tier.cost.currency:
        return f"its currency is {tier.cost.currency} now, and was {known.cost.currency}"
    past: Decimal | None = known.good_cost
    return against_past(tier.cost.amount, past, None, bounds)
