"""What is kept of checks: the last report of each account, when its webhooks were heard, what its rate allows."""

from __future__ import annotations

from datetime import datetime

import msgspec

from gateway.kit.pool import Connection, Pool
from schemas.api_accounts import CheckReport

# Anybody can send something forged; it is written down so often at most.
_FORGED_EVERY = "interval '1 second'"


class Heard(msgspec.Struct, frozen=True):
    """When the last webhook came that was believed, and the last that was not, by the database's clock."""

    good_at: datetime | None = None
    forged_at: datetime | None = None


class Limit(msgspec.Struct, frozen=True):
    """What a supplier said of its rate."""

    reported_limit: int | None = None
    remaining: int | None = None


async def keep(connection: Connection | Pool, report: CheckReport) -> None:
    """Keep a report in the place of the one before."""
    await connection.execute(
        """INSERT INTO supplier_checks (supplier, at, report) VALUES ($1, $2, $3)
           ON CONFLICT (supplier) DO UPDATE SET at = excluded.at, report = excluded.report
           WHERE supplier_checks.at <= excluded.at""",
        report.name,
        report.at,
        msgspec.to_builtins(report),
    )


async def last(pool: Pool, supplier: str) -> CheckReport | None:
    """The last report; None when there is none, or an older gateway wrote it in another shape."""
    report = await pool.fetchval("SELECT report FROM supplier_checks WHERE supplier = $1", supplier)
    try:
        return None if report is None else msgspec.convert(report, CheckReport)
    except msgspec.ValidationError:
        return None


async def heard_good(connection: Connection, supplier: str) -> None:
    """A webhook came that is the supplier's."""
    await connection.execute(
        """INSERT INTO supplier_heard AS h (supplier, good_at) VALUES ($1, clock_timestamp())
           ON CONFLICT (supplier) DO UPDATE SET good_at = excluded.good_at""",
        supplier,
    )


async def heard_forged(pool: Pool, supplier: str) -> None:
    """Something came in the supplier's name that is not signed as it signs."""
    await pool.execute(
        f"""INSERT INTO supplier_heard AS h (supplier, forged_at) VALUES ($1, clock_timestamp())
            ON CONFLICT (supplier) DO UPDATE SET forged_at = excluded.forged_at
            WHERE h.forged_at IS NULL OR h.forged_at < excluded.forged_at - {_FORGED_EVERY}""",  # noqa: S608 - the words above
        supplier,
    )


async def heard(pool: Pool, supplier: str) -> Heard:
    """When a supplier was heard."""
    row = await pool.fetchrow("SELECT good_at, forged_at FROM supplier_heard WHERE supplier = $1", supplier)
    return Heard() if row is None else Heard(**dict(row))


async def now(pool: Pool) -> datetime:
    """The moment by the clock that ``heard`` goes by."""
    found: datetime = await pool.fetchval("SELECT clock_timestamp()")
    return found


async def limit(pool: Pool, supplier: str) -> Limit:
    """What a supplier last said of its rate."""
    row = await pool.fetchrow("SELECT reported_limit, remaining FROM supplier_limits WHERE supplier = $1", supplier)
    return Limit() if row is None else Limit(**dict(row))
