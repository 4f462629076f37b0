"""The set-up of an installation, as its first page shows it."""

from __future__ import annotations

from gateway.access.key_rows import Mode
from gateway.kit.pool import Pool
from gateway.kit.settings import Settings
from gateway.operations import setup_rows
from gateway.operations.setup_rules import Checklist, checklist
from gateway.pricing.rates import bounds_of, today


async def setup_checklist(pool: Pool, settings: Settings, mode: Mode) -> Checklist | None:
    """What is set up and what is not, for one mode; None once all is."""
    oldest = bounds_of(settings).oldest(today())
    return checklist(await setup_rows.facts(pool, mode, settings.base_currency, oldest))
