"""How far an installation is set up, by what stands in the tables of all domains; one read."""

from __future__ import annotations

from datetime import date

from gateway.access.key_rows import Mode
from gateway.kit.pool import Pool
from gateway.operations.setup_rules import SetupFacts


async def facts(pool: Pool, mode: Mode, base: str, oldest_rate: date) -> SetupFacts:
    """What the database has. ``oldest_rate`` is the day of the oldest rate that is in force."""
    row = await pool.fetchrow(
        """SELECT EXISTS (SELECT FROM suppliers WHERE configured AND mode = $1) AS supplier,
                  EXISTS (SELECT FROM suppliers WHERE configured AND mode = $1 AND last_good_at IS NOT NULL) AS sync,
                  EXISTS (SELECT FROM api_keys WHERE mode = $1 AND revoked_at IS NULL
                          AND scopes && ARRAY['storefront', 'goods']) AS key,
                  EXISTS (SELECT FROM pricing_rules WHERE enabled) AS pricing_rule,
                  EXISTS (SELECT FROM fx_rates WHERE base = $2 AND as_of >= $3 AND kind <> 'shipped') AS rates,
                  EXISTS (SELECT FROM alert_channels WHERE enabled) AS alert_channel,
                  EXISTS (SELECT FROM webhook_endpoints WHERE mode = $1 AND status = 'enabled') AS webhook""",
        mode,
        base,
        oldest_rate,
    )
    return SetupFacts(**dict(row or {}))
