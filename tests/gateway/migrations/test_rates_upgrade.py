"""Rates of older releases: kept, known as copies of the shipped file, as is what such a release still writes."""

from datetime import date
from decimal import Decimal

from gateway.kit.settings import load
from gateway.migrations import upgrade
from gateway.pricing import fx_rows
from gateway.pricing.rate_rules import Rate
from gateway.pricing.rates import rates_now, today

# As an older release wrote what it ships with.
_OLD_STORE = """
INSERT INTO fx_rates AS f (base, currency, rate, as_of, source) VALUES ('USD', 'EUR', $1, $2, 'config/fx.toml')
ON CONFLICT (base, currency, as_of) DO UPDATE SET rate = excluded.rate, source = excluded.source
"""


async def test_rates_of_older_releases_stay_and_are_not_read(empty):
    dsn, connection = empty
    await upgrade(dsn, "0025")
    await connection.execute("UPDATE alert_state SET seeded = true")
    await connection.execute(_OLD_STORE, Decimal(7), date(2026, 11, 1))
    await upgrade(dsn)
    rows = await connection.fetch("SELECT currency, rate, kind FROM fx_rates")
    assert [tuple(row) for row in rows] == [("EUR", 7, "shipped")]
    settings = load()
    assert (await rates_now(connection, settings)).worth["EUR"] == Decimal("1.08")  # from the file itself
    await fx_rows.write(connection, "USD", [Rate("EUR", Decimal("1.2"), today(), "ecb here", "fetched")])
    await connection.execute(_OLD_STORE, Decimal(7), date(2026, 11, 2))
    assert (await rates_now(connection, settings)).worth["EUR"] == Decimal("1.2")
    assert await connection.fetchval("SELECT count(*) FROM alert_rules WHERE kind = 'stale_rates'") == 1
