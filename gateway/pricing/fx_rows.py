"""Exchange rates: dated rows, copied from ``config/fx.toml`` (or another file of its form)."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib import resources
from typing import Any

import msgspec

from gateway.kit.pool import Connection, Pool
from schemas.errors import ConfigurationError


class Rate(msgspec.Struct, frozen=True):
    """What one unit of ``currency`` is worth in the base currency on a day, and who says so."""

    currency: str
    rate: Decimal
    as_of: date
    source: str


def parse(text: str, base: str) -> list[Rate]:
    """The rates in a file, told in ``base``: a file in another base is converted by its own rate of ours.

    Raises ``ConfigurationError`` for a file that cannot be used or does not know ``base``.
    """
    try:
        document = tomllib.loads(text)
        rates = [rate for table in document["rates"] for rate in _table(table, document["base"], base)]
    except (tomllib.TOMLDecodeError, KeyError, ValueError, ArithmeticError, TypeError) as error:
        raise ConfigurationError(f"exchange rates: {type(error).__name__}: {error}") from None
    if not rates:
        raise ConfigurationError(f"exchange rates: no rate of the base currency {base}")
    return rates


def shipped(base: str) -> list[Rate]:
    """The rates of ``config/fx.toml``."""
    return parse(resources.files("config").joinpath("fx.toml").read_text("utf-8"), base)


async def store(pool: Pool, base: str, rates: list[Rate]) -> bool:
    """Write the rates that are new or differ. True when the rates of today changed since the last snapshot."""
    async with pool.acquire() as connection, connection.transaction():
        before = await current(connection, base)
        await connection.executemany(
            """
            INSERT INTO fx_rates AS f (base, currency, rate, as_of, source) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (base, currency, as_of) DO UPDATE SET rate = excluded.rate, source = excluded.source
            WHERE (f.rate, f.source) IS DISTINCT FROM (excluded.rate, excluded.source)
            """,
            [(base, r.currency, r.rate, r.as_of, r.source) for r in rates],
        )
        # A rate that was written for a later day comes into force by the calendar alone.
        came_due = await connection.fetchval(
            """
            SELECT EXISTS (SELECT FROM fx_rates f, catalog_state c
                           WHERE f.base = $1 AND f.as_of <= current_date AND f.as_of > c.published_at::date)
            """,
            base,
        )
        changed = bool(came_due) or before != await current(connection, base)
        if changed:
            await connection.execute("UPDATE catalog_state SET content = content + 1")
    return changed


async def current(connection: Connection | Pool, base: str) -> dict[str, Rate]:
    """For each currency the newest rate that is not of a later day. The base itself is always 1."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT ON (currency) currency, rate, as_of, source FROM fx_rates
        WHERE base = $1 AND as_of <= current_date ORDER BY currency, as_of DESC
        """,
        base,
    )
    rates = {row["currency"]: Rate(**row) for row in rows}
    rates.setdefault(base, Rate(base, Decimal(1), datetime.now(UTC).date(), "base currency"))
    return rates


async def worth(connection: Connection | Pool, base: str) -> dict[str, Decimal]:
    """What one unit of each currency is worth in the base currency today."""
    rows = await connection.fetch(
        """SELECT DISTINCT ON (currency) currency, rate FROM fx_rates
           WHERE base = $1 AND as_of <= current_date ORDER BY currency, as_of DESC""",
        base,
    )
    return {row["currency"]: row["rate"] for row in rows}


def _table(table: dict[str, Any], reported_in: str, base: str) -> list[Rate]:
    as_of = date.fromisoformat(table["date"])
    figures = {k: Decimal(v) for k, v in table.items() if k not in {"date", "source"}}
    figures[reported_in] = Decimal(1)
    ours = figures.get(base)
    if ours is None:
        return []
    if any(not figure.is_finite() or figure <= 0 for figure in figures.values()):
        raise ValueError(f"a rate of {as_of} is not above 0")
    digits = Decimal(1).scaleb(-12)
    return [
        Rate(currency, figure if ours == 1 else (figure / ours).quantize(digits).normalize(), as_of, table["source"])
        for currency, figure in figures.items()
    ]
